/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>

#include <cmocka.h>

#include "compiler/check.h"

static void assert_today(const char *epoch, uint32_t wanted)
{
	assert_int_equal(setenv("SOURCE_DATE_EPOCH", epoch, 1), 0);
	assert_int_equal(check_today(), wanted);
}

static void test_the_day_that_is_set(void **state)
{
	(void)state;
	assert_today("0", 19700101);
	assert_today("951868799", 20000229);
	assert_today("951868800", 20000301);
	assert_today("1798761599", 20261231);
	assert_today("1798761600", 20270101);
}

/* To take another day for it would let an exception live that has expired. */
static void test_what_is_no_number_is_no_day(void **state)
{
	(void)state;
	assert_today("tomorrow", 0);
	assert_today("1798761599s", 0);
	assert_today("-1", 0);
	assert_today("+5", 0);
	assert_today(" 1", 0);
	assert_today("1 ", 0);
	assert_today("0x10", 0);
	assert_today("99999999999999999999", 0);
	assert_today("9223372036854775807", 0);
}

static void test_the_day_that_is(void **state)
{
	uint32_t today;

	(void)state;
	assert_int_equal(unsetenv("SOURCE_DATE_EPOCH"), 0);
	today = check_today();
	assert_int_not_equal(today, 0);
	assert_today("", today); /* as if it were not set */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_day_that_is_set),
		cmocka_unit_test(test_what_is_no_number_is_no_day),
		cmocka_unit_test(test_the_day_that_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
