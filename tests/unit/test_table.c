/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bundle/table.h"

/* In path order. */
static const char *const paths[] = {
	"/a",	"/a/b", "/a/b/c", "/a/b-c", "/a/bc",
	"/a-b", "/a.b", "/ab",	  "/b",	    "/\xc3\xa4",
};

#define COUNT (sizeof(paths) / sizeof(paths[0]))

static int sign(int value)
{
	return (value > 0) - (value < 0);
}

static void test_path_order_is_total(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT; i++)
		for (size_t j = 0; j < COUNT; j++)
			assert_int_equal(
				sign(table_cgroup_compare(paths[i], paths[j])),
				sign((int)i - (int)j));
}

static void test_a_cgroup_covers_what_is_below(void **state)
{
	(void)state;
	assert_true(table_cgroup_covers("/a", "/a"));
	assert_true(table_cgroup_covers("/a", "/a/b"));
	assert_true(table_cgroup_covers("/a/b", "/a/b/c"));
	assert_false(table_cgroup_covers("/a/b", "/a"));
	assert_false(table_cgroup_covers("/a", "/ab"));
	assert_false(table_cgroup_covers("/a", "/a-b"));
	assert_false(table_cgroup_covers("/a", "/b"));
}

static void test_all_below_follows_at_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		bool before = true;

		for (size_t j = i; j < COUNT; j++) {
			bool covers = table_cgroup_covers(paths[i], paths[j]);

			assert_true(before || !covers);
			before = covers;
		}
		for (size_t j = 0; j < i; j++)
			assert_false(table_cgroup_covers(paths[i], paths[j]));
	}
}

static void test_classes_have_a_place_and_a_cgroup(void **state)
{
	const char *cgroups[] = { "/a", "/b" };
	struct table_protection protection = {
		.protection = &protections[PROTECTION_usb],
		.cgroups = cgroups,
		.cgroup_count = 2,
	};

	(void)state;
	assert_int_equal(table_class_count(&protection), 6);
	assert_null(table_class_cgroup(&protection, 0));
	assert_null(table_class_cgroup(&protection, 1));
	assert_string_equal(table_class_cgroup(&protection, 2), "/a");
	assert_string_equal(table_class_cgroup(&protection, 5), "/b");
	assert_int_equal(table_class_place(4), PLACE_HOST);
	assert_int_equal(table_class_place(5), PLACE_CONTAINER);
}

static void test_verdicts(void **state)
{
	uint64_t denied[] = { 0, 2 };
	struct table_protection protection = {
		.protection = &protections[PROTECTION_usb],
		.denied = denied,
	};
	struct table table = { .audit = false };

	(void)state;
	assert_string_equal(table_verdict(&table, &protection, 0, 1), "allow");
	assert_string_equal(table_verdict(&table, &protection, 1, 0), "allow");
	assert_string_equal(table_verdict(&table, &protection, 1, 1), "deny");
	table.audit = true;
	assert_string_equal(table_verdict(&table, &protection, 1, 1),
			    "would-deny");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path_order_is_total),
		cmocka_unit_test(test_a_cgroup_covers_what_is_below),
		cmocka_unit_test(test_all_below_follows_at_once),
		cmocka_unit_test(test_classes_have_a_place_and_a_cgroup),
		cmocka_unit_test(test_verdicts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
