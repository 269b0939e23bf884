/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Do the tables by which a program finds destinations (bundle/policy.h) say what
 * the policy does?  Programs are run for some addresses; here all of a table is
 * looked at: every row at both its ends, and every edge of a destination.
 */
#pragma once

#include <stdbool.h>

#include "bundle/object.h"
#include "bundle/table.h"

struct arena;

/* True where @object has no such tables, too: its programs then know nothing of
 * destinations.  Otherwise *@why is set, in the arena or constant. */
bool tables_agree(struct arena *arena, const struct object *object,
		  const struct table_protection *row, const char **why);
