/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the loader and the guard (guard.bpf.c) agree on.  BPF includes this too.
 *
 * The guard is attached before the policies that it guards, and denies nothing
 * to the loader until it is sealed.  The loader names each object that it
 * guards with the command BOOT_GUARD_COMMAND, and seals by asking for a change
 * of the vault's mount: the hook of that call remembers where the vault is,
 * refuses with GUARD_SEALED, and from then on the loader is as anybody else.
 */
#pragma once

#include <stdint.h>

#include "bundle/boot.h"

/*
 * bpf(BOOT_GUARD_COMMAND, { fd, use }): no kernel knows the command, so it
 * fails with EINVAL.  What the fd stands for is guarded from then on, where the
 * hook had room for it: GUARD_REGISTERED is what the command then fails with.
 */
#define GUARD_REGISTERED 114 /* EALREADY */
#define GUARD_SEALED	 114 /* of the mount() that seals */

enum guard_use {
	GUARD_NONE,   /* not one of ours */
	GUARD_OPEN,   /* its fd may be had, to look at it */
	GUARD_SHARED, /* to write it too: a ring that is read */
	GUARD_HIDDEN, /* no fd of it is given out: a program could be loaded
		       * that writes it */
};

#define GUARD_MAX_OBJECTS 4096 /* programs, links and maps of all policies */

/* What the guard counts, in the map GUARD_COUNTS: an array of uint64_t. */
enum guard_count {
	GUARD_DENIED_BPF,
	GUARD_DENIED_MOUNT,
	GUARD_DENIED_SYSCTL,
	GUARD_COUNT,
};

#define GUARD_COUNTS  "guard_counts"
#define GUARD_STATE   "guard_state"
#define GUARD_OBJECTS "guard_objects"
