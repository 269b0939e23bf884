/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Visits to the mount namespace of the kernel's thread kdevtmpfs, where the
 * vault is (loader/vault.h): in it the root is whatever was mounted last.
 */
#pragma once

#include <stdbool.h>

/* Where this process came from, while it is there. */
struct visit {
	int namespace; /* -1: not there */
	int folder;
};

#define NO_VISIT                              \
	{                                     \
		.namespace = -1, .folder = -1 \
	}

/* Whether there is a namespace to enter: returns 0, -ESRCH where there is no
 * such thread, or -errno. */
int visit_check(void);

/* Returns 0; -ESRCH where there is no such thread; or -errno. */
int visit_enter(struct visit *visit);

/* For cleanup, and to come back before. */
void visit_leave(struct visit *visit);

/* Says at @step why it could not be entered; returns @err. */
int visit_refuse(int err, const char *step);

/* From anywhere: opens its root where that is a bpf file system, which is a
 * vault.  On success *@root is the caller's to close().  Returns 0; -ENOENT
 * where there is no vault; -ESRCH where there is no such thread; or -errno. */
int visit_root(int *root);

/* Asks for a change of the vault's mount that the kernel makes nowhere but in
 * its namespace.  Returns the error that it ends in: EINVAL; EPERM where a
 * guard is sealed; GUARD_SEALED (bpf/guard/guard.h) where it now is. */
int visit_disturb(int vault);

/*
 * Opens the vault of a machine that is sealed, to look at it.  On success
 * *@vault is the caller's to close().  Returns 0; -ENOENT where there is none,
 * or one that was never sealed; or -errno after saying on stderr, as what
 * happened at @step, what is wrong.
 */
int visit_vault(const char *step, int *vault);
