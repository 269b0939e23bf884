/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/arena.h"

static int set_up(void **state)
{
	*state = arena_new();
	return 0;
}

static int tear_down(void **state)
{
	arena_free(*state);
	return 0;
}

static void test_memory_is_zero_and_aligned(void **state)
{
	for (size_t size = 0; size < 100 * 1000; size = size * 3 + 1) {
		char *bytes = arena_alloc(*state, size);

		assert_int_equal((uintptr_t)bytes % alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(bytes[i], 0);
		memset(bytes, 0xff, size);
	}
}

static void test_allocations_do_not_overlap(void **state)
{
	char *blocks[1000];

	for (size_t i = 0; i < 1000; i++) {
		blocks[i] = arena_alloc(*state, i);
		memset(blocks[i], (int)(i % 251), i);
	}
	for (size_t i = 0; i < 1000; i++)
		for (size_t j = 0; j < i; j++)
			assert_int_equal((unsigned char)blocks[i][j], i % 251);
}

static void test_growing_keeps_what_is_there(void **state)
{
	size_t capacity = 0;
	int *numbers = NULL;

	for (int i = 0; i < 1000; i++) {
		numbers = arena_grow(*state, numbers, (size_t)i, &capacity,
				     sizeof(*numbers));
		numbers[i] = i;
	}
	assert_true(capacity >= 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(numbers[i], i);
}

static void test_text_is_copied_and_terminated(void **state)
{
	assert_string_equal(arena_copy(*state, "kernel", 3), "ker");
	assert_string_equal(arena_copy(*state, NULL, 0), "");
	assert_string_equal(arena_printf(*state, "%s=%d", "a", 7), "a=7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_memory_is_zero_and_aligned,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_allocations_do_not_overlap,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_growing_keeps_what_is_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_text_is_copied_and_terminated, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
