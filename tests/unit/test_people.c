/* SPDX-License-Identifier: GPL-2.0-only */
/* Users' names, out of a file that changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "loader/people.h"

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void names_follow_the_file(void **state)
{
	char path[] = "/tmp/people-XXXXXX";
	struct people people = { .path = path };
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_null(people_name(&people, 0));
	write_file(path, "root:x:0:0::/root:/bin/sh\n"
			 "no user at all\n"
			 "toor:x:0:0::/root:/bin/sh\n"
			 "a\"b:x:1000:1000::/:/bin/sh\n");
	assert_string_equal(people_name(&people, 0), "root");
	assert_string_equal(people_name(&people, 1000), "a\"b");
	assert_null(people_name(&people, 1001));
	assert_null(people_name(&people, 1001));
	write_file(path, "somebody:x:1001:1001::/:/bin/sh\n");
	assert_string_equal(people_name(&people, 1001), "somebody");
	assert_null(people_name(&people, 0));
	unlink(path);
	assert_null(people_name(&people, 1001));
	people_free(&people);
}

static void more_are_asked_for_than_are_kept(void **state)
{
	char path[] = "/tmp/people-XXXXXX", name[32];
	struct people people = { .path = path };
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");

	(void)state;
	assert_non_null(file);
	for (unsigned i = 0; i < 3 * PEOPLE_KNOWN; i++)
		fprintf(file, "user%u:x:%u:0::/:/bin/sh\n", i, i);
	assert_int_equal(fclose(file), 0);
	for (unsigned i = 0; i < 9 * PEOPLE_KNOWN; i++) {
		unsigned uid = i * 7 % (3 * PEOPLE_KNOWN);

		snprintf(name, sizeof(name), "user%u", uid);
		assert_string_equal(people_name(&people, uid), name);
	}
	unlink(path);
	people_free(&people);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_follow_the_file),
		cmocka_unit_test(more_are_asked_for_than_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
