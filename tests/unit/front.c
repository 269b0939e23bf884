/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/front.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/check.h"
#include "compiler/prove.h"

#define TODAY 20260101

int front_set_up(void **state)
{
	struct arena *arena = arena_new();
	struct front *front = arena_alloc(arena, sizeof(*front));

	front->arena = arena;
	front->sources.arena = arena;
	front->diag = diag_new(arena, &front->sources);
	front->resolve = resolve_new(arena, front->diag);
	front->parse = (struct parse){
		.arena = arena,
		.diag = front->diag,
		.sources = &front->sources,
	};
	*state = front;
	return 0;
}

int front_tear_down(void **state)
{
	struct front *front = *state;

	arena_free(front->arena);
	return 0;
}

struct plan *front_plan(struct front *front, const char *text)
{
	struct policy *policy;
	struct item *items;

	items = parse_policy_text(&front->parse, "policy", text, strlen(text));
	front->resolve->whole = !diag_failed(front->diag);
	policy = resolve_policy(front->resolve, items);
	check_policy(front->arena, front->diag, policy, TODAY,
		     front->resolve->whole);
	if (diag_failed(front->diag))
		return NULL;
	front->plan =
		plan_new(front->arena, front->diag, &front->sources, policy);
	if (!front->plan)
		return NULL;
	prove_policy(front->arena, front->diag, front->plan);
	plan_warn(front->arena, front->diag, front->plan);
	return front->plan;
}

const struct table_protection *front_table(const struct front *front,
					   unsigned protection)
{
	const struct table_protection *found;

	assert_non_null(front->plan);
	found = plan_find(&front->plan->table, &protections[protection]);
	assert_non_null(found);
	return found;
}

const char *front_said(struct front *front)
{
	const char *copy;
	char *said = NULL;
	size_t size;
	FILE *out = open_memstream(&said, &size);

	assert_non_null(out);
	diag_print(front->diag, out);
	fclose(out);
	copy = arena_copy(front->arena, said, size);
	free(said);
	return copy;
}
