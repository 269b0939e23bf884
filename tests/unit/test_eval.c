/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "compiler/eval.h"
#include "tests/unit/front.h"

static struct expr *parse(struct front *front, const char *text)
{
	struct expr *expr =
		parse_value(&front->parse, PARSE_VALUE, "value", text);

	assert_non_null(expr);
	return expr;
}

static void assert_integer(struct front *front, const char *text,
			   int64_t wanted)
{
	int64_t value = 1;

	assert_true(eval_integer(&front->resolve->lets, parse(front, text),
				 &value));
	assert_true(value == wanted);
}

static void assert_no_integer(struct front *front, const char *text,
			      const char *check)
{
	int64_t value;

	assert_false(eval_integer(&front->resolve->lets, parse(front, text),
				  &value));
	assert_non_null(strstr(front_said(front), check));
}

static void test_operators_and_how_they_bind(void **state)
{
	assert_integer(*state, "1 + 2 * 3", 7);
	assert_integer(*state, "(1 + 2) * 3", 9);
	assert_integer(*state, "10 - 3 - 2", 5);
	assert_integer(*state, "7 / 2", 3);
	assert_integer(*state, "-7 / 2", -3);
	assert_integer(*state, "7 % 3", 1);
	assert_integer(*state, "-7 % 3", -1);
	assert_integer(*state, "6 & 3 | 8", 10);
	assert_integer(*state, "1 | 2 & 2", 3);
	assert_integer(*state, "1 << 2 + 1", 8);
	assert_integer(*state, "1 << 4 & 0x10", 16);
	assert_integer(*state, "~0", -1);
	assert_integer(*state, "~1 + 1", -1);
	assert_integer(*state, "- -5", 5);
	assert_integer(*state, "0x7fffffffffffffff", INT64_MAX);
}

static void test_sums_that_just_fit(void **state)
{
	assert_integer(*state, "9223372036854775806 + 1", INT64_MAX);
	assert_integer(*state, "-9223372036854775807 - 1", INT64_MIN);
	assert_integer(*state, "3037000499 * 3037000499",
		       INT64_C(3037000499) * 3037000499);
	assert_no_integer(*state, "9223372036854775807 + 1", "[overflow]");
	assert_no_integer(*state, "-9223372036854775807 - 2", "[overflow]");
	assert_no_integer(*state, "3037000500 * 3037000500", "[overflow]");
	assert_no_integer(*state, "-(-9223372036854775807 - 1)", "[overflow]");
}

static void test_shifts_lose_no_bit(void **state)
{
	assert_integer(*state, "1 << 62", INT64_C(1) << 62);
	assert_integer(*state, "-1 << 63", INT64_MIN);
	assert_integer(*state, "5 << 0", 5);
	assert_integer(*state, "0 << 63", 0);
	assert_integer(*state, "-1 >> 63", -1);
	assert_integer(*state, "-8 >> 1", -4);
	assert_integer(*state, "1 >> 63", 0);
	assert_no_integer(*state, "1 << 63", "[overflow]");
	assert_no_integer(*state, "2 << 62", "[overflow]");
	assert_no_integer(*state, "-3 << 62", "[overflow]");
	assert_no_integer(*state, "1 << 64", "[shift]");
	assert_no_integer(*state, "1 >> 64", "[shift]");
	assert_no_integer(*state, "1 << -1", "[shift]");
}

static void test_divisions(void **state)
{
	assert_integer(*state, "(-9223372036854775807 - 1) / 1", INT64_MIN);
	assert_integer(*state, "-9223372036854775807 / -1", INT64_MAX);
	assert_integer(*state, "0 / 5", 0);
	assert_no_integer(*state, "5 / 0", "[division-by-zero]");
	assert_no_integer(*state, "5 % (1 - 1)", "[division-by-zero]");
	assert_no_integer(*state, "(-9223372036854775807 - 1) / -1",
			  "[overflow]");
	assert_no_integer(*state, "(-9223372036854775807 - 1) % -1",
			  "[overflow]");
}

static void test_strings_join(void **state)
{
	struct front *front = *state;
	struct lets *lets = &front->resolve->lets;
	const char *value;

	assert_true(eval_string(lets, parse(front, "\"a\" + (\"\" + \"b\")"),
				&value));
	assert_string_equal(value, "ab");
	assert_false(eval_string(lets, parse(front, "\"a\" - \"b\""), &value));
	assert_non_null(strstr(front_said(front), "[kind]"));
}

static void test_the_longest_string(void **state)
{
	struct front *front = *state;
	char *half = arena_alloc(front->arena, EVAL_MAX_STRING + 3);
	const char *value;

	memset(half, 'x', EVAL_MAX_STRING + 1);
	half[0] = half[EVAL_MAX_STRING] = '"';
	assert_true(eval_string(
		&front->resolve->lets,
		parse(front, arena_printf(front->arena, "%s + \"y\"", half)),
		&value));
	assert_int_equal(strlen(value), EVAL_MAX_STRING);
	assert_false(eval_string(
		&front->resolve->lets,
		parse(front, arena_printf(front->arena, "%s + \"yz\"", half)),
		&value));
	assert_non_null(strstr(front_said(front), "[overflow]"));
}

static uint64_t operations(struct front *front, const char *text)
{
	uint64_t mask = 0;

	if (!eval_operations(&front->resolve->lets,
			     &protections[PROTECTION_usb], parse(front, text),
			     &mask))
		return 0;
	return mask;
}

static void test_sets_of_operations(void **state)
{
	assert_int_equal(operations(*state, "all"), 3);
	assert_int_equal(operations(*state, "authorize"), 1);
	assert_int_equal(operations(*state, "add, authorize"), 3);
	assert_int_equal(operations(*state, "all - add"), 1);
	assert_int_equal(operations(*state, "(all - add), add"), 3);
	assert_int_equal(operations(*state, "all - add - authorize"), 0);
	assert_int_equal(operations(*state, "all - add, add"), 0);
	assert_int_equal(operations(*state, "add, nothing"), 0);
}

static uint32_t subjects(struct front *front, const char *text,
			 struct subjects *set)
{
	*set = (struct subjects){ 0 };
	if (!eval_subjects(&front->resolve->lets, parse(front, text), set))
		return 0;
	return set->count;
}

static void test_sets_of_subjects_hold_each_once(void **state)
{
	struct subjects set;

	assert_int_equal(subjects(*state, "container, (host, host)", &set), 2);
	assert_int_equal(set.list[0].kind, SUBJECT_HOST);
	assert_int_equal(set.list[1].kind, SUBJECT_CONTAINER);
	assert_int_equal(subjects(*state,
				  "cgroup \"/b\", cgroup \"/\" + \"a\", all, "
				  "cgroup (\"/b\")",
				  &set),
			 3);
	assert_int_equal(set.list[0].kind, SUBJECT_ALL);
	assert_string_equal(set.list[1].cgroup, "/a");
	assert_string_equal(set.list[2].cgroup, "/b");
	assert_int_equal(subjects(*state, "host, 5", &set), 0);
	assert_int_equal(subjects(*state, "host - container", &set), 0);
}

static bool is_path(struct front *front, const char *path)
{
	struct subjects set;

	return subjects(
		front, arena_printf(front->arena, "cgroup \"%s\"", path), &set);
}

static void test_paths_of_cgroups(void **state)
{
	char name[300];

	assert_true(is_path(*state, "/a"));
	assert_true(is_path(*state, "/a/b.slice/..."));
	assert_true(is_path(*state, "/.a/..b/c."));
	assert_false(is_path(*state, ""));
	assert_false(is_path(*state, "a"));
	assert_false(is_path(*state, "/"));
	assert_false(is_path(*state, "/a/"));
	assert_false(is_path(*state, "//a"));
	assert_false(is_path(*state, "/a/../b"));
	assert_false(is_path(*state, "/."));
	memset(name, 'x', sizeof(name));
	name[0] = '/';
	name[256] = '\0';
	assert_true(is_path(*state, name));
	name[256] = 'x';
	name[257] = '\0';
	assert_false(is_path(*state, name));
}

static void test_a_limit_is_for_what_is_more(void **state)
{
	struct front *front = *state;
	struct lets *lets = &front->resolve->lets;
	const char *said;

	assert_true(lets_spend_subjects(lets, LOC_NONE, LETS_MAX_SUBJECTS));
	assert_true(lets_spend_bytes(lets, LOC_NONE, LETS_MAX_BYTES - 1));
	assert_true(lets_spend_bytes(lets, LOC_NONE, 1));
	assert_false(diag_failed(front->diag));
	assert_false(lets_spend_subjects(lets, LOC_NONE, 1));
	assert_false(lets_spend_bytes(lets, LOC_NONE, 1));
	said = front_said(front);
	assert_non_null(strstr(said, "subjects in all [limit]"));
	assert_non_null(strstr(said, "MiB in all [limit]"));
	assert_false(lets_spend_subjects(lets, LOC_NONE, 1));
	assert_false(lets_spend_bytes(lets, LOC_NONE, 1));
	assert_string_equal(front_said(front), ""); /* once is enough */
}

static void add_let(struct front *front, const char *name, const char *text)
{
	lets_add(&front->resolve->lets, (struct word){ name, LOC_NONE },
		 parse(front, text));
}

static void assert_nothing_comes_of(struct front *front, const char *integer,
				    const char *string, const char *set)
{
	struct lets *lets = &front->resolve->lets;
	struct subjects subjects;
	const char *text;
	uint64_t mask;
	int64_t value;

	assert_false(eval_integer(lets, parse(front, integer), &value));
	assert_false(eval_string(lets, parse(front, string), &text));
	assert_false(eval_operations(lets, &protections[PROTECTION_usb],
				     parse(front, set), &mask));
	assert_false(eval_subjects(lets, parse(front, set), &subjects));
}

/* A value that nobody set would be reported for what it happens to be. */
static void test_what_is_wrong_has_no_value(void **state)
{
	struct front *front = *state;
	struct lets *lets = &front->resolve->lets;
	struct subjects subjects;

	add_let(front, "broken", "nothing");
	lets_check(lets);
	assert_nothing_comes_of(front, "broken", "broken", "broken");
	assert_nothing_comes_of(front, "1 + broken", "\"a\" + broken",
				"(broken)");
	assert_nothing_comes_of(front, "-broken", "broken + \"a\"",
				"broken, broken");
	assert_nothing_comes_of(front, "nothing", "nothing", "nothing");
	assert_nothing_comes_of(front, "1 + nothing", "(nothing)", "(nothing)");
	assert_false(
		eval_subjects(lets, parse(front, "cgroup broken"), &subjects));
	assert_false(
		eval_subjects(lets, parse(front, "cgroup \"a\""), &subjects));
}

static void test_what_is_too_much_has_no_value(void **state)
{
	struct front *front = *state;
	struct lets *lets = &front->resolve->lets;
	struct subjects subjects;
	const char *text;

	add_let(front, "both", "host, container");
	lets_check(lets);
	lets->bytes = LETS_MAX_BYTES - 2;
	assert_true(eval_string(lets, parse(front, "\"a\" + \"b\""), &text));
	assert_false(eval_string(lets, parse(front, "\"a\" + \"b\""), &text));
	assert_true(eval_subjects(lets, parse(front, "both"), &subjects));
	lets->subjects = LETS_MAX_SUBJECTS - 2;
	assert_true(eval_subjects(lets, parse(front, "(both)"), &subjects));
	assert_false(eval_subjects(lets, parse(front, "(both)"), &subjects));
	assert_false(eval_subjects(lets, parse(front, "host"), &subjects));
}

/* Whether an assertion fits, where @left more bytes do. */
static bool fits(struct front *front, size_t left)
{
	static const char text[] =
		"language 1; policy p { seal open;"
		" usb { profile allow; log none; }"
		" assert cgroup \"/abcd\", cgroup \"/abcdefg\""
		"  can usb.add, usb.authorize; }";

	front->resolve->lets.bytes = LETS_MAX_BYTES - left;
	return front_plan(front, text) != NULL;
}

static void test_assertions_are_paid_for_just_enough(void **state)
{
	assert_true(fits(*state, (5 + 8) * 2));
	assert_string_equal(front_said(*state), "");
}

static void test_assertions_are_paid_for_just_not(void **state)
{
	assert_false(fits(*state, (5 + 8) * 2 - 1));
	assert_non_null(strstr(front_said(*state), "MiB in all [limit]"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_operators_and_how_they_bind, front_set_up,
			front_tear_down),
		cmocka_unit_test_setup_teardown(test_sums_that_just_fit,
						front_set_up, front_tear_down),
		cmocka_unit_test_setup_teardown(test_shifts_lose_no_bit,
						front_set_up, front_tear_down),
		cmocka_unit_test_setup_teardown(test_divisions, front_set_up,
						front_tear_down),
		cmocka_unit_test_setup_teardown(test_strings_join, front_set_up,
						front_tear_down),
		cmocka_unit_test_setup_teardown(test_the_longest_string,
						front_set_up, front_tear_down),
		cmocka_unit_test_setup_teardown(test_sets_of_operations,
						front_set_up, front_tear_down),
		cmocka_unit_test_setup_teardown(
			test_sets_of_subjects_hold_each_once, front_set_up,
			front_tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_limit_is_for_what_is_more, front_set_up,
			front_tear_down),
		cmocka_unit_test_setup_teardown(test_paths_of_cgroups,
						front_set_up, front_tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_wrong_has_no_value,
						front_set_up, front_tear_down),
		cmocka_unit_test_setup_teardown(
			test_what_is_too_much_has_no_value, front_set_up,
			front_tear_down),
		cmocka_unit_test_setup_teardown(
			test_assertions_are_paid_for_just_enough, front_set_up,
			front_tear_down),
		cmocka_unit_test_setup_teardown(
			test_assertions_are_paid_for_just_not, front_set_up,
			front_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
