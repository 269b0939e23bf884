/* SPDX-License-Identifier: GPL-2.0-only */
/* Where canaries (loader/canary.h) are tried, and what is said of them. */
#pragma once

#include <stdbool.h>

#include "loader/canary.h"
#include "loader/findings.h"
#include "loader/run.h"

/*
 * Stage: attaches the bundle's programs, and has each of their hooks proven by
 * a canary, as far as it can be.  Refuses where one of them shows that the
 * policy is not enforced; warns where a protection is left unproven.  It makes
 * no bpf() command but attaching.
 */
int attach_and_prove(struct run *run, struct load *load);

/*
 * For --verify: tries a loaded policy's canaries now; @home is where it is
 * pinned, @alone whether nothing but its programs is on its hooks.  What they
 * refute is a difference in @found, and what they leave unproven is unseen.  On
 * success *@canaries is the caller's to canaries_free(), and looks into @load's
 * bundle.  Returns 0 or -errno.
 */
int prove_live(struct run *run, const struct load *load, int home, bool alone,
	       struct canaries *canaries, struct findings *found);

/* What they proved, on stdout: a line each, or a member of a JSON object behind
 * a comma. */
void prove_show(const struct canaries *canaries, bool json);
