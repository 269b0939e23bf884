/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is known, at one place of a program, of its registers and its stack,
 * and what an instruction makes of that.
 */
#pragma once

#include "compiler/blob.h"
#include "compiler/cfg.h"

/* From more to less known.  What may point into the stack is VALUE_STACK or
 * stands behind VALUE_UNKNOWN. */
enum value_kind {
	VALUE_CONSTANT, /* .bits */
	VALUE_STACK,	/* points to that byte of the stack, from the lowest */
	VALUE_POLICY,	/* points to that byte of the policy's constants */
	VALUE_UNKNOWN,
	VALUE_EITHER, /* as VALUE_STACK, or not into the stack at all */
	VALUE_STRAY,  /* anywhere */
};

struct value {
	enum value_kind kind;
	uint64_t bits;			     /* of pointers the offset */
	struct source_bits sources[SOURCES]; /* of a constant */
};

struct state {
	bool reached; /* without it, nothing else means anything */
	struct value registers[INSN_REGISTERS];
	uint8_t known[CFG_STACK]; /* 0xff where .stack has the byte, else 0 */
	uint8_t stack[CFG_STACK];
};

/* What holds for a whole program. */
struct values {
	struct blob policy; /* the bytes of .rodata.policy */
	bool strays; /* a pointer into the stack was written to memory: what
		      * is loaded may be one */
};

/* Where a program starts. */
void values_start(struct state *state);

/* Makes @into what is known in both; returns whether it changed. */
bool values_join(struct state *into, const struct state *from);

/*
 * Lets @state pass @node, and fills in what node says of itself (its part
 * below the line).  May set values->strays.
 */
void values_step(struct values *values, struct state *state, struct node *node);

/* Whether an operand is a constant, and which. */
bool values_constant(const struct state *state, unsigned number,
		     uint64_t *bits);

/* The second operand of an ALU instruction or a branch; a register or not. */
bool values_source(const struct state *state, const struct insn *insn,
		   uint64_t *bits);

/* What is known where the branch @insn jumped, or did not, besides @state; and
 * whether that is anything. */
bool values_refines(const struct state *state, const struct insn *insn,
		    bool jumped);
void values_refine(struct state *state, const struct insn *insn, bool jumped);
