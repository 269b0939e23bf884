/* SPDX-License-Identifier: GPL-2.0-only */
/* Random programs that a verifier takes. */
#pragma once

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler/cfg.h"

#define GENERATE_MAX_SLOTS 4096
#define POLICY_BYTES	   64
#define OUT_BYTES	   64 /* what map_update_elem() is given: r10 - 64 */
#define INPUT_WORDS	   3

struct random {
	uint64_t state;
};

uint64_t random_next(struct random *random);
uint64_t random_below(struct random *random, uint64_t bound);

/* A word that is often a corner: 0, 1, -1, a sign bit. */
uint64_t random_word(struct random *random);

struct program {
	struct bpf_insn insns[GENERATE_MAX_SLOTS];
	struct slot_note notes[GENERATE_MAX_SLOTS];
	size_t count;
};

/*
 * Fills @program, as it is loaded: pointers into the policy are of the map
 * @policy_fd, snapshots of the stack go to element 0 of the array @out_fd.
 * The same state of @random gives the same program.
 */
void generate_program(struct random *random, int policy_fd, int out_fd,
		      struct program *program);
