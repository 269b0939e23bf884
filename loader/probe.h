/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Preflight: whether this machine can do what a bundle asks for.  Each point
 * that it fails is said, with what mends it, before anything is touched.
 */
#pragma once

#include <stdbool.h>

#include "loader/run.h"

/* Break glass: whether the kernel was booted with bpflock=off. */
bool probe_is_off(void);

/* Whether this process may, and this kernel can, enforce anything. */
int probe_machine(struct run *run);

/* Whether this kernel has every hook that the opened bundles attach to. */
int probe_hooks(struct run *run);

/* Whether the policies' names are free: none of them is loaded already. */
int probe_names(struct run *run);
