/* SPDX-License-Identifier: GPL-2.0-only */
/* The tables by which a template finds destinations: bundle/policy.h. */
#pragma once

#include "bundle/policy.h"
#include "bundle/table.h"

struct arena;

struct lookup_tables {
	struct destination_index index;
	struct destination_range *ranges; /* index.ranges */
	struct destination_port *ports;	  /* index.ports */
};

/* The tables of @row, which has destinations, in the arena.  The same row gives
 * the same tables. */
void lookup_make(struct arena *arena, const struct table_protection *row,
		 struct lookup_tables *tables);
