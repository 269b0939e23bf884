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

/* Whether @object has the tables of @row, which is one of network; they may be
 * empty where no access is decided by its destination, and are where there are
 * none.  Otherwise *@why is set, in the arena. */
bool tables_agree(struct arena *arena, const struct object *object,
		  const struct table_protection *row, const char **why);
