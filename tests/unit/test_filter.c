/* SPDX-License-Identifier: GPL-2.0-only */
/* Filters: which words there are, and which events they take. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "loader/filter.h"
#include "tests/unit/sample.h"

struct word {
	enum filter_kind kind;
	const char *text;
};

static void only_known_words_are_taken(void **state)
{
	static const struct {
		struct word word;
		int result;
	} rows[] = {
		{ { FILTER_VERDICT, "denied" }, 0 },
		{ { FILTER_VERDICT, "would-deny" }, 0 },
		{ { FILTER_VERDICT, "allowed" }, 0 },
		{ { FILTER_VERDICT, "traced" }, 0 },
		{ { FILTER_VERDICT, "deny" }, -EINVAL },
		{ { FILTER_VERDICT, "" }, -EINVAL },
		{ { FILTER_PROTECTION, "bpf" }, 0 },
		{ { FILTER_PROTECTION, "exec" }, 0 },
		{ { FILTER_PROTECTION, "bpf.map_create" }, 0 },
		{ { FILTER_PROTECTION, "bpf.prog_load" }, 0 },
		{ { FILTER_PROTECTION, "sysfs.write" }, 0 },
		{ { FILTER_PROTECTION, "bp" }, -EINVAL },
		{ { FILTER_PROTECTION, "bpff" }, -EINVAL },
		{ { FILTER_PROTECTION, "bpf." }, -EINVAL },
		{ { FILTER_PROTECTION, "bpf.*" }, -EINVAL },
		{ { FILTER_PROTECTION, "bpf.map" }, -EINVAL },
		{ { FILTER_PROTECTION, "bpf.load_module" }, -EINVAL },
		{ { FILTER_PROTECTION, ".map_create" }, -EINVAL },
		{ { FILTER_PROTECTION, "" }, -EINVAL },
		{ { FILTER_CGROUP, "/" }, 0 },
		{ { FILTER_CGROUP, "/a" }, 0 },
		{ { FILTER_CGROUP, "/a/..b/.c" }, 0 },
		{ { FILTER_CGROUP, "" }, -EINVAL },
		{ { FILTER_CGROUP, "a" }, -EINVAL },
		{ { FILTER_CGROUP, "/a/" }, -EINVAL },
		{ { FILTER_CGROUP, "//a" }, -EINVAL },
		{ { FILTER_CGROUP, "/a//b" }, -EINVAL },
		{ { FILTER_CGROUP, "/a/./b" }, -EINVAL },
		{ { FILTER_CGROUP, "/a/.." }, -EINVAL },
		{ { FILTER_POLICY, "whatever" }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct filter filter = { 0 };
		int result = filter_add(&filter, rows[i].word.kind,
					rows[i].word.text);

		if (result != rows[i].result)
			fail_msg("'%s' gives %d", rows[i].word.text, result);
		filter_free(&filter);
	}
}

#define WORDS 4

struct row {
	struct word words[WORDS];
	enum filter_answer answer;
};

static void check(const struct table *table, const struct event *event,
		  const char *cgroup, const struct row *row)
{
	struct filter filter = { 0 };

	for (size_t i = 0; i < WORDS && row->words[i].text; i++)
		assert_int_equal(filter_add(&filter, row->words[i].kind,
					    row->words[i].text),
				 0);
	if (filter_ask(&filter, table, event, cgroup) != row->answer)
		fail_msg("'%s'... is not %d", row->words[0].text, row->answer);
	filter_free(&filter);
}

#define CHECK(table, event, cgroup, rows)                                 \
	do {                                                              \
		for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) \
			check(table, event, cgroup, &(rows)[i]);          \
	} while (0)

#define YES FILTER_YES
#define NO  FILTER_NO

static void kinds_are_all_asked_and_words_one_by_one(void **state)
{
	static const struct row rows[] = {
		{ { { 0 } }, YES },
		{ { { FILTER_POLICY, "sample-1" } }, YES },
		{ { { FILTER_POLICY, "sample" } }, NO },
		{ { { FILTER_POLICY, "sample-12" } }, NO },
		{ { { FILTER_POLICY, "a" }, { FILTER_POLICY, "sample-1" } },
		  YES },
		{ { { FILTER_PROTECTION, "kernel_modules" } }, YES },
		{ { { FILTER_PROTECTION, "kernel_modules.load_module" } },
		  YES },
		{ { { FILTER_PROTECTION, "kernel_modules.autoload_module" } },
		  NO },
		{ { { FILTER_PROTECTION, "kernel_image.unsigned_module" } },
		  NO },
		{ { { FILTER_PROTECTION, "bpf" },
		    { FILTER_PROTECTION, "kernel_modules" } },
		  YES },
		{ { { FILTER_VERDICT, "denied" } }, YES },
		{ { { FILTER_VERDICT, "allowed" } }, NO },
		{ { { FILTER_VERDICT, "would-deny" } }, NO },
		{ { { FILTER_VERDICT, "traced" } }, NO },
		{ { { FILTER_VERDICT, "allowed" },
		    { FILTER_VERDICT, "denied" } },
		  YES },
		{ { { FILTER_CGROUP, "/" } }, YES },
		{ { { FILTER_CGROUP, "/a" } }, YES },
		{ { { FILTER_CGROUP, "/a/b" } }, YES },
		{ { { FILTER_CGROUP, "/a/b/c" } }, NO },
		{ { { FILTER_CGROUP, "/a/bc" } }, NO },
		{ { { FILTER_CGROUP, "/a/"
				     "x" },
		    { FILTER_CGROUP, "/a" } },
		  YES },
		{ { { FILTER_POLICY, "sample-1" },
		    { FILTER_PROTECTION, "kernel_modules" },
		    { FILTER_VERDICT, "denied" },
		    { FILTER_CGROUP, "/a/b" } },
		  YES },
		{ { { FILTER_POLICY, "other" },
		    { FILTER_PROTECTION, "kernel_modules" },
		    { FILTER_VERDICT, "denied" },
		    { FILTER_CGROUP, "/a/b" } },
		  NO },
		{ { { FILTER_POLICY, "sample-1" },
		    { FILTER_PROTECTION, "kernel_modules" },
		    { FILTER_VERDICT, "denied" },
		    { FILTER_CGROUP, "/b" } },
		  NO },
	};
	const struct event event = { .verdict = EVENT_DENY };
	struct sample sample;

	(void)state;
	sample_make_simple(&sample);
	CHECK(&sample.note.table, &event, "/a/b", rows);
}

/* The sample's trace. */
static void what_is_traced_is_not_allowed(void **state)
{
	static const struct row rows[] = {
		{ { { FILTER_VERDICT, "traced" } }, YES },
		{ { { FILTER_VERDICT, "allowed" } }, NO },
		{ { { FILTER_PROTECTION, "exec.exec" } }, YES },
	};
	const struct event event = { .protection = 2, .verdict = EVENT_ALLOW };
	struct sample sample;

	(void)state;
	sample_make(&sample);
	CHECK(&sample.note.table, &event, "/", rows);
}

#define UNKNOWN FILTER_UNKNOWN

/* The sample's usb names /a, /a/b and /a-b; this is in the second. */
static void a_cgroup_that_is_gone_may_be_known_by_its_policy(void **state)
{
	static const struct row rows[] = {
		{ { { FILTER_CGROUP, "/" } }, YES },
		{ { { FILTER_CGROUP, "/a" } }, YES },
		{ { { FILTER_CGROUP, "/a/b" } }, YES },
		{ { { FILTER_CGROUP, "/a/b/c" } }, UNKNOWN },
		{ { { FILTER_CGROUP, "/a-b" } }, NO },
		{ { { FILTER_CGROUP, "/c" } }, NO },
		{ { { FILTER_CGROUP, "/c" }, { FILTER_CGROUP, "/a/b/c" } },
		  UNKNOWN },
		{ { { FILTER_CGROUP, "/a/b/c" }, { FILTER_VERDICT, "denied" } },
		  UNKNOWN },
		{ { { FILTER_CGROUP, "/a/b/c" },
		    { FILTER_VERDICT, "allowed" } },
		  NO },
	};
	static const struct row lost[] = {
		{ { { FILTER_CGROUP, "/" } }, YES },
		{ { { FILTER_CGROUP, "/a" } }, UNKNOWN },
		{ { { FILTER_CGROUP, "/c" } }, UNKNOWN },
	};
	struct event event = {
		.protection = 1,
		.verdict = EVENT_DENY,
		.class = PLACE_CONTAINER + PLACE_COUNT * 2,
	};
	struct sample sample;

	(void)state;
	sample_make(&sample);
	CHECK(&sample.note.table, &event, NULL, rows);
	event.flags = EVENT_CLASS_UNKNOWN;
	CHECK(&sample.note.table, &event, NULL, lost);
}

static void named_policies_have_to_be_there(void **state)
{
	const struct table one = { .policy = "one" }, two = { .policy = "two" };
	const struct table *const loaded[] = { &one, &two };
	struct filter filter = { 0 };

	(void)state;
	assert_true(filter_shows_policy(&filter, "three"));
	assert_int_equal(filter_check(&filter, loaded, 2), 0);
	assert_int_equal(filter_add(&filter, FILTER_VERDICT, "denied"), 0);
	assert_int_equal(filter_check(&filter, loaded, 2), 0);
	assert_true(filter_shows_policy(&filter, "three"));
	assert_int_equal(filter_add(&filter, FILTER_POLICY, "two"), 0);
	assert_int_equal(filter_check(&filter, loaded, 2), 0);
	assert_int_equal(filter_check(&filter, loaded, 1), -ENOENT);
	assert_true(filter_shows_policy(&filter, "two"));
	assert_false(filter_shows_policy(&filter, "one"));
	filter_free(&filter);
}

static void destinations_are_known_by_the_policies(void **state)
{
	static const struct row rows[] = {
		{ { { FILTER_PROTECTION, "network.mail" } }, YES },
		{ { { FILTER_PROTECTION, "network" } }, YES },
		{ { { FILTER_PROTECTION, "network.inside" } }, NO },
		{ { { FILTER_PROTECTION, "network.connect" } }, NO },
		{ { { FILTER_PROTECTION, "bpf" } }, NO },
	};
	const struct event event = {
		.verdict = EVENT_DENY,
		.operation = 15,
		.class = PLACE_CONTAINER,
	};
	struct filter filter = { 0 };
	const struct table *loaded[2];
	struct sample sample, other;

	(void)state;
	sample_make_network(&sample);
	sample_make(&other);
	loaded[0] = &other.note.table;
	loaded[1] = &sample.note.table;
	CHECK(&sample.note.table, &event, NULL, rows);
	assert_int_equal(filter_add(&filter, FILTER_PROTECTION, "network.mail"),
			 0);
	assert_int_equal(filter_check(&filter, loaded, 2), 0);
	assert_int_equal(filter_check(&filter, loaded, 1), -ENOENT);
	assert_int_equal(filter_add(&filter, FILTER_PROTECTION, "network.male"),
			 0);
	assert_int_equal(filter_check(&filter, loaded, 2), -ENOENT);
	filter_free(&filter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_known_words_are_taken),
		cmocka_unit_test(kinds_are_all_asked_and_words_one_by_one),
		cmocka_unit_test(what_is_traced_is_not_allowed),
		cmocka_unit_test(
			a_cgroup_that_is_gone_may_be_known_by_its_policy),
		cmocka_unit_test(named_policies_have_to_be_there),
		cmocka_unit_test(destinations_are_known_by_the_policies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
