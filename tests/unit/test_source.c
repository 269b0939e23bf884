/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "compiler/source.h"
#include "tests/unit/front.h"

static const struct source *add(struct front *front, const char *text)
{
	uint32_t index;

	assert_int_equal(
		source_add(&front->sources, "text", text, strlen(text), &index),
		0);
	return &front->sources.list[index];
}

static void assert_place(const struct source *source, size_t offset,
			 uint32_t line, uint32_t column, const char *text)
{
	struct place_in_source place = source_place(source, offset);

	assert_int_equal(place.line, line);
	assert_int_equal(place.column, column);
	assert_int_equal(place.text_len, strlen(text));
	assert_memory_equal(place.text, text, place.text_len);
}

static void test_lines_and_columns_count_from_one(void **state)
{
	const struct source *source = add(*state, "ab\n\n\tcd\n");

	assert_place(source, 0, 1, 1, "ab");
	assert_place(source, 2, 1, 3, "ab"); /* the line feed itself */
	assert_place(source, 3, 2, 1, "");
	assert_place(source, 4, 3, 1, "\tcd");
	assert_place(source, 5, 3, 2, "\tcd"); /* a tab is one column */
	assert_place(source, 8, 4, 1, "");
	assert_place(source, 100, 4, 1, ""); /* behind the end: the end */
}

static void test_columns_count_characters(void **state)
{
	const struct source *source = add(*state, "\xc3\xa4\xe2\x82\xac"
						  "x");

	assert_place(source, 2, 1, 2,
		     "\xc3\xa4\xe2\x82\xac"
		     "x");
	assert_place(source, 5, 1, 3,
		     "\xc3\xa4\xe2\x82\xac"
		     "x");
	assert_place(source, 6, 1, 4,
		     "\xc3\xa4\xe2\x82\xac"
		     "x");
}

static void test_columns_of_long_lines(void **state)
{
	const struct source *source;
	char text[2001];

	for (size_t i = 0; i < 2000; i++)
		text[i] = i % 2 ? '\xa4' : '\xc3';
	text[2000] = '\0';
	text[600] = text[601] = '\n';
	source = add(*state, text);
	for (size_t i = 0; i < 600; i += 2)
		assert_int_equal(source_place(source, i).column, i / 2 + 1);
	for (size_t i = 602; i <= 2000; i += 2)
		assert_int_equal(source_place(source, i).column,
				 (i - 602) / 2 + 1);
}

static void test_carriage_returns_are_no_text(void **state)
{
	const struct source *source = add(*state, "ab\r\ncd\r\n");

	assert_place(source, 1, 1, 2, "ab");
	assert_place(source, 4, 2, 1, "cd");
}

static void test_no_text_has_a_place(void **state)
{
	assert_place(add(*state, ""), 0, 1, 1, "");
}

static void test_all_sources_share_one_limit(void **state)
{
	struct front *front = *state;
	char *text = arena_alloc(front->arena, SOURCE_MAX_BYTES + 1);
	uint32_t index = 7;

	assert_int_equal(source_add(&front->sources, "a", text,
				    SOURCE_MAX_BYTES + 1, &index),
			 -EFBIG);
	assert_int_equal(index, 7);
	assert_int_equal(source_add(&front->sources, "a", text,
				    SOURCE_MAX_BYTES - 1, &index),
			 0);
	assert_int_equal(source_add(&front->sources, "b", text, 2, &index),
			 -EFBIG);
	assert_int_equal(source_add(&front->sources, "b", text, 1, &index), 0);
	assert_int_equal(index, 1);
}

static void test_reading_says_what_it_cannot(void **state)
{
	struct front *front = *state;
	uint32_t index = 7;

	assert_int_equal(
		source_read(&front->sources, "/no/such", "n", LOC_NONE, &index),
		-ENOENT);
	assert_int_equal(
		source_read(&front->sources, "/", "n", LOC_NONE, &index),
		-EISDIR);
	assert_int_equal(source_read(&front->sources, "/dev/zero", "n",
				     LOC_NONE, &index),
			 -EFBIG);
	assert_int_equal(index, 7);
	assert_int_equal(front->sources.count, 0);
	assert_int_equal(source_read(&front->sources, "/dev/null", "n",
				     LOC_NONE, &index),
			 0);
	assert_int_equal(front->sources.list[index].size, 0);
}

static void test_a_file_is_found_by_what_it_is(void **state)
{
	struct front *front = *state;
	char path[] = "/tmp/bpflock-source-XXXXXX";
	int fd = mkstemp(path);
	uint32_t index;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "let", 3), 3);
	add(front, "text");
	assert_int_equal(source_find(&front->sources, path), SOURCE_NONE);
	assert_int_equal(
		source_read(&front->sources, path, "n", LOC_NONE, &index), 0);
	assert_int_equal(source_find(&front->sources, path), index);
	assert_int_equal(source_find(&front->sources, "/dev/null"),
			 SOURCE_NONE);
	assert_true(source_exists(path));
	unlink(path);
	close(fd);
	assert_false(source_exists(path));
	assert_int_equal(source_find(&front->sources, path), SOURCE_NONE);
}

static void test_folders_keep_their_slash(void **state)
{
	struct front *front = *state;

	assert_string_equal(source_folder(front->arena, "a/b/c"), "a/b/");
	assert_string_equal(source_folder(front->arena, "/c"), "/");
	assert_string_equal(source_folder(front->arena, "c"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_lines_and_columns_count_from_one, front_set_up,
			front_tear_down),
		cmocka_unit_test_setup_teardown(test_columns_count_characters,
						front_set_up, front_tear_down),
		cmocka_unit_test_setup_teardown(test_columns_of_long_lines,
						front_set_up, front_tear_down),
		cmocka_unit_test_setup_teardown(
			test_carriage_returns_are_no_text, front_set_up,
			front_tear_down),
		cmocka_unit_test_setup_teardown(test_no_text_has_a_place,
						front_set_up, front_tear_down),
		cmocka_unit_test_setup_teardown(
			test_all_sources_share_one_limit, front_set_up,
			front_tear_down),
		cmocka_unit_test_setup_teardown(
			test_reading_says_what_it_cannot, front_set_up,
			front_tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_file_is_found_by_what_it_is, front_set_up,
			front_tear_down),
		cmocka_unit_test_setup_teardown(test_folders_keep_their_slash,
						front_set_up, front_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
