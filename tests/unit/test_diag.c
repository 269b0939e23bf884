/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "tests/unit/front.h"

static struct loc at(struct front *front, uint32_t begin, uint32_t end)
{
	uint32_t index;

	if (!front->sources.count)
		source_add(&front->sources, "policy", "one two\nthree\n", 14,
			   &index);
	return (struct loc){ 0, begin, end };
}

static void test_an_error_shows_its_place(void **state)
{
	struct front *front = *state;
	struct diag_entry *entry = diag_report(front->diag, CHECK_SYNTAX,
					       at(front, 4, 7), "no %s", "two");

	diag_note(front->diag, entry, at(front, 8, 13), "three");
	diag_note(front->diag, entry, LOC_NONE, "nowhere");
	assert_true(diag_failed(front->diag));
	assert_string_equal(front_said(front),
			    "policy:1:5: error: no two [syntax]\n"
			    "    one two\n"
			    "        ^~~\n"
			    "policy:2:1: note: three\n"
			    "    three\n"
			    "    ^~~~~\n"
			    "bpflockc: note: nowhere\n");
	assert_string_equal(front_said(front), "");
}

static void test_marks_end_with_their_line(void **state)
{
	struct front *front = *state;

	diag_report(front->diag, CHECK_SYNTAX, at(front, 4, 13), "both");
	diag_report(front->diag, CHECK_SYNTAX, at(front, 7, 7), "behind");
	assert_string_equal(front_said(front),
			    "policy:1:5: error: both [syntax]\n"
			    "    one two\n"
			    "        ^~~\n"
			    "policy:1:8: error: behind [syntax]\n"
			    "    one two\n"
			    "           ^\n");
}

static void test_text_order_then_order_of_report(void **state)
{
	struct front *front = *state;

	diag_report(front->diag, CHECK_SYNTAX, LOC_NONE, "d");
	diag_report(front->diag, CHECK_SYNTAX, at(front, 14, 14), "b");
	diag_report(front->diag, CHECK_SYNTAX, at(front, 14, 14), "c");
	diag_report(front->diag, CHECK_SYNTAX, at(front, 3, 3), "a");
	assert_string_equal(front_said(front), "policy:1:4: error: a [syntax]\n"
					       "    one two\n"
					       "       ^\n"
					       "policy:3:1: error: b [syntax]\n"
					       "policy:3:1: error: c [syntax]\n"
					       "bpflockc: error: d [syntax]\n");
}

static void report_warning(struct front *front)
{
	diag_report(front->diag, CHECK_NO_EFFECT, LOC_NONE, "idle");
}

static void test_warnings_fail_nothing(void **state)
{
	struct front *front = *state;

	report_warning(front);
	assert_false(diag_failed(front->diag));
	assert_string_equal(front_said(front),
			    "bpflockc: warning: idle [no-effect]\n");
}

static void test_options_that_are(void **state)
{
	static const struct {
		const char *options[3];
		const char *said;
	} cases[] = {
		{ { "error" }, "bpflockc: error: idle [no-effect]\n" },
		{ { "error=no-effect" },
		  "bpflockc: error: idle [no-effect]\n" },
		{ { "error=lock-out" },
		  "bpflockc: warning: idle [no-effect]\n" },
		{ { "no-no-effect" }, "" },
		{ { "no-no-effect", "error" }, "" },
		{ { "error", "no-no-effect" }, "" },
		{ { "no-no-effect", "no-effect" },
		  "bpflockc: warning: idle [no-effect]\n" },
		{ { "no-no-effect", "error=no-effect" },
		  "bpflockc: error: idle [no-effect]\n" },
		{ { "error", "no-error" },
		  "bpflockc: warning: idle [no-effect]\n" },
		{ { "error", "no-error=no-effect" },
		  "bpflockc: warning: idle [no-effect]\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct front *front;

		front_set_up((void **)&front);
		for (size_t j = 0; j < 3 && cases[i].options[j]; j++)
			assert_true(
				diag_option(front->diag, cases[i].options[j]));
		report_warning(front);
		assert_int_equal(diag_failed(front->diag),
				 strstr(cases[i].said, "error") != NULL);
		assert_string_equal(front_said(front), cases[i].said);
		front_tear_down((void **)&front);
	}
}

static void test_options_that_are_not(void **state)
{
	static const char *const options[] = { "",	     "syntax",
					       "no-syntax",  "error=syntax",
					       "no-error=x", "errors",
					       "error=",     "no-" };
	struct front *front = *state;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		assert_false(diag_option(front->diag, options[i]));
}

static void test_twenty_errors_are_shown(void **state)
{
	struct front *front = *state;
	const char *said;

	for (int i = 0; i < 20; i++)
		diag_report(front->diag, CHECK_SYNTAX, LOC_NONE, "e%d", i);
	said = front_said(front);
	assert_non_null(strstr(said, "e19"));
	assert_null(strstr(said, "not shown"));
	diag_report(front->diag, CHECK_SYNTAX, LOC_NONE, "one more");
	report_warning(front);
	assert_string_equal(front_said(front),
			    "bpflockc: warning: idle [no-effect]\n"
			    "bpflockc: 1 more error is not shown\n");
	diag_report(front->diag, CHECK_SYNTAX, LOC_NONE, "and more");
	diag_report(front->diag, CHECK_SYNTAX, LOC_NONE, "and more");
	assert_string_equal(front_said(front),
			    "bpflockc: 2 more errors are not shown\n");
}

static void test_what_is_not_kept_is_counted(void **state)
{
	struct front *front = *state;
	struct diag_entry *entry;

	assert_false(diag_is_flooded(front->diag));
	for (int i = 0; i < DIAG_MAX_KEPT + 5; i++)
		report_warning(front);
	assert_false(diag_is_flooded(front->diag));
	for (int i = 0; i < 40; i++)
		diag_report(front->diag, CHECK_SYNTAX, LOC_NONE, "e");
	assert_false(diag_is_flooded(front->diag));
	for (int i = 40; i < DIAG_MAX_KEPT + 5; i++) {
		entry = diag_report(front->diag, CHECK_SYNTAX, LOC_NONE, "e");
		diag_note(front->diag, entry, LOC_NONE, "n");
	}
	assert_true(diag_is_flooded(front->diag));
	assert_non_null(strstr(front_said(front),
			       "bpflockc: 9985 more errors are not shown\n"
			       "bpflockc: 9985 more warnings are not shown\n"));
}

static void test_long_messages_are_cut(void **state)
{
	struct front *front = *state;
	char text[2000];
	const char *said;

	memset(text, 'x', sizeof(text));
	memcpy(text + 998, "\xc3\xa4", 3);
	diag_report(front->diag, CHECK_SYNTAX, LOC_NONE, "%s", text);
	said = front_said(front);
	assert_non_null(strstr(said, text));
	assert_null(strstr(said, "..."));
	/* a character is not cut in two */
	memset(text, 'x', sizeof(text));
	memcpy(text + 999, "\xc3\xa4y", 4);
	diag_report(front->diag, CHECK_SYNTAX, LOC_NONE, "%s", text);
	assert_non_null(strstr(front_said(front), "x... [syntax]\n"));
}

static void test_names_are_those_of_the_table(void **state)
{
	(void)state;
	assert_string_equal(diag_check_name(CHECK_UNREADABLE), "unreadable");
	assert_string_equal(diag_check_name(CHECK_LOCK_OUT), "lock-out");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_an_error_shows_its_place,
						front_set_up, front_tear_down),
		cmocka_unit_test_setup_teardown(test_marks_end_with_their_line,
						front_set_up, front_tear_down),
		cmocka_unit_test_setup_teardown(
			test_text_order_then_order_of_report, front_set_up,
			front_tear_down),
		cmocka_unit_test_setup_teardown(test_warnings_fail_nothing,
						front_set_up, front_tear_down),
		cmocka_unit_test_setup_teardown(test_options_that_are,
						front_set_up, front_tear_down),
		cmocka_unit_test_setup_teardown(test_options_that_are_not,
						front_set_up, front_tear_down),
		cmocka_unit_test_setup_teardown(test_twenty_errors_are_shown,
						front_set_up, front_tear_down),
		cmocka_unit_test_setup_teardown(
			test_what_is_not_kept_is_counted, front_set_up,
			front_tear_down),
		cmocka_unit_test_setup_teardown(test_long_messages_are_cut,
						front_set_up, front_tear_down),
		cmocka_unit_test_setup_teardown(
			test_names_are_those_of_the_table, front_set_up,
			front_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
