/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A policy of the same name is loaded already: whether it is the same, or may
 * be replaced, and how it goes.  The new one is attached before the old one
 * goes, so that between them one of the two, or both, are asked.
 */
#pragma once

#include "loader/run.h"

/*
 * The very same bundle, whole: load->already.  A lower version: load->replaces.
 * Anything else is refused, with both versions.
 */
int replace_decide(struct run *run, struct load *load);

/*
 * Once all have their place: what they replaced goes, and from here nothing is
 * undone any more.  Where that fails, the new ones are enforced and so, with
 * them, is the old one; whichever denies, denies.
 */
int retire_replaced(struct run *run);
