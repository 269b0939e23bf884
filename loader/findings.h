/* SPDX-License-Identifier: GPL-2.0-only */
/* What --verify found of one bundle, or of the machine. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct findings {
	char **differences; /* owned, as is each of them */
	size_t difference_count;
	char **unseen; /* what this kernel does not let anybody see; owned */
	size_t unseen_count;
	bool failed; /* there was no memory for one of them */
};

/* Adds a line: what is not as it should be. */
__attribute__((format(printf, 2, 3))) void differs(struct findings *findings,
						   const char *format, ...);

/* Adds a line: what cannot be told here, and what stands for it. */
__attribute__((format(printf, 2, 3))) void unseen(struct findings *findings,
						  const char *format, ...);

bool findings_are_none(const struct findings *findings);

/* On stdout: a line each, or the members of a JSON object behind a comma. */
void findings_show(const struct findings *findings, bool json);

/* For cleanup; all zeros is fine. */
void findings_free(struct findings *findings);
