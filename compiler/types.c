/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Types are marked from what needs them, then copied in their order: so those
 * that referred to each other by number get new numbers, and strings that
 * nobody uses are left behind.
 */
#include "compiler/types.h"

#include <bpf/btf.h>
#include <errno.h>
#include <string.h>

#include "compiler/arena.h"

struct pruning {
	struct image *image;
	struct btf *from;
	struct btf *to;
	uint32_t count;	   /* of types, void included */
	bool *needed;	   /* by number */
	uint32_t *numbers; /* old to new */
	uint32_t *pending; /* marked, not looked into yet */
	size_t pending_count;
};

static void close_btf(struct btf **btf)
{
	btf__free(*btf);
}

/* ---- references ---- */

/* The @index-th number that @type refers to; NULL behind the last. */
static uint32_t *reference(struct btf_type *type, size_t index)
{
	unsigned len = btf_vlen(type);

	switch (btf_kind(type)) {
	case BTF_KIND_PTR:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
	case BTF_KIND_TYPE_TAG:
		return index ? NULL : &type->type;
	case BTF_KIND_ARRAY:
		return index == 0   ? &btf_array(type)->type
		       : index == 1 ? &btf_array(type)->index_type
				    : NULL;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return index < len ? &btf_members(type)[index].type : NULL;
	case BTF_KIND_FUNC_PROTO:
		return index == 0     ? &type->type
		       : index <= len ? &btf_params(type)[index - 1].type
				      : NULL;
	case BTF_KIND_DATASEC:
		return index < len ? &btf_var_secinfos(type)[index].type : NULL;
	default: /* numbers, enums, forward declarations */
		return NULL;
	}
}

static struct btf_type *type_of(const struct btf *btf, uint32_t number)
{
	return (struct btf_type *)btf__type_by_id(btf, number);
}

/* ---- marking ---- */

static bool mark(struct pruning *pruning, uint32_t number)
{
	if (number >= pruning->count)
		return false;
	if (number && !pruning->needed[number]) {
		pruning->needed[number] = true;
		pruning->pending[pruning->pending_count++] = number;
	}
	return true;
}

static bool mark_all_behind(struct pruning *pruning)
{
	while (pruning->pending_count) {
		uint32_t number = pruning->pending[--pruning->pending_count];
		struct btf_type *type = type_of(pruning->from, number);
		uint32_t *to;

		for (size_t i = 0; (to = reference(type, i)); i++)
			if (!mark(pruning, *to))
				return false;
	}
	return true;
}

static bool mark_records(struct pruning *pruning, const struct ext_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (!mark(pruning, list->records[i].words[1]))
			return false;
	return true;
}

static const char *name_of(const struct btf *btf, const struct btf_type *type)
{
	const char *name = btf__name_by_offset(btf, type->name_off);

	return name ? name : "";
}

/* Where the variables of a DATASEC are. */
struct home {
	bool present;
	bool filtered;	/* without those that have no symbol any more */
	uint32_t index; /* SHN_UNDEF for what the kernel has */
	uint32_t size;
};

static struct home find_home(const struct pruning *pruning,
			     const struct btf_type *type)
{
	const char *name = name_of(pruning->from, type);
	const struct image_section *section = image_find(pruning->image, name);

	if (section)
		return (struct home){
			.present = true,
			.filtered = !strcmp(name, MAPS_SECTION) ||
				    !strcmp(name, PROTOTYPES_SECTION),
			.index = image_index(pruning->image, section),
			.size = (uint32_t)section->content.size,
		};
	return (struct home){
		.present = !strcmp(name, ".ksyms") || !strcmp(name, ".kconfig"),
		.filtered = true,
		.index = SHN_UNDEF,
		.size = type->size,
	};
}

/* The symbol of that name that is left there; NULL without. */
static const struct image_symbol *find_symbol(const struct image *image,
					      uint32_t section,
					      const char *name)
{
	for (uint32_t i = 1; i < image->symbol_count; i++) {
		const struct image_symbol *symbol = &image->symbols[i];

		if (!symbol->gone && symbol->entry.st_shndx == section &&
		    ELF64_ST_TYPE(symbol->entry.st_info) != STT_SECTION &&
		    !strcmp(symbol->name, name))
			return symbol;
	}
	return NULL;
}

static const struct image_symbol *symbol_of(const struct pruning *pruning,
					    const struct home *home,
					    const struct btf_var_secinfo *info)
{
	return find_symbol(
		pruning->image, home->index,
		name_of(pruning->from, type_of(pruning->from, info->type)));
}

static bool is_left(const struct pruning *pruning, const struct home *home,
		    const struct btf_var_secinfo *info)
{
	return home->present &&
	       (!home->filtered || symbol_of(pruning, home, info));
}

static bool mark_section(struct pruning *pruning, const struct btf_type *type)
{
	const struct btf_var_secinfo *infos = btf_var_secinfos(type);
	struct home home = find_home(pruning, type);

	for (unsigned i = 0; i < btf_vlen(type); i++)
		if (is_left(pruning, &home, &infos[i]) &&
		    !mark(pruning, infos[i].type))
			return false;
	return true;
}

static bool mark_needed(struct pruning *pruning, const struct ext *ext)
{
	if (!mark_records(pruning, &ext->lists[EXT_FUNCTIONS]) ||
	    !mark_records(pruning, &ext->lists[EXT_CORE]))
		return false;
	for (uint32_t i = 1; i < pruning->count; i++) {
		const struct btf_type *type = type_of(pruning->from, i);

		if (btf_is_datasec(type) && !mark_section(pruning, type))
			return false;
	}
	return mark_all_behind(pruning);
}

/* ---- copying ---- */

static int copy_types(struct pruning *pruning)
{
	uint32_t *to;

	for (uint32_t i = 1; i < pruning->count; i++) {
		int number;

		if (!pruning->needed[i])
			continue;
		number = btf__add_type(pruning->to, pruning->from,
				       type_of(pruning->from, i));
		if (number < 0)
			return number;
		pruning->numbers[i] = (uint32_t)number;
	}
	for (uint32_t i = 1; i < btf__type_cnt(pruning->to); i++) {
		struct btf_type *type = type_of(pruning->to, i);

		for (size_t j = 0; (to = reference(type, j)); j++)
			*to = pruning->numbers[*to];
	}
	return 0;
}

static int copy_section(struct pruning *pruning, const struct btf_type *type)
{
	const struct btf_var_secinfo *infos = btf_var_secinfos(type);
	struct home home = find_home(pruning, type);
	bool begun = false;
	int err = 0;

	for (unsigned i = 0; err >= 0 && i < btf_vlen(type); i++) {
		uint32_t offset = infos[i].offset;

		if (!is_left(pruning, &home, &infos[i]))
			continue;
		if (!begun)
			err = btf__add_datasec(pruning->to,
					       name_of(pruning->from, type),
					       home.size);
		begun = true;
		if (home.filtered && home.index != SHN_UNDEF)
			offset = (uint32_t)symbol_of(pruning, &home, &infos[i])
					 ->entry.st_value;
		if (err >= 0)
			err = btf__add_datasec_var_info(
				pruning->to,
				(int)pruning->numbers[infos[i].type], offset,
				infos[i].size);
	}
	return err < 0 ? err : 0;
}

static int copy_sections(struct pruning *pruning)
{
	int err = 0;

	for (uint32_t i = 1; !err && i < pruning->count; i++) {
		const struct btf_type *type = type_of(pruning->from, i);

		if (btf_is_datasec(type))
			err = copy_section(pruning, type);
	}
	return err;
}

/* ---- records ---- */

/* Without the characters of @needless that it begins with. */
static int copy_string(struct pruning *pruning, uint32_t *offset,
		       const char *needless)
{
	const char *string = btf__str_by_offset(pruning->from, *offset);
	int to = string ? btf__add_str(pruning->to,
				       string + strspn(string, needless))
			: -EBADMSG;

	if (to >= 0)
		*offset = (uint32_t)to;
	return to < 0 ? to : 0;
}

/* Who prints a source line leaves out what it is indented by. */
static int move_record(struct pruning *pruning, enum ext_kind kind,
		       struct ext_record *record)
{
	int err = copy_string(pruning, &record->section, "");

	if (kind != EXT_LINES)
		record->words[1] = pruning->numbers[record->words[1]];
	if (!err && kind == EXT_LINES)
		err = copy_string(pruning, &record->words[1], "./");
	if (!err && kind != EXT_FUNCTIONS)
		err = copy_string(pruning, &record->words[2],
				  kind == EXT_LINES ? " \t" : "");
	return err;
}

static int move_records(struct pruning *pruning, struct ext *ext)
{
	int err = 0;

	for (unsigned i = 0; i < EXT_KINDS; i++)
		for (size_t j = 0; !err && j < ext->lists[i].count; j++)
			err = move_record(pruning, i,
					  &ext->lists[i].records[j]);
	return err;
}

int types_prune(struct image *image, struct ext *ext, const char **why)
{
	struct image_section *section = image_find(image, ".BTF");
	__attribute__((cleanup(close_btf))) struct btf *from = btf__new(
		section->content.bytes, (uint32_t)section->content.size);
	__attribute__((cleanup(close_btf))) struct btf *to = btf__new_empty();
	struct pruning pruning = { .image = image, .from = from, .to = to };
	const void *bytes;
	uint32_t size;
	int err;

	*why = "the linked object's types cannot be made anew";
	if (!from || !to)
		return -ENOMEM;
	pruning.count = btf__type_cnt(from);
	pruning.needed = arena_array(image->arena, pruning.count, sizeof(bool));
	pruning.numbers =
		arena_array(image->arena, pruning.count, sizeof(uint32_t));
	pruning.pending =
		arena_array(image->arena, pruning.count, sizeof(uint32_t));
	if (!mark_needed(&pruning, ext))
		return -EBADMSG;
	err = copy_types(&pruning);
	if (!err)
		err = copy_sections(&pruning);
	if (!err)
		err = move_records(&pruning, ext);
	if (err)
		return err;
	bytes = btf__raw_data(to, &size);
	if (!bytes)
		return -ENOMEM;
	section->content =
		(struct blob){ arena_copy(image->arena, bytes, size), size };
	return 0;
}

/* Whether a value of the type is in one register: a struct of 16 bytes is in
 * two, and void, as of a parameter, stands for any number of them. */
static bool is_one_register(const struct btf *types, uint32_t number)
{
	int stripped = btf__resolve_type(types, number);
	const struct btf_type *type =
		stripped < 0 ? NULL : type_of(types, (uint32_t)stripped);
	int64_t size = btf__resolve_size(types, number);

	return type && !btf_is_composite(type) && size > 0 && size <= 8;
}

unsigned types_parameters(const struct btf *types, const char *function,
			  unsigned all)
{
	int number = btf__find_by_name_kind(types, function, BTF_KIND_FUNC);
	const struct btf_type *type =
		number < 0 ? NULL : type_of(types, (uint32_t)number);
	const struct btf_type *prototype =
		type ? type_of(types, type->type) : NULL;

	if (!prototype || !btf_is_func_proto(prototype) ||
	    btf_vlen(prototype) > all)
		return all;
	for (unsigned i = 0; i < btf_vlen(prototype); i++)
		if (!is_one_register(types, btf_params(prototype)[i].type))
			return all;
	return btf_vlen(prototype);
}

const char *types_string(const struct image *image, uint32_t offset)
{
	const struct image_section *section = image_find(image, ".BTF");
	const struct blob *bytes = &section->content;
	struct btf_header header;
	uint64_t start;

	if (bytes->size < sizeof(header) ||
	    ((const char *)bytes->bytes)[bytes->size - 1])
		return "";
	memcpy(&header, bytes->bytes, sizeof(header));
	start = (uint64_t)header.hdr_len + header.str_off + offset;
	return start < bytes->size ? (const char *)bytes->bytes + start : "";
}
