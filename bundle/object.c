/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every header is read field by field, from an offset that reader_at() has
 * checked: nothing is cast to an Elf64 struct, so alignment does not matter
 * and neither does the machine.
 */
#include "bundle/object.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "bundle/reader.h"

/* A section header; false where it does not lie inside. */
static bool read_header(const struct object *object, uint32_t index,
			Elf64_Shdr *header)
{
	struct reader reader;

	if (index >= object->section_count)
		return false;
	reader = reader_at(object->bytes, object->size,
			   object->sections +
				   (uint64_t)index * sizeof(Elf64_Shdr),
			   sizeof(Elf64_Shdr));
	header->sh_name = reader_u32(&reader);
	header->sh_type = reader_u32(&reader);
	header->sh_flags = reader_u64(&reader);
	header->sh_addr = reader_u64(&reader);
	header->sh_offset = reader_u64(&reader);
	header->sh_size = reader_u64(&reader);
	header->sh_link = reader_u32(&reader);
	header->sh_info = reader_u32(&reader);
	header->sh_addralign = reader_u64(&reader);
	header->sh_entsize = reader_u64(&reader);
	return !reader.spent;
}

/* The string table in that section: it ends in NUL, so that whatever starts
 * inside it ends inside it. */
static bool read_strings(const struct object *object, uint32_t index,
			 struct object_strings *strings)
{
	Elf64_Shdr header;
	struct reader reader;

	if (!read_header(object, index, &header) ||
	    header.sh_type != SHT_STRTAB)
		return false;
	reader = reader_at(object->bytes, object->size, header.sh_offset,
			   header.sh_size);
	if (!reader_left(&reader) || reader.end[-1] != '\0')
		return false;
	strings->bytes = reader.next;
	strings->size = reader_left(&reader);
	return true;
}

static const char *string_at(const struct object_strings *strings,
			     uint32_t offset)
{
	return offset < strings->size ? (const char *)strings->bytes + offset
				      : NULL;
}

int object_open(const void *bytes, size_t size, struct object *object,
		const char **why)
{
	static const uint8_t ident[] = { ELFMAG0,   ELFMAG1,	ELFMAG2,
					 ELFMAG3,   ELFCLASS64, ELFDATA2LSB,
					 EV_CURRENT };
	struct reader reader = reader_of(bytes, size);
	const uint8_t *start = reader_bytes(&reader, EI_NIDENT);
	struct object opened = { .bytes = bytes, .size = size };
	uint16_t type, machine, entry_size, names;

	if (!start || memcmp(start, ident, sizeof(ident))) {
		*why = "it is not a 64-bit little-endian ELF object";
		return -EBADMSG;
	}
	type = reader_u16(&reader);
	machine = reader_u16(&reader);
	reader_u32(&reader); /* e_version */
	reader_u64(&reader); /* e_entry */
	reader_u64(&reader); /* e_phoff */
	opened.sections = reader_u64(&reader);
	reader_u32(&reader); /* e_flags */
	reader_u16(&reader); /* e_ehsize */
	reader_u16(&reader); /* e_phentsize */
	reader_u16(&reader); /* e_phnum */
	entry_size = reader_u16(&reader);
	opened.section_count = reader_u16(&reader);
	names = reader_u16(&reader);
	if (reader.spent || type != ET_REL || machine != EM_BPF) {
		*why = "it is not a relocatable BPF object";
		return -EBADMSG;
	}
	reader = reader_at(bytes, size, opened.sections,
			   (uint64_t)opened.section_count * sizeof(Elf64_Shdr));
	if (!reader_left(&reader) || entry_size != sizeof(Elf64_Shdr)) {
		*why = "its ELF section headers are damaged";
		return -EBADMSG;
	}
	if (!read_strings(&opened, names, &opened.names)) {
		*why = "its ELF section names are damaged";
		return -EBADMSG;
	}
	*object = opened;
	return 0;
}

int object_section(const struct object *object, uint32_t index,
		   struct object_section *section)
{
	Elf64_Shdr header;
	struct reader reader;
	const char *name;

	if (!read_header(object, index, &header))
		return -EBADMSG;
	name = string_at(&object->names, header.sh_name);
	if (!name)
		return -EBADMSG;
	*section = (struct object_section){
		.index = index,
		.name = name,
		.type = header.sh_type,
		.link = header.sh_link,
		.size = header.sh_size,
		.offset = header.sh_offset,
	};
	if (header.sh_type == SHT_NULL || header.sh_type == SHT_NOBITS)
		return 0;
	reader = reader_at(object->bytes, object->size, header.sh_offset,
			   header.sh_size);
	if (reader.spent)
		return -EBADMSG;
	section->bytes = reader.next;
	return 0;
}

int object_find_section(const struct object *object, const char *name,
			struct object_section *section)
{
	struct object_section found = { 0 }, each;

	for (uint32_t i = 1; i < object->section_count; i++) {
		if (object_section(object, i, &each))
			return -EBADMSG;
		if (strcmp(each.name, name))
			continue;
		if (found.index)
			return -EEXIST;
		found = each;
	}
	if (!found.index)
		return -ENOENT;
	*section = found;
	return 0;
}

/* A symbol table is small and read once or twice: no index is made of it. */
int object_find_symbol(const struct object *object, const char *name,
		       struct object_section *section, uint64_t *offset,
		       uint64_t *size)
{
	struct object_section symbols, found = { 0 };
	struct object_strings names;
	uint64_t found_offset = 0, found_size = 0;
	struct reader reader;
	int err;

	err = object_find_section(object, ".symtab", &symbols);
	if (err)
		return err;
	if (symbols.type != SHT_SYMTAB || symbols.size % sizeof(Elf64_Sym) ||
	    !read_strings(object, symbols.link, &names))
		return -EBADMSG;
	reader = reader_of(symbols.bytes, (size_t)symbols.size);
	while (reader_left(&reader)) {
		const char *symbol = string_at(&names, reader_u32(&reader));
		uint16_t index;
		uint64_t value, length;

		reader_u8(&reader); /* st_info */
		reader_u8(&reader); /* st_other */
		index = reader_u16(&reader);
		value = reader_u64(&reader);
		length = reader_u64(&reader);
		if (!symbol)
			return -EBADMSG;
		if (index == SHN_UNDEF || strcmp(symbol, name))
			continue;
		if (found.index)
			return -EEXIST;
		if (object_section(object, index, &found) || !found.bytes ||
		    reader_at(found.bytes, (size_t)found.size, value, length)
			    .spent)
			return -EBADMSG;
		found_offset = found.offset + value;
		found_size = length;
	}
	if (!found.index)
		return -ENOENT;
	*section = found;
	*offset = found_offset;
	*size = found_size;
	return 0;
}

const uint8_t *object_find_variable(const struct object *object,
				    const char *name, const char *section,
				    uint64_t *size)
{
	struct object_section found;
	uint64_t offset;

	if (object_find_symbol(object, name, &found, &offset, size) ||
	    strcmp(found.name, section))
		return NULL;
	return (const uint8_t *)object->bytes + offset;
}
