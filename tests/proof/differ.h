/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether two objects do the same, by trying: neither the accesses nor the
 * subjects of the evaluator count here, nor what a table says.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bundle/table.h"
#include "compiler/blob.h"

struct arena;

/*
 * Runs the programs of both in @count random environments that follow from
 * @seed: kernels, tasks, arguments, files, boot facts, full rings.  Cgroups
 * are those near to what @table names.  Returns whether results, events and
 * maps were always the same; if not, *@how says where it was not.
 */
bool differ_same(struct arena *arena, const struct blob *one,
		 const struct blob *other, const struct table *table,
		 uint64_t seed, uint32_t count, const char **how);
