/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/mount.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

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

/* ID PARENT MAJOR:MINOR ROOT FOLDER OPTIONS... - TYPE SOURCE OPTIONS */
bool mount_is_covered(const char *mountinfo, const char *folder, dev_t device)
{
	size_t len = strlen(folder);

	for (const char *line = mountinfo; line && *line;) {
		const char *end = strchrnul(line, '\n');
		const char *type = strstr(line, " - bpf ");
		unsigned major_number, minor_number;
		int at = 0;

		if (type && type < end &&
		    sscanf(line, "%*u %*u %u:%u %*s %n", &major_number,
			   &minor_number, &at) == 2 &&
		    at && !strncmp(line + at, folder, len) &&
		    line[at + (int)len] == ' ' &&
		    makedev(major_number, minor_number) != device)
			return true;
		line = *end ? end + 1 : NULL;
	}
	return false;
}
