/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * While a machine is being sealed, the loader is alone with what it loads: the
 * gate keeps everybody else from fds of maps, programs and links that they did
 * not make, from attaching, and from loading programs that could sit in front
 * of ours.  It goes with the loader, whatever ends that.
 */
#pragma once

#include "loader/run.h"

/* Stage of --check: what refuse_foreign() will find, if nothing changes. */
int probe_foreign(struct run *run);

/* Stage, before anything of ours is in the kernel; without a locked bundle it
 * does nothing, as the next one. */
int close_gate(struct run *run);

/* Stage, with all loaded and nothing attached: whether somebody else's program
 * was loaded before, that could sit in front of ours when it is attached. */
int refuse_foreign(struct run *run);
