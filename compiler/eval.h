/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an expression comes to, as the kind of value that its place wants.
 * Whatever is wrong is reported where it is written, and the result is false,
 * the output not set.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "compiler/ast.h"
#include "compiler/lets.h"

#define EVAL_MAX_STRING 65536 /* bytes */

bool eval_integer(struct lets *lets, const struct expr *expr, int64_t *value);
bool eval_string(struct lets *lets, const struct expr *expr,
		 const char **value);

/* Whether it can be seen to be a string. */
bool eval_is_string(struct lets *lets, const struct expr *expr);

/* After lets_check(): evaluates every let whose kind shows, used or not, so
 * that what is wrong in one is not hidden by its being unused. */
void eval_lets(struct lets *lets);

/* Never the empty set. */
bool eval_operations(struct lets *lets, const struct protection *protection,
		     const struct expr *expr, uint64_t *operations);

/* *@subjects may be shared with the let that it comes from: do not write. */
bool eval_subjects(struct lets *lets, const struct expr *expr,
		   struct subjects *subjects);
