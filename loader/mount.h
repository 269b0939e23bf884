/* SPDX-License-Identifier: GPL-2.0-only */
/* Mounts: a file system that is mounted nowhere, so that nobody else sees it,
 * and what hides another one. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* A new mount of that type, gone with its fd: the caller's to close(), or
 * -errno. */
int mount_detached(const char *type);

/* Whether @mountinfo has another bpf file system on @folder than the one on
 * @device, as stat() numbers it: one of them hides the other. */
bool mount_is_covered(const char *mountinfo, const char *folder, dev_t device);
