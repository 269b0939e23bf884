/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/signals.h"

#include <signal.h>
#include <stddef.h>

static const int ends[] = { SIGHUP, SIGINT, SIGTERM };
#define ENDS (sizeof(ends) / sizeof(*ends))

void signals_hold(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	/* Writing to nobody is an error then, and no end. */
	sigaddset(&signals, SIGPIPE);
	for (size_t i = 0; i < ENDS; i++)
		sigaddset(&signals, ends[i]);
	sigprocmask(SIG_BLOCK, &signals, NULL);
}

bool signals_have_come(void)
{
	sigset_t pending;

	if (sigpending(&pending))
		return false;
	for (size_t i = 0; i < ENDS; i++)
		if (sigismember(&pending, ends[i]))
			return true;
	return false;
}
