/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's list of active security modules, and the one to boot with. */
#pragma once

#include <stdbool.h>

/* Whether @name is one of the comma-separated @list; a newline may end it. */
bool lsm_has(const char *list, const char *name);

/*
 * The whole "lsm=..." that boots this machine with what it has now and bpf:
 * from what it was booted with (@cmdline) where that says lsm=, otherwise from
 * what is active (/sys/kernel/security/lsm).  On success *@line is the
 * caller's to free().  Returns 0; -ENOMEM; -EALREADY where the machine was
 * booted with bpf in lsm=: then it is the kernel that does not have it.
 */
int lsm_line(const char *active, const char *cmdline, char **line);
