/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Does the code decide what the table says?  The programs of a finished object
 * are run, for every access of accesses.def, every subject and every class, in
 * made-up kernels, old and new; verdicts and events must be the table's.
 *
 * Nothing here is shared with what made the object: not the decoder of
 * instructions, nor of types, nor the search for a class.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bundle/table.h"

struct arena;
struct access;
struct specimen;
struct world;

/* What was done, for tests. */
struct evaluation {
	uint64_t runs;	/* of programs */
	uint64_t steps; /* instructions in them */
	struct specimen *specimen;
	struct world *worlds; /* as access_kernels; code[] says what ran */
};

/*
 * Compares the object of @size bytes at @elf with @table; both may come from
 * outside.  Returns 0, or -EBADMSG with *@why set, in the arena or constant:
 *
 *	the code of PROTECTION.OPERATION for CLASS decides X, the policy says Y
 *
 * with who, what and where behind it, or words for why it cannot be run.
 * @evaluation may be NULL.
 */
int evaluate_object(struct arena *arena, const void *elf, size_t size,
		    const struct table *table, struct evaluation *evaluation,
		    const char **why);

/* The accesses that are @operation of @protection; NULL where there are none
 * behind @after, which is NULL for the first. */
const struct access *evaluate_access(const struct protection *protection,
				     unsigned operation,
				     const struct access *after);
