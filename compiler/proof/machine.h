/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs BPF instructions, one after another, as Documentation/bpf of the kernel
 * has them.  It knows nothing of objects, kernels or policies: memory and
 * helpers are its caller's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "compiler/proof/memory.h"

#define MACHINE_REGISTERS 11
#define MACHINE_STACK	  512
#define MACHINE_FRAMES	  8	  /* functions that have called each other */
#define MACHINE_STEPS	  1000000 /* as many as the verifier looks at */
#define MACHINE_WHY	  200

/* An instruction, decoded. */
struct machine_insn {
	uint8_t code;
	uint8_t dst, src;
	bool poison; /* not there on this kernel: must not be reached */
	int16_t off;
	int32_t imm;
	uint64_t wide; /* of a load of 64 bits, which has the next one too */
};

/* A program, or a function that programs call. */
struct machine_code {
	const struct machine_insn *insns;
	uint32_t count;
	uint8_t *reached; /* NULL, or 1 goes to each instruction that is run */
};

/* Where a function goes on, and with what, when the one that it called is
 * done. */
struct machine_frame {
	const struct machine_code *code;
	uint32_t next;
	uint64_t registers[MACHINE_REGISTERS];
	unsigned known;
};

struct machine;

struct machine {
	struct memory *memory;
	uint64_t registers[MACHINE_REGISTERS];
	unsigned known; /* bits: registers that have been written */
	/*
	 * A call of the helper or kernel function that @insn names: arguments
	 * are in registers[1] to [5], the result goes to registers[0].  Returns
	 * false, with machine_fail() called, where that cannot be done.
	 */
	bool (*call)(struct machine *machine, const struct machine_insn *insn);
	void *world; /* for call() */
	/* What BPF_PSEUDO_CALL calls, by the number in insn->wide. */
	const struct machine_code *functions;
	uint32_t function_count;
	uint32_t steps;			 /* that the last run took */
	const struct machine_code *code; /* what runs, */
	uint32_t next;			 /* and where it is */
	struct machine_frame frames[MACHINE_FRAMES]; /* of those who wait */
	uint32_t depth;
	uint64_t stacks[MACHINE_FRAMES]; /* addresses of their ends */
	uint8_t stack_bytes[MACHINE_FRAMES][MACHINE_STACK];
	uint8_t stack_written[MACHINE_FRAMES][MACHINE_STACK];
	char why[MACHINE_WHY];
};

/* Sets up @machine, whose address must not change, over @memory. */
void machine_init(struct machine *machine, struct memory *memory);

/* Whether all the registers from 1 to @last hold something, as arguments. */
bool machine_has_arguments(const struct machine *machine, unsigned last);

/*
 * Runs @code with @context in r1, up to its exit.  Returns true with
 * r0 in *@result, or false with machine->why set where it does what a verifier
 * would refuse, what this machine does not know, or too much.
 */
bool machine_run(struct machine *machine, const struct machine_code *code,
		 uint64_t context, uint64_t *result);

/* Says why it cannot go on; returns false. */
__attribute__((format(printf, 2, 3))) bool machine_fail(struct machine *machine,
							const char *format,
							...);
