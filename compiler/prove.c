/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/prove.h"

#include "compiler/arena.h"
#include "compiler/diag.h"

static bool prove_range(const struct table_protection *protection,
			const struct plan_range *range, bool can,
			uint64_t operations,
			struct counterexample *counterexample)
{
	for (uint32_t class = range->first; class < range->behind; class++) {
		uint64_t denied = protection->denied[class] & operations;
		uint64_t wrong = can ? denied : operations & ~denied;

		if (!wrong)
			continue;
		counterexample->protection = protection;
		counterexample->class = class;
		counterexample->operation = (unsigned)__builtin_ctzll(wrong);
		return false;
	}
	return true;
}

static bool prove_reference(struct arena *arena, const struct table *table,
			    const struct policy_assertion *assertion,
			    const struct policy_reference *reference,
			    struct counterexample *counterexample)
{
	const struct table_protection *protection =
		plan_find(table, reference->protection);
	struct plan_range ranges[2];
	uint32_t count;

	counterexample->reference = reference;
	if (!protection) {
		counterexample->protection = NULL;
		counterexample->operation =
			(unsigned)__builtin_ctzll(reference->operations);
		return assertion->can;
	}
	for (uint32_t i = 0; i < assertion->subjects.count; i++) {
		count = plan_subject_ranges(arena, protection,
					    &assertion->subjects.list[i],
					    ranges);
		for (uint32_t j = 0; j < count; j++)
			if (!prove_range(protection, &ranges[j],
					 assertion->can, reference->operations,
					 counterexample))
				return false;
	}
	return true;
}

bool prove(struct arena *arena, const struct table *table,
	   const struct policy_assertion *assertion,
	   struct counterexample *counterexample)
{
	for (uint32_t i = 0; i < assertion->reference_count; i++)
		if (!prove_reference(arena, table, assertion,
				     &assertion->references[i],
				     counterexample))
			return false;
	return true;
}

const char *prove_words(struct arena *arena, const struct table *table,
			const struct counterexample *found)
{
	const struct protection *protection = found->reference->protection;
	const char *operation = protection->operations[found->operation].name;
	const char *cgroup, *place, *verdict;
	bool denied;

	if (!found->protection)
		return arena_printf(arena,
				    "%s.%s is allowed to all, as %s is not in the policy",
				    protection->name, operation,
				    protection->name);
	cgroup = table_class_cgroup(found->protection, found->class);
	place = table_place_name(table_class_place(found->class));
	denied = found->protection->denied[found->class] >> found->operation &
		 1;
	verdict = !denied      ? "allowed" :
		  table->audit ? "denied, were it not for the audit" :
				 "denied";
	if (!cgroup)
		return arena_printf(arena, "%s.%s for %s is %s",
				    protection->name, operation, place,
				    verdict);
	return arena_printf(arena, "%s.%s for %s in cgroup \"%s\" is %s",
			    protection->name, operation, place, cgroup,
			    verdict);
}

static void report(struct arena *arena, struct diag *diag,
		   const struct plan *plan,
		   const struct policy_assertion *assertion,
		   const struct counterexample *found)
{
	const struct table_protection *protection = found->protection;
	struct diag_entry *entry;
	uint32_t statement;
	unsigned row;

	entry = diag_report(diag, CHECK_ASSERTION, assertion->loc,
			    "this does not hold: %s",
			    prove_words(arena, &plan->table, found));
	if (!protection)
		return;
	row = protection_operation_count(protection->protection);
	statement = protection->decided_by[found->class * row +
					   found->operation];
	diag_note(diag, entry, plan->statement_locs[statement],
		  "this statement decides it");
}

void prove_policy(struct arena *arena, struct diag *diag,
		  const struct plan *plan)
{
	const struct policy *policy = plan->policy;
	struct counterexample found;

	for (uint32_t i = 0; i < policy->assertion_count; i++)
		if (!prove(arena, &plan->table, &policy->assertions[i],
			   &found))
			report(arena, diag, plan, &policy->assertions[i],
			       &found);
}
