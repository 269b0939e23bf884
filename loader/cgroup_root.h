/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the cgroup v2 hierarchy is mounted. */
#pragma once

/*
 * Opens its root, as systemd and others mount it; *@mounted (constant) says
 * where, without a '/' at its end.  Returns a folder's fd, the caller's to
 * close(); or -ENOENT where its root is in none of these places.
 */
int cgroup_root_open(const char **mounted);
