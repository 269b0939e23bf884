/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bundle/reader.h"

static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

static void test_numbers(void **state)
{
	struct reader reader = reader_of(bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(reader_u8(&reader), 0x01);
	assert_int_equal(reader_u16(&reader), 0x0302);
	assert_int_equal(reader_u32(&reader), 0x07060504);
	assert_int_equal(reader_left(&reader), 2);
	assert_false(reader.spent);
	assert_int_equal(reader_u32(&reader), 0);
	assert_true(reader.spent);
	/* And stays so, though two bytes are there. */
	assert_int_equal(reader_u8(&reader), 0);
	assert_int_equal(reader_left(&reader), 0);
	reader = reader_of(bytes, sizeof(bytes));
	assert_true(reader_u64(&reader) == UINT64_C(0x0807060504030201));
}

static void test_bytes(void **state)
{
	struct reader reader = reader_of(bytes, 4);

	(void)state;
	assert_ptr_equal(reader_bytes(&reader, 4), bytes);
	assert_ptr_equal(reader_bytes(&reader, 0), bytes + 4);
	assert_null(reader_bytes(&reader, 1));
	reader = reader_of(bytes, 4);
	assert_null(reader_bytes(&reader, UINT64_MAX));
	reader = reader_of(NULL, 0);
	assert_int_equal(reader_u8(&reader), 0);
	assert_true(reader.spent);
}

static void test_at(void **state)
{
	(void)state;
	assert_int_equal(reader_at(bytes, 9, 4, 5).next - bytes, 4);
	assert_false(reader_at(bytes, 9, 9, 0).spent);
	assert_true(reader_at(bytes, 9, 10, 0).spent);
	assert_true(reader_at(bytes, 9, 4, 6).spent);
	assert_true(reader_at(bytes, 9, UINT64_MAX, 2).spent);
	assert_true(reader_at(bytes, 9, 2, UINT64_MAX).spent);
}

static void test_count(void **state)
{
	static const uint8_t two[] = { 2, 0, 0, 0, 1, 1, 1, 1 };
	static const uint8_t many[] = { 255, 255, 255, 255, 1, 1, 1, 1 };
	struct reader reader = reader_of(two, sizeof(two));

	(void)state;
	assert_int_equal(reader_count(&reader, 2), 2);
	assert_false(reader.spent);
	reader = reader_of(two, sizeof(two));
	assert_int_equal(reader_count(&reader, 3), 0);
	assert_true(reader.spent);
	reader = reader_of(many, sizeof(many));
	assert_int_equal(reader_count(&reader, 1), 0);
	assert_true(reader.spent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_at),
		cmocka_unit_test(test_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
