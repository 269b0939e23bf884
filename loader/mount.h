/* SPDX-License-Identifier: GPL-2.0-only */
/* A file system that is mounted nowhere, so that nobody else sees it. */
#pragma once

/* A new mount of that type, gone with its fd: the caller's to close(), or
 * -errno. */
int mount_detached(const char *type);
