/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/process.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PF_KTHREAD 0x00200000
#define KTHREADD   2 /* the parent of all others */

#define CGROUP_OF(pid) "/proc/" pid "/ns/cgroup"

int process_parse(const char *stat, struct process *process)
{
	const char *name_end = strrchr(stat, ')');
	unsigned long long start = 0;
	unsigned long parent, flags;

	/* state parent group session terminal its-group flags, four counts of
	 * faults, four times, priority nice threads timer start */
	if (!name_end ||
	    sscanf(name_end + 1,
		   " %*c %lu %*d %*d %*d %*d %lu %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
		   &parent, &flags, &start) < 2)
		return -EBADMSG;
	process->parent = parent;
	process->flags = flags;
	process->start = start;
	return 0;
}

bool process_is_kthreadd(const struct process *process)
{
	return process->parent == 0 && process->flags & PF_KTHREAD;
}

bool process_is_kernels(const struct process *process)
{
	return process->parent == KTHREADD && process->flags & PF_KTHREAD;
}

int process_check_cgroup_namespace(void)
{
	struct stat ours, kernels;

	if (stat(CGROUP_OF("self"), &ours) || stat(CGROUP_OF("2"), &kernels))
		return -errno;
	return ours.st_ino == kernels.st_ino ? 0 : -EXDEV;
}
