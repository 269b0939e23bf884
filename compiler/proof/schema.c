/* SPDX-License-Identifier: GPL-2.0-only */
/* One pass over the records; what they refer to is checked behind it. */
#include "compiler/proof/schema.h"

#include <linux/btf.h>
#include <string.h>

#include "bundle/reader.h"
#include "compiler/arena.h"

#define DEPTH	 32 /* of typedefs, and of arrays in structs */
#define MAX_SIZE (UINT64_C(1) << 30)

const char *schema_string(const struct schema *types, uint32_t offset)
{
	return offset < types->string_size ? types->strings + offset : NULL;
}

static bool read_header(const struct blob *btf, struct schema *types,
			struct reader *records)
{
	struct reader reader = reader_of(btf->bytes, btf->size);
	uint16_t magic = reader_u16(&reader);
	uint8_t version = reader_u8(&reader);
	uint32_t header, offset, size, strings, string_size;

	reader_u8(&reader); /* flags */
	header = reader_u32(&reader);
	offset = reader_u32(&reader);
	size = reader_u32(&reader);
	strings = reader_u32(&reader);
	string_size = reader_u32(&reader);
	if (reader.spent || magic != BTF_MAGIC || version != BTF_VERSION)
		return false;
	*records = reader_at(btf->bytes, btf->size, (uint64_t)header + offset,
			     size);
	reader = reader_at(btf->bytes, btf->size, (uint64_t)header + strings,
			   string_size);
	if (records->spent || !reader_left(&reader) || reader.end[-1])
		return false;
	types->strings = (const char *)reader.next;
	types->string_size = string_size;
	return true;
}

static bool read_member(const struct schema *types, struct reader *reader,
			bool bit_fields, struct type_member *member)
{
	uint32_t offset;

	member->name = schema_string(types, reader_u32(reader));
	member->type = reader_u32(reader);
	offset = reader_u32(reader);
	member->bits = bit_fields ? offset >> 24 : 0;
	member->bit = bit_fields ? offset & 0xffffff : offset;
	if (member->name)
		member->name_len = schema_name_len(member->name);
	return member->name != NULL;
}

static bool read_enumerator(const struct schema *types, struct reader *reader,
			    bool wide, struct type_member *member)
{
	uint32_t low;

	member->name = schema_string(types, reader_u32(reader));
	low = reader_u32(reader);
	member->value =
		wide ? (int64_t)((uint64_t)reader_u32(reader) << 32 | low)
		     : (int32_t)low;
	if (member->name)
		member->name_len = schema_name_len(member->name);
	return member->name != NULL;
}

static bool read_members(struct arena *arena, const struct schema *types,
			 struct reader *reader, bool flag, uint32_t count,
			 struct type *type)
{
	bool record =
		type->kind == BTF_KIND_STRUCT || type->kind == BTF_KIND_UNION;
	bool wide = type->kind == BTF_KIND_ENUM64;
	struct type_member *members;

	if (reader_left(reader) / (record || wide ? 12 : 8) < count)
		return false;
	members = arena_array(arena, count, sizeof(*members));
	for (uint32_t i = 0; i < count; i++)
		if (record ? !read_member(types, reader, flag, &members[i])
			   : !read_enumerator(types, reader, wide, &members[i]))
			return false;
	type->members = members;
	type->count = count;
	return true;
}

static bool read_type(struct arena *arena, const struct schema *types,
		      struct reader *reader, struct type *type)
{
	uint32_t info, size_or_type;

	type->name = schema_string(types, reader_u32(reader));
	info = reader_u32(reader);
	size_or_type = reader_u32(reader);
	type->kind = info >> 24 & 0x1f;
	if (!type->name)
		return false;
	type->name_len = schema_name_len(type->name);
	switch (type->kind) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		type->size = size_or_type;
		return read_members(arena, types, reader, info >> 31,
				    info & 0xffff, type);
	case BTF_KIND_INT:
		type->size = size_or_type;
		type->is_signed =
			BTF_INT_ENCODING(reader_u32(reader)) & BTF_INT_SIGNED;
		return true;
	case BTF_KIND_FLOAT:
		type->size = size_or_type;
		return true;
	case BTF_KIND_ARRAY:
		type->to = reader_u32(reader);
		reader_u32(reader); /* of the index */
		type->count = reader_u32(reader);
		return true;
	case BTF_KIND_PTR:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
	case BTF_KIND_FUNC:
		type->to = size_or_type;
		return true;
	case BTF_KIND_FWD:
		return true;
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		type->to = size_or_type;
		return reader_bytes(reader, 4) != NULL;
	case BTF_KIND_FUNC_PROTO:
		return reader_bytes(reader, UINT64_C(8) * (info & 0xffff)) ||
		       !(info & 0xffff);
	case BTF_KIND_DATASEC:
		return reader_bytes(reader, UINT64_C(12) * (info & 0xffff)) ||
		       !(info & 0xffff);
	default:
		return false;
	}
}

static bool check_references(const struct schema *types)
{
	for (uint32_t i = 1; i < types->count; i++) {
		const struct type *type = &types->list[i];

		if (type->to >= types->count)
			return false;
		for (uint32_t j = 0; type->members && j < type->count; j++)
			if (type->members[j].type >= types->count)
				return false;
	}
	return true;
}

bool schema_read(struct arena *arena, const struct blob *btf,
		 struct schema *types)
{
	struct reader reader;
	size_t capacity = 0;

	*types = (struct schema){ 0 };
	if (!read_header(btf, types, &reader))
		return false;
	types->list =
		arena_grow(arena, NULL, 0, &capacity, sizeof(*types->list));
	types->list[types->count++] = (struct type){ .name = "" };
	while (reader_left(&reader)) {
		struct type type = { 0 };

		if (!read_type(arena, types, &reader, &type) || reader.spent)
			return false;
		types->list = arena_grow(arena, types->list, types->count,
					 &capacity, sizeof(*types->list));
		types->list[types->count++] = type;
	}
	return !reader.spent && check_references(types);
}

uint32_t schema_strip(const struct schema *types, uint32_t id)
{
	for (unsigned i = 0; i < DEPTH; i++) {
		switch (types->list[id].kind) {
		case BTF_KIND_TYPEDEF:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_CONST:
		case BTF_KIND_RESTRICT:
		case BTF_KIND_TYPE_TAG:
			id = types->list[id].to;
			break;
		default:
			return id;
		}
	}
	return 0;
}

uint64_t schema_size(const struct schema *types, uint32_t id)
{
	uint64_t size = 1;

	for (unsigned i = 0; i < DEPTH; i++) {
		const struct type *type;

		id = schema_strip(types, id);
		type = &types->list[id];
		if (type->kind == BTF_KIND_ARRAY) {
			size *= type->count;
			id = type->to;
			if (size > MAX_SIZE)
				return 0;
			continue;
		}
		size *= type->kind == BTF_KIND_PTR ? 8 : type->size;
		return size > MAX_SIZE ? 0 : size;
	}
	return 0;
}

int schema_name_len(const char *name)
{
	const char *behind = strstr(name, "___");

	return (int)(behind && behind != name ? (size_t)(behind - name)
					      : strlen(name));
}
