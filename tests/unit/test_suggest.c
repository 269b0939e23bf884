/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "bundle/suggest.h"

static const char *nearest(const char *wanted, const char *candidate)
{
	struct suggest suggest = suggest_new(wanted);

	suggest_offer(&suggest, candidate);
	return suggest.nearest;
}

static void test_one_edit_is_near(void **state)
{
	(void)state;
	assert_string_equal(nearest("blok", "block"), "block");	  /* insert */
	assert_string_equal(nearest("bloock", "block"), "block"); /* drop */
	assert_string_equal(nearest("blick", "block"), "block");  /* change */
	assert_string_equal(nearest("blcok", "block"), "block");  /* swap */
	assert_string_equal(nearest("BLOCK", "block"), "block");  /* case */
}

static void test_a_third_may_be_wrong(void **state)
{
	(void)state;
	assert_non_null(nearest("abcdef", "abcdxy"));
	assert_null(nearest("abcdef", "abcxyz"));
	assert_non_null(nearest("abc", "abx"));
	assert_null(nearest("abc", "axy"));
	assert_null(nearest("ab", "ax")); /* half */
	assert_non_null(nearest("abcdef", "abcdefgh"));
	assert_null(nearest("abcdef", "abcdefghi"));
	assert_null(nearest("abcdefghi", "abcde"));
}

static void test_the_same_is_no_suggestion(void **state)
{
	(void)state;
	assert_null(nearest("host", "host"));
	assert_null(nearest("", ""));
	assert_null(nearest("", "a"));
}

static void test_the_nearest_wins_the_first_of_equals(void **state)
{
	struct suggest suggest = suggest_new("map_craete");

	(void)state;
	suggest_offer(&suggest, "map_update");
	suggest_offer(&suggest, "map_create");
	suggest_offer(&suggest, "map_crate");
	assert_string_equal(suggest.nearest, "map_create");
	suggest = suggest_new("abcx");
	suggest_offer(&suggest, "abcd");
	suggest_offer(&suggest, "abce");
	assert_string_equal(suggest.nearest, "abcd");
}

static void test_long_names_get_none(void **state)
{
	char longest[65], longer[66], other[66];

	(void)state;
	memset(longest, 'a', 64);
	longest[64] = '\0';
	memcpy(other, longest, 65);
	other[5] = 'b';
	assert_non_null(nearest(longest, other));
	memset(longer, 'a', 65);
	longer[65] = '\0';
	assert_null(nearest(longer, longest));
	assert_null(nearest(longest, longer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_edit_is_near),
		cmocka_unit_test(test_a_third_may_be_wrong),
		cmocka_unit_test(test_the_same_is_no_suggestion),
		cmocka_unit_test(test_the_nearest_wins_the_first_of_equals),
		cmocka_unit_test(test_long_names_get_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
