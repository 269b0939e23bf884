/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>

#include "loader/cleanup.h"

/* Reads up to @size bytes; less only where the file ends. */
static ssize_t read_full(int fd, char *bytes, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t count = read(fd, bytes + done, size - done);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -errno;
		if (!count)
			break;
		done += (size_t)count;
	}
	return (ssize_t)done;
}

int read_file(const char *path, size_t max, void **bytes, size_t *size)
{
	/* O_NONBLOCK: a FIFO must not hold us up before fstat() sees it. */
	int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	CLEANUP(free_memory) char *copy = NULL;
	CLEANUP(close_fd) int fd = open(path, flags);
	struct stat status;
	ssize_t count;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status))
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	if (status.st_size > (off_t)max)
		return -EFBIG;
	if (!status.st_size)
		return -ENODATA;

	/* One byte more, to see that the file ends where it said. */
	copy = malloc((size_t)status.st_size + 1);
	if (!copy)
		return -ENOMEM;
	count = read_full(fd, copy, (size_t)status.st_size + 1);
	if (count < 0)
		return (int)count;
	if (count != status.st_size)
		return -ESTALE;
	*bytes = copy;
	*size = (size_t)count;
	copy = NULL;
	return 0;
}

int read_text(const char *path, size_t max, char **text)
{
	CLEANUP(free_memory) char *copy = malloc(max);
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t count;

	if (fd < 0)
		return -errno;
	if (!copy)
		return -ENOMEM;
	count = read_full(fd, copy, max - 1);
	if (count < 0)
		return (int)count;
	copy[count] = '\0';
	*text = copy;
	copy = NULL;
	return 0;
}
