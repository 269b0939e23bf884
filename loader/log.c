/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One source a load of a policy, known by its record's map.  A source holds
 * its ring open: a policy that was replaced or unloaded is read to its end, and
 * let go one look at the folder later, when no program can write any more.
 *
 * A signal waits until the event in hand is written, so none is lost by it.
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

#include "loader/cleanup.h"
#include "loader/home.h"
#include "loader/layout.h"
#include "loader/pinned.h"
#include "loader/report.h"
#include "loader/visit.h"

#define NS_PER_S INT64_C(1000000000)
#define LOOK_MS	 200 /* from one look at the folder to the next */
#define GONE_MAX 2   /* looks that a source outlives its policy */

struct source {
	struct stream *stream;
	struct source *next;
	struct record record;
	struct ring_buffer *ring; /* NULL: the policy logs nothing */
	int drops;		  /* the map */
	unsigned gone;		  /* looks at the folder without it */
	uint64_t lost;		  /* as it was last shown */
	uint64_t strange;	  /* events that the note does not explain */
};

struct stream {
	FILE *out;
	enum format format;
	int64_t boot;	/* when the machine came up, ns since 1970 */
	int64_t looked; /* when the folder was last looked at */
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
	close_fd(&stream->vault);
	close_fd(&stream->signals);
}

static bool is_told_to_end(void)
{
	sigset_t pending;

	return !sigpending(&pending) && (sigismember(&pending, SIGINT) ||
					 sigismember(&pending, SIGTERM));
}

static int take_event(void *context, void *bytes, size_t size)
{
	struct source *source = context;
	struct stream *stream = source->stream;

	if (format_event(stream->out, stream->format, &source->record,
			 stream->boot, bytes, size))
		source->strange++;
	if (ferror(stream->out)) {
		stream->written = -errno;
		return stream->written;
	}
	return is_told_to_end() ? -EINTR : 0;
}

static int fill_source(struct source *source, int home, const char *policy)
{
	CLEANUP(close_fd) int ring = -1;
	int err = record_read(home, policy, &source->record);

	if (err)
		return err;
	source->drops = pinned_map(home, policy, EVENT_DROPS_MAP);
	ring = pinned_map(home, policy, EVENT_RING_MAP);
	if (ring < 0)
		return ring == -ENOENT ? 0 : ring;
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
	int sealed = stream->vault < 0 ? vault_open("log", &stream->vault) : 0;

	stream->looked = clock_ns(CLOCK_MONOTONIC);
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
	const struct stream *stream = source->stream;
	uint64_t lost = 0;
	uint32_t key = 0;

	if (source->drops >= 0)
		bpf_map_lookup_elem(source->drops, &key, &lost);
	lost += source->strange;
	if (lost == source->lost)
		return;
	source->lost = lost;
	format_lost(stream->out, stream->format,
		    source->record.note->table.policy, lost);
}

/* All that the rings hold; whose policy is gone long enough is let go. */
static int drain(struct stream *stream)
{
	struct source **at = &stream->sources;
	int err = 0;

	while (*at && err >= 0) {
		struct source *source = *at;

		err = source->ring ? ring_buffer__consume(source->ring) : 0;
		show_lost(source);
		if (source->gone < GONE_MAX) {
			at = &source->next;
			continue;
		}
		*at = source->next;
		stream->count--;
		free_source(source);
	}
	if (fflush(stream->out) && !stream->written)
		stream->written = -errno;
	return stream->written ? stream->written : err < 0 ? err : 0;
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
	fds[count++] = (struct pollfd){ fileno(stream->out), 0, 0 };
	for (struct source *each = stream->sources; each; each = each->next)
		if (each->ring)
			fds[count++] = (struct pollfd){
				ring_buffer__epoll_fd(each->ring), POLLIN, 0
			};
	poll(fds, count, LOOK_MS);
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

int log_show(FILE *out, enum format format, bool follow)
{
	CLEANUP(free_stream)
	struct stream stream = { .out = out,
				 .format = format,
				 .boot = clock_ns(CLOCK_REALTIME) -
					 clock_ns(CLOCK_BOOTTIME),
				 .vault = -1,
				 .signals = hold_signals() };
	int err = stream.signals < 0 ? stream.signals : 0;
	int looked = err ? 0 : look(&stream, follow);

	if (!err && !looked)
		err = drain(&stream);
	while (!err && !looked && follow) {
		err = wait_for_more(&stream);
		if (!err && clock_ns(CLOCK_MONOTONIC) - stream.looked >=
				    LOOK_MS * NS_PER_S / 1000)
			looked = look(&stream, follow);
		if (!err || err == -EINTR)
			err = drain(&stream) ? stream.written : err;
	}
	if (looked || !err || err == -EINTR || err == -EPIPE)
		return looked;
	return refuse(err, MACHINE, "log", NULL, "events cannot be shown:");
}
