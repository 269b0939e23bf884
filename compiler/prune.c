/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/prune.h"

#include <string.h>

#include "bundle/boot.h"
#include "compiler/arena.h"
#include "compiler/image.h"

/* For each symbol, whether a relocation of what is left leads to it. */
static bool *find_used(const struct image *image)
{
	bool *used =
		arena_array(image->arena, image->symbol_count, sizeof(bool));

	for (uint32_t i = 1; i < image->section_count; i++) {
		const struct image_section *section = &image->sections[i];
		Elf64_Rel relocation;

		if (section->gone || section->header.sh_type != SHT_REL)
			continue;
		for (size_t j = 0; image_relocation(section, j, &relocation);
		     j++)
			used[ELF64_R_SYM(relocation.r_info)] = true;
	}
	return used;
}

static bool is_in(const struct image_symbol *symbol, uint32_t section)
{
	return !symbol->gone && symbol->entry.st_shndx == section;
}

/* Whether all of the section is objects, and each of them is meant by its own
 * symbol. */
static bool is_divisible(const struct image *image,
			 const struct image_section *section, const bool *used)
{
	uint32_t index = image_index(image, section);

	if (image_relocations(image, index))
		return false; /* maps that are made of other maps */
	for (uint32_t i = 1; i < image->symbol_count; i++) {
		const Elf64_Sym *entry = &image->symbols[i].entry;

		if (!is_in(&image->symbols[i], index))
			continue;
		if (ELF64_ST_TYPE(entry->st_info) == STT_SECTION && used[i])
			return false;
		if (entry->st_value > section->content.size ||
		    entry->st_size > section->content.size - entry->st_value)
			return false;
	}
	return true;
}

/* The bytes of one object, moved to @to of the new section. */
static void move_object(struct image_symbol *symbol,
			const struct image_section *section, uint8_t *bytes,
			uint64_t to)
{
	memcpy(bytes + to,
	       (const uint8_t *)section->content.bytes + symbol->entry.st_value,
	       symbol->entry.st_size);
	symbol->entry.st_value = to;
}

/* Leaves of the objects in the section those that are @used. */
static void prune_objects(struct image *image, const char *name,
			  const bool *used)
{
	struct image_section *section = image_find(image, name);
	uint64_t size = 0;
	uint8_t *bytes;

	if (!section || !is_divisible(image, section, used))
		return;
	bytes = arena_alloc(image->arena, section->content.size);
	for (uint32_t i = 1; i < image->symbol_count; i++) {
		struct image_symbol *symbol = &image->symbols[i];

		if (!is_in(symbol, image_index(image, section)) ||
		    ELF64_ST_TYPE(symbol->entry.st_info) != STT_OBJECT)
			continue;
		symbol->gone = !used[i];
		if (symbol->gone)
			continue;
		move_object(symbol, section, bytes, size);
		size = (size + symbol->entry.st_size + 7) & ~UINT64_C(7);
	}
	section->content = (struct blob){ bytes, size };
	section->gone = !size;
}

static bool is_program(const struct image *image, const char *name, size_t len)
{
	for (uint32_t i = 1; i < image->symbol_count; i++) {
		const struct image_symbol *symbol = &image->symbols[i];

		if (!symbol->gone &&
		    ELF64_ST_TYPE(symbol->entry.st_info) == STT_FUNC &&
		    !strncmp(symbol->name, name, len) && !symbol->name[len])
			return true;
	}
	return false;
}

/* A prototype is that of the program whose name its own begins with. */
static void prune_prototypes(struct image *image)
{
	bool *used =
		arena_array(image->arena, image->symbol_count, sizeof(bool));
	size_t suffix = strlen(PROTOTYPE_SUFFIX);

	for (uint32_t i = 1; i < image->symbol_count; i++) {
		const char *name = image->symbols[i].name;
		size_t len = strlen(name);

		used[i] = len > suffix &&
			  !strcmp(name + len - suffix, PROTOTYPE_SUFFIX) &&
			  is_program(image, name, len - suffix);
	}
	prune_objects(image, PROTOTYPES_SECTION, used);
}

static void prune_boot(struct image *image, const bool *used)
{
	struct image_section *section = image_find(image, BOOT_SECTION);
	bool needed = false;

	if (!section)
		return;
	for (uint32_t i = 1; i < image->symbol_count; i++)
		if (is_in(&image->symbols[i], image_index(image, section)))
			needed |= used[i];
	section->gone = !needed;
}

void prune_image(struct image *image)
{
	bool *used = find_used(image);

	prune_objects(image, MAPS_SECTION, used);
	prune_prototypes(image);
	prune_boot(image, used);
	for (uint32_t i = 1; i < image->symbol_count; i++) {
		struct image_symbol *symbol = &image->symbols[i];
		uint16_t section = symbol->entry.st_shndx;

		if (section == SHN_UNDEF && !used[i])
			symbol->gone = true; /* of the kernel */
		if (section < SHN_LORESERVE && image->sections[section].gone)
			symbol->gone = true;
	}
	for (uint32_t i = 1; i < image->section_count; i++) {
		struct image_section *section = &image->sections[i];

		if (section->header.sh_type == SHT_REL &&
		    image->sections[section->header.sh_info].gone)
			section->gone = true;
	}
}
