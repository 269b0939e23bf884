/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is attached stays when the loader goes: each policy gets its folder of
 * pins (loader/layout.h), made beside its place and then renamed into it, or
 * exchanged with what is there.
 */
#pragma once

#include "loader/run.h"

/* The folder of all pins, for the rest of the run: locked, or only looked
 * at where nothing is loaded. */
int open_home(struct run *run);

/* Before anything is attached: the folders, with all that needs more of bpf()
 * than pinning. */
int stage_policy(struct run *run, struct load *load);

/* Once attached: the links, which are not there before. */
int pin_links(struct run *run, struct load *load);

/* From here the loader is let through no more: bundle/boot.h. */
int end_loading(struct run *run);

/* All of them or none: run_free() takes back what there is until run->done. */
int put_in_place(struct run *run, struct load *load);
void unpin_policies(struct run *run);
