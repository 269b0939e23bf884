/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the pins are: in the bpf file system that all see, or in the vault,
 * which is whatever is on top in the mount namespace of the kernel's thread
 * kdevtmpfs.
 */
#pragma once

#include "attack.h"

/*
 * Goes into that namespace; the working folder is the host's /proc, from
 * where "PID/root" is the mount that the vault is mounted on.  False with
 * errno, and nothing has changed.
 */
bool vault_enter(const struct scene *scene);
/* The same; where no bpf file system is its root, comes back. */
bool vault_enter_if_any(const struct scene *scene);

/* The folder of the pins, from where this process is. */
const char *vault_pins(void);

/* Runs @attack in the host and then, where there is a vault, in there. */
void vault_both(const struct scene *scene,
		void (*attack)(const struct scene *scene, struct tally *tally),
		struct tally *tally);

/* Unmounts what it can of the vault, and removes what it can of the pins. */
void vault_undo(const struct scene *scene);

/* Each of its mounts, in every way that umount2() has. */
void vault_unmount(const struct scene *scene, struct tally *tally);
void pins_unlink(const struct scene *scene, struct tally *tally);
