/* SPDX-License-Identifier: GPL-2.0-only */
/* The types of an object, without those that nothing in it needs. */
#pragma once

#include "compiler/btfext.h"
#include "compiler/image.h"

struct btf;

/*
 * Makes .BTF of @image anew, of what the records of @ext and the sections and
 * maps that are left need, and lets the records point into it.  Offsets and
 * sizes of maps become those of their symbols.  Returns 0, or -errno with *@why
 * set to constant words.
 */
int types_prune(struct image *image, struct ext *ext, const char **why);

/* How many registers that function's parameters are in, at most @all; @all where
 * @types do not say, or one of them may be in several. */
unsigned types_parameters(const struct btf *types, const char *function,
			  unsigned all);

/* The string at @offset of the strings of .BTF; "" where there is none. */
const char *types_string(const struct image *image, uint32_t offset);
