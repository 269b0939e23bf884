/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An event is bytes from elsewhere: its numbers are looked up in the note that
 * the policy came with, and every text that others chose goes through
 * bundle/text.h, so that none can forge a field or a line.
 */
#include "loader/format.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bundle/text.h"
#include "loader/cgroup_paths.h"
#include "loader/cleanup.h"
#include "loader/journal.h"

#define NS_PER_S  1000000000
#define TIME_SIZE 64

struct line {
	FILE *out;
	enum format format;
	bool begun;
};

static void put_key(struct line *line, const char *key)
{
	if (line->format == FORMAT_JSON)
		fprintf(line->out, "%c\"%s\":", line->begun ? ',' : '{', key);
	else
		fprintf(line->out, "%s%s=", line->begun ? " " : "", key);
	line->begun = true;
}

/* As a field of the journal, whose names are in capitals. */
static void put_entry(const struct line *line, const char *key,
		      const char *value)
{
	char name[TIME_SIZE] = "BPFLOCK_";
	size_t len = strlen(name);

	for (; *key && len < sizeof(name) - 1; key++)
		name[len++] = (char)toupper((unsigned char)*key);
	name[len] = '\0';
	journal_put(line->out, name, value);
}

static void put_text(struct line *line, const char *key, const char *value)
{
	if (line->format == FORMAT_JOURNAL) {
		put_entry(line, key, value);
		return;
	}
	put_key(line, key);
	(line->format == FORMAT_JSON ? text_json : text_quoted)(line->out,
								value);
}

static void put_number(struct line *line, const char *key, uint64_t value)
{
	char text[TIME_SIZE];

	if (line->format == FORMAT_JOURNAL) {
		snprintf(text, sizeof(text), "%" PRIu64, value);
		put_entry(line, key, text);
		return;
	}
	put_key(line, key);
	fprintf(line->out, "%" PRIu64, value);
}

static void end_line(const struct line *line)
{
	if (line->format != FORMAT_JOURNAL)
		fputs(line->format == FORMAT_JSON ? "}\n" : "\n", line->out);
}

static void format_time(int64_t boot, uint64_t since_boot, char text[TIME_SIZE])
{
	int64_t ns = boot + (int64_t)since_boot;
	time_t seconds = ns / NS_PER_S;
	struct tm utc;
	size_t len;

	gmtime_r(&seconds, &utc);
	len = strftime(text, TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text + len, TIME_SIZE - len, ".%03dZ",
		 (int)(ns % NS_PER_S / 1000000));
}

/* The time first, then words that nobody but bpflock chose. */
static void put_decision(struct line *line, const struct record *record,
			 const char *time, const char *verdict,
			 const char *protection, const char *operation)
{
	const struct table *table = &record->note->table;
	char hex[DIGEST_HEX_SIZE];

	if (line->format == FORMAT_TEXT) {
		fprintf(line->out, "%s %s %s.%s policy=%s version=%" PRIu32,
			time, verdict, protection, operation, table->policy,
			table->version);
		line->begun = true;
		return;
	}
	digest_to_hex(&record->bundle, hex);
	put_text(line, "time", time);
	put_text(line, "verdict", verdict);
	put_text(line, "protection", protection);
	put_text(line, "operation", operation);
	put_text(line, "policy", table->policy);
	put_number(line, "version", table->version);
	put_text(line, "digest", hex);
}

/* As people write it, "" where the family is none that programs tell of. */
static void write_address(const struct event *event, char *text, size_t size)
{
	struct event_address address;
	char number[INET6_ADDRSTRLEN];
	struct in6_addr v6;
	struct in_addr v4;
	uint64_t words[2];

	memcpy(&address, event->object, sizeof(address));
	*text = '\0';
	if (address.family == AF_INET) {
		v4.s_addr = htonl((uint32_t)address.low);
		if (inet_ntop(AF_INET, &v4, number, sizeof(number)))
			snprintf(text, size, "%s:%u", number, address.port);
	} else if (address.family == AF_INET6) {
		words[0] = htobe64(address.high);
		words[1] = htobe64(address.low);
		memcpy(&v6, words, sizeof(v6));
		if (inet_ntop(AF_INET6, &v6, number, sizeof(number)))
			snprintf(text, size, "[%s]:%u", number, address.port);
	}
}

static void write_socket(const struct event *event, char *text, size_t size)
{
	struct event_socket socket;

	memcpy(&socket, event->object, sizeof(socket));
	snprintf(text, size, "family %d, type %d, protocol %d", socket.family,
		 socket.type, socket.protocol);
}

static void put_object(struct line *line, const struct event *event)
{
	char text[EVENT_OBJECT_SIZE];
	static const struct {
		unsigned flag;
		const char *words;
	} flags[] = {
		{ EVENT_OBJECT_UNREAD, "unreadable" },
		{ EVENT_OBJECT_CUT, "cut" },
		{ EVENT_OBJECT_BASE, "last-part" },
	};

	if (event->flags & EVENT_OBJECT_ADDRESS)
		write_address(event, text, sizeof(text));
	else if (event->flags & EVENT_OBJECT_SOCKET)
		write_socket(event, text, sizeof(text));
	else
		memcpy(text, event->object, sizeof(text));
	if (*text && !(event->flags & EVENT_OBJECT_UNREAD))
		put_text(line, "object", text);
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		if (!(event->flags & flags[i].flag))
			continue;
		put_text(line, "object_is", flags[i].words);
		break;
	}
}

/* ---- trace exec ---- */

/* Its own field for each in text, where nothing else tells them apart. */
static void put_argument(struct line *line, unsigned number, const char *text)
{
	char key[TIME_SIZE];

	if (line->format == FORMAT_JSON) {
		if (number)
			putc(',', line->out);
		text_json(line->out, text);
		return;
	}
	snprintf(key, sizeof(key), "arg%u", number);
	put_text(line, key, text);
}

/* The last may be cut, and then has no NUL of its own. */
static void put_arguments(struct line *line, const struct event_exec *exec,
			  size_t size)
{
	char text[EVENT_ARGUMENTS_SIZE + 1] = { 0 };
	unsigned number = 0;

	if (size > exec->arguments_size)
		size = exec->arguments_size;
	memcpy(text, exec->arguments, size);
	if (line->format == FORMAT_JSON) {
		put_key(line, "args");
		putc('[', line->out);
	}
	for (size_t at = 0; at < size; at += strlen(text + at) + 1)
		put_argument(line, number++, text + at);
	if (line->format == FORMAT_JSON)
		putc(']', line->out);
	if (exec->flags & EVENT_ARGUMENTS_CUT)
		put_text(line, "args_is", "cut");
}

static void put_error(struct line *line, int error)
{
	const char *name = strerrorname_np(error);
	char number[TIME_SIZE];

	snprintf(number, sizeof(number), "%d", error);
	put_text(line, "error", name ? name : number);
}

/* What such an event has behind the rest; nothing where it is shorter. */
static void put_exec(struct line *line, const void *bytes, size_t size)
{
	struct event_exec exec = { 0 };

	if (size < EVENT_FAILED_EXEC_SIZE)
		return;
	if (size > sizeof(exec))
		size = sizeof(exec);
	memcpy(&exec, bytes, size);
	exec.script[EVENT_SCRIPT_SIZE - 1] = '\0';
	if (exec.script[0])
		put_text(line, "script", exec.script);
	if (exec.flags & EVENT_SCRIPT_UNREAD)
		put_text(line, "script_is", "unreadable");
	else if (exec.flags & EVENT_SCRIPT_CUT)
		put_text(line, "script_is", "cut");
	if (exec.error)
		put_error(line, exec.error);
	put_number(line, "argc", exec.argument_count);
	if (exec.flags & EVENT_ARGUMENTS_UNREAD)
		put_text(line, "args_is", "unreadable");
	else if (size > EVENT_FAILED_EXEC_SIZE)
		put_arguments(line, &exec, size - EVENT_FAILED_EXEC_SIZE);
}

/* ---- trace privileged ---- */

static void put_use(struct line *line, const void *bytes, size_t size)
{
	struct event_capability use;

	if (size < sizeof(use))
		return;
	memcpy(&use, bytes, sizeof(use));
	if (use.error)
		put_error(line, use.error);
	if (use.flags & EVENT_CAPABILITY_INNER)
		put_text(line, "user_namespace", "inner");
	put_number(line, "suppressed", use.suppressed);
}

/* Where its cgroup could not be told, the strictest of all decided, and that
 * may be another than the one of its place. */
static bool is_decided_by_class(const struct table_protection *protection,
				const struct event *event)
{
	bool denied = protection->denied[event->class] >> event->operation & 1;

	return !(event->flags & EVENT_CLASS_UNKNOWN) ||
	       denied == (event->verdict != EVENT_ALLOW);
}

static void put_rule(struct line *line, const struct table *table,
		     const struct table_protection *protection,
		     const struct event *event)
{
	const struct table_statement *statement = table_decided_by(
		table, protection, event->class, event->operation);
	CLEANUP(free_memory) char *rule = NULL;

	if (!statement || !is_decided_by_class(protection, event))
		return;
	/* However long the path: what is cut would be another rule. */
	if (asprintf(&rule, "%s:%" PRIu32, table->sources[statement->source],
		     statement->line) < 0) {
		rule = NULL;
		return;
	}
	put_text(line, "rule", rule);
	if (statement->reason)
		put_text(line, "because", statement->reason);
}

/* Whether the note says what all its numbers stand for. */
static bool is_explained(const struct table *table, const struct event *event)
{
	const struct table_protection *protection;

	if (event->version != EVENT_VERSION ||
	    event->protection >= table->protection_count ||
	    event->verdict > EVENT_WOULD_DENY)
		return false;
	protection = &table->protections[event->protection];
	return event->class < table_class_count(protection) &&
	       event->operation <
		       protection_operation_count(protection->protection);
}

bool format_read_event(const struct record *record, const void *bytes,
		       size_t size, struct event *event)
{
	if (size < sizeof(*event))
		return false;
	memcpy(event, bytes, sizeof(*event));
	event->comm[EVENT_COMM_SIZE - 1] = '\0';
	event->parent_comm[EVENT_COMM_SIZE - 1] = '\0';
	event->object[EVENT_OBJECT_SIZE - 1] = '\0';
	return is_explained(&record->note->table, event);
}

static void put_cgroup(struct line *line, uint64_t id, const char *path)
{
	char container[CONTAINER_ID_SIZE];

	put_number(line, "cgroup_id", id);
	if (!path)
		return;
	put_text(line, "cgroup_path", path);
	if (cgroup_container_id(path, container))
		put_text(line, "container_id", container);
}

int format_event(FILE *out, enum format format, const struct record *record,
		 int64_t boot, const struct format_names *names,
		 const void *bytes, size_t size)
{
	static const char *const verdicts[] = { "allow", "deny", "would-deny" };
	const struct table *table = &record->note->table;
	const struct table_protection *protection;
	struct line line = { .out = out, .format = format };
	struct event event;
	const char *cgroup;
	char time[TIME_SIZE];

	if (!format_read_event(record, bytes, size, &event))
		return -EBADMSG;
	protection = &table->protections[event.protection];
	cgroup = table_class_cgroup(protection, event.class);
	format_time(boot, event.time, time);
	put_decision(&line, record, time,
		     protection->protection->trace ? "traced"
						   : verdicts[event.verdict],
		     protection->protection->name,
		     protection->protection->operations[event.operation].name);
	put_text(&line, "place",
		 table_place_name(table_class_place(event.class)));
	if (event.flags & EVENT_CLASS_UNKNOWN)
		put_text(&line, "cgroup_is", "unknown");
	else if (cgroup)
		put_text(&line, "cgroup", cgroup);
	put_object(&line, &event);
	if (protection->protection->id == TRACE_exec)
		put_exec(&line, bytes, size);
	if (protection->protection->id == TRACE_privileged)
		put_use(&line, bytes, size);
	put_text(&line, "comm", event.comm);
	put_number(&line, "pid", event.pid);
	put_number(&line, "tgid", event.tgid);
	put_number(&line, "uid", event.uid);
	if (names->user)
		put_text(&line, "user", names->user);
	put_text(&line, "parent", event.parent_comm);
	put_number(&line, "ppid", event.ppid);
	put_cgroup(&line, event.cgroup, names->cgroup);
	put_rule(&line, table, protection, &event);
	end_line(&line);
	return 0;
}

void format_lost(FILE *out, enum format format, const char *policy,
		 uint64_t lost)
{
	struct line line = { .out = out, .format = format };

	put_number(&line, "lost", lost);
	put_text(&line, "policy", policy);
	end_line(&line);
}
