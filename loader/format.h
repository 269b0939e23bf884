/* SPDX-License-Identifier: GPL-2.0-only */
/* Events as lines: docs/events.md. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "bundle/event.h"
#include "loader/record.h"

enum format { FORMAT_TEXT, FORMAT_LOGFMT, FORMAT_JSON };

/*
 * Writes a line for the event in @bytes, of the policy that @record is of;
 * @boot is when the machine came up, ns since 1970.  Returns 0, or -EBADMSG
 * with nothing written where the record does not say what its numbers stand
 * for.
 */
int format_event(FILE *out, enum format format, const struct record *record,
		 int64_t boot, const void *bytes, size_t size);

/* Writes a line that says how many events of @policy were lost in all. */
void format_lost(FILE *out, enum format format, const char *policy,
		 uint64_t lost);
