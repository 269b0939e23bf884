/* SPDX-License-Identifier: GPL-2.0-only */
/* Events as lines: every field, and no name that forges one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "loader/format.h"
#include "tests/unit/sample.h"

#define HEX8 "0707070707070707"
#define HEX  HEX8 HEX8 HEX8 HEX8

static const struct event an_event = {
	.version = EVENT_VERSION,
	.size = sizeof(struct event),
	.protection = 0,
	.operation = 0,
	.verdict = EVENT_DENY,
	.class = PLACE_CONTAINER,
	.uid = 1000,
	.time = 1500000000,
	.cgroup = 42,
	.pid = 77,
	.tgid = 76,
	.ppid = 75,
	.comm = "insmod",
	.parent_comm = "sh",
	.object = "/tmp/a.ko",
};

static const struct format_names no_names;

static char *format_named(void (*make)(struct sample *sample), enum format form,
			  const struct format_names *names, const void *event,
			  size_t size, int expected)
{
	struct record record = { .id = 1 };
	struct sample sample;
	char *made = NULL;
	size_t made_size;
	FILE *out = open_memstream(&made, &made_size);

	assert_non_null(out);
	make(&sample);
	record.note = &sample.note;
	memset(record.bundle.bytes, 7, DIGEST_SIZE);
	assert_int_equal(
		format_event(out, form, &record, 0, names, event, size),
		expected);
	fclose(out);
	return made;
}

static char *format_of(void (*make)(struct sample *sample), enum format form,
		       const void *event, size_t size, int expected)
{
	return format_named(make, form, &no_names, event, size, expected);
}

static char *format(enum format form, const struct event *event, size_t size,
		    int expected)
{
	return format_of(sample_make_simple, form, event, size, expected);
}

static void check(enum format form, const struct event *event,
		  const char *expected)
{
	char *made = format(form, event, sizeof(*event), 0);

	assert_string_equal(made, expected);
	free(made);
}

#define PATH_LEN 4000

static char long_path[PATH_LEN + 1];

static void make_with_long_path(struct sample *sample)
{
	sample_make_simple(sample);
	memset(long_path, 'a', PATH_LEN);
	sample->sources[0] = sample->sources[1] = long_path;
}

/* What is cut would be another rule. */
static void says_the_rule_whole(void **state)
{
	char *made = format_of(make_with_long_path, FORMAT_LOGFMT, &an_event,
			       sizeof(an_event), 0);
	const char *rule = strstr(made, " rule=\"");

	(void)state;
	assert_non_null(rule);
	rule += strlen(" rule=\"");
	assert_int_equal(strspn(rule, "a"), PATH_LEN);
	assert_int_equal(rule[PATH_LEN], ':');
	assert_int_equal(strspn(rule + PATH_LEN + 1, "0123456789"), 1);
	free(made);
}

static void says_everything(void **state)
{
	(void)state;
	check(FORMAT_JSON, &an_event,
	      "{\"time\":\"1970-01-01T00:00:01.500Z\",\"verdict\":\"deny\","
	      "\"protection\":\"kernel_modules\","
	      "\"operation\":\"load_module\",\"policy\":\"sample-1\","
	      "\"version\":3,\"digest\":\"" HEX "\","
	      "\"place\":\"container\",\"object\":\"/tmp/a.ko\","
	      "\"comm\":\"insmod\",\"pid\":77,\"tgid\":76,\"uid\":1000,"
	      "\"parent\":\"sh\",\"ppid\":75,\"cgroup_id\":42,"
	      "\"rule\":\"sample.bpflock:7\"}\n");
	check(FORMAT_LOGFMT, &an_event,
	      "time=\"1970-01-01T00:00:01.500Z\" verdict=\"deny\" "
	      "protection=\"kernel_modules\" operation=\"load_module\" "
	      "policy=\"sample-1\" version=3 digest=\"" HEX "\" "
	      "place=\"container\" object=\"/tmp/a.ko\" comm=\"insmod\" "
	      "pid=77 tgid=76 uid=1000 parent=\"sh\" ppid=75 cgroup_id=42 "
	      "rule=\"sample.bpflock:7\"\n");
	check(FORMAT_TEXT, &an_event,
	      "1970-01-01T00:00:01.500Z deny kernel_modules.load_module "
	      "policy=sample-1 version=3 place=\"container\" "
	      "object=\"/tmp/a.ko\" comm=\"insmod\" pid=77 tgid=76 uid=1000 "
	      "parent=\"sh\" ppid=75 cgroup_id=42 "
	      "rule=\"sample.bpflock:7\"\n");
}

#define ID_16 "0123456789abcdef"
#define ID    ID_16 ID_16 ID_16 ID_16

static void check_names(enum format form, const char *user, const char *cgroup,
			const char *expected)
{
	const struct format_names names = { user, cgroup };
	char *made = format_named(sample_make_simple, form, &names, &an_event,
				  sizeof(an_event), 0);

	if (!strstr(made, expected))
		fail_msg("'%s' does not say '%s'", made, expected);
	free(made);
}

static void says_what_the_numbers_stand_for(void **state)
{
	(void)state;
	check_names(FORMAT_TEXT, "daemon", "/system.slice",
		    " uid=1000 user=\"daemon\" parent=\"sh\" ppid=75 "
		    "cgroup_id=42 cgroup_path=\"/system.slice\" rule=");
	check_names(FORMAT_LOGFMT, "a\" uid=0\n\x1b", "/x\ny",
		    " user=\"a\\\" uid=0\\x0a\\x1b\" parent=\"sh\" ppid=75 "
		    "cgroup_id=42 cgroup_path=\"/x\\x0ay\" rule=");
	check_names(FORMAT_JSON, NULL, "/docker-" ID ".scope",
		    "\"uid\":1000,\"parent\":\"sh\",\"ppid\":75,"
		    "\"cgroup_id\":42,\"cgroup_path\":\"/docker-" ID
		    ".scope\",\"container_id\":\"" ID "\",\"rule\"");
}

static void fills_an_entry_of_the_journal(void **state)
{
	struct event event = an_event;
	char *made;

	(void)state;
	strcpy(event.object, "a\nBPFLOCK_UID=0");
	made = format(FORMAT_JOURNAL, &event, sizeof(event), 0);
	assert_ptr_equal(strstr(made, "BPFLOCK_TIME=1970-01-01T00:00:01.500Z\n"
				      "BPFLOCK_VERDICT=deny\n"
				      "BPFLOCK_PROTECTION=kernel_modules\n"
				      "BPFLOCK_OPERATION=load_module\n"
				      "BPFLOCK_POLICY=sample-1\n"
				      "BPFLOCK_VERSION=3\n"
				      "BPFLOCK_DIGEST=" HEX "\n"
				      "BPFLOCK_PLACE=container\n"
				      "BPFLOCK_OBJECT\n\x0f"),
			 made);
	free(made);
}

static void names_forge_nothing(void **state)
{
	static const char *const names[] = {
		"a\" uid=0\nlost=7", "a\\",	     "\x1b[2J\r",
		"\xe2\x80\xae",	     "\xff\xfe\xc3", "\xe2\x80\xa8\xc2\x9b\x7f",
	};

	(void)state;
	for (size_t i = 0; i < 3 * sizeof(names) / sizeof(*names); i++) {
		struct event event = an_event;
		char *made;

		strcpy(event.object, names[i / 3]);
		strcpy(event.comm, names[(i / 3 + 1) % 4]);
		strcpy(event.parent_comm, names[(i / 3 + 2) % 4]);
		made = format((enum format)(i % 3), &event, sizeof(event), 0);
		assert_ptr_equal(strchr(made, '\n'), made + strlen(made) - 1);
		for (const char *at = made; at[1]; at++)
			assert_true((unsigned char)*at >= 0x20 && *at != 0x7f);
		assert_null(strstr(made, "\xe2\x80\xae"));
		assert_null(strstr(made, "a\" uid=0"));
		free(made);
	}
}

static void says_what_of_the_object(void **state)
{
	static const struct {
		unsigned flags;
		const char *object, *words;
	} rows[] = {
		{ 0, "", "place=\"container\" comm" },
		{ EVENT_OBJECT_CUT, "/a", "object=\"/a\" object_is=\"cut\"" },
		{ EVENT_OBJECT_BASE, "a",
		  "object=\"a\" object_is=\"last-part\"" },
		{ EVENT_OBJECT_UNREAD, "x",
		  "place=\"container\" object_is=\"unreadable\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct event event = an_event;
		char *made;

		event.flags = (uint8_t)rows[i].flags;
		strcpy(event.object, rows[i].object);
		made = format(FORMAT_LOGFMT, &event, sizeof(event), 0);
		assert_non_null(strstr(made, rows[i].words));
		free(made);
	}
}

/* Of another family, or none: no object, rather than a false one. */
static void writes_addresses_and_sockets(void **state)
{
	static const struct {
		struct event_address address;
		const char *words;
	} addresses[] = {
		{ { .family = AF_INET, .port = 443, .low = 0x0a010203 },
		  " object=\"10.1.2.3:443\" comm" },
		{ { .family = AF_INET6,
		    .port = 65535,
		    .high = UINT64_C(0x20010db800000000),
		    .low = 1 },
		  " object=\"[2001:db8::1]:65535\" comm" },
		{ { .family = AF_INET6, .low = UINT64_C(0xffff0a010203) },
		  " object=\"[::ffff:10.1.2.3]:0\" comm" },
		{ { .family = AF_UNIX, .port = 1 },
		  "place=\"container\" comm" },
	};
	const struct event_socket asked = { AF_INET, -1, 1 };
	struct event event = an_event;
	char *made;

	(void)state;
	memset(event.object, 'x', sizeof(event.object));
	event.flags = EVENT_OBJECT_ADDRESS;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
		memcpy(event.object, &addresses[i].address,
		       sizeof(addresses[i].address));
		made = format(FORMAT_LOGFMT, &event, sizeof(event), 0);
		assert_non_null(strstr(made, addresses[i].words));
		free(made);
	}
	event.flags = EVENT_OBJECT_SOCKET;
	memcpy(event.object, &asked, sizeof(asked));
	made = format(FORMAT_LOGFMT, &event, sizeof(event), 0);
	assert_non_null(
		strstr(made, " object=\"family 2, type -1, protocol 1\" comm"));
	free(made);
}

static void says_that_the_class_is_unknown(void **state)
{
	struct event event = an_event;
	char *made;

	(void)state;
	event.flags = EVENT_CLASS_UNKNOWN;
	made = format(FORMAT_LOGFMT, &event, sizeof(event), 0);
	assert_non_null(strstr(made, " cgroup_is=\"unknown\" "));
	assert_non_null(strstr(made, " rule="));
	free(made);
	event.class = PLACE_HOST; /* which the sample allows */
	made = format(FORMAT_LOGFMT, &event, sizeof(event), 0);
	assert_null(strstr(made, " rule="));
	free(made);
}

/* ---- trace exec ---- */

static struct event_exec an_exec(const char *arguments, size_t size)
{
	struct event_exec exec = { .event = an_event,
				   .arguments_size = (uint32_t)size };

	exec.event.protection = 2;
	exec.event.verdict = EVENT_ALLOW;
	exec.event.class = PLACE_HOST;
	memcpy(exec.arguments, arguments, size);
	return exec;
}

static void check_exec(enum format form, const struct event_exec *exec,
		       size_t size, const char *words)
{
	char *made = format_of(sample_make, form, exec, size, 0);

	if (!strstr(made, words))
		fail_msg("'%s' does not say '%s'", made, words);
	free(made);
}

static void tells_arguments_apart(void **state)
{
	static const char arguments[] = "sh\0-c\0a\nb\" arg9=\"\0";
	struct event_exec exec = an_exec(arguments, sizeof(arguments));

	(void)state;
	exec.argument_count = 4;
	strcpy(exec.script, "./x.sh");
	check_exec(FORMAT_TEXT, &exec, sizeof(exec),
		   "Z traced exec.exec policy=");
	check_exec(FORMAT_TEXT, &exec, sizeof(exec),
		   " object=\"/tmp/a.ko\" script=\"./x.sh\" argc=4 "
		   "arg0=\"sh\" arg1=\"-c\" "
		   "arg2=\"a\\x0ab\\\" arg9=\\\"\" arg3=\"\" comm=");
	check_exec(FORMAT_LOGFMT, &exec, sizeof(exec),
		   " argc=4 arg0=\"sh\" arg1=\"-c\" "
		   "arg2=\"a\\x0ab\\\" arg9=\\\"\" arg3=\"\" comm=");
	check_exec(FORMAT_JSON, &exec, sizeof(exec),
		   ",\"script\":\"./x.sh\",\"argc\":4,\"args\":[\"sh\",\"-c\","
		   "\"a\\u000ab\\\" arg9=\\\"\",\"\"],\"comm\":");
	check_exec(FORMAT_JSON, &exec, sizeof(exec),
		   "\"verdict\":\"traced\",\"protection\":\"exec\"");
}

static void says_what_of_an_exec_is_missing(void **state)
{
	struct event_exec exec = an_exec("ab\0cd", 5);

	(void)state;
	exec.argument_count = 3;
	exec.flags = EVENT_ARGUMENTS_CUT;
	check_exec(FORMAT_JSON, &exec, sizeof(exec),
		   "\"args\":[\"ab\",\"cd\"],\"args_is\":\"cut\"");
	exec.flags = EVENT_ARGUMENTS_UNREAD | EVENT_SCRIPT_UNREAD;
	check_exec(FORMAT_LOGFMT, &exec, sizeof(exec),
		   " script_is=\"unreadable\" argc=3 args_is=\"unreadable\" "
		   "comm=");
	exec.flags = EVENT_SCRIPT_CUT;
	exec.arguments_size = UINT32_MAX;
	memset(exec.script, 's', sizeof(exec.script));
	memset(exec.arguments, 'a', sizeof(exec.arguments));
	check_exec(FORMAT_LOGFMT, &exec, sizeof(exec),
		   "s\" script_is=\"cut\" argc=3 arg0=\"aaa");
	exec.arguments_size = 0;
	check_exec(FORMAT_JSON, &exec, sizeof(exec), "\"args\":[],\"comm\"");
}

static void says_why_an_exec_failed(void **state)
{
	struct event_exec exec = an_exec("", 0);

	(void)state;
	exec.error = ENOEXEC;
	exec.argument_count = 2;
	check_exec(FORMAT_JSON, &exec, EVENT_FAILED_EXEC_SIZE,
		   "\"error\":\"ENOEXEC\",\"argc\":2,\"comm\"");
	exec.error = 4095;
	check_exec(FORMAT_LOGFMT, &exec, EVENT_FAILED_EXEC_SIZE,
		   " error=\"4095\" argc=2 comm=");
	/* of a bundle that knows no more */
	check_exec(FORMAT_LOGFMT, &exec, sizeof(exec.event),
		   " object=\"/tmp/a.ko\" comm=");
}

/* ---- trace privileged ---- */

static void make_privileged(struct sample *sample)
{
	sample_make(sample);
	sample->protections[2].protection = &protections[TRACE_privileged];
}

static void check_use(enum format form, const struct event_capability *use,
		      size_t size, const char *words)
{
	char *made = format_of(make_privileged, form, use, size, 0);

	if (!strstr(made, words))
		fail_msg("'%s' does not say '%s'", made, words);
	free(made);
}

static void says_how_a_capability_was_used(void **state)
{
	struct event_capability use = { .event = an_event, .suppressed = 199 };

	(void)state;
	use.event.protection = 2;
	use.event.operation = OP_BIT(privileged, cap_checkpoint_restore);
	use.event.verdict = EVENT_ALLOW;
	use.event.class = PLACE_HOST;
	use.event.object[0] = '\0';
	check_use(FORMAT_TEXT, &use, sizeof(use),
		  "Z traced privileged.cap_checkpoint_restore policy=");
	check_use(FORMAT_JSON, &use, sizeof(use),
		  "\"place\":\"host\",\"suppressed\":199,\"comm\":");
	use.error = EPERM;
	use.flags = EVENT_CAPABILITY_INNER;
	check_use(FORMAT_LOGFMT, &use, sizeof(use),
		  " error=\"EPERM\" user_namespace=\"inner\" "
		  "suppressed=199 comm=");
	/* of a bundle that knows no more */
	check_use(FORMAT_LOGFMT, &use, sizeof(use.event),
		  " place=\"host\" comm=");
}

static void strings_end_in_their_field(void **state)
{
	struct event event = an_event;
	char *made;

	(void)state;
	memset(event.comm, 'c', sizeof(event.comm));
	memset(event.parent_comm, 'p', sizeof(event.parent_comm));
	memset(event.object, 'o', sizeof(event.object));
	made = format(FORMAT_LOGFMT, &event, sizeof(event), 0);
	assert_non_null(strstr(made, " comm=\"ccccccccccccccc\" "));
	assert_non_null(strstr(made, " parent=\"ppppppppppppppp\" "));
	free(made);
}

static void refuses_what_the_note_does_not_explain(void **state)
{
	struct event events[] = { an_event, an_event, an_event, an_event,
				  an_event };
	char *made;

	(void)state;
	events[0].version++;
	events[1].protection = 1;
	events[2].operation = 63;
	events[3].verdict = EVENT_WOULD_DENY + 1;
	events[4].class = 2;
	for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++) {
		made = format(FORMAT_JSON, &events[i], sizeof(*events),
			      -EBADMSG);
		assert_string_equal(made, "");
		free(made);
	}
	made = format(FORMAT_JSON, &an_event, sizeof(an_event) - 1, -EBADMSG);
	assert_string_equal(made, "");
	free(made);
}

static void says_what_was_lost(void **state)
{
	char *made = NULL;
	size_t size;
	FILE *out = open_memstream(&made, &size);

	(void)state;
	assert_non_null(out);
	format_lost(out, FORMAT_JSON, "edge", UINT64_MAX);
	format_lost(out, FORMAT_TEXT, "edge", 2);
	fclose(out);
	assert_string_equal(made,
			    "{\"lost\":18446744073709551615,"
			    "\"policy\":\"edge\"}\nlost=2 policy=\"edge\"\n");
	free(made);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_everything),
		cmocka_unit_test(says_the_rule_whole),
		cmocka_unit_test(says_what_the_numbers_stand_for),
		cmocka_unit_test(fills_an_entry_of_the_journal),
		cmocka_unit_test(names_forge_nothing),
		cmocka_unit_test(says_what_of_the_object),
		cmocka_unit_test(writes_addresses_and_sockets),
		cmocka_unit_test(says_that_the_class_is_unknown),
		cmocka_unit_test(tells_arguments_apart),
		cmocka_unit_test(says_what_of_an_exec_is_missing),
		cmocka_unit_test(says_why_an_exec_failed),
		cmocka_unit_test(says_how_a_capability_was_used),
		cmocka_unit_test(strings_end_in_their_field),
		cmocka_unit_test(refuses_what_the_note_does_not_explain),
		cmocka_unit_test(says_what_was_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
