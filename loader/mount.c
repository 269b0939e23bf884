/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/mount.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mount.h>

#include "loader/cleanup.h"

int mount_detached(const char *type)
{
	CLEANUP(close_fd) int context = fsopen(type, FSOPEN_CLOEXEC);
	int mount;

	if (context < 0 ||
	    fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -errno;
	mount = fsmount(context, FSMOUNT_CLOEXEC, 0);
	return mount < 0 ? -errno : mount;
}
