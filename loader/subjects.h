/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether this machine can tell the subjects of a policy apart. */
#pragma once

#include <stdbool.h>

#include "loader/run.h"

/* Whether /proc/PID/cgroup, as @text, shows a place in the v2 hierarchy: it
 * does from when that is mounted first. */
bool subjects_have_cgroup2(const char *text);

/* Whether the bundle's programs will be able to read who asks them. */
int probe_subjects(struct run *run, struct load *load);
