/* SPDX-License-Identifier: GPL-2.0-only */
/* What --verify goes by: records, tags, and what it says. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/bpf.h>

#include "loader/findings.h"
#include "loader/record.h"
#include "loader/tag.h"

static void check_sha1(const char *text, const char *expected)
{
	uint8_t digest[SHA1_SIZE];
	char hex[2 * SHA1_SIZE + 1];

	sha1(text, strlen(text), digest);
	for (unsigned i = 0; i < SHA1_SIZE; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal(hex, expected);
}

/* FIPS 180's own, and lengths around a block: sha1sum's. */
static void sha1_is_the_known_one(void **state)
{
	char text[120];

	(void)state;
	check_sha1("", "da39a3ee5e6b4b0d3255bfef95601890afd80709");
	check_sha1("abc", "a9993e364706816aba3e25717850c26c9cd0d89d");
	check_sha1("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		   "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
	memset(text, 'a', sizeof(text));
	text[64] = '\0';
	check_sha1(text, "0098ba824b5c16427bd7a1122a5a442a25ec644d");
	text[64] = 'a';
	text[55] = '\0';
	check_sha1(text, "c1c8bbdc22796e28c0e15163d20899b65621d65a");
}

/* r0 = &map[0] + 8; r0 = value; exit */
static void make_program(struct bpf_insn program[4], int map, int offset,
			 int value)
{
	memset(program, 0, 4 * sizeof(*program));
	program[0].code = BPF_LD | BPF_IMM | BPF_DW;
	program[0].src_reg = BPF_PSEUDO_MAP_VALUE;
	program[0].imm = map;
	program[1].imm = offset;
	program[2].code = BPF_ALU64 | BPF_MOV | BPF_K;
	program[2].imm = value;
	program[3].code = BPF_JMP | BPF_EXIT;
}

static void tag_is_of_instructions_without_maps(void **state)
{
	struct bpf_insn program[4];
	uint8_t old[SHA1_SIZE];
	struct digest new;

	(void)state;
	make_program(program, 0, 0, -1);
	sha1(program, sizeof(program), old);
	new = digest_of(program, sizeof(program));
	make_program(program, 5, 8, -1);
	assert_true(tag_is_of(old, program, 4));
	assert_true(tag_is_of(new.bytes, program, 4));
	make_program(program, 5, 8, -13);
	assert_false(tag_is_of(old, program, 4));
	assert_false(tag_is_of(new.bytes, program, 4));
}

static void make_call(struct bpf_insn program[2], int helper)
{
	memset(program, 0, 2 * sizeof(*program));
	program[0].code = BPF_JMP | BPF_CALL;
	program[0].imm = helper;
	program[1].code = BPF_JMP | BPF_EXIT;
}

/* libbpf may have taken one for the other, then or now. */
static void tag_is_of_either_read(void **state)
{
	struct bpf_insn program[2];
	uint8_t general[SHA1_SIZE], kernel[SHA1_SIZE];

	(void)state;
	make_call(program, BPF_FUNC_probe_read_str);
	sha1(program, sizeof(program), general);
	make_call(program, BPF_FUNC_probe_read_kernel_str);
	sha1(program, sizeof(program), kernel);
	assert_true(tag_is_of(general, program, 2));
	assert_true(tag_is_of(kernel, program, 2));
	make_call(program, BPF_FUNC_probe_read_str);
	assert_true(tag_is_of(general, program, 2));
	assert_true(tag_is_of(kernel, program, 2));
	make_call(program, BPF_FUNC_probe_read_user_str);
	assert_false(tag_is_of(general, program, 2));
	assert_false(tag_is_of(kernel, program, 2));
	make_call(program, BPF_FUNC_probe_read_kernel);
	assert_false(tag_is_of(kernel, program, 2));
}

/* A guard's: no note, one program, one map. */
static size_t make_record(uint8_t bytes[256])
{
	const uint32_t header[] = { 0x32727062, 0, 1, 1 };
	struct record_object object = { .id = 7 };
	size_t at = sizeof(header) + DIGEST_SIZE;

	memset(bytes, 0, 256);
	memcpy(bytes, header, sizeof(header));
	memcpy(bytes + at, &object, sizeof(object));
	object.id = 9;
	memcpy(bytes + at + sizeof(object), &object, sizeof(object));
	return at + 2 * sizeof(object);
}

static void record_is_read(void **state)
{
	struct record record = { 0 };
	uint8_t bytes[256];
	size_t size = make_record(bytes);

	(void)state;
	assert_int_equal(record_parse(bytes, size, false, &record), 0);
	assert_null(record.note);
	assert_int_equal(record.objects.program_count, 1);
	assert_int_equal(record.objects.objects[0].id, 7);
	assert_int_equal(record.objects.objects[1].id, 9);
	record_free(&record);
	assert_int_equal(record_parse(bytes, size, true, &record), -EBADMSG);
}

static void damaged_record_is_refused(void **state)
{
	struct record record = { 0 };
	uint8_t bytes[256];
	size_t size = make_record(bytes);

	(void)state;
	for (size_t cut = 0; cut < size; cut++)
		assert_int_equal(record_parse(bytes, cut, false, &record),
				 -EBADMSG);
	assert_int_equal(record_parse(bytes, size + 1, false, &record),
			 -EBADMSG);
	memset(bytes + 8, 0xff, 8); /* as many objects as can be said */
	assert_int_equal(record_parse(bytes, size, false, &record), -EBADMSG);
	make_record(bytes);
	bytes[0] ^= 1;
	assert_int_equal(record_parse(bytes, size, false, &record), -EBADMSG);
}

static void findings_are_said_once(void **state)
{
	struct findings found = { 0 };

	(void)state;
	assert_true(findings_are_none(&found));
	unseen(&found, "hooks");
	assert_true(findings_are_none(&found));
	differs(&found, "%d", 1);
	differs(&found, "%d", 1);
	differs(&found, "%d", 2);
	assert_int_equal(found.difference_count, 2);
	assert_false(findings_are_none(&found));
	findings_free(&found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha1_is_the_known_one),
		cmocka_unit_test(tag_is_of_instructions_without_maps),
		cmocka_unit_test(tag_is_of_either_read),
		cmocka_unit_test(record_is_read),
		cmocka_unit_test(damaged_record_is_refused),
		cmocka_unit_test(findings_are_said_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
