/* SPDX-License-Identifier: GPL-2.0-only */
/* Events as lines, or as entries of the journal: docs/events.md. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "bundle/event.h"
#include "loader/record.h"

enum format {
	FORMAT_TEXT,
	FORMAT_LOGFMT,
	FORMAT_JSON,
	FORMAT_JOURNAL, /* BPFLOCK_ fields, as loader/journal.h has them */
};

/* What the machine says of an event's numbers; NULL: nothing. */
struct format_names {
	const char *user;
	const char *cgroup; /* its path */
};

/* Reads the event in @bytes, its strings ended.  False where the record does
 * not say what its numbers stand for. */
bool format_read_event(const struct record *record, const void *bytes,
		       size_t size, struct event *event);

/*
 * Writes a line for the event in @bytes, of the policy that @record is of;
 * @boot is when the machine came up, ns since 1970.  Returns 0, or -EBADMSG
 * with nothing written where format_read_event() is false.
 */
int format_event(FILE *out, enum format format, const struct record *record,
		 int64_t boot, const struct format_names *names,
		 const void *bytes, size_t size);

/* Writes a line that says how many events of @policy were lost in all. */
void format_lost(FILE *out, enum format format, const char *policy,
		 uint64_t lost);
