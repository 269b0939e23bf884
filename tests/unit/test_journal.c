/* SPDX-License-Identifier: GPL-2.0-only */
/* Entries of the journal, as they come out of its socket. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "loader/journal.h"

static void a_value_of_several_lines_has_its_length(void **state)
{
	static const char expected[] = "A=one line\n"
				       "B=\n"
				       "C\n\x08\0\0\0\0\0\0\0x\nD=root\n";
	char *made = NULL;
	size_t size;
	FILE *entry = open_memstream(&made, &size);

	(void)state;
	journal_put(entry, "A", "one line");
	journal_put(entry, "B", "");
	journal_put(entry, "C", "x\nD=root");
	fclose(entry);
	assert_int_equal(size, sizeof(expected) - 1);
	assert_memory_equal(made, expected, size);
	free(made);
}

static int listen_at(char *folder, char *path, size_t size)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_non_null(mkdtemp(folder));
	snprintf(path, size, "%s/socket", folder);
	strcpy(address.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)),
			 0);
	return fd;
}

static void an_entry_is_one_datagram(void **state)
{
	char folder[] = "/tmp/journal-XXXXXX", path[64], got[64] = "";
	int listening = listen_at(folder, path, sizeof(path));
	int fd = journal_open(path), err = 0;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(journal_send(fd, "A=1\nB=2\n", 8), 0);
	assert_int_equal(recv(listening, got, sizeof(got), 0), 8);
	assert_string_equal(got, "A=1\nB=2\n");
	/* nobody takes them: it waits, and does not wait for ever */
	for (unsigned i = 0; i < 100000 && !err; i++)
		err = journal_send(fd, "A=1\n", 4);
	assert_int_equal(err, -EAGAIN);
	close(listening);
	assert_int_equal(journal_send(fd, "A=1\n", 4), -ECONNREFUSED);
	close(fd);
	unlink(path);
	rmdir(folder);
}

static void where_there_is_none_it_says_so(void **state)
{
	(void)state;
	assert_int_equal(journal_open("/no/such/socket"), -ENOENT);
	assert_int_equal(
		journal_open("/a/path/as/long/as/no/address/of/a/"
			     "socket/can/be/for/it/has/room/for/"
			     "one/hundred/and/eight/bytes/at/most/the/end"),
		-ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_of_several_lines_has_its_length),
		cmocka_unit_test(an_entry_is_one_datagram),
		cmocka_unit_test(where_there_is_none_it_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
