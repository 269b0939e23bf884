/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The events of the loaded policies, as their ring buffers have them.  An
 * event that was read is gone from there.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "loader/filter.h"
#include "loader/format.h"

struct log_options {
	enum format format; /* FORMAT_JOURNAL: sent there, and not written */
	bool follow;
	struct filter filter;
};

/*
 * Writes to @out all events that there are and that the filter takes, of each
 * policy at most as many as its ring holds, or, where .follow is set, all that
 * come, also of policies that are loaded later, until
 * SIGINT or SIGTERM comes or nobody reads @out any more.  Returns 0, or -errno
 * after saying on stderr what is wrong.  It leaves those two signals blocked,
 * and SIGPIPE ignored.
 */
int log_show(FILE *out, const struct log_options *options);
