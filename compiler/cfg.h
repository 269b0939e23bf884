/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program as a control-flow graph: blocks of nodes, and how each block ends.
 * It is made of a program's slots, changed in place, and laid out again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler/insn.h"

struct arena;

#define CFG_NONE      UINT32_MAX
#define CFG_STACK     512 /* bytes, below r10 */
#define CFG_MAX_SLOTS 65536

/* What relocations make of an instruction. */
enum node_mark {
	NODE_PLAIN,
	NODE_PINNED, /* not what it says: only the loader or kernel knows */
	NODE_POLICY, /* a pointer into the policy's constants */
};

/*
 * Bits of the policy's constants: those of @mask in the word of 8 bytes with
 * that number.  A constant is made of up to SOURCES of them; with more, some
 * are not told.  For people alone: nothing is folded by them.
 */
#define SOURCES 2

struct source_bits {
	uint64_t mask; /* 0: none */
	uint16_t word;
	uint8_t shift; /* bit 0 of the value is that bit of the word */
};

/* Bytes of the stack: from @start, counted from the lowest, @size of them. */
struct span {
	uint16_t start;
	uint16_t size;
};

/*
 * An instruction.  What is below the line is what compiler/fold.c found out
 * about it, for compiler/dead.c.
 */
struct node {
	struct insn insn;
	enum insn_kind kind; /* of insn, as what follows: node_set() */
	unsigned writes;     /* registers */
	uint32_t origin;     /* the slot of the program that it came from */
	enum node_mark mark;
	int64_t policy_offset; /* of NODE_POLICY, what the pointer points to */
	unsigned spared; /* as in struct slot_note */
	struct source_bits sources[SOURCES]; /* of the constant in it */
	/* ---- */
	bool effect; /* it does more than what follows, and write registers */
	bool overwrites; /* all of @stack_write, always */
	struct span stack_read;
	struct span stack_write;
	unsigned reads; /* registers; for a call less than insn_reads() */
};

enum block_end {
	END_EXIT,
	END_GOTO,   /* to @next */
	END_BRANCH, /* to @taken, else to @next */
};

struct block {
	struct node *nodes;
	size_t count;
	size_t capacity;
	enum block_end end;
	struct node last; /* the exit or the branch; an origin for a goto */
	uint32_t next;
	uint32_t taken;
	bool gone;
};

/* A branch that the policy decided, so that it went. */
struct decision {
	uint32_t origin; /* the slot of the branch */
	struct source_bits source;
};

struct cfg {
	struct arena *arena;
	struct block *blocks; /* the first is where the program starts */
	size_t count;
	size_t capacity;
	size_t copied;		    /* nodes that threading copied */
	struct decision *decisions; /* each once */
	size_t decision_count;
	size_t decision_capacity;
};

/* Makes @insn that of the node, with all that it says by itself. */
void node_set(struct node *node, const struct insn *insn);

/* What the builder is told of each slot. */
struct slot_note {
	enum node_mark mark;
	int64_t policy_offset;
	/* Of a NODE_PINNED call: how many of the five argument registers the
	 * function does not read, from r5 down. */
	unsigned spared;
};

/*
 * Takes @slots slots at @bytes apart; @notes has an element a slot.  Returns
 * NULL where anything is not understood: an instruction, a jump out of the
 * program or into the middle of one, an end that is reached by falling.
 */
struct cfg *cfg_build(struct arena *arena, const uint8_t *bytes, size_t slots,
		      const struct slot_note *notes);

/* Room for one more node at the end of the block, to be filled. */
struct node *cfg_append(struct cfg *cfg, struct block *block);

/* A new block, empty and ending in a goto to nowhere.  Pointers to blocks are
 * no good behind this; their numbers stay. */
uint32_t cfg_new_block(struct cfg *cfg);

/* Notes, of each of @sources, that it decided the branch at @origin. */
void cfg_note_decision(struct cfg *cfg, uint32_t origin,
		       const struct source_bits *sources);

/*
 * Takes away what control flow alone shows to be needless: blocks that nothing
 * reaches, branches with one target, blocks that only go on.  Returns whether
 * anything changed.
 */
bool cfg_simplify(struct cfg *cfg);

/* Makes one of blocks that do the same and lead to the same.  Returns whether
 * anything changed. */
bool cfg_merge_twins(struct cfg *cfg);

/*
 * For each block whether it is the target of a jump that goes back, so that
 * copying it could unroll a loop: an array of cfg->count.
 */
bool *cfg_loop_heads(const struct cfg *cfg);

/* A program laid out: its slots, and for each the slot that it came from.  A
 * second slot of ld_imm64 has CFG_NONE there. */
struct layout {
	uint8_t *bytes;
	uint32_t *origins;
	bool *inserted; /* a goto that was not there before */
	struct source_bits (*sources)[SOURCES];
	size_t slots;
};

/* False where it cannot be encoded: a jump is too far. */
bool cfg_lay_out(const struct cfg *cfg, struct layout *layout);
