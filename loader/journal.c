/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A value of one line is NAME=value.  Any other has its length before it, so
 * that no line of it is taken for a field.
 */
#include "loader/journal.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "loader/cleanup.h"

int journal_open(const char *path)
{
	const struct timeval patience = { .tv_sec = 1 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	CLEANUP(close_fd)
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
		       sizeof(patience)) ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return -errno;
	return keep_fd(&fd);
}

static void put_length(FILE *entry, uint64_t length)
{
	for (unsigned i = 0; i < sizeof(length); i++)
		putc((int)(length >> 8 * i & 0xff), entry);
}

void journal_put(FILE *entry, const char *name, const char *value)
{
	if (!strchr(value, '\n')) {
		fprintf(entry, "%s=%s\n", name, value);
		return;
	}
	fprintf(entry, "%s\n", name);
	put_length(entry, strlen(value));
	fprintf(entry, "%s\n", value);
}

int journal_send(int journal, const void *entry, size_t size)
{
	ssize_t sent;

	do
		sent = send(journal, entry, size, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}
