/* SPDX-License-Identifier: GPL-2.0-only */
/* What comes in from outside and goes out to people. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "loader/detail.h"
#include "loader/read.h"
#include "bundle/text.h"

static void check(void (*write)(FILE *, const char *), const char *text,
		  const char *expected)
{
	char *made = NULL;
	size_t size;
	FILE *out = open_memstream(&made, &size);

	assert_non_null(out);
	write(out, text);
	fclose(out);
	assert_string_equal(made, expected);
	free(made);
}

static void json_stays_in_its_quotes(void **state)
{
	(void)state;
	check(text_json, "", "\"\"");
	check(text_json, "/lib/a.ko", "\"/lib/a.ko\"");
	check(text_json, "a\"b\\c", "\"a\\\"b\\\\c\"");
	check(text_json, "a\nb\x1b[2J\x7f", "\"a\\u000ab\\u001b[2J\\u007f\"");
	check(text_json, "\xc3\xa4", "\"\xc3\xa4\"");
	check(text_json, "\xc2\x9b", "\"\\u009b\"");
	check(text_json, "a\xff\xc3", "\"a\\ufffd\\ufffd\"");
	check(text_json, "\xe2\x80\xae", "\"\\u202e\"");
	check(text_json, "\xe2\x80\xa8", "\"\\u2028\"");
}

static void quotes_stay_on_their_line(void **state)
{
	(void)state;
	check(text_quoted, "", "\"\"");
	check(text_quoted, "a b=\"c\"", "\"a b=\\\"c\\\"\"");
	check(text_quoted, "a\nb\\", "\"a\\x0ab\\\\\"");
	check(text_quoted, "\xc3\xa4\xff", "\"\xc3\xa4\\xff\"");
	check(text_quoted, "\xe2\x80\xae", "\"\\xe2\\x80\\xae\"");
}

static void detail_keeps_the_tail(void **state)
{
	struct detail detail = { .len = 0 };
	char block[DETAIL_SIZE + 100];

	(void)state;
	detail_append(&detail, "first", 5);
	assert_int_equal(detail.len, 5);
	memset(block, 'x', sizeof(block));
	block[sizeof(block) - 1] = 'y';
	detail_append(&detail, block, DETAIL_SIZE - 3);
	assert_int_equal(detail.len, DETAIL_SIZE);
	assert_memory_equal(detail.text, "rstx", 4);
	detail_append(&detail, block, sizeof(block));
	assert_int_equal(detail.len, DETAIL_SIZE);
	assert_int_equal(detail.text[DETAIL_SIZE - 1], 'y');
	assert_int_equal(detail.text[0], 'x');
}

static void takes_regular_files_only(void **state)
{
	char folder[] = "/tmp/test_text.XXXXXX";
	char path[64], link[64], fifo[64];
	void *bytes = NULL;
	size_t size;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/file", folder);
	snprintf(link, sizeof(link), "%s/link", folder);
	snprintf(fifo, sizeof(fifo), "%s/fifo", folder);
	file = fopen(path, "w");
	assert_non_null(file);

	assert_int_equal(read_file(path, 4, &bytes, &size), -ENODATA);
	fputs("four", file);
	fclose(file);
	assert_int_equal(read_file(path, 3, &bytes, &size), -EFBIG);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(read_file(link, 4, &bytes, &size), -ELOOP);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(read_file(fifo, 4, &bytes, &size), -EINVAL);
	assert_int_equal(read_file(folder, 4, &bytes, &size), -EINVAL);
	assert_null(bytes);
	assert_int_equal(read_file(path, 4, &bytes, &size), 0);
	assert_int_equal(size, 4);
	assert_memory_equal(bytes, "four", 4);
	free(bytes);

	unlink(path);
	unlink(link);
	unlink(fifo);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_stays_in_its_quotes),
		cmocka_unit_test(quotes_stay_on_their_line),
		cmocka_unit_test(detail_keeps_the_tail),
		cmocka_unit_test(takes_regular_files_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
