/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What accesses of accesses.def that connect or send are under a policy that
 * has destinations, and further accesses that try each of those.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "compiler/proof/access.h"

struct arena;

/*
 * The operations of @row's protection that @access is, with boot facts bound or
 * not: those that it states, but destinations in the place of `connect` where
 * they have the address.
 */
uint64_t reach_operations(const struct table_protection *row,
			  const struct access *access, bool unbound);

/* All accesses for a policy: those of accesses.def, and some at the edges of
 * each destination.  In the arena, or constant. */
const struct access *reach_accesses(struct arena *arena,
				    const struct table *table, size_t *count);
