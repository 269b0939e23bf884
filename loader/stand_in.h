/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-ins: a child of each place, host and container, that tries what a
 * policy denies there.  They are named STAND_IN_NAME, end with this process,
 * and hold none of its descriptors.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bundle/table.h"

#define STAND_IN_NAME "bpflock-canary"

struct stand_in {
	pid_t pid;  /* in the initial pid namespace; 0: there is none */
	int socket; /* to it */
	int err;    /* why there is none: -errno */
};

struct stand_ins {
	bool started;
	struct stand_in of[PLACE_COUNT];
};

/* Starts both, where they can be; @host_netns is the initial network namespace,
 * as bundle/boot.h has it. */
void stand_ins_start(struct stand_ins *all, uint32_t host_netns);

/*
 * Has it run that one of trials[] (loader/trial.h).  Returns what came of it,
 * as trial_run() does, or -errno: it is gone, or -ETIMEDOUT.
 */
int stand_in_try(const struct stand_in *one, size_t trial);

/* For cleanup; all zeros is fine. */
void stand_ins_stop(struct stand_ins *all);
