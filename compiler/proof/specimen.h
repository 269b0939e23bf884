/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A finished object, taken apart for the evaluator as libbpf would for the
 * kernel: programs, data, maps, relocations, types.  The object comes from
 * outside; what is damaged, or what nobody here knows how to run, is refused.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bundle/object.h"
#include "compiler/blob.h"
#include "compiler/proof/kernel.h"
#include "compiler/proof/machine.h"

struct arena;

struct specimen_map {
	const char *name;
	uint64_t offset; /* in the section .maps */
	uint32_t type;	 /* enum bpf_map_type; all 0 where not stated */
	uint32_t key_size;
	uint32_t value_size;
	uint32_t max_entries;
};

struct specimen_symbol {
	const char *name;
	unsigned type;	  /* STT_* */
	uint32_t section; /* 0: it is not in the object */
	uint64_t value;
	uint64_t size;
};

/* What an instruction refers to. */
struct specimen_reference {
	uint32_t insn; /* offset in its section */
	const struct specimen_symbol *symbol;
};

/* A program, or a function that programs call. */
struct specimen_program {
	const char *hook; /* behind the "/"; "" of a function */
	const char *name;
	uint32_t section;
	uint32_t first; /* offset in its section */
	uint32_t count;
	const struct machine_insn *code; /* not relocated */
	struct specimen_reference *references;
	size_t reference_count, reference_capacity;
	struct kernel_relocation *relocations;
	size_t relocation_count, relocation_capacity;
};

struct specimen {
	struct arena *arena;
	struct object object;
	struct schema types;
	struct specimen_symbol *symbols;
	size_t symbol_count;
	struct specimen_program
		*programs; /* in the order that they are run in */
	size_t program_count, program_capacity;
	struct specimen_map *maps;
	size_t map_count, map_capacity;
	struct kernel_relocation *relocations; /* of all programs */
	size_t relocation_count, relocation_capacity;
	const char *why;
};

/* Where the machine has what programs refer to. */
struct specimen_addresses {
	uint64_t *sections; /* by index; 0 for what no program reads */
	uint64_t *maps;
};

/*
 * Opens the object of @size @bytes, which must stay as they are for as long as
 * @specimen is used; all of it is in the arena.  Returns false with
 * specimen->why set, constant or in the arena.
 */
bool specimen_open(struct arena *arena, const void *bytes, size_t size,
		   struct specimen *specimen);

/* Whether programs can read the section: ".rodata" and what begins so. */
bool specimen_is_data(const struct object_section *section);

/*
 * Writes @program's code into @code, which has room for program->count, as it
 * would be in @kernel.  Instructions that @kernel has not are poison.  Returns
 * false with specimen->why set where libbpf would refuse it.
 */
bool specimen_relocate(struct specimen *specimen,
		       const struct specimen_program *program,
		       const struct kernel *kernel,
		       const struct specimen_addresses *addresses,
		       struct machine_insn *code);
