/* SPDX-License-Identifier: GPL-2.0-only */
/* Assertions, held against a decision table. */
#pragma once

#include <stdbool.h>

#include "bundle/table.h"
#include "compiler/plan.h"
#include "compiler/policy.h"

struct arena;
struct diag;

/* A cell that decides otherwise than was asserted. */
struct counterexample {
	const struct table_protection *protection; /* NULL: it is not
						    * attached, so all can */
	const struct policy_reference *reference;
	uint32_t class;
	unsigned operation;
};

/* Whether @table has what is asserted in every class that it is asserted of;
 * where not, the first cell that has not. */
bool prove(struct arena *arena, const struct table *table,
	   const struct policy_assertion *assertion,
	   struct counterexample *counterexample);

/* "load_module is allowed to a container in /x" */
const char *prove_words(struct arena *arena, const struct table *table,
			const struct counterexample *counterexample);

/* Reports every assertion of the policy that its plan does not keep. */
void prove_policy(struct arena *arena, struct diag *diag,
		  const struct plan *plan);
