/* SPDX-License-Identifier: GPL-2.0-only */
/* Each operation against values that were written down, not computed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "compiler/insn.h"

struct alu_row {
	uint8_t operation;
	uint64_t dst;
	uint64_t src;
	uint64_t wide;	 /* result of the 64-bit form */
	uint64_t narrow; /* of the 32-bit form */
};

static const struct alu_row alu_rows[] = {
	{ BPF_ADD, 0xffffffffffffffff, 2, 1, 1 },
	{ BPF_ADD, 0xffffffff, 1, 0x100000000, 0 },
	{ BPF_ADD, 0x7fffffff, 1, 0x80000000, 0x80000000 },
	{ BPF_SUB, 0, 1, 0xffffffffffffffff, 0xffffffff },
	{ BPF_SUB, 0x100000000, 1, 0xffffffff, 0xffffffff },
	{ BPF_MUL, 0x100000001, 0x100000001, 0x200000001, 1 },
	{ BPF_MUL, 0xffffffff, 0xffffffff, 0xfffffffe00000001, 1 },
	{ BPF_DIV, 0xfffffffffffffffe, 2, 0x7fffffffffffffff, 0x7fffffff },
	{ BPF_DIV, 7, 0, 0, 0 },
	{ BPF_DIV, 0x500000007, 0x100000000, 5, 0 },
	{ BPF_MOD, 0x100000007, 0, 0x100000007, 7 },
	{ BPF_MOD, 0xffffffffffffffff, 10, 5, 5 },
	{ BPF_MOD, 0x100000003, 2, 1, 1 },
	{ BPF_MOD, 0x200000003, 0x100000000, 3, 3 },
	{ BPF_OR, 0xf0f0f0f000000000, 0xf, 0xf0f0f0f00000000f, 0xf },
	{ BPF_AND, 0xffffffffffffffff, 0x8000000080000000, 0x8000000080000000,
	  0x80000000 },
	{ BPF_XOR, 0xffffffff00000000, 0xffffffffffffffff, 0xffffffff,
	  0xffffffff },
	{ BPF_MOV, 1, 0xdeadbeefcafebabe, 0xdeadbeefcafebabe, 0xcafebabe },
	{ BPF_LSH, 1, 63, 0x8000000000000000, 0x80000000 },
	{ BPF_LSH, 1, 64, 1, 1 },
	{ BPF_LSH, 1, 32, 0x100000000, 1 },
	{ BPF_LSH, 0x80000000, 1, 0x100000000, 0 },
	{ BPF_RSH, 0x8000000000000000, 63, 1, 0 },
	{ BPF_RSH, 0x8000000080000000, 31, 0x100000001, 1 },
	{ BPF_RSH, 0xffffffffffffffff, 65, 0x7fffffffffffffff, 0x7fffffff },
	{ BPF_ARSH, 0x8000000000000000, 63, 0xffffffffffffffff, 0 },
	{ BPF_ARSH, 0x80000000, 31, 1, 0xffffffff },
	{ BPF_ARSH, 0x80000000, 33, 0, 0xc0000000 },
	{ BPF_ARSH, 0xffffffff80000000, 4, 0xfffffffff8000000, 0xf8000000 },
};

static void test_alu(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(alu_rows) / sizeof(alu_rows[0]); i++) {
		const struct alu_row *row = &alu_rows[i];
		struct insn insn = { .code = BPF_ALU64 | BPF_X | row->operation,
				     .dst = 1,
				     .src = 2 };

		assert_int_equal(insn_kind(&insn), INSN_ALU);
		assert_int_equal(insn_compute(&insn, row->dst, row->src),
				 row->wide);
		insn.code = BPF_ALU | BPF_X | row->operation;
		assert_int_equal(insn_kind(&insn), INSN_ALU);
		assert_int_equal(insn_compute(&insn, row->dst, row->src),
				 row->narrow);
	}
}

/* An immediate extends its sign, for the narrow form too before it is cut. */
static void test_immediates(void **state)
{
	struct insn insn = { .code = BPF_ALU64 | BPF_MOV | BPF_K,
			     .immediate = -1 };

	(void)state;
	assert_int_equal(insn_compute(&insn, 0, 7), UINT64_MAX);
	insn.code = BPF_ALU | BPF_MOV | BPF_K;
	assert_int_equal(insn_compute(&insn, 0, 7), UINT32_MAX);
	insn.code = BPF_ALU64 | BPF_AND | BPF_K;
	insn.immediate = INT32_MIN;
	assert_int_equal(insn_compute(&insn, UINT64_MAX, 7),
			 0xffffffff80000000);
	insn = (struct insn){ .code = BPF_ALU64 | BPF_NEG };
	assert_int_equal(insn_compute(&insn, 1, 0), UINT64_MAX);
	insn.code = BPF_ALU | BPF_NEG;
	assert_int_equal(insn_compute(&insn, 1, 0), UINT32_MAX);
}

static void test_swaps(void **state)
{
	static const struct {
		uint8_t source;
		int32_t width;
		uint64_t result;
	} rows[] = {
		{ BPF_X, 16, 0xefcd },
		{ BPF_X, 32, 0xefcdab89 },
		{ BPF_X, 64, 0xefcdab8967452301 },
		{ BPF_K, 16, 0xcdef },
		{ BPF_K, 32, 0x89abcdef },
		{ BPF_K, 64, 0x0123456789abcdef },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct insn insn = { .code = BPF_ALU | BPF_END | rows[i].source,
				     .immediate = rows[i].width };

		assert_int_equal(insn_compute(&insn, 0x0123456789abcdef, 0),
				 rows[i].result);
	}
}

struct jump_row {
	uint8_t operation;
	uint64_t dst;
	uint64_t src;
	bool wide;
	bool narrow;
};

static const struct jump_row jump_rows[] = {
	{ BPF_JEQ, 0x100000001, 1, false, true },
	{ BPF_JNE, 0x100000001, 1, true, false },
	{ BPF_JSET, 0x100000000, 0x100000000, true, false },
	{ BPF_JSET, 6, 1, false, false },
	{ BPF_JGT, 0x100000000, 1, true, false },
	{ BPF_JGT, 5, 5, false, false },
	{ BPF_JGE, 5, 5, true, true },
	{ BPF_JGE, 0xffffffffffffffff, 1, true, true },
	{ BPF_JLT, 0xffffffff, 0x100000000, true, false },
	{ BPF_JLE, 5, 5, true, true },
	{ BPF_JLE, 0x80000000, 0x7fffffff, false, false },
	{ BPF_JSGT, 0xffffffffffffffff, 0, false, false },
	{ BPF_JSGT, 0x80000000, 0, true, false },
	{ BPF_JSGE, 0x80000000, 0x80000000, true, true },
	{ BPF_JSLT, 0x80000000, 0, false, true },
	{ BPF_JSLT, 0x8000000000000000, 0, true, false },
	{ BPF_JSLE, 0xffffffffffffffff, 0, true, true },
	{ BPF_JSLE, 0x7fffffff, 0xffffffff, true, false },
};

/* And turned round, each is the opposite. */
static void test_jumps(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(jump_rows) / sizeof(jump_rows[0]); i++) {
		const struct jump_row *row = &jump_rows[i];
		struct insn insn = { .code = BPF_JMP | BPF_X | row->operation,
				     .dst = 1,
				     .src = 2 };
		struct insn inverted;

		assert_int_equal(insn_kind(&insn), INSN_BRANCH);
		assert_int_equal(insn_jumps(&insn, row->dst, row->src),
				 row->wide);
		inverted = insn;
		assert_int_equal(insn_invert(&inverted),
				 row->operation != BPF_JSET);
		if (row->operation != BPF_JSET)
			assert_int_equal(
				insn_jumps(&inverted, row->dst, row->src),
				!row->wide);
		insn.code = BPF_JMP32 | BPF_X | row->operation;
		assert_int_equal(insn_kind(&insn), INSN_BRANCH);
		assert_int_equal(insn_jumps(&insn, row->dst, row->src),
				 row->narrow);
	}
}

static void test_constants(void **state)
{
	static const struct {
		uint64_t value;
		uint8_t code;
	} rows[] = {
		{ 0, BPF_ALU | BPF_MOV | BPF_K },
		{ 0xffffffff, BPF_ALU | BPF_MOV | BPF_K },
		{ 0x80000000, BPF_ALU | BPF_MOV | BPF_K },
		{ 0xffffffffffffffff, BPF_ALU64 | BPF_MOV | BPF_K },
		{ 0xffffffff80000000, BPF_ALU64 | BPF_MOV | BPF_K },
		{ 0xffffffff7fffffff, BPF_LD | BPF_IMM | BPF_DW },
		{ 0x100000000, BPF_LD | BPF_IMM | BPF_DW },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct insn insn = insn_constant(3, rows[i].value);
		uint64_t value = (uint64_t)(uint32_t)insn.high << 32 |
				 (uint32_t)insn.immediate;

		assert_int_equal(insn.code, rows[i].code);
		if (insn_kind(&insn) == INSN_ALU)
			value = insn_compute(&insn, 0, 0);
		assert_int_equal(value, rows[i].value);
	}
}

static void test_with_immediate(void **state)
{
	struct insn shift = { .code = BPF_ALU64 | BPF_LSH | BPF_X, .src = 2 };
	struct insn divide = { .code = BPF_ALU | BPF_DIV | BPF_X, .src = 2 };
	struct insn add = { .code = BPF_ALU64 | BPF_ADD | BPF_X, .src = 2 };
	struct insn jump = { .code = BPF_JMP32 | BPF_JEQ | BPF_X, .src = 2 };

	(void)state;
	assert_false(insn_with_immediate(&shift, 64));
	assert_false(insn_with_immediate(&divide, 0));
	assert_false(insn_with_immediate(&add, 0xffffffff));
	assert_int_equal(add.code, BPF_ALU64 | BPF_ADD | BPF_X);
	assert_true(insn_with_immediate(&add, UINT64_MAX));
	assert_int_equal(add.code, BPF_ALU64 | BPF_ADD | BPF_K);
	assert_int_equal(add.immediate, -1);
	assert_int_equal(add.src, 0);
	assert_true(insn_with_immediate(&jump, 0x500000007));
	assert_int_equal(jump.immediate, 7);
}

/* What a later kernel may know is left alone. */
static void test_unknown(void **state)
{
	static const struct {
		struct insn insn;
		enum insn_kind kind;
	} rows[] = {
		{ { .code = BPF_ALU64 | BPF_MOV | BPF_X, .offset = 8 },
		  INSN_OPAQUE },
		{ { .code = BPF_ALU | BPF_MOV | BPF_X, .offset = 32 },
		  INSN_UNKNOWN },
		{ { .code = BPF_ALU | BPF_DIV | BPF_X, .offset = 1 },
		  INSN_OPAQUE },
		{ { .code = BPF_ALU | BPF_ADD | BPF_X, .offset = 1 },
		  INSN_UNKNOWN },
		{ { .code = BPF_ALU64 | BPF_END, .immediate = 16 },
		  INSN_OPAQUE },
		{ { .code = BPF_ALU | BPF_END, .immediate = 8 }, INSN_UNKNOWN },
		{ { .code = BPF_ALU | BPF_DIV | BPF_K }, INSN_UNKNOWN },
		{ { .code = BPF_ALU | BPF_LSH | BPF_K, .immediate = 32 },
		  INSN_UNKNOWN },
		{ { .code = BPF_ALU64 | 0xe0 }, INSN_UNKNOWN },
		{ { .code = BPF_JMP32 | BPF_JA, .immediate = 1 },
		  INSN_UNKNOWN },
		{ { .code = BPF_JMP | 0xe0 }, INSN_UNKNOWN },
		{ { .code = BPF_LD | BPF_ABS | BPF_W }, INSN_UNKNOWN },
		{ { .code = BPF_LDX | 0x80 | BPF_W }, INSN_LOAD },
		{ { .code = BPF_LDX | 0x80 | BPF_DW }, INSN_UNKNOWN },
		{ { .code = BPF_STX | 0xc0 | BPF_B }, INSN_UNKNOWN },
		{ { .code = BPF_STX | 0xc0 | BPF_W }, INSN_ATOMIC },
		{ { .code = BPF_STX | 0xc0 | BPF_DW, .immediate = 0xa1 },
		  INSN_ATOMIC },
		{ { .code = BPF_STX | 0xc0 | BPF_DW, .immediate = 0xe1 },
		  INSN_ATOMIC },
		{ { .code = BPF_STX | 0xc0 | BPF_DW, .immediate = 0xf1 },
		  INSN_ATOMIC },
		{ { .code = BPF_STX | 0xc0 | BPF_DW, .immediate = 0xe0 },
		  INSN_UNKNOWN },
		{ { .code = BPF_STX | 0xc0 | BPF_DW, .immediate = 0x10 },
		  INSN_UNKNOWN },
		/* load with acquire, store with release */
		{ { .code = BPF_STX | 0xc0 | BPF_DW, .immediate = 0x100 },
		  INSN_UNKNOWN },
		{ { .code = BPF_STX | 0xc0 | BPF_DW, .immediate = 0x110 },
		  INSN_UNKNOWN },
		{ { .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst = 11 },
		  INSN_UNKNOWN },
		{ { .code = BPF_ALU64 | BPF_MOV | BPF_K, .src = 1 },
		  INSN_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(insn_kind(&rows[i].insn), rows[i].kind);
}

static void test_bytes(void **state)
{
	static const uint8_t bytes[] = { 0x18, 0x21, 0,	   0,	0x78, 0x56,
					 0x34, 0x12, 0,	   0,	0,    0,
					 0xf0, 0xde, 0xbc, 0x9a };
	uint8_t again[sizeof(bytes)], damaged[sizeof(bytes)];
	char text[INSN_TEXT_SIZE];
	struct insn insn;

	(void)state;
	assert_int_equal(insn_decode(bytes, 2, &insn), 2);
	assert_int_equal(insn_decode(bytes, 1, &insn), 0);
	assert_int_equal(insn_decode(bytes, 2, &insn), 2);
	insn_encode(&insn, again);
	assert_memory_equal(bytes, again, sizeof(bytes));
	memcpy(damaged, bytes, sizeof(bytes));
	damaged[8] = 1;
	assert_int_equal(insn_decode(damaged, 2, &insn), 0);
	insn = (struct insn){ .code = BPF_JMP32 | BPF_JSGE | BPF_K,
			      .dst = 3,
			      .immediate = -5 };
	insn_text(&insn, 17, text);
	assert_string_equal(text, "if w3 s>= -5 goto 17");
	insn = (struct insn){ .code = BPF_STX | BPF_MEM | BPF_H,
			      .dst = 10,
			      .src = 4,
			      .offset = -6 };
	insn_text(&insn, 0, text);
	assert_string_equal(text, "*(u16 *)(r10 - 6) = r4");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alu),
		cmocka_unit_test(test_immediates),
		cmocka_unit_test(test_swaps),
		cmocka_unit_test(test_jumps),
		cmocka_unit_test(test_constants),
		cmocka_unit_test(test_with_immediate),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
