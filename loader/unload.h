/* SPDX-License-Identifier: GPL-2.0-only */
/* Taking an open policy out of the kernel. */
#pragma once

#include "loader/run.h"

/* Returns 0 once its programs are gone, or -errno after saying on stderr what
 * is wrong. */
int unload_policy(const char *name);

/* The programs of the policy in its place in @home, as its links tell.  On
 * success, @programs->ids is the caller's to free().  Returns 0 or -errno. */
int programs_list(int home, const char *policy, struct programs *programs);

/* How many of them are still there after waiting for them. */
int programs_wait(const struct programs *programs);
