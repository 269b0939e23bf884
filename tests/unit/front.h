/* SPDX-License-Identifier: GPL-2.0-only */
/* The front end on a text, for tests of its stages. */
#pragma once

#include "compiler/arena.h"
#include "compiler/diag.h"
#include "compiler/parse.h"
#include "compiler/plan.h"
#include "compiler/resolve.h"
#include "compiler/source.h"

struct front {
	struct arena *arena; /* owns all of it */
	struct sources sources;
	struct diag *diag;
	struct parse parse;
	struct resolve *resolve;
	struct plan *plan; /* NULL where something was wrong */
};

/* cmocka's: makes *@state a new front, and ends it. */
int front_set_up(void **state);
int front_tear_down(void **state);

/* From text to plan, assertions and warnings included. */
struct plan *front_plan(struct front *front, const char *text);

/* The table of that protection; the test fails where it is not attached. */
const struct table_protection *front_table(const struct front *front,
					   unsigned protection);

/* All diagnostics since the last time, in the arena. */
const char *front_said(struct front *front);
