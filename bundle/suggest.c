/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Nearness is the number of letters to insert, drop, change or swap with their
 * neighbour (optimal string alignment).  A third of the word may be wrong; a
 * suggestion further off would be a guess.  Upper and lower case are near.
 */
#include "bundle/suggest.h"

#include <ctype.h>
#include <string.h>

#define MAX_LEN 64 /* longer names get no suggestion */

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t edit_distance(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);
	size_t rows[3][MAX_LEN + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b_len; j++)
		above[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *oldest = before;

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			row[j] = smaller(above[j] + 1, row[j - 1] + 1);
			row[j] = smaller(row[j], above[j - 1] +
							 (tolower(a[i - 1]) !=
							  tolower(b[j - 1])));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				row[j] = smaller(row[j], before[j - 2] + 1);
		}
		before = above;
		above = row;
		row = oldest;
	}
	return above[b_len];
}

struct suggest suggest_new(const char *wanted)
{
	size_t len = strlen(wanted);

	return (struct suggest){ .wanted = wanted,
				 .distance = len < 3 ? 1 : len / 3 + 1 };
}

void suggest_offer(struct suggest *suggest, const char *candidate)
{
	size_t len = strlen(candidate), wanted_len = strlen(suggest->wanted);
	size_t distance;

	if (wanted_len > MAX_LEN || len > MAX_LEN ||
	    len >= wanted_len + suggest->distance ||
	    wanted_len >= len + suggest->distance)
		return;
	distance = edit_distance(suggest->wanted, candidate);
	if (distance < suggest->distance && strcmp(suggest->wanted, candidate)) {
		suggest->distance = distance;
		suggest->nearest = candidate;
	}
}
