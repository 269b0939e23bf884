/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which events are shown.  Each kind of words is asked: an event is shown if
 * all kinds that were given take it, and a kind takes it if one of its words
 * does.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/event.h"
#include "bundle/table.h"

enum filter_kind {
	FILTER_POLICY,	   /* a name */
	FILTER_PROTECTION, /* PROTECTION or PROTECTION.OPERATION; traces too */
	FILTER_VERDICT,	   /* denied, would-deny, allowed, traced */
	FILTER_CGROUP,	   /* an absolute path: it, and all below it */
	FILTER_KINDS
};

enum filter_answer {
	FILTER_NO,
	FILTER_YES,
	FILTER_UNKNOWN, /* it depends on the cgroup, which cannot be told */
};

/* All zeros shows everything. */
struct filter {
	struct filter_word *words; /* owned */
	size_t count;
};

/*
 * Adds a word, which must stay.  Returns 0; or -ENOMEM, or -EINVAL, after
 * saying on stderr what is wrong with it, and what may have been meant.  The
 * name of a policy is not looked for: see filter_check().
 */
int filter_add(struct filter *filter, enum filter_kind kind, const char *word);

/* For cleanup. */
void filter_free(struct filter *filter);

bool filter_shows_policy(const struct filter *filter, const char *policy);

/*
 * Whether each policy that is named is one of @tables, and each destination is
 * in one of them.  Returns 0, or -ENOENT after saying on stderr which is not,
 * and what may have been meant.
 */
int filter_check(const struct filter *filter, const struct table *const *tables,
		 size_t count);

/* Says on stderr which destinations are in none of @tables: for who waits for
 * policies that are loaded later. */
void filter_warn(const struct filter *filter, const struct table *const *tables,
		 size_t count);

/* Of an event of the policy that @table is of, which explains it; @cgroup is
 * the path of its task's, NULL where that is not known. */
enum filter_answer filter_ask(const struct filter *filter,
			      const struct table *table,
			      const struct event *event, const char *cgroup);
