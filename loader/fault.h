/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every step that can fail asks here whether it has to, so that tests can
 * prove what is left behind: nothing.  The loader that is released links
 * loader/fault.c, which never has any do; tests link tests/vm/fault.c, which
 * reads BPFLOCK_FAIL=step[:n] from the environment.
 */
#pragma once

/* 0, or the -errno that the step has to fail with. */
int fault(const char *step);
