/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One source a policy: its ring, and the note that says what the numbers in an
 * event stand for.  An event is bytes from elsewhere: what does not fit the
 * note is left out and counted, and every text goes through bundle/text.h.
 */
#include "loader/log.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bundle/event.h"
#include "bundle/text.h"
#include "loader/cleanup.h"
#include "loader/home.h"
#include "loader/layout.h"
#include "loader/record.h"
#include "loader/report.h"

#define NS_PER_S  1000000000
#define POLL_MS	  500
#define TIME_SIZE 64
#define RULE_SIZE 512

struct source {
	struct stream *stream;
	struct record record;
	int ring;
	int drops;	  /* the map */
	uint64_t lost;	  /* as it was last shown */
	uint64_t strange; /* events that the note does not explain */
};

struct stream {
	FILE *out;
	enum log_format format;
	int64_t boot; /* when the machine came up, ns since 1970 */
	struct source *sources;
	int count;
	struct ring_buffer *rings;
};

static void free_stream(struct stream *stream)
{
	ring_buffer__free(stream->rings);
	for (int i = 0; i < stream->count; i++) {
		record_free(&stream->sources[i].record);
		close_fd(&stream->sources[i].ring);
		close_fd(&stream->sources[i].drops);
	}
	free(stream->sources);
}

/* A line is fields; which one is the first tells how it begins. */
static void begin_field(const struct stream *stream, const char *key,
			bool first)
{
	if (stream->format == LOG_JSON)
		fprintf(stream->out, "%c\"%s\":", first ? '{' : ',', key);
	else
		fprintf(stream->out, "%s%s=", first ? "" : " ", key);
}

static void put_text(const struct stream *stream, const char *key,
		     const char *value)
{
	begin_field(stream, key, false);
	if (stream->format == LOG_JSON)
		text_json(stream->out, value);
	else
		text_quoted(stream->out, value);
}

static void put_number(const struct stream *stream, const char *key,
		       uint64_t value)
{
	begin_field(stream, key, false);
	fprintf(stream->out, "%" PRIu64, value);
}

static void end_line(const struct stream *stream)
{
	fputs(stream->format == LOG_JSON ? "}\n" : "\n", stream->out);
}

/* The time first, then words that nobody but bpflock chose. */
static void begin_line(const struct source *source, const char *time,
		       const char *verdict, const char *protection,
		       const char *operation)
{
	const struct stream *stream = source->stream;
	const struct table *table = &source->record.note->table;

	if (stream->format == LOG_TEXT) {
		fprintf(stream->out, "%s %s %s.%s policy=%s", time, verdict,
			protection, operation, table->policy);
		return;
	}
	begin_field(stream, "time", true);
	fprintf(stream->out, "\"%s\"", time);
	put_text(stream, "verdict", verdict);
	put_text(stream, "protection", protection);
	put_text(stream, "operation", operation);
	put_text(stream, "policy", table->policy);
	put_number(stream, "version", table->version);
}

static void format_time(const struct stream *stream, uint64_t since_boot,
			char text[TIME_SIZE])
{
	int64_t ns = stream->boot + (int64_t)since_boot;
	time_t seconds = ns / NS_PER_S;
	struct tm utc;
	size_t len;

	gmtime_r(&seconds, &utc);
	len = strftime(text, TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text + len, TIME_SIZE - len, ".%03dZ",
		 (int)(ns % NS_PER_S / 1000000));
}

static void put_rule(const struct source *source,
		     const struct table_protection *protection,
		     const struct event *event)
{
	const struct table *table = &source->record.note->table;
	const struct table_statement *statement = table_decided_by(
		table, protection, event->class, event->operation);
	char rule[RULE_SIZE];

	if (!statement)
		return;
	snprintf(rule, sizeof(rule), "%s:%" PRIu32,
		 table->sources[statement->source], statement->line);
	put_text(source->stream, "rule", rule);
	if (statement->reason)
		put_text(source->stream, "because", statement->reason);
}

static void put_object(const struct stream *stream, const struct event *event)
{
	if (event->flags & EVENT_OBJECT_UNREAD)
		put_text(stream, "object_is", "unreadable");
	else if (event->object[0])
		put_text(stream, "object", event->object);
	if (event->flags & EVENT_OBJECT_CUT)
		put_text(stream, "object_is", "cut");
	else if (event->flags & EVENT_OBJECT_BASE)
		put_text(stream, "object_is", "last-part");
}

static void show_event(const struct source *source, const struct event *event)
{
	static const char *const verdicts[] = { "allow", "deny", "would-deny" };
	const struct stream *stream = source->stream;
	const struct table_protection *protection =
		&source->record.note->table.protections[event->protection];
	const char *cgroup = table_class_cgroup(protection, event->class);
	char time[TIME_SIZE];

	format_time(stream, event->time, time);
	begin_line(source, time, verdicts[event->verdict],
		   protection->protection->name,
		   protection->protection->operations[event->operation].name);
	put_text(stream, "place",
		 table_place_name(table_class_place(event->class)));
	if (cgroup)
		put_text(stream, "cgroup", cgroup);
	put_object(stream, event);
	put_text(stream, "comm", event->comm);
	put_number(stream, "pid", event->tgid);
	put_number(stream, "tid", event->pid);
	put_number(stream, "uid", event->uid);
	put_text(stream, "parent", event->parent_comm);
	put_number(stream, "ppid", event->ppid);
	put_number(stream, "cgroup_id", event->cgroup);
	put_rule(source, protection, event);
	end_line(stream);
}

/* Whether the note says what all its numbers stand for. */
static bool is_explained(const struct source *source, const struct event *event)
{
	const struct table *table = &source->record.note->table;
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

static int take_event(void *context, void *bytes, size_t size)
{
	struct source *source = context;
	struct event event;

	if (size >= sizeof(event))
		memcpy(&event, bytes, sizeof(event));
	if (size < sizeof(event) || !is_explained(source, &event)) {
		source->strange++;
		return 0;
	}
	event.comm[EVENT_COMM_SIZE - 1] = '\0';
	event.parent_comm[EVENT_COMM_SIZE - 1] = '\0';
	event.object[EVENT_OBJECT_SIZE - 1] = '\0';
	show_event(source, &event);
	return ferror(source->stream->out) ? -EPIPE : 0;
}

static int open_map(const char *policy, const char *name)
{
	char path[LAYOUT_PATH_SIZE];
	int err = layout_path(path, false, policy, LAYOUT_MAPS, name);
	int fd = err ? err : bpf_obj_get(path);

	return fd < 0 && !err ? -errno : fd;
}

/* 0, also for a policy that logs nothing: its source has no ring. */
static int open_source(struct stream *stream, const char *policy,
		       struct source *source)
{
	int err;

	source->stream = stream;
	source->drops = open_map(policy, EVENT_DROPS_MAP);
	source->ring = open_map(policy, EVENT_RING_MAP);
	err = record_read(policy, &source->record);
	if (err || source->ring == -ENOENT)
		return err;
	if (source->ring < 0)
		return source->ring;
	if (stream->rings)
		return ring_buffer__add(stream->rings, source->ring, take_event,
					source);
	stream->rings =
		ring_buffer__new(source->ring, take_event, source, NULL);
	return stream->rings ? 0 : -errno;
}

static int open_sources(struct stream *stream)
{
	struct dirent **names;
	int count = home_list(LAYOUT_HOME, home_is_policy, &names);
	int err = 0;

	if (count < 0) {
		report_refusal("this machine", "log",
			       LAYOUT_HOME " cannot be read: %s",
			       error_words(count));
		report_mend(count == -ENOENT ? "load a policy first"
					     : "run it as root");
		return count;
	}
	stream->sources = calloc((size_t)count + 1, sizeof(*stream->sources));
	if (!stream->sources)
		err = -ENOMEM;
	while (!err && stream->count < count) {
		const char *name = names[stream->count]->d_name;

		err = open_source(stream, name,
				  &stream->sources[stream->count++]);
		if (err)
			report_refusal(name, "log",
				       "its events cannot be read: %s",
				       error_words(err));
		if (err == -EPERM)
			report_mend("a policy denies bpf() to this process: "
				    "run it as one that may use bpf.obj_get "
				    "and bpf.other");
	}
	home_list_free(names, count);
	return err;
}

/* What was lost since it was last said. */
static void show_drops(struct stream *stream)
{
	for (int i = 0; i < stream->count; i++) {
		struct source *source = &stream->sources[i];
		const char *policy = source->record.note->table.policy;
		uint64_t lost = 0;
		uint32_t key = 0;

		if (source->drops >= 0)
			bpf_map_lookup_elem(source->drops, &key, &lost);
		lost += source->strange;
		if (lost == source->lost)
			continue;
		source->lost = lost;
		begin_field(stream, "lost", true);
		fprintf(stream->out, "%" PRIu64, lost);
		put_text(stream, "policy", policy);
		end_line(stream);
	}
}

static int64_t boot_time(void)
{
	struct timespec now, up;

	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &up);
	return (now.tv_sec - up.tv_sec) * (int64_t)NS_PER_S + now.tv_nsec -
	       up.tv_nsec;
}

int log_show(FILE *out, enum log_format format, bool follow)
{
	CLEANUP(free_stream)
	struct stream stream = { .out = out,
				 .format = format,
				 .boot = boot_time() };
	int err = open_sources(&stream);

	if (err)
		return err;
	err = stream.rings ? ring_buffer__consume(stream.rings) : 0;
	show_drops(&stream);
	while (err >= 0 && follow && stream.rings) {
		err = ring_buffer__poll(stream.rings, POLL_MS);
		show_drops(&stream);
		if (fflush(out))
			err = -EPIPE;
	}
	if (fflush(out))
		err = -EPIPE;
	return err < 0 ? err : 0;
}
