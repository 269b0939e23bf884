/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Do the tables by which a program finds the class of a task (bundle/policy.h)
 * say what the policy does?  Programs are run in some cgroups; here all of a
 * table is looked at: the masks of every class, and the whole tree of names.
 */
#pragma once

#include <stdbool.h>

#include "bundle/object.h"
#include "bundle/table.h"

struct arena;

/* Whether @object has the tables of @row, and none where @row names no cgroups.
 * Otherwise *@why is set, in the arena. */
bool classes_agree(struct arena *arena, const struct object *object,
		   const struct table_protection *row, const char **why);
