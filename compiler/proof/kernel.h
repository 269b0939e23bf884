/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A kernel that an object can be relocated for, made up from nothing but the
 * names in the object's types.  Everything has a name and lies elsewhere than
 * the object has it: fields in another order, enumerators with other numbers.
 * An instruction that was not relocated, or for another name, goes astray.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler/proof/schema.h"

struct arena;

/*
 * Which kernel: one that has all that an object asks for, or one that has
 * nothing of it, but for what @except names: "type.member", "type.*" for all
 * members, or "type".  What is used without being asked for is always there.
 */
struct kernel_kind {
	const char *words; /* for people */
	bool has_all;
	bool may_probe;		   /* by bpf_probe_read_kernel_str() too */
	const char *const *except; /* NULL at its end */
};

/* A CO-RE relocation record. */
struct kernel_relocation {
	uint32_t insn; /* offset in its section */
	uint32_t type;
	uint32_t kind; /* enum bpf_core_relo_kind */
	const char *path;
};

struct kernel_field {
	const char *name; /* as in a path: up to name_len */
	int name_len;
	uint32_t type;
	uint32_t offset;
	uint32_t bits; /* of a bit field; 0 for what is none */
	bool missing;
};

#define KERNEL_BIT_FIELD_AT 5 /* bit in its 4 bytes where each begins */

struct kernel_enumerator {
	const char *name;
	int name_len;
	int64_t number;
	bool missing;
};

struct kernel;

/*
 * A kernel for objects with these types, which ask for what @asked are, all of
 * which stay as they are.  In the arena; NULL where the types make no sense.
 */
struct kernel *kernel_new(struct arena *arena, const struct schema *types,
			  const struct kernel_kind *kind,
			  const struct kernel_relocation *asked, size_t count);

const struct schema *kernel_schema(const struct kernel *kernel);

/* What libbpf would write into an instruction. */
struct kernel_answer {
	bool missing; /* the instruction must not be reached */
	bool checked; /* it must hold @expected before */
	uint64_t expected;
	uint64_t value;
};

/* False where the record is damaged, or its kind is not known. */
bool kernel_answer(const struct kernel *kernel,
		   const struct kernel_relocation *relocation,
		   struct kernel_answer *answer);

/* Bytes of a type in this kernel. */
uint32_t kernel_size(const struct kernel *kernel, uint32_t type);

/* The struct or union of that name; 0 where the object has none. */
uint32_t kernel_find(const struct kernel *kernel, const char *name, size_t len);

/* The first of all types that are views of the struct or union @type. */
uint32_t kernel_first(const struct kernel *kernel, uint32_t type);

/* A field by its name, which may be that of an anonymous member's field; NULL
 * where there is none.  @base gets its anonymous parent's offset added. */
const struct kernel_field *kernel_field(const struct kernel *kernel,
					uint32_t type, const char *name,
					size_t len, uint32_t *base);

/* All fields of a struct or union. */
const struct kernel_field *kernel_fields(const struct kernel *kernel,
					 uint32_t type, size_t *count);

/* All values of "enum"; @count is 0 where the object has no such type. */
const struct kernel_enumerator *kernel_enumerators(const struct kernel *kernel,
						   const char *name, size_t len,
						   size_t *count);
