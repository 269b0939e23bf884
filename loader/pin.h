/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is attached stays when the loader goes: each policy gets its folder of
 * pins (loader/layout.h), made beside its place and then renamed into it.
 */
#pragma once

#include "loader/run.h"

/* Opens and locks the folder of all pins for the rest of the run. */
int open_home(struct run *run);

/* Before anything is attached: the folders, with all that needs more of bpf()
 * than pinning. */
int stage_policies(struct run *run);

/* All of them or none: run_free() removes what there is until run->done. */
int pin_policies(struct run *run);
void unpin_policies(struct run *run);
