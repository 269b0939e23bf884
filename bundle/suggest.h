/* SPDX-License-Identifier: GPL-2.0-only */
/* "did you mean": the known name nearest to one that is unknown. */
#pragma once

#include <stddef.h>

struct suggest {
	const char *wanted;
	const char *nearest; /* NULL while none is near enough */
	size_t distance;     /* in edits */
};

struct suggest suggest_new(const char *wanted);

/* Offers a candidate; the nearest so far is kept, the first of equals. */
void suggest_offer(struct suggest *suggest, const char *candidate);
