/* SPDX-License-Identifier: GPL-2.0-only */
/* What a policy must satisfy before a plan can be made of it. */
#pragma once

#include <stdint.h>

#include "compiler/policy.h"

struct arena;
struct diag;

/*
 * @today, 20300630 for 2030-06-30, is what exceptions expire by.  @whole is
 * false where part of the text could not be parsed: what is missing then, may
 * be there.
 */
void check_policy(struct arena *arena, struct diag *diag,
		  const struct policy *policy, uint32_t today, bool whole);

/* Today in UTC, or the day of SOURCE_DATE_EPOCH where that is set.  0 where
 * that variable is no number of seconds. */
uint32_t check_today(void);
