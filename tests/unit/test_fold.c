/* SPDX-License-Identifier: GPL-2.0-only */
/* What is folded, and what must be left, one small program each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "compiler/arena.h"
#include "compiler/fold.h"

#define MAX 32

/* A program that is written down, and its text when it is folded. */
struct sample {
	struct arena *arena;
	uint8_t bytes[MAX * INSN_SIZE];
	struct slot_note notes[MAX];
	size_t slots;
	bool zero;
	char text[MAX * INSN_TEXT_SIZE];
};

static const uint8_t policy[16] = { 0x11, 0x22, 0x33, 0x44, 0x55, 0x66,
				    0x77, 0x88, 1,    0,    0,	  0,
				    2,	  0,	0,    0 };

static size_t put(struct sample *sample, struct insn insn)
{
	size_t slot = sample->slots;

	insn_encode(&insn, sample->bytes + slot * INSN_SIZE);
	sample->slots += insn_slots(&insn);
	return slot;
}

static void put_alu(struct sample *sample, int code, int dst, int src,
		    int immediate)
{
	put(sample, (struct insn){ .code = (uint8_t)code,
				   .dst = (uint8_t)dst,
				   .src = (uint8_t)src,
				   .immediate = immediate });
}

static void put_memory(struct sample *sample, int code, int dst, int src,
		       int offset)
{
	put(sample, (struct insn){ .code = (uint8_t)code,
				   .dst = (uint8_t)dst,
				   .src = (uint8_t)src,
				   .offset = (int16_t)offset });
}

static void put_jump(struct sample *sample, int code, int dst, int immediate,
		     int offset)
{
	put(sample, (struct insn){ .code = (uint8_t)code,
				   .dst = (uint8_t)dst,
				   .immediate = immediate,
				   .offset = (int16_t)offset });
}

static void put_policy(struct sample *sample, int dst, int offset)
{
	size_t slot =
		put(sample, (struct insn){ .code = BPF_LD | BPF_IMM | BPF_DW,
					   .dst = (uint8_t)dst });

	sample->notes[slot] = (struct slot_note){ .mark = NODE_POLICY,
						  .policy_offset = offset };
}

static void put_exit(struct sample *sample)
{
	put(sample, (struct insn){ .code = BPF_JMP | BPF_EXIT });
}

static void pin(struct sample *sample)
{
	sample->notes[sample->slots - 1].mark = NODE_PINNED;
}

static bool fold(struct sample *sample)
{
	struct blob blob = { policy, sizeof(policy) };
	struct cfg *cfg = cfg_build(sample->arena, sample->bytes, sample->slots,
				    sample->notes);
	struct layout layout;

	if (!cfg)
		return false;
	sample->zero = fold_program(cfg, &blob);
	assert_true(cfg_lay_out(cfg, &layout));
	for (size_t i = 0; i < layout.slots;) {
		char text[INSN_TEXT_SIZE];
		struct insn insn;
		unsigned slots = insn_decode(layout.bytes + i * INSN_SIZE,
					     layout.slots - i, &insn);

		assert_int_not_equal(slots, 0);
		insn_text(&insn, (long)i + 1 + insn.offset, text);
		strcat(sample->text, text);
		strcat(sample->text, "; ");
		i += slots;
	}
	return true;
}

static int set_up(void **state)
{
	struct arena *arena = arena_new();
	struct sample *sample = arena_alloc(arena, sizeof(*sample));

	sample->arena = arena;
	*state = sample;
	return 0;
}

static int tear_down(void **state)
{
	arena_free(((struct sample *)*state)->arena);
	return 0;
}

#define LOAD(size)  (BPF_LDX | BPF_MEM | (size))
#define STORE(size) (BPF_STX | BPF_MEM | (size))
#define MOVE	    (BPF_ALU64 | BPF_MOV)

static void test_policy_load(void **state)
{
	struct sample *sample = *state;

	put_policy(sample, 1, 4);
	put_alu(sample, BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, 1);
	put_memory(sample, LOAD(BPF_H), 0, 1, 1);
	put_exit(sample);
	assert_true(fold(sample));
	assert_string_equal(sample->text, "w0 = 34935; exit; ");
	assert_false(sample->zero);
}

/* Behind the end, or extending the sign: left as it is. */
static void test_policy_limits(void **state)
{
	struct sample *sample = *state;

	put_policy(sample, 1, 12);
	put_memory(sample, LOAD(BPF_DW), 0, 1, 0);
	put_memory(sample, BPF_LDX | 0x80 | BPF_B, 2, 1, 0);
	put_alu(sample, BPF_ALU64 | BPF_ADD | BPF_X, 0, 2, 0);
	put_exit(sample);
	assert_true(fold(sample));
	assert_string_equal(sample->text,
			    "r1 = 0 ll; r0 = *(u64 *)(r1 + 0); "
			    "r2 = *(s8 *)(r1 + 0); r0 += r2; exit; ");
}

static void test_decided(void **state)
{
	struct sample *sample = *state;

	put_policy(sample, 1, 0);
	put_memory(sample, LOAD(BPF_W), 2, 1, 8);
	put_jump(sample, BPF_JMP32 | BPF_JEQ | BPF_K, 2, 1, 2);
	put_alu(sample, MOVE | BPF_K, 0, 0, -1);
	put_exit(sample);
	put_alu(sample, MOVE | BPF_K, 0, 0, 0);
	put_exit(sample);
	assert_true(fold(sample));
	assert_string_equal(sample->text, "r0 = 0; exit; ");
	assert_true(sample->zero);
}

/* What the loader puts in may be anything, and both ways stay: a guard with
 * what it guards behind it. */
static void test_guard(void **state)
{
	struct sample *sample = *state;

	put(sample, (struct insn){ .code = BPF_LD | BPF_IMM | BPF_DW,
				   .dst = 1,
				   .immediate = 1 });
	sample->notes[0].mark = NODE_PINNED;
	put_alu(sample, MOVE | BPF_K, 0, 0, 0);
	put_jump(sample, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1);
	put_jump(sample, BPF_JMP | BPF_CALL, 0, 158, 0);
	put_exit(sample);
	assert_true(fold(sample));
	assert_string_equal(sample->text,
			    "r1 = 1 ll; r0 = 0; if r1 == 0 goto 6; call 158; "
			    "exit; exit; ");
	assert_false(sample->zero);
}

/* A guard with nothing to guard goes. */
static void test_needless_guard(void **state)
{
	struct sample *sample = *state;

	put_alu(sample, MOVE | BPF_K, 1, 0, 1);
	pin(sample);
	put_alu(sample, MOVE | BPF_K, 2, 0, 0);
	put_jump(sample, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 2);
	put_jump(sample, BPF_JMP | BPF_CALL, 0, 158, 0);
	put_memory(sample, LOAD(BPF_DW), 2, 0, 8);
	put_alu(sample, MOVE | BPF_K, 0, 0, 0);
	put_exit(sample);
	assert_true(fold(sample));
	assert_string_equal(sample->text, "r0 = 0; exit; ");
	assert_true(sample->zero);
}

/* Bytes of the stack, through a pointer, of other widths than written. */
static void test_stack(void **state)
{
	struct sample *sample = *state;

	put_alu(sample, MOVE | BPF_K, 1, 0, 0x01020304);
	put_memory(sample, STORE(BPF_W), 10, 1, -8);
	put_alu(sample, MOVE | BPF_X, 2, 10, 0);
	put_alu(sample, BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, -7);
	put_memory(sample, LOAD(BPF_B), 0, 2, 0);
	put_exit(sample);
	assert_true(fold(sample));
	assert_string_equal(sample->text, "w0 = 3; exit; ");
}

/* A helper that is known may read and write what is above a pointer that it
 * gets. */
static void test_escape(void **state)
{
	struct sample *sample = *state;

	put_alu(sample, MOVE | BPF_K, 1, 0, 7);
	put_memory(sample, STORE(BPF_DW), 10, 1, -8);
	put_memory(sample, STORE(BPF_DW), 10, 1, -16);
	put_alu(sample, MOVE | BPF_X, 1, 10, 0);
	put_alu(sample, BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, -8);
	put_alu(sample, MOVE | BPF_X, 2, 1, 0);
	put_jump(sample, BPF_JMP | BPF_CALL, 0, BPF_FUNC_map_delete_elem, 0);
	put_memory(sample, LOAD(BPF_DW), 0, 10, -8);
	put_memory(sample, LOAD(BPF_DW), 1, 10, -16);
	put_alu(sample, BPF_ALU64 | BPF_ADD | BPF_X, 0, 1, 0);
	put_exit(sample);
	assert_true(fold(sample));
	assert_string_equal(sample->text,
			    "r1 = 7; *(u64 *)(r10 - 8) = r1; r1 = r10; "
			    "r1 += -8; r2 = r1; call 3; "
			    "r0 = *(u64 *)(r10 - 8); r0 += 7; exit; ");
}

/* Another may be one that calls back, as bpf_loop() does with r3: that function
 * is one of the object's own. */
static void test_callback(void **state)
{
	struct sample *sample = *state;

	put_alu(sample, MOVE | BPF_K, 1, 0, 7);
	put_memory(sample, STORE(BPF_DW), 10, 1, -16);
	put_alu(sample, MOVE | BPF_K, 1, 0, 1);
	put_alu(sample, MOVE | BPF_X, 3, 10, 0);
	put_alu(sample, BPF_ALU64 | BPF_ADD | BPF_K, 3, 0, -8);
	put_jump(sample, BPF_JMP | BPF_CALL, 0, 181, 0);
	put_memory(sample, LOAD(BPF_DW), 0, 10, -16);
	put_exit(sample);
	assert_true(fold(sample));
	assert_string_equal(sample->text,
			    "r1 = 7; *(u64 *)(r10 - 16) = r1; r1 = 1; "
			    "r3 = r10; r3 += -8; call 181; "
			    "r0 = *(u64 *)(r10 - 16); exit; ");
	assert_false(sample->zero);
}

/* A function of the object's own may go below the pointer too. */
static void test_local_call(void **state)
{
	struct sample *sample = *state;

	put_alu(sample, MOVE | BPF_K, 1, 0, 7);
	put_memory(sample, STORE(BPF_DW), 10, 1, -16);
	put_alu(sample, MOVE | BPF_X, 1, 10, 0);
	put_alu(sample, BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, -8);
	put(sample, (struct insn){ .code = BPF_JMP | BPF_CALL,
				   .src = BPF_PSEUDO_CALL,
				   .immediate = -1 });
	pin(sample);
	put_memory(sample, LOAD(BPF_DW), 0, 10, -16);
	put_exit(sample);
	assert_true(fold(sample));
	assert_string_equal(sample->text,
			    "r1 = 7; *(u64 *)(r10 - 16) = r1; r1 = r10; "
			    "r1 += -8; call -1; r0 = *(u64 *)(r10 - 16); "
			    "exit; ");
	assert_false(sample->zero);
}

/* Once somebody else may know where the stack is, what is loaded may lead
 * there. */
static void test_stray(void **state)
{
	struct sample *sample = *state;

	put_memory(sample, STORE(BPF_DW), 10, 10, -8);
	put_alu(sample, MOVE | BPF_K, 1, 0, 7);
	put_memory(sample, STORE(BPF_DW), 10, 1, -16);
	put_memory(sample, LOAD(BPF_DW), 2, 10, -8);
	put_alu(sample, BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, -16);
	put_memory(sample, STORE(BPF_DW), 2, 10, 0);
	put_memory(sample, LOAD(BPF_DW), 0, 10, -16);
	put_exit(sample);
	assert_true(fold(sample));
	assert_non_null(strstr(sample->text, "r0 = *(u64 *)(r10 - 16); exit"));
}

/* A store to memory that is not the stack is no "returns 0". */
static void test_effect(void **state)
{
	struct sample *sample = *state;

	put_memory(sample, LOAD(BPF_DW), 2, 1, 0);
	put(sample,
	    (struct insn){ .code = BPF_ST | BPF_MEM | BPF_W, .dst = 2 });
	put_alu(sample, MOVE | BPF_K, 0, 0, 0);
	put_exit(sample);
	assert_true(fold(sample));
	assert_false(sample->zero);
}

/* Each way into the last block decides its branch. */
static void test_thread(void **state)
{
	struct sample *sample = *state;

	put_memory(sample, LOAD(BPF_DW), 2, 1, 0);
	put_alu(sample, MOVE | BPF_K, 3, 0, 1);
	put_jump(sample, BPF_JMP | BPF_JEQ | BPF_K, 2, 5, 1);
	put_alu(sample, MOVE | BPF_K, 3, 0, 0);
	put_alu(sample, MOVE | BPF_K, 0, 0, 0);
	put_jump(sample, BPF_JMP | BPF_JEQ | BPF_K, 3, 0, 1);
	put_alu(sample, MOVE | BPF_K, 0, 0, -1);
	put_exit(sample);
	assert_true(fold(sample));
	assert_string_equal(sample->text,
			    "r2 = *(u64 *)(r1 + 0); if r2 == 5 goto 4; "
			    "r0 = 0; exit; r0 = -1; exit; ");
}

/* Only what is wholly understood is touched. */
static void test_not_understood(void **state)
{
	static const struct insn insns[] = {
		{ .code = BPF_JMP | BPF_JA, .offset = 5 },
		{ .code = BPF_JMP | BPF_JA, .offset = -2 },
		{ .code = BPF_JMP | BPF_CALL, .src = BPF_PSEUDO_CALL },
		{ .code = BPF_LD | BPF_ABS | BPF_W },
		{ .code = BPF_JMP32 | BPF_JA },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(insns) / sizeof(insns[0]); i++) {
		struct sample sample = { .arena = arena_new() };

		put(&sample, insns[i]);
		put_exit(&sample);
		assert_false(fold(&sample));
		arena_free(sample.arena);
	}
}

/* No end that is reached by falling, and none at all. */
static void test_no_end(void **state)
{
	struct sample *sample = *state;

	assert_false(fold(sample));
	put_alu(sample, MOVE | BPF_K, 0, 0, 0);
	assert_false(fold(sample));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_policy_load),	   TEST(test_policy_limits),
		TEST(test_decided),	   TEST(test_guard),
		TEST(test_needless_guard), TEST(test_stack),
		TEST(test_escape),	   TEST(test_callback),
		TEST(test_local_call),	   TEST(test_stray),
		TEST(test_effect),	   TEST(test_thread),
		TEST(test_not_understood), TEST(test_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
