/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What canaries try: for each hook of each protection that has a template, at
 * least one operation that does no harm where nobody denies it, because what it
 * asks for is not there or makes no sense.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/operations.h"

struct trial {
	enum protection_id protection;
	enum hook_id hook;
	uint64_t operations; /* of the protection, that it is: a mask */
	uint64_t before; /* decided by hooks that are asked earlier: with one of
			  * them denied, this hook is not asked */
	const char *call; /* for people */
	int (*run)(const struct trial *trial);
	int denied;	 /* the error that it ends in where the hook denies */
	const int *past; /* those where it does not, up to TRIAL_END; 0: none */
};

#define TRIAL_END  (-1)
#define TRIALS_MAX 128 /* trials */

extern const struct trial trials[];
extern const size_t trial_count;

/* The error that it ended in, 0 for none; or -errno where it cannot be tried
 * here.  Nothing of it stays in this process. */
int trial_run(const struct trial *trial);

/* Whether that result shows that the hook let it through, or is not there. */
bool trial_is_past(const struct trial *trial, int result);

/* Whether it ends in another error where it is denied than where it is not. */
bool trial_tells(const struct trial *trial);
