/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One string table, .strtab, names sections and symbols, as libbpf's linker
 * has it; it is made anew when the object is written.  Sections keep their
 * order, and so do symbols: the local ones stay in front.
 */
#include "compiler/image.h"

#include <errno.h>
#include <string.h>

#include "compiler/arena.h"

#define MAX_ALIGNMENT 4096

/* ---- reading ---- */

static const uint8_t *bytes_at(const struct blob *object, uint64_t offset,
			       uint64_t size)
{
	if (offset > object->size || size > object->size - offset)
		return NULL;
	return (const uint8_t *)object->bytes + offset;
}

static const char *string_at(const struct blob *strings, uint32_t offset)
{
	const char *bytes = strings->bytes;

	if (offset >= strings->size || bytes[strings->size - 1])
		return NULL;
	return bytes + offset;
}

static int damaged(const char **why)
{
	*why = "the linked object is damaged";
	return -EBADMSG;
}

static bool read_sections(struct image *image, const struct blob *object)
{
	const Elf64_Ehdr *header = &image->header;
	const uint8_t *headers =
		bytes_at(object, header->e_shoff,
			 (uint64_t)header->e_shnum * sizeof(Elf64_Shdr));

	if (!headers || header->e_shentsize != sizeof(Elf64_Shdr) ||
	    header->e_shstrndx >= header->e_shnum)
		return false;
	image->section_count = header->e_shnum;
	image->sections = arena_array(image->arena, image->section_count,
				      sizeof(*image->sections));
	for (uint32_t i = 0; i < image->section_count; i++) {
		struct image_section *section = &image->sections[i];

		memcpy(&section->header, headers + i * sizeof(Elf64_Shdr),
		       sizeof(Elf64_Shdr));
		if (section->header.sh_type == SHT_NULL)
			continue;
		if (section->header.sh_type == SHT_NOBITS ||
		    section->header.sh_addralign > MAX_ALIGNMENT)
			return false;
		section->content.bytes =
			bytes_at(object, section->header.sh_offset,
				 section->header.sh_size);
		section->content.size = section->header.sh_size;
		if (!section->content.bytes ||
		    section->header.sh_link >= image->section_count)
			return false;
	}
	return true;
}

static bool name_sections(struct image *image)
{
	const struct blob *names =
		&image->sections[image->header.e_shstrndx].content;

	if (!names->size)
		return false;
	for (uint32_t i = 0; i < image->section_count; i++) {
		struct image_section *section = &image->sections[i];

		section->name = string_at(names, section->header.sh_name);
		if (!section->name)
			return false;
		if (section->header.sh_type != SHT_SYMTAB)
			continue;
		if (image->symbol_table)
			return false;
		image->symbol_table = i;
	}
	return image->symbol_table &&
	       image->sections[image->symbol_table].header.sh_link ==
		       image->header.e_shstrndx;
}

static bool read_symbols(struct image *image)
{
	const struct image_section *table =
		&image->sections[image->symbol_table];
	const struct blob *names =
		&image->sections[table->header.sh_link].content;

	image->symbol_count =
		(uint32_t)(table->content.size / sizeof(Elf64_Sym));
	image->symbols = arena_array(image->arena, image->symbol_count,
				     sizeof(*image->symbols));
	for (uint32_t i = 0; i < image->symbol_count; i++) {
		struct image_symbol *symbol = &image->symbols[i];

		memcpy(&symbol->entry,
		       (const uint8_t *)table->content.bytes +
			       i * sizeof(Elf64_Sym),
		       sizeof(Elf64_Sym));
		symbol->name = string_at(names, symbol->entry.st_name);
		if (!symbol->name ||
		    (symbol->entry.st_shndx < SHN_LORESERVE &&
		     symbol->entry.st_shndx >= image->section_count))
			return false;
	}
	return image->symbol_count > 0;
}

static bool check_relocations(const struct image *image)
{
	for (uint32_t i = 0; i < image->section_count; i++) {
		const struct image_section *section = &image->sections[i];
		Elf64_Rel relocation;

		if (section->header.sh_type == SHT_RELA)
			return false;
		if (section->header.sh_type != SHT_REL)
			continue;
		if (section->content.size % sizeof(relocation) ||
		    section->header.sh_info >= image->section_count)
			return false;
		for (size_t j = 0; image_relocation(section, j, &relocation);
		     j++)
			if (ELF64_R_SYM(relocation.r_info) >=
			    image->symbol_count)
				return false;
	}
	return true;
}

int image_open(struct arena *arena, const struct blob *object,
	       struct image *image, const char **why)
{
	const uint8_t *header = bytes_at(object, 0, sizeof(Elf64_Ehdr));

	*image = (struct image){ .arena = arena };
	if (!header)
		return damaged(why);
	memcpy(&image->header, header, sizeof(image->header));
	if (memcmp(header, ELFMAG, SELFMAG) ||
	    image->header.e_ident[EI_CLASS] != ELFCLASS64 ||
	    image->header.e_ident[EI_DATA] != ELFDATA2LSB ||
	    image->header.e_type != ET_REL || image->header.e_machine != EM_BPF)
		return damaged(why);
	if (!read_sections(image, object) || !name_sections(image) ||
	    !read_symbols(image) || !check_relocations(image))
		return damaged(why);
	return 0;
}

/* ---- finding ---- */

struct image_section *image_find(const struct image *image, const char *name)
{
	for (uint32_t i = 1; i < image->section_count; i++)
		if (!image->sections[i].gone &&
		    !strcmp(image->sections[i].name, name))
			return &image->sections[i];
	return NULL;
}

uint32_t image_index(const struct image *image,
		     const struct image_section *section)
{
	return (uint32_t)(section - image->sections);
}

struct image_section *image_relocations(const struct image *image,
					uint32_t index)
{
	for (uint32_t i = 1; i < image->section_count; i++)
		if (!image->sections[i].gone &&
		    image->sections[i].header.sh_type == SHT_REL &&
		    image->sections[i].header.sh_info == index)
			return &image->sections[i];
	return NULL;
}

bool image_relocation(const struct image_section *section, size_t number,
		      Elf64_Rel *relocation)
{
	if (number >= section->content.size / sizeof(*relocation))
		return false;
	memcpy(relocation,
	       (const uint8_t *)section->content.bytes +
		       number * sizeof(*relocation),
	       sizeof(*relocation));
	return true;
}

/* ---- writing ---- */

struct writer {
	const struct image *image;
	uint32_t *sections; /* old index to new one */
	uint32_t *symbols;
	char *strings;
	size_t string_size;
};

/* Where the string is, which may be the end of another one: ".rellsm/bpf" ends
 * in the name of the section that it is for. */
static uint32_t add_string(struct writer *writer, const char *string)
{
	size_t size = strlen(string) + 1;
	const char *found = memmem(writer->strings, writer->string_size, string,
				   size);

	if (found)
		return (uint32_t)(found - writer->strings);
	memcpy(writer->strings + writer->string_size, string, size);
	writer->string_size += size;
	return (uint32_t)(writer->string_size - size);
}

/* Names of relocations first: they end in other names. */
static void add_names(struct writer *writer)
{
	const struct image *image = writer->image;

	for (uint32_t i = 0; i < image->section_count; i++)
		if (!image->sections[i].gone &&
		    image->sections[i].header.sh_type == SHT_REL)
			add_string(writer, image->sections[i].name);
}

static void number_all(struct writer *writer)
{
	const struct image *image = writer->image;
	uint32_t next = 0;

	for (uint32_t i = 0; i < image->section_count; i++)
		if (!image->sections[i].gone)
			writer->sections[i] = next++;
	next = 0;
	for (uint32_t i = 0; i < image->symbol_count; i++)
		if (!image->symbols[i].gone)
			writer->symbols[i] = next++;
}

static struct blob write_symbols(struct writer *writer, uint32_t *locals)
{
	const struct image *image = writer->image;
	Elf64_Sym *entries = arena_array(image->arena, image->symbol_count,
					 sizeof(*entries));
	size_t count = 0;

	*locals = 0;
	for (uint32_t i = 0; i < image->symbol_count; i++) {
		const struct image_symbol *symbol = &image->symbols[i];
		Elf64_Sym *entry = &entries[count];

		if (symbol->gone)
			continue;
		count++;
		*entry = symbol->entry;
		/* libbpf's linker names section symbols by nothing */
		entry->st_name = add_string(writer, symbol->name);
		if (entry->st_shndx < SHN_LORESERVE)
			entry->st_shndx =
				(uint16_t)writer->sections[entry->st_shndx];
		if (ELF64_ST_BIND(entry->st_info) == STB_LOCAL)
			*locals = (uint32_t)count;
	}
	return (struct blob){ entries, count * sizeof(*entries) };
}

/* False where one is against a symbol that is gone. */
static bool write_relocations(const struct writer *writer,
			      const struct image_section *section,
			      struct blob *content)
{
	const struct image *image = writer->image;
	char *bytes = arena_copy(image->arena, section->content.bytes,
				 section->content.size);
	Elf64_Rel relocation;

	for (size_t i = 0; image_relocation(section, i, &relocation); i++) {
		uint32_t symbol = (uint32_t)ELF64_R_SYM(relocation.r_info);

		if (image->symbols[symbol].gone)
			return false;
		relocation.r_info =
			ELF64_R_INFO((uint64_t)writer->symbols[symbol],
				     ELF64_R_TYPE(relocation.r_info));
		memcpy(bytes + i * sizeof(relocation), &relocation,
		       sizeof(relocation));
	}
	*content = (struct blob){ bytes, section->content.size };
	return true;
}

/* What goes into the file: links renumbered, contents made. */
static bool write_contents(struct writer *writer, Elf64_Shdr *headers,
			   struct blob *contents)
{
	const struct image *image = writer->image;

	for (uint32_t i = 0; i < image->section_count; i++) {
		const struct image_section *section = &image->sections[i];
		uint32_t to = writer->sections[i];

		if (section->gone)
			continue;
		headers[to] = section->header;
		contents[to] = section->content;
		headers[to].sh_name = add_string(writer, section->name);
		headers[to].sh_link = writer->sections[section->header.sh_link];
		if (section->header.sh_type == SHT_SYMTAB)
			contents[to] =
				write_symbols(writer, &headers[to].sh_info);
		if (section->header.sh_type != SHT_REL)
			continue;
		headers[to].sh_info = writer->sections[section->header.sh_info];
		if (image->sections[section->header.sh_info].gone ||
		    !write_relocations(writer, section, &contents[to]))
			return false;
	}
	return true;
}

static uint64_t align(uint64_t offset, uint64_t alignment)
{
	return alignment > 1 ? (offset + alignment - 1) / alignment * alignment
			     : offset;
}

/* Contents in their order, then the section headers. */
static struct blob assemble(const struct image *image, Elf64_Shdr *headers,
			    const struct blob *contents, uint32_t count,
			    uint32_t strings)
{
	Elf64_Ehdr header = image->header;
	uint64_t offset = sizeof(header);
	uint8_t *bytes;

	for (uint32_t i = 1; i < count; i++) {
		offset = align(offset, headers[i].sh_addralign);
		headers[i].sh_offset = offset;
		headers[i].sh_size = contents[i].size;
		offset += contents[i].size;
	}
	header.e_shoff = align(offset, 8);
	header.e_shnum = (uint16_t)count;
	header.e_shstrndx = (uint16_t)strings;
	offset = header.e_shoff + count * sizeof(*headers);
	bytes = arena_alloc(image->arena, offset);
	memcpy(bytes, &header, sizeof(header));
	for (uint32_t i = 1; i < count; i++)
		if (contents[i].size)
			memcpy(bytes + headers[i].sh_offset, contents[i].bytes,
			       contents[i].size);
	memcpy(bytes + header.e_shoff, headers, count * sizeof(*headers));
	return (struct blob){ bytes, offset };
}

int image_write(const struct image *image, struct blob *object,
		const char **why)
{
	struct arena *arena = image->arena;
	uint32_t count = image->section_count;
	Elf64_Shdr *headers = arena_array(arena, count, sizeof(*headers));
	struct blob *contents = arena_array(arena, count, sizeof(*contents));
	struct writer writer = {
		.image = image,
		.sections = arena_array(arena, count, sizeof(uint32_t)),
		.symbols = arena_array(arena, image->symbol_count,
				       sizeof(uint32_t)),
		.string_size = 1,
	};
	size_t room = 1;
	uint32_t strings;

	for (uint32_t i = 0; i < count; i++)
		room += strlen(image->sections[i].name) + 1;
	for (uint32_t i = 0; i < image->symbol_count; i++)
		room += strlen(image->symbols[i].name) + 1;
	writer.strings = arena_alloc(arena, room);
	number_all(&writer);
	add_names(&writer);
	if (!write_contents(&writer, headers, contents)) {
		*why = "a relocation needs what was taken away";
		return -EBADMSG;
	}
	strings = writer.sections[image->header.e_shstrndx];
	contents[strings] = (struct blob){ writer.strings, writer.string_size };
	for (uint32_t i = count; i-- > 0;)
		if (!image->sections[i].gone) {
			count = writer.sections[i] + 1;
			break;
		}
	*object = assemble(image, headers, contents, count, strings);
	return 0;
}
