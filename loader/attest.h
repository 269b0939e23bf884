/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * --verify: whether the kernel enforces exactly what the bundles say. Programs,
 * maps and links are held against the bundles' own bytes; of what the loader
 * recorded only the ids are taken, to find them by, and a digest.
 */
#pragma once

#include "loader/run.h"

/* Stage: shows on stdout what it found, for people or as JSON.  Returns 0 where
 * nothing differs. */
int attest(struct run *run);
