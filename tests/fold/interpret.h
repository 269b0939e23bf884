/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs a program as generate.h makes it.  Shares nothing with the compiler:
 * what both get wrong would go unseen.
 */
#pragma once

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outcome {
	uint32_t result;
	uint64_t writes; /* to the map; a kernel does not count them */
	uint8_t out[64];
};

struct machine {
	const uint8_t *policy;
	const uint64_t *input;
	uint64_t pid_tgid;
};

/* False where it does what it must not: an instruction that there is not, a
 * jump out of the program, no end. */
bool interpret(const struct bpf_insn *insns, size_t count,
	       const struct machine *machine, struct outcome *outcome);
