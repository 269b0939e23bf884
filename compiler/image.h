/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A relocatable BPF object taken apart, to be changed and written again:
 * sections and symbols, each of which may be marked as gone.
 *
 * It reads what our own linker wrote; it still checks all that it follows.
 */
#pragma once

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler/blob.h"

struct arena;

/* Of the sections that programs do not read: what libbpf makes maps of, and
 * what bpf/templates/include/prototype.h says of each program. */
#define MAPS_SECTION	   ".maps"
#define PROTOTYPES_SECTION ".prototypes"
#define PROTOTYPE_SUFFIX   "_prototype"

struct image_section {
	const char *name;
	Elf64_Shdr header; /* sh_size, sh_offset and sh_name come from below */
	struct blob content;
	bool gone;
};

struct image_symbol {
	const char *name;
	Elf64_Sym entry;
	bool gone;
};

struct image {
	struct arena *arena;
	Elf64_Ehdr header;
	struct image_section *sections; /* the first is the null section */
	uint32_t section_count;
	struct image_symbol *symbols; /* the first is the null symbol */
	uint32_t symbol_count;
	uint32_t symbol_table; /* index of its section */
};

/*
 * Everything in *@image is in the arena or in @object, which must stay.
 * Returns 0, or -EBADMSG with *@why set to constant words.
 */
int image_open(struct arena *arena, const struct blob *object,
	       struct image *image, const char **why);

/*
 * What is left of @image as an object, in the arena.  Relocations against what
 * is gone must be gone too: else -EBADMSG with *@why set.  The same image gives
 * the same bytes.
 */
int image_write(const struct image *image, struct blob *object,
		const char **why);

/* The section of that name that is not gone; NULL where there is none. */
struct image_section *image_find(const struct image *image, const char *name);

uint32_t image_index(const struct image *image,
		     const struct image_section *section);

/* The section with the relocations of section @index; NULL without. */
struct image_section *image_relocations(const struct image *image,
					uint32_t index);

/* Relocation @number of @section; false behind the last. */
bool image_relocation(const struct image_section *section, size_t number,
		      Elf64_Rel *relocation);
