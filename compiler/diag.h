/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Diagnostics.  They are collected while a stage runs and printed, in the
 * order of the text, at the gate behind it.
 *
 *	file:line:col: error: message [check-name]
 *	    the line
 *	    ^~~~
 *	file:line:col: note: message
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "compiler/source.h"

#define DIAG_MAX_SHOWN 20 /* errors, and as many warnings */
#define DIAG_MAX_KEPT 10000 /* of each; the others are only counted */

enum check_id {
#define CHECK(id, name, severity, words) CHECK_##id,
#include "compiler/checks.def"
#undef CHECK
	CHECK_COUNT
};

struct diag; /* the collection */
struct diag_entry;

struct diag *diag_new(struct arena *arena, const struct sources *sources);

/*
 * -W options, without the "-W": "error", "error=NAME", "no-error=NAME",
 * "no-NAME", "NAME".  False where there is no such warning.
 */
bool diag_option(struct diag *diag, const char *option);

/*
 * Reports that @check found something at @loc, or, for LOC_NONE, nowhere in
 * particular.  The message has no capital, no full stop, and no newline.
 */
__attribute__((format(printf, 4, 5))) struct diag_entry *
diag_report(struct diag *diag, enum check_id check, struct loc loc,
	    const char *format, ...);

/* A note to @entry, with a place of its own or LOC_NONE. */
__attribute__((format(printf, 4, 5))) void
diag_note(struct diag *diag, struct diag_entry *entry, struct loc loc,
	  const char *format, ...);

/* Whether there are more errors than anyone reads, so that what takes time to
 * say of one more can be left out. */
bool diag_is_flooded(const struct diag *diag);

/* The gate: whether there was an error so far.  Prints nothing. */
bool diag_failed(const struct diag *diag);

/* Prints what was collected since the last time. */
void diag_print(struct diag *diag, FILE *out);

/* A check's name, as in brackets; for tests and documents. */
const char *diag_check_name(enum check_id check);
