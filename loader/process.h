/* SPDX-License-Identifier: GPL-2.0-only */
/* What /proc says of processes. */
#pragma once

#include <stdbool.h>

struct process {
	unsigned long parent;
	unsigned long flags;	  /* the kernel's PF_ */
	unsigned long long start; /* since boot, in 1/100 s; 0: not said */
};

/* Its name may hold anything, blanks and parentheses too.  Returns 0, or
 * -EBADMSG where @stat is not such a line. */
int process_parse(const char *stat, struct process *process);

/* Whether it is the kernel's own first thread, kthreadd. */
bool process_is_kthreadd(const struct process *process);

/* Whether it is another one of the kernel's own. */
bool process_is_kernels(const struct process *process);

/* Returns 0 in the cgroup namespace that the kernel's own threads are in,
 * -EXDEV in another one, or -errno. */
int process_check_cgroup_namespace(void);
