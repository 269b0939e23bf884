/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard of a sealed machine (bpf/guard/): one for all the bundles of a run.
 * The loader brings it along, so that it is as new as the loader.
 */
#pragma once

#include "bpf/guard/guard.h"
#include "loader/run.h"

/* Stages; without a locked bundle they do nothing. */

/* Whether the guard's program could go on the root of the cgroups, as far as
 * that can be told without putting it there. */
int probe_guard(struct run *run);

int load_guard(struct run *run);

/* As open_object() for a bundle. */
int open_guard(struct run *run, struct load *guard);

/* Before any policy is: from here nobody but this process loads or attaches
 * what could sit in front of us. */
int attach_guard(struct run *run);

/* Names the bundle's programs to the guard; what is pinned pin.c names. */
int guard_programs(struct run *run, struct load *load);

/* Whether nobody gets a descriptor of the guard's map of that name. */
bool guard_hides(const char *map);

/* Whether that program is asked when a sysctl is written, by anybody. */
bool guard_is_on_root(uint32_t program);

/* Of the guard that this loader brings along. */
struct digest guard_digest(void);

/* Has the guard take what @fd is for one of ours, where there is a guard.
 * Returns 0; -ENOSPC where it did not. */
int guard_register(const struct run *run, int fd, enum guard_use use);

/* Waits for the programs of a guard whose pins are gone, and takes off the one
 * that had none.  Returns 0, or -EBUSY where they stay. */
int wait_for_no_guard(void);

/* Undoes what does not go with the vault and the links. */
void remove_guard(struct run *run);
