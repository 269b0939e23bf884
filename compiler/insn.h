/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One BPF instruction: decoded, encoded, what it reads and writes, what it
 * computes from constants, and its text.
 *
 * What is not in the instruction set that is known here (up to -mcpu=v3, the
 * signed forms of v4 as opaque) is INSN_UNKNOWN: nobody may guess about it.
 */
#pragma once

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INSN_SIZE      8 /* bytes a slot */
#define INSN_REGISTERS 11
#define INSN_TEXT_SIZE 80

struct insn {
	uint8_t code;
	uint8_t dst;
	uint8_t src;
	int16_t offset;
	int32_t immediate;
	int32_t high; /* of the second slot; 0 without one */
};

enum insn_kind {
	INSN_UNKNOWN,
	INSN_ALU,    /* writes dst, from dst and src or the immediate */
	INSN_OPAQUE, /* an ALU instruction whose result is not computed here */
	INSN_WIDE,   /* ld_imm64: two slots */
	INSN_LOAD,
	INSN_STORE,
	INSN_ATOMIC,
	INSN_CALL, /* of a helper where src is 0 */
	INSN_GOTO,
	INSN_BRANCH,
	INSN_EXIT,
};

/*
 * Decodes the instruction at @bytes, of which @slots are left (1 or more).
 * Returns the slots that it takes, 1 or 2; 0 where its second is not there or
 * not what it has to be.
 */
unsigned insn_decode(const uint8_t *bytes, size_t slots, struct insn *insn);

/* Writes insn_slots() slots to @bytes. */
void insn_encode(const struct insn *insn, uint8_t *bytes);

unsigned insn_slots(const struct insn *insn);

/* Checks every field: what is not INSN_UNKNOWN is wholly understood. */
enum insn_kind insn_kind(const struct insn *insn);

/* Masks of registers, bit by number.  A call reads r1 to r5 and writes r0 to
 * r5; an atomic one is said to read and to write all that it could. */
unsigned insn_reads(const struct insn *insn);
unsigned insn_writes(const struct insn *insn);

/* Bytes that a load, a store or an atomic instruction touches. */
unsigned insn_width(const struct insn *insn);

/* Of a load: whether it extends the sign. */
bool insn_is_signed_load(const struct insn *insn);

/* Of ALU and branch: whether the second operand is a register. */
bool insn_has_source(const struct insn *insn);

/* Of ALU and branch: whether it works on the lower 32 bits. */
bool insn_is_narrow(const struct insn *insn);

/*
 * What an INSN_ALU instruction leaves in dst where that holds @dst and the
 * source register, if it has one, @src.
 */
uint64_t insn_compute(const struct insn *insn, uint64_t dst, uint64_t src);

/* Whether an INSN_BRANCH jumps, with the same arguments. */
bool insn_jumps(const struct insn *insn, uint64_t dst, uint64_t src);

/* The shortest instruction that puts @value into the register @dst. */
struct insn insn_constant(unsigned dst, uint64_t value);

/*
 * The same instruction with @value in place of its source register: false
 * where there is no such form, or none that a verifier takes.  ALU and branch.
 */
bool insn_with_immediate(struct insn *insn, uint64_t value);

/* The branch that jumps when @insn does not; false where there is none. */
bool insn_invert(struct insn *insn);

/*
 * As llvm-objdump writes it, but for the target of a jump: @target, the number
 * of a slot.  Cut at INSN_TEXT_SIZE.
 */
void insn_text(const struct insn *insn, long target,
	       char bytes[INSN_TEXT_SIZE]);
