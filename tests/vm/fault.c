/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Linked instead of loader/fault.c into the loader that tests run:
 * BPFLOCK_FAIL=step[:n] makes the n-th time (from 1) fail that fault() is asked
 * for this step.
 */
#include "loader/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int fault(const char *step)
{
	static unsigned long asked; /* a process has one step to fail */
	const char *wanted = getenv("BPFLOCK_FAIL");
	size_t len = strlen(step);
	unsigned long turn = 1;

	if (!wanted || strncmp(wanted, step, len))
		return 0;
	if (wanted[len] == ':')
		turn = strtoul(wanted + len + 1, NULL, 10);
	else if (wanted[len])
		return 0;
	return ++asked == turn ? -ECANCELED : 0;
}
