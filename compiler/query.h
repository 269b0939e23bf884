/* SPDX-License-Identifier: GPL-2.0-only */
/* Questions from the command line: --why, --prove, and bundles as answers. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "bundle/bundle.h"
#include "compiler/blob.h"
#include "compiler/parse.h"
#include "compiler/plan.h"
#include "compiler/resolve.h"

/* Whether the file begins as an ELF object does, and as no policy can. */
bool query_is_bundle(const char *path);

/*
 * Reads and opens a bundle; what is wrong is reported, and NULL returned.
 * The caller's, to be freed with bundle_close(); *@bytes belong to the arena,
 * and to the bundle for as long as it is open.
 */
struct bundle *query_open_bundle(struct arena *arena, struct diag *diag,
				 const char *path, struct blob *bytes);

/* What --prove and --why were given, resolved with the policy's lets; false
 * where it is wrong, which is reported. */
bool query_assertion(struct parse *parse, struct resolve *resolve,
		     const char *text, struct policy_assertion *assertion);
bool query_subjects(struct parse *parse, struct resolve *resolve,
		    const char *text, struct subjects *subjects);
bool query_reference(struct resolve *resolve, const char *text,
		     struct policy_reference *reference);

/* Answers --prove on @out: "holds", or the counter-example and what decided
 * it.  Returns whether it holds. */
bool query_prove(FILE *out, struct arena *arena, const struct table *table,
		 const struct policy_assertion *assertion);
