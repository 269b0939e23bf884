/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The whole front end on any text: what is wrong is said and refused, what is
 * right becomes a plan in which every cell is decided, and which can be
 * explained.  The same text gives the same words.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/arena.h"
#include "compiler/check.h"
#include "compiler/diag.h"
#include "compiler/explain.h"
#include "compiler/parse.h"
#include "compiler/plan.h"
#include "compiler/prove.h"
#include "compiler/query.h"
#include "compiler/resolve.h"
#include "compiler/source.h"
#include "compiler/target.h"

#define TODAY 20260101

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct plan *plan_text(struct parse *parse, struct resolve *resolve,
			      const uint8_t *bytes, size_t size)
{
	struct diag *diag = parse->diag;
	struct policy *policy;
	struct item *items;
	struct plan *plan;

	items = parse_policy_text(parse, "policy", (const char *)bytes, size);
	resolve->whole = !diag_failed(diag);
	policy = resolve_policy(resolve, items);
	check_policy(parse->arena, diag, policy, TODAY, resolve->whole);
	if (diag_failed(diag))
		return NULL;
	plan = plan_new(parse->arena, diag, parse->sources, policy);
	if (!plan)
		return NULL;
	prove_policy(parse->arena, diag, plan);
	plan_warn(parse->arena, diag, plan);
	target_check_kernel(diag, plan, KERNEL(5, 10));
	return plan;
}

static void check_protection(const struct table *table,
			     const struct table_protection *protection)
{
	uint64_t all = protection_all(protection->protection);
	unsigned row = protection_operation_count(protection->protection);
	uint32_t classes = table_class_count(protection);

	if (classes > TABLE_MAX_CLASSES)
		abort();
	for (uint32_t class = 0; class < classes; class ++) {
		if ((protection->denied[class] | protection->logged[class]) &
		    ~all)
			abort();
		for (unsigned op = 0; op < row; op++)
			if (!protection->protection->trace &&
			    !table_decided_by(table, protection, class, op))
				abort();
	}
	for (uint32_t i = 1; i < protection->cgroup_count; i++)
		if (table_cgroup_compare(protection->cgroups[i - 1],
					 protection->cgroups[i]) >= 0)
			abort();
}

static void explain(FILE *out, struct arena *arena, const struct plan *plan)
{
	const struct subject all = { SUBJECT_ALL, NULL, LOC_NONE };

	for (uint32_t i = 0; i < plan->table.protection_count; i++)
		check_protection(&plan->table, &plan->table.protections[i]);
	explain_table(out, &plan->table, EXPLAIN_JSON);
	explain_table(out, &plan->table, EXPLAIN_TEXT);
	explain_table(out, &plan->table, EXPLAIN_MARKDOWN);
	explain_table(out, &plan->table, EXPLAIN_PLAN);
	explain_why(out, arena, plan, &all, &protections[PROTECTION_bpf],
		    protection_all(&protections[PROTECTION_bpf]));
}

/* Returns all that is said, to be freed. */
static char *run(const uint8_t *bytes, size_t size)
{
	struct arena *arena = arena_new();
	struct sources sources = { .arena = arena };
	struct diag *diag = diag_new(arena, &sources);
	struct resolve *resolve = resolve_new(arena, diag);
	struct parse parse = { .arena = arena,
			       .diag = diag,
			       .sources = &sources };
	size_t said_size;
	char *said = NULL;
	FILE *out = open_memstream(&said, &said_size);
	struct plan *plan;

	if (!out)
		abort();
	plan = plan_text(&parse, resolve, bytes, size);
	diag_print(diag, out);
	if (diag_failed(diag) ? fflush(out) || !said_size : !plan)
		abort(); /* refused without a word, or nothing came of it */
	if (!diag_failed(diag))
		explain(out, arena, plan);
	fclose(out);
	arena_free(arena);
	return said;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *once = run(bytes, size), *again = run(bytes, size);

	if (strcmp(once, again))
		abort();
	free(once);
	free(again);
	return 0;
}
