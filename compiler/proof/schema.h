/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The types that an object carries (BTF), decoded.  They come from outside:
 * every number in them is checked here, once, so that whoever follows them
 * need not.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "compiler/blob.h"

struct arena;

struct type_member {
	const char *name; /* "" where it has none */
	int name_len;	  /* schema_name_len() of it */
	uint32_t type;	  /* of an enumerator: 0 */
	uint32_t bit;	  /* offset in the struct */
	uint32_t bits;	  /* of a bit field; 0 for what is none */
	int64_t value;	  /* of an enumerator */
};

struct type {
	unsigned kind;	  /* BTF_KIND_* */
	const char *name; /* "" where it has none */
	int name_len;	  /* schema_name_len() of it */
	uint32_t size;	  /* bytes, where the kind has one */
	bool is_signed;	  /* of an integer */
	uint32_t to;	  /* the type that it is made of; 0 is void */
	uint32_t count;	  /* of elements of an array, or members[] */
	const struct type_member *members; /* of structs, unions and enums */
};

struct schema {
	struct type *list; /* list[0] is void */
	uint32_t count;
	const char *strings; /* ends in NUL */
	uint32_t string_size;
};

/* Decodes the section .BTF.  All is in the arena, or points into @btf.
 * Returns false where it is damaged, or of a kind that is not known. */
bool schema_read(struct arena *arena, const struct blob *btf,
		 struct schema *types);

/* The string there, NULL where none is. */
const char *schema_string(const struct schema *types, uint32_t offset);

/* @id without typedefs, const and the like; 0, void, where that never ends. */
uint32_t schema_strip(const struct schema *types, uint32_t id);

/* Bytes as in the object; 0 for what has no size, or a mad one. */
uint64_t schema_size(const struct schema *types, uint32_t id);

/* How long a name is without what stands behind "___", which tells several
 * views of one of the kernel's types apart. */
int schema_name_len(const char *name);
