/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/prune.h"

#include <string.h>

#include "bundle/boot.h"
#include "compiler/arena.h"
#include "compiler/image.h"

#define MAPS_SECTION ".maps"

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

/* The definition of one map, moved to @to of the new section. */
static void move_map(struct image_symbol *symbol,
		     const struct image_section *section, uint8_t *bytes,
		     uint64_t to)
{
	memcpy(bytes + to,
	       (const uint8_t *)section->content.bytes + symbol->entry.st_value,
	       symbol->entry.st_size);
	symbol->entry.st_value = to;
}

/* Maps that are made of other maps (relocations in the section) all stay. */
static void prune_maps(struct image *image, const bool *used)
{
	struct image_section *section = image_find(image, MAPS_SECTION);
	uint32_t index;
	uint64_t size = 0;
	uint8_t *bytes;

	if (!section)
		return;
	index = image_index(image, section);
	if (image_relocations(image, index))
		return;
	for (uint32_t i = 1; i < image->symbol_count; i++) {
		const Elf64_Sym *entry = &image->symbols[i].entry;

		if (!is_in(&image->symbols[i], index))
			continue;
		if (ELF64_ST_TYPE(entry->st_info) == STT_SECTION && used[i])
			return; /* which map is meant is not looked into */
		if (entry->st_value > section->content.size ||
		    entry->st_size > section->content.size - entry->st_value)
			return;
	}
	bytes = arena_alloc(image->arena, section->content.size);
	for (uint32_t i = 1; i < image->symbol_count; i++) {
		struct image_symbol *symbol = &image->symbols[i];

		if (!is_in(symbol, index) ||
		    ELF64_ST_TYPE(symbol->entry.st_info) != STT_OBJECT)
			continue;
		symbol->gone = !used[i];
		if (symbol->gone)
			continue;
		move_map(symbol, section, bytes, size);
		size = (size + symbol->entry.st_size + 7) & ~UINT64_C(7);
	}
	section->content = (struct blob){ bytes, size };
	section->gone = !size;
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

	prune_maps(image, used);
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
