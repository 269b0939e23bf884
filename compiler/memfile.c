/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/memfile.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/arena.h"

static int write_at_start(int fd, const struct blob *blob)
{
	const char *bytes = blob->bytes;
	size_t done = 0;

	while (done < blob->size) {
		ssize_t written = pwrite(fd, bytes + done, blob->size - done,
					 (off_t)done);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written ? -errno : -EIO;
		done += (size_t)written;
	}
	return 0;
}

int memfile_new(const struct blob *blob)
{
	int fd = memfd_create("bpflockc", MFD_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = blob ? write_at_start(fd, blob) : 0;
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

const char *memfile_path(struct arena *arena, int fd)
{
	return arena_printf(arena, "/proc/self/fd/%d", fd);
}

int memfile_read(struct arena *arena, int fd, struct blob *blob)
{
	size_t size, done = 0;
	struct stat status;
	char *bytes;

	if (fstat(fd, &status))
		return -errno;
	size = (size_t)status.st_size;
	bytes = arena_alloc(arena, size);
	while (done < size) {
		ssize_t got = pread(fd, bytes + done, size - done, (off_t)done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -EIO;
		done += (size_t)got;
	}
	*blob = (struct blob){ .bytes = bytes, .size = size };
	return 0;
}

void memfile_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
