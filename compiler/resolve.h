/* SPDX-License-Identifier: GPL-2.0-only */
/* From the AST to the policy: every name looked up, every constant folded. */
#pragma once

#include "compiler/ast.h"
#include "compiler/lets.h"
#include "compiler/policy.h"

struct resolve {
	struct arena *arena;
	struct diag *diag;
	struct lets lets;
	struct destinations *destinations; /* of `network` */
	bool whole; /* all of the text could be parsed: what is missing from
		     * the items is missing from the policy */
};

struct resolve *resolve_new(struct arena *arena, struct diag *diag);

/* For what is asked about a bundle: the destinations that it has. */
void resolve_take_destinations(struct resolve *resolve,
			       const struct table *table);

/* A let that is not in the text: -D NAME=EXPR. */
void resolve_define(struct resolve *resolve, struct word name,
		    struct expr *value);

/*
 * @items as parse_policy() returns them.  What is wrong is reported; the
 * policy then lacks it, and is never NULL.
 */
struct policy *resolve_policy(struct resolve *resolve,
			      const struct item *items);

/* An assertion from elsewhere; false where it is wrong, which is reported. */
bool resolve_assertion(struct resolve *resolve,
		       const struct assertion *assertion, struct loc loc,
		       struct policy_assertion *out);

/* PROTECTION.OPERATION, likewise. */
bool resolve_reference(struct resolve *resolve,
		       const struct operation_reference *from,
		       struct policy_reference *out);
