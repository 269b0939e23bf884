/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/cgroup_root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "loader/cleanup.h"

#define ROOT_INODE 1 /* of any kernfs */

static const char *const places[] = {
	"/sys/fs/cgroup", "/sys/fs/cgroup/unified", /* beside version 1 */
};

static bool is_hierarchy(int fd)
{
	struct statfs fs;
	struct stat folder;

	return !fstatfs(fd, &fs) && fs.f_type == CGROUP2_SUPER_MAGIC &&
	       !fstat(fd, &folder) && folder.st_ino == ROOT_INODE;
}

int cgroup_root_open(const char **mounted)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		CLEANUP(close_fd)
		int fd = open(places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0 || !is_hierarchy(fd))
			continue;
		*mounted = places[i];
		return keep_fd(&fd);
	}
	return -ENOENT;
}
