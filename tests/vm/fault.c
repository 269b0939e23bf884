/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Linked instead of loader/fault.c into the loader that tests run:
 * BPFLOCK_FAIL=step[:n][,step[:n]]... makes the n-th time (from 1) fail that
 * fault() is asked for a step; with "!" behind it, the loader is killed then,
 * and with "?" it stops there, until SIGCONT, and goes on.
 */
#include "loader/fault.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define WANTED_MAX 4

/* Whether the text up to its comma is @step; *@turn is which time. */
static bool is_wanted(const char *text, const char *step, unsigned long *turn)
{
	size_t len = strlen(step);

	if (strncmp(text, step, len))
		return false;
	*turn = text[len] == ':' ? strtoul(text + len + 1, NULL, 10) : 1;
	return strchr(":,!?", text[len]);
}

int fault(const char *step)
{
	static unsigned long asked[WANTED_MAX]; /* a test runs one process */
	const char *text = getenv("BPFLOCK_FAIL");
	unsigned long turn;

	for (int i = 0; text && i < WANTED_MAX; i++) {
		size_t len = strcspn(text, ",");

		if (is_wanted(text, step, &turn) && ++asked[i] == turn) {
			if (text[len - 1] == '!')
				raise(SIGKILL);
			if (text[len - 1] != '?')
				return -ECANCELED;
			raise(SIGSTOP);
		}
		text = text[len] ? text + len + 1 : NULL;
	}
	return 0;
}
