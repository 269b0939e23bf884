/* SPDX-License-Identifier: GPL-2.0-only */
/* The tables by which a template tells named cgroups apart: bundle/policy.h. */
#pragma once

#include "bundle/policy.h"
#include "bundle/table.h"

struct arena;

struct cgroup_tables {
	struct cgroup_index index;
	struct cgroup_node *nodes; /* index.node_mask + 1 */
	uint32_t node_count;
	uint64_t *names;
	uint32_t word_count;
	struct policy_class *classes; /* as class numbers have them */
	uint32_t class_count;
};

/* How many names the path of a cgroup has. */
uint32_t cgroups_depth(const char *path);

/*
 * The tables of @row, which names cgroups, in the arena.  The same row gives
 * the same tables.  Returns 0, or -ERANGE where a path is deeper than
 * CGROUP_MAX_DEPTH.
 */
int cgroups_make(struct arena *arena, const struct table_protection *row,
		 struct cgroup_tables *tables);
