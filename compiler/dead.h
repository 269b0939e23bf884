/* SPDX-License-Identifier: GPL-2.0-only */
/* Code whose results nobody reads. */
#pragma once

#include "compiler/cfg.h"

/*
 * Takes away instructions that do nothing but write registers or bytes of the
 * stack that are never read before they are written again.  What the nodes
 * say of themselves must be up to date (compiler/values.h).  Returns whether
 * anything went.
 */
bool dead_remove(struct cfg *cfg);
