/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "tests/unit/front.h"

#define POLICY(items) "language 1; policy p { seal open; " items " }"

static const char nested[] =
	POLICY("usb { profile baseline;"
	       " allow authorize for cgroup \"/a/b/c\";"
	       " block authorize for cgroup \"/b\";"
	       " allow authorize for cgroup \"/a-b\", cgroup \"/a\";"
	       " allow authorize for cgroup \"/a/b-x\"; }");

static void test_cgroups_stand_in_path_order(void **state)
{
	static const char *const wanted[] = { "/a", "/a/b-x", "/a/b/c", "/a-b",
					      "/b" };
	const struct table_protection *usb;

	assert_non_null(front_plan(*state, nested));
	usb = front_table(*state, PROTECTION_usb);
	assert_int_equal(usb->cgroup_count, 5);
	assert_string_equal(usb->cgroups[0], wanted[0]);
	assert_string_equal(usb->cgroups[1], "/a/b/c");
	assert_string_equal(usb->cgroups[2], "/a/b-x");
	assert_string_equal(usb->cgroups[3], wanted[3]);
	assert_string_equal(usb->cgroups[4], wanted[4]);
}

static void assert_ranges(struct front *front, const char *cgroup,
			  uint32_t count, const uint32_t *wanted)
{
	struct subject subject = { SUBJECT_CGROUP, cgroup, LOC_NONE };
	struct plan_range ranges[2];

	assert_int_equal(plan_subject_ranges(front->arena,
					     front_table(front, PROTECTION_usb),
					     &subject, ranges),
			 count);
	for (uint32_t i = 0; i < count; i++) {
		assert_int_equal(ranges[i].first, wanted[2 * i]);
		assert_int_equal(ranges[i].behind, wanted[2 * i + 1]);
	}
}

static void test_ranges_of_a_cgroup(void **state)
{
	assert_non_null(front_plan(*state, nested));
	/* named: itself and all below */
	assert_ranges(*state, "/a", 1, (uint32_t[]){ 2, 8 });
	assert_ranges(*state, "/a/b/c", 1, (uint32_t[]){ 4, 6 });
	assert_ranges(*state, "/b", 1, (uint32_t[]){ 10, 12 });
	/* not named: the deepest above, and what is named below */
	assert_ranges(*state, "/a/b", 2, (uint32_t[]){ 2, 4, 4, 6 });
	assert_ranges(*state, "/a/b/c/d", 1, (uint32_t[]){ 4, 6 });
	assert_ranges(*state, "/a/x/y", 1, (uint32_t[]){ 2, 4 });
	assert_ranges(*state, "/a/b/x", 1, (uint32_t[]){ 2, 4 });
	assert_ranges(*state, "/a/bb", 1, (uint32_t[]){ 2, 4 });
	assert_ranges(*state, "/0", 1, (uint32_t[]){ 0, 2 });
	assert_ranges(*state, "/z", 1, (uint32_t[]){ 0, 2 });
	assert_ranges(*state, "/a.b", 1, (uint32_t[]){ 0, 2 });
}

static void test_ranges_of_places(void **state)
{
	struct front *front = *state;
	struct subject subject = { SUBJECT_ALL, NULL, LOC_NONE };
	const struct table_protection *usb;
	struct plan_range ranges[2];

	assert_non_null(front_plan(front, nested));
	usb = front_table(front, PROTECTION_usb);
	assert_int_equal(
		plan_subject_ranges(front->arena, usb, &subject, ranges), 1);
	assert_int_equal(ranges[0].first, 0);
	assert_int_equal(ranges[0].behind, 12);
	subject.kind = SUBJECT_CONTAINER;
	assert_int_equal(
		plan_subject_ranges(front->arena, usb, &subject, ranges), 1);
	assert_int_equal(ranges[0].first, 1);
	assert_int_equal(ranges[0].behind, 2);
}

static void test_rules_cover_ascending_ranges(void **state)
{
	struct front *front = *state;
	const struct plan_rule *rule;

	front_plan(front,
		   POLICY("usb { profile baseline;"
			  " allow authorize for cgroup \"/c\", host,"
			  "  cgroup \"/a\", cgroup \"/b\", cgroup \"/a/x\";"
			  " block authorize for cgroup \"/b/y\","
			  "  cgroup \"/d\"; }"));
	assert_non_null(front->plan);
	rule = &front->plan->protections[0].rules[0];
	assert_int_equal(rule->range_count, 2);
	assert_int_equal(rule->ranges[0].first, 0);
	assert_int_equal(rule->ranges[0].behind, 1);
	assert_int_equal(rule->ranges[1].first, 2);
	assert_int_equal(rule->ranges[1].behind, 12);
	rule = &front->plan->protections[0].rules[1];
	assert_int_equal(rule->range_count, 2);
	assert_int_equal(rule->ranges[0].first, 8);
	assert_int_equal(rule->ranges[1].first, 12);
}

static void test_decisions_and_who_made_them(void **state)
{
	const struct table_protection *usb;
	const struct table_statement *by;
	struct front *front = *state;

	front_plan(front, POLICY("usb { profile baseline;\n"
				 " allow authorize for container;\n"
				 " block add; log all; }"));
	usb = front_table(front, PROTECTION_usb);
	assert_int_equal(usb->denied[0], 2);
	assert_int_equal(usb->denied[1], 2);
	assert_int_equal(usb->logged[0], 3);
	by = table_decided_by(&front->plan->table, usb, 0, 0);
	assert_int_equal(by->line, 1);
	by = table_decided_by(&front->plan->table, usb, 1, 0);
	assert_int_equal(by->line, 2);
	assert_int_equal(by->column, 2);
	by = table_decided_by(&front->plan->table, usb, 1, 1);
	assert_int_equal(by->line, 3);
}

static void test_the_earliest_day_counts(void **state)
{
	struct front *front = *state;

	front_plan(
		front,
		POLICY("usb { profile baseline;"
		       " allow authorize for container until 2031-01-01;"
		       " allow add until 2030-12-31;"
		       " allow authorize for cgroup \"/a\" until 2040-01-01; }"));
	assert_int_equal(front->plan->table.until, 20301231);
}

static void test_what_is_not_named_is_not_attached(void **state)
{
	struct front *front = *state;

	front_plan(front, POLICY("usb { profile allow; }"));
	assert_int_equal(front->plan->table.protection_count, 1);
	assert_null(
		plan_find(&front->plan->table, &protections[PROTECTION_bpf]));
}

static void assert_idle(struct front *front, const char *text, const char *line)
{
	const char *said;

	assert_non_null(front_plan(front, text));
	said = front_said(front);
	if (!line) {
		assert_string_equal(said, "");
		return;
	}
	assert_non_null(strstr(said, "[no-effect]"));
	assert_memory_equal(said, line, strlen(line));
	assert_null(strstr(said + 1, "\npolicy:"));
}

static void test_of_two_alike_the_later_is_idle(void **state)
{
	assert_idle(*state,
		    POLICY("usb { profile allow;\nblock add;\nblock add;\n}"),
		    "policy:3:1:");
}

static void test_a_rule_within_another_is_idle(void **state)
{
	assert_idle(*state,
		    POLICY("usb { profile allow;\n"
			   "block authorize for cgroup \"/a\";\n"
			   "block authorize;\n}"),
		    "policy:2:1:");
}

static void test_what_the_profile_does_is_idle(void **state)
{
	assert_idle(*state,
		    POLICY("usb { profile baseline;\n"
			   "block authorize for container;\n}"),
		    "policy:2:1:");
}

static void test_a_block_that_stops_an_allow_is_not(void **state)
{
	assert_idle(*state,
		    POLICY("usb { profile baseline;\n"
			   "block authorize for cgroup \"/a/b\";\n"
			   "allow authorize for cgroup \"/a\";\n}"),
		    NULL);
}

static void test_an_allow_under_a_block_is_idle(void **state)
{
	assert_idle(*state,
		    POLICY("usb { profile baseline;\n"
			   "allow authorize for cgroup \"/a\";\n"
			   "block authorize;\n}"),
		    "policy:2:1:");
}

static void test_rules_that_only_together_cover(void **state)
{
	/* the third is within the two before it, and either of those is not */
	assert_idle(*state,
		    POLICY("usb { profile allow;\n"
			   "block authorize for host;\n"
			   "block authorize for container;\n"
			   "block authorize for host, container;\n}"),
		    "policy:4:1:");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_cgroups_stand_in_path_order, front_set_up,
			front_tear_down),
		cmocka_unit_test_setup_teardown(test_ranges_of_a_cgroup,
						front_set_up, front_tear_down),
		cmocka_unit_test_setup_teardown(test_ranges_of_places,
						front_set_up, front_tear_down),
		cmocka_unit_test_setup_teardown(
			test_rules_cover_ascending_ranges, front_set_up,
			front_tear_down),
		cmocka_unit_test_setup_teardown(
			test_decisions_and_who_made_them, front_set_up,
			front_tear_down),
		cmocka_unit_test_setup_teardown(test_the_earliest_day_counts,
						front_set_up, front_tear_down),
		cmocka_unit_test_setup_teardown(
			test_what_is_not_named_is_not_attached, front_set_up,
			front_tear_down),
		cmocka_unit_test_setup_teardown(
			test_of_two_alike_the_later_is_idle, front_set_up,
			front_tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_rule_within_another_is_idle, front_set_up,
			front_tear_down),
		cmocka_unit_test_setup_teardown(
			test_what_the_profile_does_is_idle, front_set_up,
			front_tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_block_that_stops_an_allow_is_not, front_set_up,
			front_tear_down),
		cmocka_unit_test_setup_teardown(
			test_an_allow_under_a_block_is_idle, front_set_up,
			front_tear_down),
		cmocka_unit_test_setup_teardown(
			test_rules_that_only_together_cover, front_set_up,
			front_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
