/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Nothing is laid out anew: a section that changes its length moves behind all
 * others, and one that is left out becomes one of the type that linkers skip,
 * SHT_LLVM_ADDRSIG.  The linker that comes next keeps neither holes nor
 * skipped sections.
 *
 * What else speaks of a program is .BTF.ext, in blocks named by section, of
 * which the linker must not find one for a section that is not there.  What
 * else speaks of an array are its symbol, the type of the array and its
 * section's entry for the variable.
 */
#include "compiler/edit.h"

#include <bpf/btf.h>
#include <elf.h>
#include <errno.h>
#include <linux/btf.h>
#include <string.h>

#include "bundle/object.h"
#include "compiler/arena.h"

#ifndef SHT_LLVM_ADDRSIG
#define SHT_LLVM_ADDRSIG 0x6fff4c03
#endif

#define ALIGNMENT 8

static const char damaged[] = "its template is damaged";

/* An object being edited: all offsets are into @bytes, which may move. */
struct editor {
	struct arena *arena;
	char *bytes;
	size_t size;
	struct object object; /* of @bytes */
};

static int reopen(struct editor *editor, const char **why)
{
	return object_open(editor->bytes, editor->size, &editor->object, why);
}

static int open_copy(struct editor *editor, struct arena *arena,
		     const struct blob *object, const char **why)
{
	editor->arena = arena;
	editor->bytes = arena_copy(arena, object->bytes, object->size);
	editor->size = object->size;
	return reopen(editor, why);
}

static Elf64_Shdr *header_of(const struct editor *editor, uint32_t section)
{
	return (Elf64_Shdr *)(editor->bytes + editor->object.sections) +
	       section;
}

/* Gives a section other bytes. */
static int replace_section(struct editor *editor, uint32_t section,
			   const void *bytes, size_t size, const char **why)
{
	size_t offset = (editor->size + ALIGNMENT - 1) & ~(ALIGNMENT - 1UL);
	char *moved = arena_alloc(editor->arena, offset + size);

	memcpy(moved, editor->bytes, editor->size);
	memcpy(moved + offset, bytes, size);
	editor->bytes = moved;
	editor->size = offset + size;
	header_of(editor, section)->sh_offset = offset;
	header_of(editor, section)->sh_size = size;
	return reopen(editor, why);
}

static struct btf *open_btf(const struct editor *editor,
			    struct object_section *section)
{
	if (object_find_section(&editor->object, ".BTF", section) ||
	    section->size > UINT32_MAX)
		return NULL;
	return btf__new(section->bytes, (uint32_t)section->size);
}

/* ---- programs ---- */

struct drop {
	bool (*is_dropped)(const char *section, const void *context);
	const void *context;
};

static bool drops(const struct drop *drop, const char *section)
{
	return drop->is_dropped(section, drop->context);
}

/* libbpf does not export this. */
struct extension {
	uint16_t magic;
	uint8_t version;
	uint8_t flags;
	uint32_t header_len;
	struct {
		uint32_t offset; /* from the end of the header */
		uint32_t len;
	} infos[3]; /* of functions, lines and relocations */
};

struct extension_block {
	uint32_t name; /* of the section, in .BTF */
	uint32_t count;
};

/* Copies one of the infos without the blocks of what is dropped; the bytes
 * that it then takes, or -1. */
static int64_t copy_info(const struct btf *btf, const struct drop *drop,
			 const char *from, size_t len, char *to)
{
	struct extension_block block;
	uint32_t record;
	size_t at = sizeof(record), copied = sizeof(record);

	if (!len)
		return 0;
	if (len < sizeof(record))
		return -1;
	memcpy(&record, from, sizeof(record));
	memcpy(to, from, sizeof(record));
	while (at < len) {
		const char *name;
		uint64_t size;

		if (len - at < sizeof(block))
			return -1;
		memcpy(&block, from + at, sizeof(block));
		size = sizeof(block) + (uint64_t)block.count * record;
		name = btf__name_by_offset(btf, block.name);
		if (!name || size > len - at)
			return -1;
		if (!drops(drop, name)) {
			memcpy(to + copied, from + at, size);
			copied += size;
		}
		at += size;
	}
	/* an info without blocks is none */
	return copied == sizeof(record) ? 0 : (int64_t)copied;
}

static int drop_extension(struct editor *editor, const struct btf *btf,
			  const struct drop *drop, const char **why)
{
	struct object_section section;
	struct extension extension, edited;
	size_t size = sizeof(extension);
	char *bytes;

	if (object_find_section(&editor->object, ".BTF.ext", &section) ||
	    section.size < sizeof(extension))
		return -EBADMSG;
	memcpy(&extension, section.bytes, sizeof(extension));
	edited = extension;
	edited.header_len = sizeof(edited);
	bytes = arena_alloc(editor->arena, section.size);
	for (size_t i = 0; i < 3; i++) {
		uint64_t offset = (uint64_t)extension.header_len +
				  extension.infos[i].offset;
		uint32_t len = extension.infos[i].len;
		int64_t copied;

		if (offset > section.size || len > section.size - offset)
			return -EBADMSG;
		copied = copy_info(btf, drop,
				   (const char *)section.bytes + offset, len,
				   bytes + size);
		if (copied < 0)
			return -EBADMSG;
		edited.infos[i].offset = (uint32_t)(size - sizeof(edited));
		edited.infos[i].len = (uint32_t)copied;
		size += (size_t)copied;
	}
	if (size == sizeof(edited)) { /* no program is left */
		header_of(editor, section.index)->sh_type = SHT_LLVM_ADDRSIG;
		return 0;
	}
	memcpy(bytes, &edited, sizeof(edited));
	return replace_section(editor, section.index, bytes, size, why);
}

/* A program's section, or the one of its relocations. */
static bool is_dropped_section(const struct drop *drop,
			       const struct object_section *section)
{
	static const char relocations[] = ".rel";

	if (section->type == SHT_PROGBITS)
		return drops(drop, section->name);
	return section->type == SHT_REL &&
	       !strncmp(section->name, relocations, strlen(relocations)) &&
	       drops(drop, section->name + strlen(relocations));
}

static int drop_sections(struct editor *editor, const struct drop *drop,
			 bool *dropped)
{
	struct object_section section;

	for (uint32_t i = 1; i < editor->object.section_count; i++) {
		if (object_section(&editor->object, i, &section))
			return -EBADMSG;
		if (!is_dropped_section(drop, &section))
			continue;
		header_of(editor, i)->sh_type = SHT_LLVM_ADDRSIG;
		*dropped = true;
	}
	return 0;
}

int edit_drop_programs(struct arena *arena, const struct blob *object,
		       bool (*is_dropped)(const char *section,
					  const void *context),
		       const void *context, struct blob *edited,
		       const char **why)
{
	struct drop drop = { is_dropped, context };
	struct object_section section;
	struct editor editor;
	bool dropped = false;
	struct btf *btf;
	int err;

	err = open_copy(&editor, arena, object, why);
	if (err)
		return err;
	*why = damaged;
	err = drop_sections(&editor, &drop, &dropped);
	if (!err && dropped) {
		btf = open_btf(&editor, &section);
		err = btf ? drop_extension(&editor, btf, &drop, why) : -EBADMSG;
		btf__free(btf);
	}
	if (!err)
		*edited = (struct blob){ editor.bytes, editor.size };
	return err;
}

/* ---- arrays ---- */

static const struct edit_array *find_array(const struct edit_array *arrays,
					   size_t count, const char *symbol)
{
	for (size_t i = 0; symbol && i < count; i++)
		if (!strcmp(arrays[i].symbol, symbol))
			return &arrays[i];
	return NULL;
}

/* Where in the section each array begins. */
static size_t array_offset(const struct edit_array *arrays, size_t index)
{
	size_t offset = 0;

	for (size_t i = 0; i < index; i++)
		offset += (arrays[i].size + ALIGNMENT - 1) & ~(ALIGNMENT - 1UL);
	return offset;
}

static int edit_symbols(struct editor *editor, uint32_t section,
			const struct edit_array *arrays, size_t count)
{
	struct object_section symbols, names;
	size_t found = 0;
	Elf64_Sym *symbol;

	if (object_find_section(&editor->object, ".symtab", &symbols) ||
	    object_section(&editor->object, symbols.link, &names))
		return -EBADMSG;
	symbol = (Elf64_Sym *)(editor->bytes + symbols.offset);
	for (size_t i = 0; i < symbols.size / sizeof(*symbol); i++, symbol++) {
		const struct edit_array *array;

		if (symbol->st_shndx != section ||
		    ELF64_ST_TYPE(symbol->st_info) == STT_SECTION)
			continue;
		if (symbol->st_name >= names.size)
			return -EBADMSG;
		array = find_array(arrays, count,
				   (const char *)names.bytes + symbol->st_name);
		if (!array)
			return -EBADMSG;
		symbol->st_value =
			array_offset(arrays, (size_t)(array - arrays));
		symbol->st_size = array->size;
		found++;
	}
	return found == count ? 0 : -EBADMSG;
}

/* The type is one of @btf, which is a copy of the section: the same place in
 * the editor's bytes. */
static void *in_section(const struct editor *editor, const struct btf *btf,
			const struct object_section *section, const void *type)
{
	uint32_t size;
	const char *start = btf__raw_data(btf, &size);

	return editor->bytes + section->offset + ((const char *)type - start);
}

/* Of one variable of the section: its size there, and its array's length. */
static int edit_variable(const struct editor *editor, const struct btf *btf,
			 const struct object_section *section,
			 const struct btf_var_secinfo *info,
			 const struct edit_array *arrays, size_t count)
{
	const struct btf_type *variable = btf__type_by_id(btf, info->type);
	const struct edit_array *array;
	const struct btf_type *type;
	struct btf_var_secinfo *to_info;
	struct btf_array *to_array;

	if (!variable || !btf_is_var(variable))
		return -EBADMSG;
	array = find_array(arrays, count,
			   btf__name_by_offset(btf, variable->name_off));
	type = btf__type_by_id(btf, variable->type);
	if (!array || !type || !btf_is_array(type))
		return -EBADMSG;
	to_info = in_section(editor, btf, section, info);
	to_info->size = (uint32_t)array->size;
	to_array = in_section(editor, btf, section, btf_array(type));
	to_array->nelems = array->count;
	return 0;
}

static int edit_types(struct editor *editor, const char *name,
		      const struct edit_array *arrays, size_t count)
{
	struct object_section section;
	struct btf *btf = open_btf(editor, &section);
	const struct btf_type *type;
	int id, err = 0;

	if (!btf)
		return -EBADMSG;
	id = btf__find_by_name_kind(btf, name, BTF_KIND_DATASEC);
	type = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;
	if (!type || btf_vlen(type) != count)
		err = -EBADMSG;
	for (size_t i = 0; !err && i < count; i++)
		err = edit_variable(editor, btf, &section,
				    btf_var_secinfos(type) + i, arrays, count);
	btf__free(btf);
	return err;
}

int edit_replace_arrays(struct arena *arena, const struct blob *object,
			const char *name, const struct edit_array *arrays,
			size_t count, struct blob *edited, const char **why)
{
	size_t size = array_offset(arrays, count);
	char *bytes = arena_alloc(arena, size);
	struct object_section section;
	struct editor editor;
	int err;

	err = open_copy(&editor, arena, object, why);
	if (err)
		return err;
	*why = damaged;
	if (object_find_section(&editor.object, name, &section))
		return -EBADMSG;
	for (size_t i = 0; i < count; i++)
		memcpy(bytes + array_offset(arrays, i), arrays[i].bytes,
		       arrays[i].size);
	err = edit_symbols(&editor, section.index, arrays, count);
	if (!err)
		err = edit_types(&editor, name, arrays, count);
	if (!err)
		err = replace_section(&editor, section.index, bytes, size, why);
	if (!err)
		*edited = (struct blob){ editor.bytes, editor.size };
	return err;
}
