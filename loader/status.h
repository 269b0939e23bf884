/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel enforces now, as the pins and their records tell. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bundle/table.h"

/* On stdout, for people or as JSON.  Returns 0, or -errno after saying on
 * stderr what is wrong. */
int status_show(bool json);

/* Whether the first exception of a policy is past its day, UTC. */
bool status_is_past(const struct table *table);

/* Writes to stdout what a policy protects or traces, unless @begin is NULL.
 * Returns how many that are; with none, nothing is written. */
unsigned status_names(const struct table *table, bool trace, const char *begin,
		      const char *comma, const char *quote);

#define DATE_PARTS(date) (date) / 10000, (date) / 100 % 100, (date) % 100
#define DATE_FORMAT	 "%04" PRIu32 "-%02" PRIu32 "-%02" PRIu32
