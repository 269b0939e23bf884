/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The events of the loaded policies, as their ring buffers have them.  An
 * event that was read is gone from there.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

enum log_format { LOG_TEXT, LOG_LOGFMT, LOG_JSON };

/*
 * Writes to @out all events that there are and, where @follow is set, all that
 * come, until writing fails or a signal ends the process.  Returns 0, or
 * -errno after saying on stderr what is wrong.
 */
int log_show(FILE *out, enum log_format format, bool follow);
