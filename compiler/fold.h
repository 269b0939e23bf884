/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Folds what a policy decides through the instructions of one program.
 * docs/folding.md says what is folded, and what never is.
 */
#pragma once

#include "compiler/blob.h"
#include "compiler/cfg.h"

/*
 * Folds @cfg in place; @policy are the bytes that NODE_POLICY pointers lead
 * into.  Returns whether the program came down to returning 0: it calls no
 * helper, writes nothing but its stack, and r0 is 0 at each of its exits.
 */
bool fold_program(struct cfg *cfg, const struct blob *policy);
