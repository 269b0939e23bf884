/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Takes the place of systemd's journal: writes the entries that come to its
 * standard output, as they come, until there were as many or none came for ten
 * seconds:
 *
 *	journal COUNT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_S 10

int main(int argc, char **argv)
{
	struct sockaddr_un address = { AF_UNIX, "/run/systemd/journal/socket" };
	struct timeval patience = { .tv_sec = PATIENCE_S };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	long count = argc > 1 ? atol(argv[1]) : 1;
	char entry[65536];
	ssize_t size;

	mkdir("/run/systemd", 0755);
	mkdir("/run/systemd/journal", 0755);
	unlink(address.sun_path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)))
		return 1;
	while (count-- > 0 && (size = recv(fd, entry, sizeof(entry), 0)) > 0) {
		fwrite(entry, 1, (size_t)size, stdout);
		puts("---");
	}
	unlink(address.sun_path);
	return 0;
}
