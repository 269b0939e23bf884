/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the pins of locked policies are: a bpf file system of our own, mounted
 * over the root of the mount namespace that the kernel's thread kdevtmpfs has
 * had since the machine came up.  That never ends, and no path of any other
 * namespace leads there.
 *
 * It holds the same folders as the other home (loader/layout.h), and the
 * guard's.  Once sealed it is read-only for ever: what is pinned there can be
 * opened for reading by its path, and otherwise by its id alone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct run;

/* The device that it is, as the kernel counts.  Returns 0 or -errno. */
int vault_device(int vault, uint32_t *device);

/* Stage: for the rest of the run, the vault of a sealed machine, if it is one.
 */
int look_at_vault(struct run *run);

/* Stage: a sealed machine takes no further policy, whichever it is. */
int refuse_when_sealed(struct run *run);

/* Stage: where a bundle is locked, whether there is a place for the vault. */
int probe_vault(struct run *run);

/* Stage: makes the vault where a bundle is locked, for the rest of the run.
 * What a loader that was killed left of one goes before. */
int make_vault(struct run *run);

/* Stage: from here nobody changes what is in it, this process included. */
int seal_vault(struct run *run);

/* Undoes make_vault(); not once it is sealed. */
void remove_vault(struct run *run);

/* Whether one of the run's bundles, that is not loaded already, is locked. */
bool vault_is_wanted(const struct run *run);
