/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changes a template before it is linked: leaves programs out, and gives
 * variables another length.  The object comes from our own build, so that what
 * is not as it should be is our bug; it is still said, not trusted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler/blob.h"

struct arena;

/* What an array takes in place of what it holds. */
struct edit_array {
	const char *symbol;
	const void *bytes;
	size_t size;
	uint32_t count; /* of elements */
};

/*
 * @object without the programs of the sections for which @is_dropped, in the
 * arena.  Returns 0, or -EBADMSG with *@why set to constant words.
 */
int edit_drop_programs(struct arena *arena, const struct blob *object,
		       bool (*is_dropped)(const char *section,
					  const void *context),
		       const void *context, struct blob *edited,
		       const char **why);

/*
 * @object with @arrays for all that the section @name holds, in the arena: each
 * of its symbols must be the symbol of one of them.  Types, symbols and sizes
 * follow.  Returns 0, or -EBADMSG with *@why set to constant words.
 */
int edit_replace_arrays(struct arena *arena, const struct blob *object,
			const char *name, const struct edit_array *arrays,
			size_t count, struct blob *edited, const char **why);
