/* SPDX-License-Identifier: GPL-2.0-only */
/* The programs of a bundle as text, with what the policy decided in them. */
#pragma once

#include <stdio.h>

#include "bundle/table.h"
#include "compiler/optimize.h"

struct arena;

/*
 * Prints the programs of @object, which optimize_object() or link_objects()
 * made: each instruction, the source line it is of, and the rules behind each
 * constant that came from the policy; and before them the rules that decided
 * branches, so that these went.  @report is empty for what was not folded.
 * Returns 0, or -EBADMSG with *@why set to constant words.
 */
int listing_print(FILE *out, struct arena *arena, const struct blob *object,
		  const struct table *table,
		  const struct optimize_report *report, const char **why);
