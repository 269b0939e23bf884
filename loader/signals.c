/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/signals.h"

#include <signal.h>
#include <stddef.h>

static const int ends[] = { SIGHUP, SIGINT, SIGTERM };
#define ENDS (sizeof(ends) / sizeof(*ends))

/* As with nohup: the kernel keeps such a signal too while it is held, and it
 * asks for nothing. */
static bool is_ignored(int signal)
{
	struct sigaction action;

	return !sigaction(signal, NULL, &action) &&
	       action.sa_handler == SIG_IGN;
}

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
		if (sigismember(&pending, ends[i]) && !is_ignored(ends[i]))
			return true;
	return false;
}
