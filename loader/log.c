/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One source a load of a policy, known by its record's map.  A source holds
 * its ring open: a policy that was replaced or unloaded is read to its end, and
 * let go one look at the folder later, when no program can write any more.
 *
 * A policy that is asked all the time may write faster than this reads, so each
 * ring has its turn of some events: then come the others, and policies that are
 * new.  Without .follow the end is what a ring can hold.
 *
 * A signal waits until the event in hand is written, so none is lost by it.
 * One that the filter does not take is gone from the ring all the same.
 */
#include "loader/log.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "loader/cgroup_paths.h"
#include "loader/cleanup.h"
#include "loader/home.h"
#include "loader/journal.h"
#include "loader/layout.h"
#include "loader/people.h"
#include "loader/pinned.h"
#include "loader/report.h"
#include "loader/visit.h"

#define NS_PER_S INT64_C(1000000000)
#define LOOK_MS	 200 /* from one look at the folder to the next */
#define GONE_MAX 2   /* looks that a source outlives its policy */

#define TURN		 256 /* events of one ring, then come the others */
#define TURN_OVER	 (-4096) /* to libbpf, which stops there: no errno is that */
#define RECORD_SIZE(len) (((uint64_t)(len) + BPF_RINGBUF_HDR_SZ + 7) / 8 * 8)

struct source {
	struct stream *stream;
	struct source *next;
	struct record record;
	struct ring_buffer *ring; /* NULL: the policy logs nothing */
	uint64_t room;		  /* bytes that it holds */
	uint64_t read;		  /* and that were read of it */
	unsigned turn;		  /* events read in this turn */
	bool more;		  /* there may be some left */
	int drops;		  /* the map */
	unsigned gone;		  /* looks at the folder without it */
	uint64_t lost;		  /* as it was last shown */
	uint64_t strange;	  /* events that the note does not explain */
};

struct stream {
	FILE *out;
	const struct log_options *options;
	int journal; /* -1 where it is not sent there */
	struct people people;
	struct cgroup_paths cgroups;
	uint64_t unknown; /* events that a cgroup was wanted of, and has gone */
	int64_t boot;	  /* when the machine came up, ns since 1970, by what
			   * the clock said at the last look */
	int64_t looked;	  /* when the folder was last looked at */
	bool more;	  /* a ring may hold some still */
	struct source *sources;
	int count;
	int vault;   /* of a sealed machine, which it stays; otherwise -1 */
	int signals; /* a signalfd() */
	int written; /* 0, or the -errno of writing */
};

static int64_t clock_ns(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * NS_PER_S + time.tv_nsec;
}

static void free_source(struct source *source)
{
	ring_buffer__free(source->ring);
	record_free(&source->record);
	close_fd(&source->drops);
	free(source);
}

static void free_stream(struct stream *stream)
{
	while (stream->sources) {
		struct source *source = stream->sources;

		stream->sources = source->next;
		free_source(source);
	}
	people_free(&stream->people);
	cgroup_paths_free(&stream->cgroups);
	close_fd(&stream->journal);
	close_fd(&stream->vault);
	close_fd(&stream->signals);
}

static bool is_told_to_end(void)
{
	sigset_t pending;

	return !sigpending(&pending) && (sigismember(&pending, SIGINT) ||
					 sigismember(&pending, SIGTERM));
}

/* ---- one of them ---- */

/* What is shown: an event, or how many of a policy were lost. */
struct item {
	const struct record *record;
	const void *bytes; /* NULL: none was read */
	size_t size;
	struct format_names names;
	uint64_t lost;
	enum journal_priority priority;
};

static void format_item(FILE *out, enum format format,
			const struct stream *stream, const struct item *item)
{
	if (item->bytes)
		format_event(out, format, item->record, stream->boot,
			     &item->names, item->bytes, item->size);
	else
		format_lost(out, format, item->record->note->table.policy,
			    item->lost);
}

/* The line that the text is, and then each field. */
static void format_entry(FILE *entry, const struct stream *stream,
			 const struct item *item)
{
	CLEANUP(free_memory) char *text = NULL;
	char priority[2] = { (char)('0' + item->priority) };
	size_t size = 0;
	FILE *line = open_memstream(&text, &size);

	if (!line)
		return;
	format_item(line, FORMAT_TEXT, stream, item);
	if (fclose(line))
		return;
	if (size)
		text[size - 1] = '\0'; /* the end of the line */
	journal_put(entry, "MESSAGE", text);
	journal_put(entry, "PRIORITY", priority);
	journal_put(entry, "SYSLOG_IDENTIFIER", "bpflock");
	format_item(entry, FORMAT_JOURNAL, stream, item);
}

/* Until it is taken, or this process is told to end. */
static int send_item(const struct stream *stream, const struct item *item)
{
	CLEANUP(free_memory) char *bytes = NULL;
	size_t size = 0;
	FILE *entry = open_memstream(&bytes, &size);
	int err;

	if (!entry)
		return -ENOMEM;
	format_entry(entry, stream, item);
	if (fclose(entry))
		return -ENOMEM;
	do
		err = journal_send(stream->journal, bytes, size);
	while (err == -EAGAIN && !is_told_to_end());
	return err;
}

/* Keeps in mind where it went wrong. */
static int show(struct stream *stream, const struct item *item)
{
	if (stream->options->format == FORMAT_JOURNAL) {
		stream->written = send_item(stream, item);
	} else {
		format_item(stream->out, stream->options->format, stream, item);
		if (ferror(stream->out))
			stream->written = -errno;
	}
	return stream->written;
}

static enum journal_priority priority_of(const struct event *event)
{
	switch (event->verdict) {
	case EVENT_DENY:
		return JOURNAL_WARNING;
	case EVENT_WOULD_DENY:
		return JOURNAL_NOTICE;
	default:
		return JOURNAL_INFO;
	}
}

/* Whether it is to be shown; with what the machine says of its numbers. */
static bool find_names(struct stream *stream, const struct record *record,
		       const struct event *event, struct format_names *names)
{
	enum filter_answer answer;

	names->cgroup = cgroup_path_of(&stream->cgroups, event->cgroup);
	answer = filter_ask(&stream->options->filter, &record->note->table,
			    event, names->cgroup);
	if (answer == FILTER_UNKNOWN)
		stream->unknown++;
	if (answer != FILTER_YES)
		return false;
	names->user = people_name(&stream->people, event->uid);
	return true;
}

/* Nobody waits for events that come while it reads, unless it follows. */
static bool is_spent(const struct source *source)
{
	return !source->stream->options->follow && source->read >= source->room;
}

static int take_event(void *context, void *bytes, size_t size)
{
	struct source *source = context;
	struct stream *stream = source->stream;
	struct item item = { .record = &source->record,
			     .bytes = bytes,
			     .size = size };
	struct event event;
	int err;

	if (!format_read_event(item.record, bytes, size, &event)) {
		source->strange++;
	} else if (find_names(stream, item.record, &event, &item.names)) {
		item.priority = priority_of(&event);
		err = show(stream, &item);
		if (err)
			return err;
	}
	source->read += RECORD_SIZE(size);
	if (is_told_to_end())
		return -EINTR;
	return ++source->turn == TURN || is_spent(source) ? TURN_OVER : 0;
}

/* What was read is no longer in the ring, wherever libbpf was stopped. */
static int take_turn(struct source *source)
{
	int err;

	source->turn = 0;
	source->more = false;
	if (!source->ring || is_spent(source))
		return 0;
	err = ring_buffer__consume(source->ring);
	source->more = err == TURN_OVER && !is_spent(source);
	return err == TURN_OVER || err > 0 ? 0 : err;
}

/* ---- where they come from ---- */

static int fill_source(struct source *source, int home, const char *policy)
{
	CLEANUP(close_fd) int ring = -1;
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);
	int err = record_read(home, policy, &source->record);

	if (err)
		return err;
	source->drops = pinned_map(home, policy, EVENT_DROPS_MAP);
	ring = pinned_map(home, policy, EVENT_RING_MAP);
	if (ring < 0)
		return ring == -ENOENT ? 0 : ring;
	err = bpf_obj_get_info_by_fd(ring, &info, &size);
	if (err)
		return err;
	source->room = info.max_entries;
	source->ring = ring_buffer__new(ring, take_event, source, NULL);
	return source->ring ? 0 : -errno;
}

static int add_source(struct stream *stream, int home, const char *policy)
{
	struct source *source = calloc(1, sizeof(*source));
	int err;

	if (!source)
		return -ENOMEM;
	source->stream = stream;
	source->drops = -1;
	err = fill_source(source, home, policy);
	if (err) {
		free_source(source);
		return err;
	}
	source->next = stream->sources;
	stream->sources = source;
	stream->count++;
	return 0;
}

static struct source *find_source(const struct stream *stream, uint32_t id)
{
	struct source *source = stream->sources;

	while (source && source->record.id != id)
		source = source->next;
	return source;
}

/* Those of @home that are not known yet become sources.  A policy may go while
 * it is looked at. */
static int look_at(struct stream *stream, int home)
{
	struct dirent **names;
	int count = home_list_policies(home, home_is_policy, &names);
	int first = 0;

	for (int i = 0; i < count; i++) {
		const char *name = names[i]->d_name;
		struct source *source = NULL;
		uint32_t id;
		int err = record_id(home, name, &id);

		if (!err)
			source = find_source(stream, id);
		if (source)
			source->gone = 0;
		else if (!err)
			err = add_source(stream, home, name);
		if (!err || err == -ENOENT || first)
			continue;
		first = refuse(err, name, "log",
			       err == -EPERM
				       ? "a policy denies bpf() to this "
					 "process: run it as one that may use "
					 "bpf.obj_get and bpf.other"
				       : NULL,
			       "its events cannot be read:");
	}
	if (count < 0)
		return refuse(count, MACHINE, "log", "run it as root",
			      LAYOUT_HOME " cannot be read:");
	home_list_free(names, count);
	return first;
}

static int look(struct stream *stream, bool follow)
{
	CLEANUP(close_fd) int home = -1;
	int err = home_open(HOME_LOOK, "log", &home);
	int sealed = stream->vault < 0 ? visit_vault("log", &stream->vault) : 0;

	stream->looked = clock_ns(CLOCK_MONOTONIC);
	/* The clock may have been set since. */
	stream->boot = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
	for (struct source *each = stream->sources; each; each = each->next)
		each->gone++;
	if (!sealed)
		sealed = look_at(stream, stream->vault);
	if (sealed && sealed != -ENOENT)
		return sealed;
	if (err == -ENOENT && stream->vault >= 0)
		return 0;
	if (err == -ENOENT)
		return follow ? 0
			      : refuse(err, MACHINE, "log",
				       "load a policy first",
				       LAYOUT_HOME " cannot be read:");
	return err ? err : look_at(stream, home);
}

/* What was lost since it was last said. */
static void show_lost(struct source *source)
{
	struct stream *stream = source->stream;
	struct item item = { .record = &source->record,
			     .priority = JOURNAL_WARNING };
	uint64_t lost = 0;
	uint32_t key = 0;

	if (source->drops >= 0)
		bpf_map_lookup_elem(source->drops, &key, &lost);
	lost += source->strange;
	if (lost == source->lost)
		return;
	source->lost = lost;
	item.lost = lost;
	if (!stream->written &&
	    filter_shows_policy(&stream->options->filter,
				item.record->note->table.policy))
		show(stream, &item);
}

/* A turn of each ring; whose policy is gone long enough is let go. */
static int drain(struct stream *stream)
{
	struct source **at = &stream->sources;
	int err = 0;

	stream->more = false;
	while (*at && !err) {
		struct source *source = *at;

		err = take_turn(source);
		stream->more |= source->more;
		show_lost(source);
		if (source->gone < GONE_MAX || source->more) {
			at = &source->next;
			continue;
		}
		*at = source->next;
		stream->count--;
		free_source(source);
	}
	if (!stream->written && fflush(stream->out))
		stream->written = -errno;
	return stream->written ? stream->written : err;
}

/* Until there is something to read, a signal, or time for a look: 0.  -EINTR
 * for a signal, -EPIPE where nobody reads what is written. */
static int wait_for_more(struct stream *stream)
{
	CLEANUP(free_memory)
	struct pollfd *fds = calloc((size_t)stream->count + 2, sizeof(*fds));
	nfds_t count = 0;

	if (!fds)
		return -ENOMEM;
	fds[count++] = (struct pollfd){ stream->signals, POLLIN, 0 };
	fds[count++] =
		(struct pollfd){ stream->journal < 0 ? fileno(stream->out) : -1,
				 0, 0 };
	for (struct source *each = stream->sources; each; each = each->next)
		if (each->ring)
			fds[count++] = (struct pollfd){
				ring_buffer__epoll_fd(each->ring), POLLIN, 0
			};
	poll(fds, count, stream->more ? 0 : LOOK_MS);
	if (fds[0].revents)
		return -EINTR;
	return fds[1].revents & (POLLERR | POLLNVAL) ? -EPIPE : 0;
}

static int hold_signals(void)
{
	sigset_t signals;
	int fd;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &signals, SFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Of the policies and destinations that are named, all have to be there, unless
 * they may come yet. */
static int check_filter(const struct stream *stream)
{
	CLEANUP(free_memory)
	const struct table **tables =
		calloc((size_t)stream->count + 1, sizeof(*tables));
	size_t count = 0;

	if (!tables)
		return refuse(-ENOMEM, MACHINE, "log", NULL, "out of memory");
	for (struct source *each = stream->sources; each; each = each->next)
		tables[count++] = &each->record.note->table;
	if (!stream->options->follow)
		return filter_check(&stream->options->filter, tables, count);
	filter_warn(&stream->options->filter, tables, count);
	return 0;
}

static int open_outputs(struct stream *stream)
{
	if (stream->signals < 0)
		return stream->signals;
	cgroup_paths_open(&stream->cgroups);
	if (stream->options->format != FORMAT_JOURNAL)
		return 0;
	stream->journal = journal_open(JOURNAL_SOCKET);
	return stream->journal < 0 ? stream->journal : 0;
}

/* What went wrong in words, if it is not that somebody wanted an end. */
static int end(const struct stream *stream, int err)
{
	if (stream->unknown)
		report_note("left out, for their cgroups are gone and nobody "
			    "can tell where they were: events=%" PRIu64,
			    stream->unknown);
	if (!err || err == -EINTR || err == -EPIPE)
		return 0;
	if (stream->options->format == FORMAT_JOURNAL)
		return refuse(
			err, MACHINE, "log", "is systemd-journald running?",
			"the journal at " JOURNAL_SOCKET " takes no events:");
	return refuse(err, MACHINE, "log", NULL, "events cannot be shown:");
}

int log_show(FILE *out, const struct log_options *options)
{
	CLEANUP(free_stream)
	struct stream stream = { .out = out,
				 .options = options,
				 .journal = -1,
				 .people.path = PEOPLE_FILE,
				 .cgroups.mount = -1,
				 .vault = -1,
				 .signals = hold_signals() };
	bool follow = options->follow;
	int err = open_outputs(&stream);
	int looked = err ? 0 : look(&stream, follow);

	if (!err && !looked)
		looked = check_filter(&stream);
	if (!err && !looked)
		do
			err = drain(&stream);
		while (!err && stream.more && !follow);
	while (!err && !looked && follow) {
		err = wait_for_more(&stream);
		if (!err && clock_ns(CLOCK_MONOTONIC) - stream.looked >=
				    LOOK_MS * NS_PER_S / 1000)
			looked = look(&stream, follow);
		if (!err || err == -EINTR) {
			int drained = drain(&stream);

			err = drained ? drained : err;
		}
	}
	return looked ? looked : end(&stream, err);
}
