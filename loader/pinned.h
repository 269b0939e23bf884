/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps of loaded policies, by their pins. */
#pragma once

/*
 * Opens the map of that name of the policy that is in its place in @home; a
 * ring so that it can be mapped, which takes an fd for writing too.  Returns an
 * fd, the caller's to close(), or -errno.
 */
int pinned_map(int home, const char *policy, const char *name);
