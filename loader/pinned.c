/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/pinned.h"

#include <errno.h>

#include <bpf/bpf.h>

#include "loader/cleanup.h"
#include "loader/layout.h"

/* In the vault nothing opens for writing by its path, as a ring has to. */
static int open_sealed_map(const char *path)
{
	LIBBPF_OPTS(bpf_obj_get_opts, settings, .file_flags = BPF_F_RDONLY);
	CLEANUP(close_fd) int fd = bpf_obj_get_opts(path, &settings);
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);
	int ring;

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	if (info.type != BPF_MAP_TYPE_RINGBUF)
		return keep_fd(&fd);
	ring = bpf_map_get_fd_by_id(info.id);
	return ring < 0 ? -errno : ring;
}

int pinned_map(int home, const char *policy, const char *name)
{
	char path[LAYOUT_PATH_SIZE];
	int err = layout_path(path, home, LAYOUT_IN_PLACE, policy, LAYOUT_MAPS,
			      name);
	int fd = err ? err : bpf_obj_get(path);

	if (fd < 0 && !err)
		return errno == EROFS ? open_sealed_map(path) : -errno;
	return fd;
}
