/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the templates of the day do not show: ones that decide less than
 * operations.def has, or are for a protection that names devices.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "compiler/target.h"
#include "tests/unit/front.h"

static const char modules[] =
	"language 1; policy p { seal open; kernel_modules {"
	" profile baseline; } }";

/* The first attached protection of the plan, to make something up in. */
static struct table_protection *first(struct front *front)
{
	assert_non_null(front_plan(front, modules));
	return &front->plan->table.protections[0];
}

static void assert_refused(struct front *front, const char *words)
{
	const char *said;

	target_check_templates(front->diag, front->plan);
	assert_true(diag_failed(front->diag));
	said = front_said(front);
	assert_non_null(strstr(said, words));
	assert_non_null(strstr(said, "[no-template]"));
}

static void test_what_has_a_template_is_taken(void **state)
{
	struct front *front = *state;

	first(front);
	target_check_templates(front->diag, front->plan);
	assert_false(diag_failed(front->diag));
}

static void test_an_operation_more_than_the_template_decides(void **state)
{
	/* as if there were as many as bpf has */
	struct protection wider = protections[PROTECTION_bpf];
	unsigned last = protection_operation_count(&wider) - 1;
	struct table_protection *row = first(*state);

	assert_true(last >= protection_operation_count(row->protection));
	wider.name = row->protection->name;
	row->protection = &wider;
	row->denied[PLACE_CONTAINER] |= UINT64_C(1) << last;
	assert_refused(
		*state,
		"the template of kernel_modules does not decide other yet");
}

static void test_devices_that_the_template_does_not_tell(void **state)
{
	struct setting device = { .word = "0951:1666" };
	struct front *front = *state;
	struct policy_protection from;

	first(front);
	from = *front->plan->protections[0].from;
	device.loc = from.loc;
	from.devices = (struct settings){ .list = &device, .count = 1 };
	front->plan->protections[0].from = &from;
	assert_refused(front,
		       "the template of kernel_modules does not tell devices yet");
}

int main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, front_set_up, front_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_what_has_a_template_is_taken),
		TEST(test_an_operation_more_than_the_template_decides),
		TEST(test_devices_that_the_template_does_not_tell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
