/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Preflight: whether this machine can do what a bundle asks for.  Each point
 * that it fails is said, with what mends it, before anything is touched.
 */
#pragma once

#include <stdbool.h>

#include "loader/run.h"

/* Whether attached programs are called at all: 0, or -errno after saying on
 * stderr what keeps the kernel from it. */
int probe_is_asked(void);

/* Whether what is loaded can be seen from here, as is needed to say that
 * nothing is.  Returns 0, or -errno after saying on stderr, as what happened at
 * @step, that it cannot be told, and what mends it. */
int probe_sight(const char *step);

/* Whether this process may, and this kernel can, enforce anything. */
int probe_machine(struct run *run);

/* The kernel's types, for the rest of the run.  Warns where it is known to
 * enforce less than others. */
int probe_kernel(struct run *run);

/* Whether this kernel has every hook that the opened bundle attaches to, with
 * the parameters that its programs read.  Warns of exceptions past their day.
 */
int probe_hooks(struct run *run, struct load *load);
