/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The plan: the decision table, and for each of its protections the rules as
 * they were placed in it.  Nothing behind the plan knows the AST.
 */
#pragma once

#include "bundle/table.h"
#include "compiler/policy.h"

struct arena;
struct diag;

/* A rule in terms of classes: it covers the union of its ranges. */
struct plan_range {
	uint32_t first; /* class */
	uint32_t behind;
};

struct plan_rule {
	const struct rule *rule;
	uint32_t statement; /* index into table.statements */
	struct plan_range *ranges; /* ascending, apart from each other */
	uint32_t range_count;
};

struct plan_protection {
	const struct policy_protection *from;
	uint32_t profile_statement; /* TABLE_NO_STATEMENT for a trace */
	struct plan_rule *rules; /* as from->rules */
	uint32_t rule_count;
};

struct plan {
	struct table table;
	const struct policy *policy;
	struct plan_protection *protections; /* as table.protections */
	struct loc *statement_locs; /* as table.statements */
};

/*
 * Decides every operation for every class of @policy, which has passed
 * check_policy().  Too many classes are reported; the plan is then NULL.
 */
struct plan *plan_new(struct arena *arena, struct diag *diag,
		      const struct sources *sources,
		      const struct policy *policy);

/* Warnings about the plan: rules without effect, an owner locked out. */
void plan_warn(struct arena *arena, struct diag *diag,
	       const struct plan *plan);

/*
 * The classes that a task may have of whom is known only that @subject covers
 * it: one range or two, ascending.  Their number is returned.  (What is in a
 * cgroup, and in none below it that is named, belongs to the deepest that is
 * named at or above it.)
 */
uint32_t plan_subject_ranges(struct arena *arena,
			     const struct table_protection *protection,
			     const struct subject *subject,
			     struct plan_range ranges[2]);

/* table.protections[] of that protection; NULL where it is not attached. */
const struct table_protection *
plan_find(const struct table *table, const struct protection *protection);
