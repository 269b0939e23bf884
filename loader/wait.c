/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/wait.h"

#include <time.h>

#define STEPS	250
#define STEP_NS 20000000L /* 5 s in all */

int wait_for(int (*count)(const void *context), const void *context)
{
	const struct timespec step = { .tv_nsec = STEP_NS };
	int left = count(context);

	for (int i = 0; i < STEPS && left; i++) {
		nanosleep(&step, NULL);
		left = count(context);
	}
	return left;
}
