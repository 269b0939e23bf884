/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program is statements in order, some of which hold others: so every jump
 * is sound by how it is made.  r0 to r8 hold numbers between statements, r9
 * counts loops, and the stack's upper 64 bytes are always written.
 */
#include "generate.h"

#include <string.h>

/* gcc warns of everything that goes into a bit-field. */
#pragma GCC diagnostic ignored "-Wconversion"

#define NUMBERS	  9 /* r0 to r8 */
#define KEY	  (-72)
#define MAX_SLOTS (GENERATE_MAX_SLOTS / 16)

struct generator {
	struct random *random;
	struct program *program;
	int policy_fd;
	int out_fd;
	int loops; /* inside how many, 0 or 1 */
};

/* ---- chance ---- */

uint64_t random_next(struct random *random)
{
	uint64_t word = random->state += UINT64_C(0x9e3779b97f4a7c15);

	word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
	return word ^ word >> 31;
}

uint64_t random_below(struct random *random, uint64_t bound)
{
	return random_next(random) % bound;
}

uint64_t random_word(struct random *random)
{
	static const uint64_t corners[] = {
		0,
		1,
		2,
		UINT64_MAX,
		INT64_MAX,
		(uint64_t)INT64_MIN,
		UINT32_MAX,
		INT32_MAX,
		UINT64_C(0x80000000),
		UINT64_C(0x100000000),
		UINT64_C(0xffffffff80000000),
		63,
		64,
		32,
		31,
	};
	uint64_t word = random_next(random);

	switch (random_below(random, 4)) {
	case 0:
		return word;
	case 1:
		return word & 0xff;
	default:
		return corners[word % (sizeof(corners) / sizeof(corners[0]))];
	}
}

static uint64_t below(struct generator *generator, uint64_t bound)
{
	return random_below(generator->random, bound);
}

static uint8_t any_register(struct generator *generator)
{
	return (uint8_t)below(generator, NUMBERS);
}

static int32_t any_immediate(struct generator *generator)
{
	return (int32_t)random_word(generator->random);
}

static const uint8_t sizes[] = { BPF_B, BPF_H, BPF_W, BPF_DW };

/* ---- instructions ---- */

static size_t put(struct generator *generator, struct bpf_insn insn)
{
	generator->program->insns[generator->program->count] = insn;
	return generator->program->count++;
}

static void put_move(struct generator *generator, uint8_t dst, int32_t value)
{
	put(generator, (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K,
					  .dst_reg = dst,
					  .imm = value });
}

static void put_copy(struct generator *generator, uint8_t dst, uint8_t src)
{
	put(generator, (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_X,
					  .dst_reg = dst,
					  .src_reg = src });
}

static void put_add(struct generator *generator, uint8_t dst, int32_t value)
{
	put(generator, (struct bpf_insn){ .code = BPF_ALU64 | BPF_ADD | BPF_K,
					  .dst_reg = dst,
					  .imm = value });
}

/* As no verifier takes it for the stack. */
static void put_sub(struct generator *generator, uint8_t dst, int32_t value)
{
	put(generator, (struct bpf_insn){ .code = BPF_ALU64 | BPF_SUB | BPF_K,
					  .dst_reg = dst,
					  .imm = value });
}

static size_t put_wide(struct generator *generator, uint8_t dst, uint8_t src,
		       uint32_t low, uint32_t high)
{
	size_t slot = put(generator,
			  (struct bpf_insn){ .code = BPF_LD | BPF_IMM | BPF_DW,
					     .dst_reg = dst,
					     .src_reg = src,
					     .imm = (int32_t)low });

	put(generator, (struct bpf_insn){ .imm = (int32_t)high });
	return slot;
}

static void put_policy(struct generator *generator, uint8_t dst,
		       uint32_t offset)
{
	size_t slot = put_wide(generator, dst, BPF_PSEUDO_MAP_VALUE,
			       (uint32_t)generator->policy_fd, offset);

	generator->program->notes[slot] =
		(struct slot_note){ .mark = NODE_POLICY,
				    .policy_offset = offset };
}

/* ---- statements ---- */

static void do_alu(struct generator *generator)
{
	static const uint8_t operations[] = {
		BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_OR,   BPF_AND, BPF_LSH,
		BPF_RSH, BPF_MOD, BPF_XOR, BPF_MOV, BPF_ARSH, BPF_NEG, BPF_END,
	};
	static const int32_t widths[] = { 16, 32, 64 };
	uint8_t operation = operations[below(generator, sizeof(operations))];
	bool wide = below(generator, 2), source = below(generator, 2);
	struct bpf_insn insn = { .dst_reg = any_register(generator) };

	if (operation == BPF_END) {
		wide = false;
		insn.imm = widths[below(generator, 3)];
	} else if (operation == BPF_NEG) {
		source = false;
	} else if (source) {
		insn.src_reg = any_register(generator) & 0xf;
	} else {
		insn.imm = any_immediate(generator);
	}
	if (!source && (operation == BPF_LSH || operation == BPF_RSH ||
			operation == BPF_ARSH))
		insn.imm &= wide ? 63 : 31;
	if (!source && (operation == BPF_DIV || operation == BPF_MOD) &&
	    !insn.imm)
		insn.imm = 3;
	insn.code = (uint8_t)((wide ? BPF_ALU64 : BPF_ALU) | operation |
			      (source ? BPF_X : BPF_K));
	put(generator, insn);
}

static void do_constant(struct generator *generator)
{
	uint64_t word = random_word(generator->random);

	if (below(generator, 2))
		put_wide(generator, any_register(generator), 0, (uint32_t)word,
			 (uint32_t)(word >> 32));
	else
		put_move(generator, any_register(generator),
			 (int32_t)(uint32_t)word);
}

/* By an addend, by arithmetic on the pointer, by the load's offset. */
static void do_policy(struct generator *generator)
{
	uint8_t size = sizes[below(generator, 4)];
	uint8_t pointer = any_register(generator);
	uint32_t at = (uint32_t)below(generator, POLICY_BYTES / 8) * 8;
	uint32_t addend = (uint32_t)below(generator, at + 1) & ~7u;
	uint32_t moved = (uint32_t)below(generator, at - addend + 1) & ~7u;

	put_policy(generator, pointer, addend);
	switch (below(generator, 4)) {
	case 0:
		put_add(generator, pointer, (int32_t)moved);
		break;
	case 1:
		put_sub(generator, pointer, -(int32_t)moved);
		break;
	default:
		moved = 0;
		break;
	}
	put(generator,
	    (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | size,
			       .dst_reg = pointer,
			       .src_reg = pointer,
			       .off = (int16_t)(at - addend - moved) });
}

static unsigned width_of(uint8_t size)
{
	return size == BPF_B ? 1 : size == BPF_H ? 2 : size == BPF_W ? 4 : 8;
}

static int16_t any_place(struct generator *generator, uint8_t size)
{
	unsigned width = width_of(size);

	return (int16_t)(-OUT_BYTES +
			 (int)(below(generator, OUT_BYTES / width) * width));
}

static void put_store(struct generator *generator, uint8_t base, uint8_t size,
		      int16_t offset, uint8_t not_from)
{
	uint8_t from = any_register(generator);

	if (from == not_from || below(generator, 3) == 0)
		put(generator,
		    (struct bpf_insn){ .code = BPF_ST | BPF_MEM | size,
				       .dst_reg = base,
				       .off = offset,
				       .imm = any_immediate(generator) });
	else
		put(generator,
		    (struct bpf_insn){ .code = BPF_STX | BPF_MEM | size,
				       .dst_reg = base,
				       .src_reg = from,
				       .off = offset });
}

static void do_stack(struct generator *generator)
{
	uint8_t size = sizes[below(generator, 4)], pointer;
	int16_t offset = any_place(generator, size);

	switch (below(generator, 4)) {
	case 0:
		put_store(generator, BPF_REG_10, size, offset, NUMBERS);
		break;
	case 1:
		put(generator,
		    (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | size,
				       .dst_reg = any_register(generator),
				       .src_reg = BPF_REG_10,
				       .off = offset });
		break;
	default:
		pointer = any_register(generator);
		put_copy(generator, pointer, BPF_REG_10);
		put_add(generator, pointer, offset);
		if (below(generator, 2))
			put_store(generator, pointer, size, 0, pointer);
		put(generator,
		    (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | size,
				       .dst_reg = pointer,
				       .src_reg = pointer });
		break;
	}
}

static struct bpf_insn any_branch(struct generator *generator)
{
	static const uint8_t operations[] = {
		BPF_JEQ, BPF_JGT, BPF_JGE,  BPF_JSET, BPF_JNE,	BPF_JSGT,
		BPF_JLT, BPF_JLE, BPF_JSGE, BPF_JSLT, BPF_JSLE,
	};
	bool source = below(generator, 2);

	if (below(generator, 4) == 0) /* what then is known on one side */
		return (struct bpf_insn){
			.code = (uint8_t)((below(generator, 2) ? BPF_JMP
							       : BPF_JMP32) |
					  operations[below(generator, 2) * 4] |
					  BPF_K),
			.dst_reg = 6 + below(generator, INPUT_WORDS),
			.imm = any_immediate(generator),
		};
	return (struct bpf_insn){
		.code = (uint8_t)((below(generator, 2) ? BPF_JMP : BPF_JMP32) |
				  operations[below(generator,
						   sizeof(operations))] |
				  (source ? BPF_X : BPF_K)),
		.dst_reg = any_register(generator),
		.src_reg = source ? any_register(generator) & 0xf : 0,
		.imm = source ? 0 : any_immediate(generator),
	};
}

static void aim(struct generator *generator, size_t jump)
{
	generator->program->insns[jump].off =
		(int16_t)(generator->program->count - jump - 1);
}

static void do_statements(struct generator *generator, int depth);

/* if, with or without else */
static void do_diamond(struct generator *generator, int depth)
{
	size_t branch = put(generator, any_branch(generator)), end;

	do_statements(generator, depth - 1);
	if (below(generator, 2)) {
		aim(generator, branch);
		return;
	}
	end = put(generator, (struct bpf_insn){ .code = BPF_JMP | BPF_JA });
	aim(generator, branch);
	do_statements(generator, depth - 1);
	aim(generator, end);
}

/* A pointer that leads here or there, or to the policy, then is used. */
static void do_either(struct generator *generator)
{
	uint8_t size = sizes[below(generator, 4)];
	uint8_t pointer = any_register(generator);
	size_t branch, end;

	branch = put(generator, any_branch(generator));
	put_copy(generator, pointer, BPF_REG_10);
	put_add(generator, pointer, any_place(generator, size));
	end = put(generator, (struct bpf_insn){ .code = BPF_JMP | BPF_JA });
	aim(generator, branch);
	if (below(generator, 2)) {
		put_policy(generator, pointer,
			   (uint32_t)below(generator, POLICY_BYTES / 8) * 8);
		aim(generator, end);
	} else {
		put_copy(generator, pointer, BPF_REG_10);
		put_add(generator, pointer, any_place(generator, size));
		aim(generator, end);
		if (below(generator, 2))
			put_store(generator, pointer, size, 0, pointer);
	}
	put(generator, (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | size,
					  .dst_reg = pointer,
					  .src_reg = pointer });
}

static void do_loop(struct generator *generator, int depth)
{
	int32_t times = 1 + (int32_t)below(generator, 4);
	size_t start, jump;

	generator->loops++;
	put_move(generator, BPF_REG_9, 0);
	start = generator->program->count;
	do_statements(generator, depth - 1);
	put_add(generator, BPF_REG_9, 1);
	jump = put(generator,
		   (struct bpf_insn){ .code = BPF_JMP | BPF_JLT | BPF_K,
				      .dst_reg = BPF_REG_9,
				      .imm = times });
	generator->program->insns[jump].off = (int16_t)(start - jump - 1);
	generator->loops--;
}

/* Behind a call r1 to r5 are gone. */
static void put_call(struct generator *generator, int32_t helper)
{
	put(generator,
	    (struct bpf_insn){ .code = BPF_JMP | BPF_CALL, .imm = helper });
	for (uint8_t i = 1; i <= 5; i++) {
		if (below(generator, 2))
			put_copy(generator, i, below(generator, 2) ? 0 : 6);
		else
			put_move(generator, i, any_immediate(generator));
	}
}

static void put_snapshot(struct generator *generator)
{
	put(generator, (struct bpf_insn){ .code = BPF_ST | BPF_MEM | BPF_W,
					  .dst_reg = BPF_REG_10,
					  .off = KEY });
	put_wide(generator, BPF_REG_1, BPF_PSEUDO_MAP_FD,
		 (uint32_t)generator->out_fd, 0);
	put_copy(generator, BPF_REG_2, BPF_REG_10);
	put_add(generator, BPF_REG_2, KEY);
	put_copy(generator, BPF_REG_3, BPF_REG_10);
	put_add(generator, BPF_REG_3, -OUT_BYTES);
	put_move(generator, BPF_REG_4, 0);
	put_call(generator, BPF_FUNC_map_update_elem);
}

static void do_call(struct generator *generator)
{
	uint8_t size = sizes[below(generator, 4)];

	switch (below(generator, 4)) {
	case 0:
		put_snapshot(generator);
		break;
	case 1:
		put_call(generator, BPF_FUNC_get_current_pid_tgid);
		break;
	default:
		put_copy(generator, BPF_REG_1, BPF_REG_10);
		put_add(generator, BPF_REG_1, any_place(generator, size));
		put_move(generator, BPF_REG_2, (int32_t)width_of(size));
		if (below(generator, 2)) {
			put_policy(
				generator, BPF_REG_3,
				(uint32_t)below(generator, POLICY_BYTES / 8) *
					8);
		} else {
			put_copy(generator, BPF_REG_3, BPF_REG_10);
			put_add(generator, BPF_REG_3,
				any_place(generator, size));
		}
		put_call(generator, BPF_FUNC_probe_read_kernel);
		break;
	}
}

static void do_statement(struct generator *generator, int depth)
{
	uint64_t what = below(generator, 100);

	if (what < 35)
		do_alu(generator);
	else if (what < 45)
		do_constant(generator);
	else if (what < 60)
		do_policy(generator);
	else if (what < 78)
		do_stack(generator);
	else if (what < 82)
		do_either(generator);
	else if (what < 87)
		do_call(generator);
	else if (what < 90 && depth && !generator->loops)
		do_loop(generator, depth);
	else if (depth)
		do_diamond(generator, depth);
}

static void do_statements(struct generator *generator, int depth)
{
	uint64_t count = below(generator, depth ? 6 : 4);

	while (count-- && generator->program->count < MAX_SLOTS)
		do_statement(generator, depth);
}

static void put_start(struct generator *generator)
{
	for (uint8_t i = 0; i < INPUT_WORDS; i++)
		put(generator,
		    (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | BPF_DW,
				       .dst_reg = (6 + i),
				       .src_reg = BPF_REG_1,
				       .off = (int16_t)(8 * i) });
	for (uint8_t i = 0; i < 6; i++)
		put_move(generator, i, any_immediate(generator));
	put_move(generator, BPF_REG_9, 0);
	for (int16_t i = -OUT_BYTES; i < 0; i = (int16_t)(i + 8))
		put_store(generator, BPF_REG_10, BPF_DW, i, NUMBERS);
}

/* r0 gets some of the numbers mixed, so that others are dead. */
static void put_end(struct generator *generator)
{
	if (below(generator, 3) == 0)
		put_snapshot(generator);
	for (uint8_t i = 1; i < NUMBERS; i++) {
		if (below(generator, 3) == 0)
			continue;
		put(generator,
		    (struct bpf_insn){ .code = BPF_ALU64 | BPF_MUL | BPF_K,
				       .imm = 31 });
		put(generator,
		    (struct bpf_insn){ .code = BPF_ALU64 | BPF_ADD | BPF_X,
				       .src_reg = i });
	}
	put_copy(generator, BPF_REG_1, BPF_REG_0);
	put(generator, (struct bpf_insn){ .code = BPF_ALU64 | BPF_RSH | BPF_K,
					  .dst_reg = BPF_REG_1,
					  .imm = 32 });
	put(generator, (struct bpf_insn){ .code = BPF_ALU | BPF_XOR | BPF_X,
					  .src_reg = BPF_REG_1 });
	if (below(generator, 8) == 0)
		put_move(generator, BPF_REG_0, 0);
	put(generator, (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT });
}

void generate_program(struct random *random, int policy_fd, int out_fd,
		      struct program *program)
{
	struct generator generator = {
		.random = random,
		.program = program,
		.policy_fd = policy_fd,
		.out_fd = out_fd,
	};

	memset(program, 0, sizeof(*program));
	put_start(&generator);
	for (uint64_t i = 2 + random_below(random, 8); i; i--)
		do_statements(&generator, 3);
	put_end(&generator);
}
