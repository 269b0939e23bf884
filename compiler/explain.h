/* SPDX-License-Identifier: GPL-2.0-only */
/* The decision table, for people and for programs. */
#pragma once

#include <stdio.h>

#include "bundle/table.h"
#include "compiler/plan.h"

struct arena;

enum explain_format {
	EXPLAIN_TEXT,
	EXPLAIN_MARKDOWN,
	EXPLAIN_JSON,
	EXPLAIN_PLAN, /* --emit=plan: masks, as the back end sees them */
};

/* A column a class; the format of EXPLAIN_JSON is in docs/language.md. */
void explain_table(FILE *out, const struct table *table,
		   enum explain_format format);

/* The statements that bear on each of @operations for @subject, class by
 * class, the one that decides marked: --why. */
void explain_why(FILE *out, struct arena *arena, const struct plan *plan,
		 const struct subject *subject,
		 const struct protection *protection, uint64_t operations);
