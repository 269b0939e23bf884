/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Types that differ only in what stands behind "___" are views of one, and
 * their fields lie side by side in it.  A struct has its fields in reverse,
 * with gaps; a union has them behind a gap; enumerators have the numbers above
 * all that the object may have counted them with.
 */
#include "compiler/proof/kernel.h"

#include <linux/bpf.h>
#include <linux/btf.h>
#include <string.h>

#include "compiler/arena.h"

#define STRUCT_GAP   24 /* before the first field, and behind the last */
#define FIELD_GAP    8
#define UNION_GAP    8
#define UNION_ROOM   1024 /* a union is as large as its unknown members */
#define OPEN_ARRAY   64	  /* elements of an array without a length */
#define MAX_SIZE     (1U << 20)
#define ID_ELSEWHERE 1000

struct layout {
	struct kernel_field *fields;
	size_t count, capacity;
	uint32_t size;
	uint32_t first; /* of the types that it is of */
};

struct enumeration {
	const char *name;
	int name_len;
	struct kernel_enumerator *values;
	size_t count;
};

struct kernel {
	struct arena *arena;
	const struct schema *types;
	const struct kernel_kind *kind;
	const struct kernel_relocation *asked;
	size_t asked_count;
	struct layout **layouts; /* of structs and unions, by type */
	struct enumeration *enumerations;
	size_t enumeration_count, enumeration_capacity;
};

static bool is_record(const struct type *type)
{
	return type->kind == BTF_KIND_STRUCT || type->kind == BTF_KIND_UNION;
}

static bool is_enum(const struct type *type)
{
	return type->kind == BTF_KIND_ENUM || type->kind == BTF_KIND_ENUM64;
}

static bool same_name(const char *a, int a_len, const char *b, int b_len)
{
	return a_len == b_len && !memcmp(a, b, (size_t)a_len);
}

/* ---- what is there ---- */

/* The next number of a path such as "0:1:2"; false at its end. */
static bool next_index(const char **path, uint32_t *index)
{
	uint64_t value = 0;

	if (**path == ':')
		++*path;
	if (**path < '0' || **path > '9')
		return false;
	while (**path >= '0' && **path <= '9' && value <= UINT32_MAX)
		value = 10 * value + (uint64_t)(*(*path)++ - '0');
	*index = (uint32_t)value;
	return value <= UINT32_MAX;
}

/* What a path comes to last: the member, or NULL and the type. */
static bool last_of(const struct schema *types,
		    const struct kernel_relocation *relocation,
		    const struct type **type, const struct type_member **member)
{
	const char *path = relocation->path;
	uint32_t id = schema_strip(types, relocation->type), index;

	*type = &types->list[id];
	*member = NULL;
	if (is_enum(*type)) {
		if (!next_index(&path, &index) || index >= (*type)->count)
			return false;
		*member = &(*type)->members[index];
		return true;
	}
	next_index(&path, &index);
	while (next_index(&path, &index)) {
		const struct type *each = &types->list[id];

		if (each->kind == BTF_KIND_ARRAY) {
			id = schema_strip(types, each->to);
			continue;
		}
		if (!is_record(each) || index >= each->count)
			return false;
		*type = each;
		*member = &each->members[index];
		id = schema_strip(types, (*member)->type);
	}
	return true;
}

static bool is_question(uint32_t kind)
{
	return kind == BPF_CORE_FIELD_EXISTS || kind == BPF_CORE_TYPE_EXISTS ||
	       kind == BPF_CORE_ENUMVAL_EXISTS;
}

static bool is_asked(const struct kernel *kernel, const char *owner, int len,
		     const char *member, int member_len)
{
	for (size_t i = 0; i < kernel->asked_count; i++) {
		const struct kernel_relocation *each = &kernel->asked[i];
		const struct type_member *last;
		const struct type *type;

		if (!is_question(each->kind) ||
		    !last_of(kernel->types, each, &type, &last) ||
		    !same_name(owner, len, type->name, type->name_len))
			continue;
		if (!member ? each->kind == BPF_CORE_TYPE_EXISTS
			    : last && same_name(member, member_len, last->name,
						last->name_len))
			return true;
	}
	return false;
}

static bool is_excepted(const struct kernel *kernel, const char *owner, int len,
			const char *member, int member_len)
{
	const char *const *each = kernel->kind->except;

	for (; each && *each; each++) {
		const char *dot = strchr(*each, '.');
		size_t first = dot ? (size_t)(dot - *each) : strlen(*each);

		if (!same_name(owner, len, *each, (int)first) ||
		    !dot != !member)
			continue;
		if (!dot || !strcmp(dot + 1, "*") ||
		    same_name(member, member_len, dot + 1,
			      (int)strlen(dot + 1)))
			return true;
	}
	return false;
}

static bool is_missing(const struct kernel *kernel, const char *owner, int len,
		       const char *member, int member_len)
{
	return is_asked(kernel, owner, len, member, member_len) &&
	       is_excepted(kernel, owner, len, member, member_len) ==
		       kernel->kind->has_all;
}

/* ---- where it is ---- */

uint32_t kernel_size(const struct kernel *kernel, uint32_t id)
{
	uint64_t size = 1;

	for (unsigned depth = 0; depth < 8; depth++) {
		const struct type *type;

		id = schema_strip(kernel->types, id);
		type = &kernel->types->list[id];
		if (type->kind == BTF_KIND_ARRAY) {
			size *= type->count ? type->count : OPEN_ARRAY;
			id = type->to;
		} else {
			size *= is_record(type) ? kernel->layouts[id]->size
				: type->kind == BTF_KIND_PTR ? 8
							     : type->size;
			return size > MAX_SIZE ? 0 : (uint32_t)size;
		}
		if (size > MAX_SIZE)
			return 0;
	}
	return 0;
}

static void add_member(struct kernel *kernel, struct layout *layout,
		       const struct type *owner,
		       const struct type_member *member)
{
	int len = member->name_len;

	for (size_t i = 0; i < layout->count; i++) {
		const struct kernel_field *field = &layout->fields[i];

		if (len ? same_name(field->name, field->name_len, member->name,
				    len)
			: field->type == member->type)
			return;
	}
	layout->fields =
		arena_grow(kernel->arena, layout->fields, layout->count,
			   &layout->capacity, sizeof(*layout->fields));
	layout->fields[layout->count++] = (struct kernel_field){
		.name = member->name,
		.name_len = len,
		.type = member->type,
		.bits = member->bits,
		.missing = is_missing(kernel, owner->name, owner->name_len,
				      member->name, len),
	};
}

static bool lay_out(struct kernel *kernel, uint32_t id);

/* Lays out the structs that are part of the type. */
static bool lay_out_part(struct kernel *kernel, uint32_t id)
{
	const struct schema *types = kernel->types;

	id = schema_strip(types, id);
	for (unsigned depth = 0; types->list[id].kind == BTF_KIND_ARRAY;
	     depth++) {
		if (depth == 8)
			return false;
		id = schema_strip(types, types->list[id].to);
	}
	return !is_record(&types->list[id]) || lay_out(kernel, id);
}

static bool place_fields(struct kernel *kernel, struct layout *layout,
			 bool is_union)
{
	uint32_t at = is_union ? UNION_GAP : STRUCT_GAP, end = at;

	for (size_t i = layout->count; i-- > 0;) {
		struct kernel_field *field = &layout->fields[i];
		uint32_t size;

		if (!lay_out_part(kernel, field->type))
			return false;
		size = field->bits ? 4 : kernel_size(kernel, field->type);
		if (field->bits > 32 - KERNEL_BIT_FIELD_AT)
			return false;
		field->offset = at;
		if (at + size > end)
			end = at + size;
		if (!is_union)
			at = (at + size + FIELD_GAP + 7) & ~7U;
		if (end > MAX_SIZE)
			return false;
	}
	layout->size = end + (is_union ? UNION_ROOM : STRUCT_GAP);
	return true;
}

/* A struct that is laid out has a size; one without is just being so, and is
 * part of itself. */
static bool lay_out(struct kernel *kernel, uint32_t id)
{
	const struct schema *types = kernel->types;
	const struct type *type = &types->list[id];
	int len = type->name_len;
	struct layout *layout = kernel->layouts[id];

	if (layout)
		return layout->size != 0;
	layout = arena_alloc(kernel->arena, sizeof(*layout));
	layout->first = id;
	kernel->layouts[id] = layout;
	for (uint32_t i = id; i < types->count; i++) {
		const struct type *each = &types->list[i];

		if (i != id &&
		    (!len || each->kind != type->kind ||
		     !same_name(type->name, len, each->name, each->name_len)))
			continue;
		kernel->layouts[i] = layout;
		for (uint32_t j = 0; j < each->count; j++)
			add_member(kernel, layout, each, &each->members[j]);
	}
	return place_fields(kernel, layout, type->kind == BTF_KIND_UNION);
}

static bool has_value(const struct enumeration *all, size_t count,
		      const char *name, int len)
{
	for (size_t i = 0; i < count; i++)
		if (same_name(all->values[i].name, all->values[i].name_len,
			      name, len))
			return true;
	return false;
}

/* The numbers begin above the count, go down, and leave out one half way. */
static void number(struct enumeration *all)
{
	size_t count = all->count;

	for (size_t i = 0; i < count; i++) {
		size_t rank = count - 1 - i;

		all->values[i].number =
			(int64_t)(count + 1 + rank + (rank >= count / 2));
	}
}

static void enumerate(struct kernel *kernel, uint32_t id)
{
	const struct schema *types = kernel->types;
	const struct type *type = &types->list[id];
	struct enumeration all = { .name = type->name,
				   .name_len = type->name_len };
	size_t capacity = 0;

	for (size_t i = 0; i < kernel->enumeration_count; i++)
		if (same_name(kernel->enumerations[i].name,
			      kernel->enumerations[i].name_len, all.name,
			      all.name_len))
			return;
	for (uint32_t i = id; i < types->count; i++) {
		const struct type *each = &types->list[i];

		if (!is_enum(each) || !same_name(all.name, all.name_len,
						 each->name, each->name_len))
			continue;
		for (uint32_t j = 0; j < each->count; j++) {
			const char *name = each->members[j].name;
			int len = schema_name_len(name);

			if (has_value(&all, all.count, name, len))
				continue;
			all.values =
				arena_grow(kernel->arena, all.values, all.count,
					   &capacity, sizeof(*all.values));
			all.values[all.count++] = (struct kernel_enumerator){
				.name = name,
				.name_len = len,
				.missing = is_missing(kernel, all.name,
						      all.name_len, name, len),
			};
		}
	}
	number(&all);
	kernel->enumerations = arena_grow(
		kernel->arena, kernel->enumerations, kernel->enumeration_count,
		&kernel->enumeration_capacity, sizeof(*kernel->enumerations));
	kernel->enumerations[kernel->enumeration_count++] = all;
}

struct kernel *kernel_new(struct arena *arena, const struct schema *types,
			  const struct kernel_kind *kind,
			  const struct kernel_relocation *asked, size_t count)
{
	struct kernel *kernel = arena_alloc(arena, sizeof(*kernel));

	*kernel = (struct kernel){
		.arena = arena,
		.types = types,
		.kind = kind,
		.asked = asked,
		.asked_count = count,
		.layouts = arena_array(arena, types->count,
				       sizeof(struct layout *)),
	};
	for (uint32_t i = 1; i < types->count; i++) {
		if (is_record(&types->list[i]) && !lay_out(kernel, i))
			return NULL;
		if (is_enum(&types->list[i]))
			enumerate(kernel, i);
	}
	return kernel;
}

const struct schema *kernel_schema(const struct kernel *kernel)
{
	return kernel->types;
}

/* ---- by name ---- */

uint32_t kernel_first(const struct kernel *kernel, uint32_t type)
{
	return kernel->layouts[type]->first;
}

uint32_t kernel_find(const struct kernel *kernel, const char *name, size_t len)
{
	for (uint32_t i = 1; i < kernel->types->count; i++) {
		const struct type *type = &kernel->types->list[i];

		if (is_record(type) &&
		    same_name(type->name, type->name_len, name, (int)len))
			return i;
	}
	return 0;
}

static const struct kernel_field *find_field(const struct kernel *kernel,
					     uint32_t id, const char *name,
					     size_t len, uint32_t *base,
					     unsigned depth)
{
	const struct layout *layout;

	id = schema_strip(kernel->types, id);
	if (!is_record(&kernel->types->list[id]) || depth > 8)
		return NULL;
	layout = kernel->layouts[id];
	for (size_t i = 0; i < layout->count; i++) {
		const struct kernel_field *field = &layout->fields[i], *inner;
		uint32_t there = *base + field->offset;

		if (same_name(field->name, field->name_len, name, (int)len))
			return field;
		if (field->name_len)
			continue;
		inner = find_field(kernel, field->type, name, len, &there,
				   depth + 1);
		if (!inner)
			continue;
		*base = there;
		return inner;
	}
	return NULL;
}

const struct kernel_field *kernel_field(const struct kernel *kernel,
					uint32_t type, const char *name,
					size_t len, uint32_t *base)
{
	return find_field(kernel, type, name, len, base, 0);
}

const struct kernel_field *kernel_fields(const struct kernel *kernel,
					 uint32_t type, size_t *count)
{
	*count = kernel->layouts[type]->count;
	return kernel->layouts[type]->fields;
}

const struct kernel_enumerator *kernel_enumerators(const struct kernel *kernel,
						   const char *name, size_t len,
						   size_t *count)
{
	for (size_t i = 0; i < kernel->enumeration_count; i++) {
		const struct enumeration *each = &kernel->enumerations[i];

		if (!same_name(each->name, each->name_len, name, (int)len))
			continue;
		*count = each->count;
		return each->values;
	}
	*count = 0;
	return NULL;
}

/* ---- relocations ---- */

/* Where a path leads to. */
struct place {
	uint64_t local;
	uint64_t target;
	uint32_t type;
	uint32_t bits;
	bool missing;
};

/* The member of @type in the kernel.  Anonymous ones are told by their type. */
static const struct kernel_field *field_of(const struct kernel *kernel,
					   uint32_t id,
					   const struct type_member *member)
{
	const struct layout *layout = kernel->layouts[id];
	int len = member->name_len;

	for (size_t i = 0; i < layout->count; i++) {
		const struct kernel_field *field = &layout->fields[i];

		if (len ? same_name(field->name, field->name_len, member->name,
				    len)
			: !field->name_len && field->type == member->type)
			return field;
	}
	return NULL;
}

static bool walk(const struct kernel *kernel,
		 const struct kernel_relocation *relocation,
		 struct place *place)
{
	const struct schema *types = kernel->types;
	const char *path = relocation->path;
	uint32_t id = schema_strip(types, relocation->type), index;

	if (!next_index(&path, &index))
		return false;
	*place = (struct place){
		.local = index * schema_size(types, id),
		.target = (uint64_t)index * kernel_size(kernel, id),
		.type = id,
	};
	while (next_index(&path, &index)) {
		const struct type *type = &types->list[id];
		const struct type_member *member;
		const struct kernel_field *field;

		if (type->kind == BTF_KIND_ARRAY) {
			id = schema_strip(types, type->to);
			place->local += index * schema_size(types, id);
			place->target +=
				(uint64_t)index * kernel_size(kernel, id);
			place->type = id;
			continue;
		}
		if (!is_record(type) || index >= type->count)
			return false;
		member = &type->members[index];
		field = field_of(kernel, id, member);
		if (!field)
			return false;
		place->local += member->bit / 8;
		place->target += field->offset;
		place->missing |= field->missing;
		place->bits = member->bits;
		id = schema_strip(types, member->type);
		place->type = id;
	}
	return *path == '\0';
}

static bool answer_field(const struct kernel *kernel,
			 const struct kernel_relocation *relocation,
			 struct kernel_answer *answer)
{
	struct place place;
	uint32_t size;

	if (!walk(kernel, relocation, &place))
		return false;
	size = place.bits ? 4 : kernel_size(kernel, place.type);
	answer->missing = place.missing;
	switch (relocation->kind) {
	case BPF_CORE_FIELD_BYTE_OFFSET:
		answer->checked = !place.bits;
		answer->expected = place.local;
		answer->value = place.target;
		return true;
	case BPF_CORE_FIELD_BYTE_SIZE:
		answer->checked = !place.bits;
		answer->expected = schema_size(kernel->types, place.type);
		answer->value = size;
		return true;
	case BPF_CORE_FIELD_EXISTS:
		answer->missing = false;
		answer->checked = true;
		answer->expected = 1;
		answer->value = !place.missing;
		return true;
	case BPF_CORE_FIELD_SIGNED:
		answer->value = kernel->types->list[place.type].is_signed;
		return true;
	case BPF_CORE_FIELD_LSHIFT_U64:
		answer->value =
			64 - (place.bits ? place.bits + KERNEL_BIT_FIELD_AT
					 : 8 * size);
		return true;
	case BPF_CORE_FIELD_RSHIFT_U64:
		answer->value = 64 - (place.bits ? place.bits : 8 * size);
		return true;
	default:
		return false;
	}
}

static bool answer_enumerator(const struct kernel *kernel,
			      const struct kernel_relocation *relocation,
			      struct kernel_answer *answer)
{
	const struct kernel_enumerator *values;
	const struct type_member *member;
	const struct type *type;
	size_t count;
	int len;

	if (!last_of(kernel->types, relocation, &type, &member) || !member ||
	    !is_enum(type))
		return false;
	values = kernel_enumerators(kernel, type->name, (size_t)type->name_len,
				    &count);
	len = member->name_len;
	answer->checked = true;
	for (size_t i = 0; i < count; i++) {
		if (!same_name(values[i].name, values[i].name_len, member->name,
			       len))
			continue;
		if (relocation->kind == BPF_CORE_ENUMVAL_EXISTS) {
			answer->expected = 1;
			answer->value = !values[i].missing;
		} else {
			answer->missing = values[i].missing;
			answer->expected = (uint64_t)member->value;
			answer->value = (uint64_t)values[i].number;
		}
		return true;
	}
	return false;
}

bool kernel_answer(const struct kernel *kernel,
		   const struct kernel_relocation *relocation,
		   struct kernel_answer *answer)
{
	const struct type *type;
	uint32_t id = schema_strip(kernel->types, relocation->type);

	*answer = (struct kernel_answer){ 0 };
	switch (relocation->kind) {
	case BPF_CORE_TYPE_EXISTS:
		type = &kernel->types->list[id];
		answer->checked = true;
		answer->expected = 1;
		answer->value = !is_missing(kernel, type->name, type->name_len,
					    NULL, 0);
		return true;
	case BPF_CORE_TYPE_SIZE:
		answer->checked = true;
		answer->expected = schema_size(kernel->types, id);
		answer->value = kernel_size(kernel, id);
		return true;
	case BPF_CORE_TYPE_ID_TARGET:
		answer->value = (uint64_t)id + ID_ELSEWHERE;
		return true;
	case BPF_CORE_ENUMVAL_EXISTS:
	case BPF_CORE_ENUMVAL_VALUE:
		return answer_enumerator(kernel, relocation, answer);
	default:
		return answer_field(kernel, relocation, answer);
	}
}
