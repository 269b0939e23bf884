/* SPDX-License-Identifier: GPL-2.0-only */
/* Taking an open policy out of the kernel. */
#pragma once

/* Returns 0 once its programs are gone, or -errno after saying on stderr what
 * is wrong. */
int unload_policy(const char *name);
