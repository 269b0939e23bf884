/* SPDX-License-Identifier: GPL-2.0-only */
/* The interpreter of the evaluator: each instruction, and what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/bpf.h>
#include <string.h>

#include "compiler/arena.h"
#include "compiler/proof/machine.h"

#define A	   UINT64_C(0xfedcba9876543210)
#define K(op)	   ((op) | BPF_K)
#define LENGTH(of) ((uint32_t)(sizeof(of) / sizeof((of)[0])))
#define WIDE(dst, is)                                           \
	{ BPF_LD | BPF_IMM | BPF_DW, dst, 0, false, 0, 0, is }, \
	{                                                       \
		0                                               \
	}
#define EXIT                                             \
	{                                                \
		BPF_JMP | BPF_EXIT, 0, 0, false, 0, 0, 0 \
	}

struct setting {
	struct arena *arena;
	struct memory memory;
	struct machine machine;
	uint8_t bytes[16];
	uint64_t address; /* of bytes */
};

static struct setting *set_up(void)
{
	struct arena *arena = arena_new();
	struct setting *setting = arena_alloc(arena, sizeof(*setting));

	setting->arena = arena;
	setting->memory.arena = arena;
	machine_init(&setting->machine, &setting->memory);
	setting->address =
		memory_add(&setting->memory, setting->bytes, NULL,
			   sizeof(setting->bytes), MEMORY_READ | MEMORY_WRITE);
	return setting;
}

static bool run(struct setting *setting, const struct machine_insn *code,
		uint32_t count, uint64_t *result)
{
	const struct machine_code all = { .insns = code, .count = count };

	return machine_run(&setting->machine, &all, setting->address, result);
}

/* r0 = @a; r2 = @b; r0 @code r2 (or @b as the immediate) */
static uint64_t compute(uint8_t code, uint64_t a, uint64_t b)
{
	bool from_register = BPF_SRC(code) == BPF_X && BPF_OP(code) != BPF_END;
	const struct machine_insn program[] = {
		WIDE(0, a),
		WIDE(2, b),
		{ code, 0, from_register ? 2 : 0, false, 0,
		  from_register ? 0 : (int32_t)b, 0 },
		EXIT,
	};
	struct setting *setting = set_up();
	uint64_t result = 0;

	if (!run(setting, program, LENGTH(program), &result))
		fail_msg("%s", setting->machine.why);
	arena_free(setting->arena);
	return result;
}

static void test_arithmetic(void **state)
{
	static const struct {
		uint8_t op;
		uint64_t b, wide, narrow;
	} rows[] = {
		{ BPF_ADD, 0x90000001, A + 0x90000001, 0x06543211 },
		{ BPF_SUB, 0x80000000, A - 0x80000000, 0xf6543210 },
		{ BPF_MUL, 3, A * 3, 0x62fc9630 },
		{ BPF_DIV, 7, A / 7, 0x76543210 / 7 },
		{ BPF_DIV, 0, 0, 0 },
		{ BPF_MOD, 1000, A % 1000, 0x76543210 % 1000 },
		{ BPF_MOD, 0, A, 0x76543210 },
		{ BPF_OR, 0xff, A | 0xff, 0x765432ff },
		{ BPF_AND, 0xfff, 0x210, 0x210 },
		{ BPF_XOR, 0xff, A ^ 0xff, 0x765432ef },
		{ BPF_MOV, A + 1, A + 1, 0x76543211 },
		{ BPF_LSH, 4, A << 4, 0x65432100 },
		{ BPF_LSH, 68, A << 4, 0x65432100 },
		{ BPF_LSH, 36, A << 36, 0x65432100 },
		{ BPF_RSH, 4, A >> 4, 0x07654321 },
		{ BPF_RSH, 36, A >> 36, 0x07654321 },
		{ BPF_ARSH, 4, 0xffedcba987654321, 0x07654321 },
	};

	(void)state;
	for (unsigned i = 0; i < LENGTH(rows); i++) {
		assert_true(compute(BPF_ALU64 | BPF_X | rows[i].op, A,
				    rows[i].b) == rows[i].wide);
		assert_true(compute(BPF_ALU | BPF_X | rows[i].op, A,
				    rows[i].b) == rows[i].narrow);
	}
	/* immediates have a sign, and 32 bits of a result alone count */
	assert_true(compute(BPF_ALU64 | K(BPF_MOV), 0, UINT32_MAX) ==
		    UINT64_MAX);
	assert_true(compute(BPF_ALU | K(BPF_MOV), 0, UINT32_MAX) == UINT32_MAX);
	assert_true(compute(BPF_ALU | K(BPF_ARSH), 0x80000000, 4) ==
		    0xf8000000);
	assert_true(compute(BPF_ALU64 | K(BPF_NEG), 1, 0) == UINT64_MAX);
	assert_true(compute(BPF_ALU | K(BPF_NEG), 1, 0) == UINT32_MAX);
	assert_true(compute(BPF_ALU | BPF_END | BPF_TO_BE, A, 32) ==
		    0x10325476);
	assert_true(compute(BPF_ALU | BPF_END | BPF_TO_BE, A, 16) == 0x1032);
	assert_true(compute(BPF_ALU | BPF_END | BPF_TO_LE, A, 16) == 0x3210);
}

/* Whether @code jumps. */
static bool jumps(uint8_t code, uint64_t a, uint64_t b)
{
	const struct machine_insn program[] = {
		WIDE(1, a),
		WIDE(2, b),
		{ BPF_ALU64 | K(BPF_MOV), 0, 0, false, 0, 1, 0 },
		{ code, 1, 2, false, 1, 0, 0 },
		{ BPF_ALU64 | K(BPF_MOV), 0, 0, false, 0, 0, 0 },
		EXIT,
	};
	struct setting *setting = set_up();
	uint64_t result = 2;

	assert_true(run(setting, program, LENGTH(program), &result));
	arena_free(setting->arena);
	return result;
}

static void test_jumps(void **state)
{
	/* for a < b, a == b, a > b; then for a negative against b */
	static const struct {
		uint8_t op;
		bool less, equal, more, negative;
	} rows[] = {
		{ BPF_JEQ, false, true, false, false },
		{ BPF_JNE, true, false, true, true },
		{ BPF_JGT, false, false, true, true },
		{ BPF_JGE, false, true, true, true },
		{ BPF_JLT, true, false, false, false },
		{ BPF_JLE, true, true, false, false },
		{ BPF_JSGT, false, false, true, false },
		{ BPF_JSGE, false, true, true, false },
		{ BPF_JSLT, true, false, false, true },
		{ BPF_JSLE, true, true, false, true },
	};

	(void)state;
	for (unsigned i = 0; i < LENGTH(rows); i++) {
		for (unsigned j = 0; j < 2; j++) {
			uint8_t code = (uint8_t)(rows[i].op | BPF_X |
						 (j ? BPF_JMP32 : BPF_JMP));

			assert_int_equal(jumps(code, 4, 5), rows[i].less);
			assert_int_equal(jumps(code, 5, 5), rows[i].equal);
			assert_int_equal(jumps(code, 6, 5), rows[i].more);
			assert_int_equal(jumps(code, UINT64_MAX, 5),
					 rows[i].negative);
		}
	}
	assert_true(jumps(BPF_JMP | BPF_X | BPF_JSET, 6, 4));
	assert_false(jumps(BPF_JMP | BPF_X | BPF_JSET, 6, 8));
	/* the upper half is nothing to 32 bits */
	assert_false(jumps(BPF_JMP | BPF_X | BPF_JEQ, A, (uint32_t)A));
	assert_true(jumps(BPF_JMP32 | BPF_X | BPF_JEQ, A, (uint32_t)A));
}

static void test_memory(void **state)
{
	struct machine_insn program[] = {
		{ BPF_ST | BPF_MEM | BPF_DW, 1, 0, false, 0, -2, 0 },
		{ BPF_LDX | BPF_MEM | BPF_W, 0, 1, false, 4, 0, 0 },
		{ BPF_STX | BPF_MEM | BPF_H, 10, 0, false, -2, 0, 0 },
		{ BPF_LDX | BPF_MEM | BPF_H, 0, 10, false, -2, 0, 0 },
		EXIT,
	};
	struct setting *setting = set_up();
	uint64_t result;

	(void)state;
	assert_true(run(setting, program, LENGTH(program), &result));
	assert_true(result == 0xffff);
	program[1].off = 13; /* three bytes are left */
	assert_false(run(setting, program, LENGTH(program), &result));
	assert_non_null(strstr(setting->machine.why, "reads 4 bytes"));
	program[1].off = 4;
	program[3].off = -4; /* two of them were never written */
	program[3].code = BPF_LDX | BPF_MEM | BPF_W;
	assert_false(run(setting, program, LENGTH(program), &result));
	program[0].off = 9;
	assert_false(run(setting, program, LENGTH(program), &result));
	assert_non_null(strstr(setting->machine.why, "writes 8 bytes"));
	arena_free(setting->arena);
}

static void test_atomic(void **state)
{
	static const struct {
		int32_t imm;
		uint64_t memory, result;
	} rows[] = {
		{ BPF_ADD, 12, 5 },
		{ BPF_ADD | BPF_FETCH, 12, 7 },
		{ BPF_OR | BPF_FETCH, 7, 7 },
		{ BPF_AND | BPF_FETCH, 5, 7 },
		{ BPF_XOR | BPF_FETCH, 2, 7 },
		{ BPF_XCHG, 5, 7 },
	};

	(void)state;
	for (unsigned i = 0; i < LENGTH(rows); i++) {
		const struct machine_insn program[] = {
			{ BPF_ST | BPF_MEM | BPF_DW, 1, 0, false, 8, 7, 0 },
			{ BPF_ALU64 | K(BPF_MOV), 0, 0, false, 0, 5, 0 },
			{ BPF_STX | BPF_ATOMIC | BPF_DW, 1, 0, false, 8,
			  rows[i].imm, 0 },
			EXIT,
		};
		struct setting *setting = set_up();
		uint64_t result;

		assert_true(run(setting, program, LENGTH(program), &result));
		assert_true(result == rows[i].result);
		assert_true(memory_get(setting->bytes + 8, 8) ==
			    rows[i].memory);
		arena_free(setting->arena);
	}
}

static void assert_refused(const struct machine_insn *program, uint32_t count,
			   const char *why)
{
	struct setting *setting = set_up();
	uint64_t result;

	assert_false(run(setting, program, count, &result));
	assert_non_null(strstr(setting->machine.why, why));
	arena_free(setting->arena);
}

static void test_refused(void **state)
{
	const struct machine_insn loop[] = {
		{ BPF_JMP | BPF_JA, 0, 0, false, -1, 0, 0 },
	};
	const struct machine_insn unset[] = { EXIT };
	const struct machine_insn out[] = {
		{ BPF_JMP | BPF_JA, 0, 0, false, 5, 0, 0 },
	};
	const struct machine_insn end[] = {
		{ BPF_ALU64 | K(BPF_MOV), 0, 0, false, 0, 1, 0 },
	};
	const struct machine_insn poison[] = {
		{ BPF_ALU64 | K(BPF_MOV), 0, 0, true, 0, 1, 0 },
	};
	const struct machine_insn frame[] = {
		{ BPF_ALU64 | K(BPF_ADD), 10, 0, false, 0, 1, 0 },
	};
	const struct machine_insn strange[] = {
		{ 0xff, 1, 1, false, 0, 0, 0 },
	};
	const struct machine_insn divide[] = {
		/* signed: newer than v3 */
		{ BPF_ALU64 | K(BPF_DIV), 1, 0, false, 1, 1, 0 },
	};
	const struct machine_insn high[] = {
		{ BPF_ALU64 | K(BPF_MOV), 11, 0, false, 0, 1, 0 },
	};

	(void)state;
	assert_refused(loop, LENGTH(loop), "does not end");
	assert_refused(unset, LENGTH(unset), "r0, which holds nothing");
	assert_refused(out, LENGTH(out), "jumps out");
	assert_refused(end, LENGTH(end), "past its end");
	assert_refused(poison, LENGTH(poison), "does not have");
	assert_refused(frame, LENGTH(frame), "frame pointer");
	assert_refused(strange, LENGTH(strange), "instruction 0xff");
	assert_refused(divide, LENGTH(divide), "instruction 0x37");
	assert_refused(high, LENGTH(high), "instruction 0xb7");
}

/* ---- calls ---- */

#define CALL(number)                                                         \
	{                                                                    \
		BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, false, 0, -1, number \
	}
#define MOVE_TO(dst, value)                                        \
	{                                                          \
		BPF_ALU64 | K(BPF_MOV), dst, 0, false, 0, value, 0 \
	}
#define COPY(dst, src)                                                \
	{                                                             \
		BPF_ALU64 | BPF_X | BPF_MOV, dst, src, false, 0, 0, 0 \
	}

/* Runs the first of @functions, each ending in its EXIT. */
static bool run_functions(struct setting *setting,
			  const struct machine_code *functions, uint32_t count,
			  uint64_t *result)
{
	setting->machine.functions = functions;
	setting->machine.function_count = count;
	return machine_run(&setting->machine, &functions[0], setting->address,
			   result);
}

/* A callee has arguments and a stack of its own, and gives back one value. */
static void test_call(void **state)
{
	const struct machine_insn caller[] = {
		MOVE_TO(6, 1),
		MOVE_TO(1, 30),
		{ BPF_STX | BPF_MEM | BPF_DW, 10, 6, false, -8, 0, 0 },
		CALL(1),
		{ BPF_LDX | BPF_MEM | BPF_DW, 1, 10, false, -8, 0, 0 },
		{ BPF_ALU64 | BPF_X | BPF_ADD, 0, 1, false, 0, 0, 0 },
		{ BPF_ALU64 | BPF_X | BPF_ADD, 0, 6, false, 0, 0, 0 },
		EXIT,
	};
	const struct machine_insn callee[] = {
		MOVE_TO(6, 10),
		{ BPF_STX | BPF_MEM | BPF_DW, 10, 6, false, -8, 0, 0 },
		COPY(0, 1),
		{ BPF_ALU64 | BPF_X | BPF_ADD, 0, 6, false, 0, 0, 0 },
		EXIT,
	};
	const struct machine_code functions[] = {
		{ caller, LENGTH(caller), NULL },
		{ callee, LENGTH(callee), NULL },
	};
	struct setting *setting = set_up();
	uint64_t result;

	(void)state;
	assert_true(run_functions(setting, functions, 2, &result));
	assert_int_equal(result, 42);
	assert_int_equal(setting->machine.steps, 13);
	arena_free(setting->arena);
}

static void assert_call_refused(const struct machine_insn *caller,
				const struct machine_insn *callee,
				const char *why)
{
	const struct machine_code functions[] = {
		{ caller, 4, NULL },
		{ callee, 4, NULL },
	};
	struct setting *setting = set_up();
	uint64_t result;

	assert_false(run_functions(setting, functions, 2, &result));
	assert_non_null(strstr(setting->machine.why, why));
	arena_free(setting->arena);
}

static void test_call_refused(void **state)
{
	const struct machine_insn plain[] = { MOVE_TO(6, 1), CALL(1), EXIT,
					      EXIT };
	const struct machine_insn gives[] = { MOVE_TO(0, 1), EXIT, EXIT, EXIT };
	const struct machine_insn reads[] = { COPY(0, 6), EXIT, EXIT, EXIT };
	const struct machine_insn again[] = { CALL(1), EXIT, EXIT, EXIT };
	const struct machine_insn leaks[] = { COPY(0, 10), EXIT, EXIT, EXIT };
	const struct machine_insn nobody[] = { CALL(2), EXIT, EXIT, EXIT };
	const struct machine_insn nothing[] = { EXIT, EXIT, EXIT, EXIT };
	const struct machine_insn argument[] = { CALL(1), COPY(0, 1), EXIT,
						 EXIT };
	const struct machine_insn follows[] = { CALL(1),
						{ BPF_LDX | BPF_MEM | BPF_B, 0,
						  0, false, -1, 0, 0 },
						EXIT,
						EXIT };

	(void)state;
	assert_call_refused(plain, reads, "reads r6, which holds nothing");
	assert_call_refused(plain, again, "go too deep");
	assert_call_refused(plain, nothing, "reads r0, which holds nothing");
	assert_call_refused(nobody, gives, "calls what is no function");
	assert_call_refused(argument, gives, "reads r1, which holds nothing");
	assert_call_refused(follows, leaks, "reads 1 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arithmetic),
		cmocka_unit_test(test_jumps),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_atomic),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_call_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
