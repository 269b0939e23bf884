/* SPDX-License-Identifier: GPL-2.0-only */
/* What was encoded comes back; what is damaged does not, and says why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

#define OTHER_BUILD "it was made by another bpflockc: "

static uint8_t *encode(const struct note *note, size_t *size)
{
	void *bytes;

	assert_int_equal(note_encode(note, &bytes, size), 0);
	return bytes;
}

static void assert_decodes(const uint8_t *bytes, size_t size)
{
	struct note *note = NULL;
	const char *why = "";
	size_t again_size;
	void *again;
	int err;

	err = note_decode(bytes, size, &note, &why);
	assert_string_equal(why, "");
	assert_int_equal(err, 0);
	/* One encoding a table: so everything came back. */
	assert_int_equal(note_encode(note, &again, &again_size), 0);
	assert_int_equal(again_size, size);
	assert_memory_equal(again, bytes, size);
	free(again);
	note_free(note);
}

static void assert_refused(const void *bytes, size_t size, const char *reason)
{
	struct note *note = NULL;
	const char *why = NULL;

	assert_int_equal(note_decode(bytes, size, &note, &why), -EBADMSG);
	assert_null(note);
	assert_non_null(why);
	if (reason)
		assert_string_equal(why, reason);
}

static void test_round_trip(void **state)
{
	struct sample sample;
	const struct table_protection *usb;
	struct note *note;
	const char *why;
	size_t size;
	uint8_t *bytes;

	(void)state;
	sample_make(&sample);
	bytes = encode(&sample.note, &size);
	assert_int_equal(size % 4, 0);
	assert_decodes(bytes, size);
	assert_int_equal(note_decode(bytes, size, &note, &why), 0);
	free(bytes);
	assert_memory_equal(&note->source, &sample.note.source, DIGEST_SIZE);
	assert_memory_equal(&note->compiler, &sample.note.compiler,
			    DIGEST_SIZE);
	assert_string_equal(note->table.policy, "sample-1");
	assert_string_equal(note->table.description, "one of everything");
	assert_int_equal(note->table.version, 3);
	assert_true(note->table.locked);
	assert_false(note->table.audit);
	assert_int_equal(note->table.until, 20300630);
	assert_string_equal(note->table.sources[1], sample.sources[1]);
	assert_null(note->table.statements[0].reason);
	assert_string_equal(note->table.statements[1].reason,
			    sample.statements[1].reason);
	assert_int_equal(note->table.statements[1].line, 300);
	usb = &note->table.protections[1];
	assert_ptr_equal(usb->protection, &protections[PROTECTION_usb]);
	assert_int_equal(usb->profile, PROFILE_RESTRICTED);
	assert_int_equal(usb->log, LOG_NONE);
	assert_string_equal(usb->cgroups[2], "/a-b");
	assert_string_equal(usb->devices[1], "0951:1667");
	assert_memory_equal(usb->denied, sample.denied[1],
			    sizeof(sample.denied[1]));
	assert_memory_equal(usb->decided_by, sample.decided_by[1],
			    16 * sizeof(uint32_t));
	note_free(note);
	note_free(NULL);
}

static void test_without_options(void **state)
{
	struct sample sample;
	size_t size;
	uint8_t *bytes;

	(void)state;
	sample_make(&sample);
	sample.note.table.description = NULL;
	sample.note.table.version = 0;
	sample.note.table.locked = false;
	sample.note.table.audit = true;
	bytes = encode(&sample.note, &size);
	assert_decodes(bytes, size);
	free(bytes);
}

/* As large as a table gets, with no two cells alike. */
static void test_largest(void **state)
{
	enum { CGROUPS = TABLE_MAX_CLASSES / PLACE_COUNT - 1 };
	const struct protection *kind = &protections[TRACE_privileged];
	unsigned operations = protection_operation_count(kind);
	struct table_protection *row;
	struct sample sample;
	size_t size, cells = (size_t)TABLE_MAX_CLASSES * operations;
	uint8_t *bytes;

	(void)state;
	sample_make_simple(&sample);
	row = &sample.protections[0];
	row->protection = kind;
	row->profile = 0;
	row->cgroup_count = CGROUPS;
	row->cgroups = calloc(CGROUPS + 1, sizeof(*row->cgroups));
	row->denied = calloc(TABLE_MAX_CLASSES + 2, sizeof(*row->denied));
	row->logged = calloc(TABLE_MAX_CLASSES + 2, sizeof(*row->logged));
	row->decided_by =
		calloc(cells + 2 * operations, sizeof(*row->decided_by));
	for (unsigned i = 0; i <= CGROUPS; i++) {
		char *path = malloc(16);

		snprintf(path, 16, "/c%04u", i);
		row->cgroups[i] = path;
	}
	for (size_t i = 0; i < cells; i++)
		row->decided_by[i] = (uint32_t)(i % 3);
	bytes = encode(&sample.note, &size);
	assert_decodes(bytes, size);
	free(bytes);
	row->cgroup_count++;
	bytes = encode(&sample.note, &size);
	assert_refused(bytes, size, "its note has too many cgroups");
	free(bytes);
	for (unsigned i = 0; i <= CGROUPS; i++)
		free((char *)row->cgroups[i]);
	free(row->cgroups);
	free(row->denied);
	free(row->logged);
	free(row->decided_by);
}

static void test_cut_at_each_length(void **state)
{
	struct sample sample;
	size_t size;
	uint8_t *bytes;

	(void)state;
	sample_make(&sample);
	bytes = encode(&sample.note, &size);
	for (size_t cut = 0; cut < size; cut++) {
		/* A block of its own, so that ASan sees a read too far. */
		uint8_t *part = malloc(cut ? cut : 1);
		uint32_t description = (uint32_t)(cut - 20);

		memcpy(part, bytes, cut);
		assert_refused(part, cut, NULL);
		/* And where the header agrees with the length. */
		if (cut > 20 && cut % 4 == 0) {
			memcpy(part + 4, &description, 4);
			assert_refused(part, cut, NULL);
		}
		free(part);
	}
	free(bytes);
}

static void test_appended(void **state)
{
	struct sample sample;
	uint32_t description;
	size_t size;
	uint8_t *bytes;

	(void)state;
	sample_make(&sample);
	bytes = encode(&sample.note, &size);
	bytes = realloc(bytes, size + 4);
	memset(bytes + size, 0, 4);
	assert_refused(bytes, size + 4, "its note is not as long as it says");
	memcpy(&description, bytes + 4, 4);
	description += 4;
	memcpy(bytes + 4, &description, 4);
	assert_refused(bytes, size + 4, "its note goes on after its end");
	free(bytes);
}

/* Whatever one bit says: no crash, and what is taken is taken whole. */
static void test_each_bit(void **state)
{
	struct sample sample;
	struct note *note;
	const char *why;
	size_t size;
	uint8_t *bytes;

	(void)state;
	sample_make(&sample);
	bytes = encode(&sample.note, &size);
	for (size_t bit = 0; bit < size * 8; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (!note_decode(bytes, size, &note, &why)) {
			note_free(note);
			assert_decodes(bytes, size);
		}
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	free(bytes);
}

/* In the encoded bytes: all that @from is becomes @to, as long. */
static void assert_renamed_refused(const char *from, const char *to,
				   const char *reason)
{
	struct sample sample;
	size_t size;
	uint8_t *bytes, *found;

	sample_make(&sample);
	bytes = encode(&sample.note, &size);
	found = memmem(bytes, size, from, strlen(from));
	assert_non_null(found);
	memcpy(found, to, strlen(from));
	assert_refused(bytes, size, reason);
	free(bytes);
}

static void test_names(void **state)
{
	(void)state;
	assert_renamed_refused("kernel_modules", "kernel_modulez",
			       OTHER_BUILD
			       "it has a protection that is unknown here");
	assert_renamed_refused("autoload_module", "autoload_widget",
			       OTHER_BUILD "a protection has other operations");
	assert_renamed_refused(
		"caf\xc3\xa9", "caf\xc3\xc3",
		"its note has a string that is not UTF-8, or holds a NUL");
	assert_renamed_refused(
		"one of", "one\0of",
		"its note has a string that is not UTF-8, or holds a NUL");
	assert_renamed_refused("bpflock\0", "bpfl0ck\0",
			       "its note is not bpflock's");
}

/* Tables that no compiler makes: each row breaks one thing. */
static void no_policy_name(struct sample *sample)
{
	sample->note.table.policy = "";
}

static void path_for_name(struct sample *sample)
{
	sample->note.table.policy = "../x";
}

static void dash_at_end(struct sample *sample)
{
	sample->note.table.policy = "x-";
}

static void other_language(struct sample *sample)
{
	sample->note.table.language = 2;
}

static void large_version(struct sample *sample)
{
	sample->note.table.version = 1u << 31;
}

static void locked_without_version(struct sample *sample)
{
	sample->note.table.version = 0;
}

static void statement_of_no_source(struct sample *sample)
{
	sample->statements[2].source = 2;
}

static void statement_at_line_0(struct sample *sample)
{
	sample->statements[2].line = 0;
}

static void month_13(struct sample *sample)
{
	sample->statements[2].until = 20311301;
}

static void other_day(struct sample *sample)
{
	sample->note.table.until = 20310101;
}

static void no_protections(struct sample *sample)
{
	sample->note.table.protection_count = 0;
}

static void protection_twice(struct sample *sample)
{
	sample->protections[1] = sample->protections[0];
}

static void other_profile(struct sample *sample)
{
	sample->protections[0].profile = 3;
}

static void other_log(struct sample *sample)
{
	sample->protections[0].log = 3;
}

static void denied_beyond(struct sample *sample)
{
	sample->denied[0][0] = 1u << 6;
}

static void logged_beyond(struct sample *sample)
{
	sample->logged[2][1] = 2;
}

static void trace_denies(struct sample *sample)
{
	sample->denied[2][1] = 1;
}

static void decided_by_none(struct sample *sample)
{
	sample->decided_by[1][3] = 3;
}

static void relative_cgroup(struct sample *sample)
{
	sample->cgroups[0] = "a";
}

static void root_cgroup(struct sample *sample)
{
	sample->cgroups[0] = "/";
}

static void empty_cgroup(struct sample *sample)
{
	sample->cgroups[0] = "";
}

static void slash_at_end(struct sample *sample)
{
	sample->cgroups[2] = "/b/";
}

static void two_slashes(struct sample *sample)
{
	sample->cgroups[2] = "/b//c";
}

static void dot_cgroup(struct sample *sample)
{
	sample->cgroups[2] = "/b/.";
}

static void dots_cgroup(struct sample *sample)
{
	sample->cgroups[2] = "/b/../c";
}

static void cgroup_twice(struct sample *sample)
{
	sample->cgroups[1] = "/a";
}

static void cgroups_by_byte(struct sample *sample)
{
	sample->cgroups[1] = "/a-b";
	sample->cgroups[2] = "/a/b";
}

static void upper_case_device(struct sample *sample)
{
	sample->devices[0] = "095A:1666";
}

static void device_twice(struct sample *sample)
{
	sample->devices[1] = sample->devices[0];
}

static void devices_elsewhere(struct sample *sample)
{
	sample->protections[0].devices = sample->devices;
	sample->protections[0].device_count = 1;
}

static const struct {
	void (*break_it)(struct sample *sample);
	const char *reason;
} rows[] = {
	{ no_policy_name, "its note has a policy name that is none" },
	{ path_for_name, "its note has a policy name that is none" },
	{ dash_at_end, "its note has a policy name that is none" },
	{ other_language, OTHER_BUILD "its language is unknown here" },
	{ large_version, "its note has a version that is none" },
	{ locked_without_version, "its note is locked without a version" },
	{ statement_of_no_source, "its note has a statement without a place" },
	{ statement_at_line_0, "its note has a statement without a place" },
	{ month_13, "its note has a date that is none" },
	{ other_day, "its note has another day than its statements" },
	{ no_protections, "its note has no protections, or too many" },
	{ protection_twice, "its note has protections out of order" },
	{ other_profile, "its note has a profile or log that is none" },
	{ other_log, "its note has a profile or log that is none" },
	{ denied_beyond, "its note decides operations that there are not" },
	{ logged_beyond, "its note decides operations that there are not" },
	{ trace_denies, "its note decides operations that there are not" },
	{ decided_by_none, "its note names a statement that there is not" },
	{ relative_cgroup, "its note has a cgroup that is no absolute path" },
	{ root_cgroup, "its note has a cgroup that is no absolute path" },
	{ empty_cgroup, "its note has a cgroup that is no absolute path" },
	{ slash_at_end, "its note has a cgroup that is no absolute path" },
	{ two_slashes, "its note has a cgroup that is no absolute path" },
	{ dot_cgroup, "its note has a cgroup that is no absolute path" },
	{ dots_cgroup, "its note has a cgroup that is no absolute path" },
	{ cgroup_twice, "its note has cgroups out of order" },
	{ cgroups_by_byte, "its note has cgroups out of order" },
	{ upper_case_device, "its note has a device that is none" },
	{ device_twice, "its note has devices out of order" },
	{ devices_elsewhere, "its note has devices for what is not usb" },
};

static void test_inconsistent(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sample sample;
		size_t size;
		uint8_t *bytes;

		sample_make(&sample);
		rows[i].break_it(&sample);
		bytes = encode(&sample.note, &size);
		assert_refused(bytes, size, rows[i].reason);
		free(bytes);
	}
}

/* A component may have 255 bytes, not 256. */
static void test_long_cgroup(void **state)
{
	struct sample sample;
	char path[258] = "/b";
	size_t size;
	uint8_t *bytes;

	(void)state;
	sample_make(&sample);
	sample.cgroups[2] = path;
	memset(path + 1, 'b', 255);
	bytes = encode(&sample.note, &size);
	assert_decodes(bytes, size);
	free(bytes);
	path[256] = 'b';
	bytes = encode(&sample.note, &size);
	assert_refused(bytes, size,
		       "its note has a cgroup that is no absolute path");
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_without_options),
		cmocka_unit_test(test_largest),
		cmocka_unit_test(test_cut_at_each_length),
		cmocka_unit_test(test_appended),
		cmocka_unit_test(test_each_bit),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_inconsistent),
		cmocka_unit_test(test_long_cgroup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
