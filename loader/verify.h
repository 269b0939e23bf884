/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first two stages: bundles come into memory, and are looked at from
 * outside.  Their digests are checked before any ELF is parsed.
 */
#pragma once

#include "loader/run.h"

int read_bundle(struct run *run, struct load *load);

/* Whole, undamaged, of those that --digest names, and nothing asked for that
 * this loader cannot do: never less than the policy says. */
int verify_bundle(struct run *run, struct load *load);
