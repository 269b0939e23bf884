/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Users' names, as /etc/passwd has them.  Nothing else is asked: a directory
 * on the network may be slow, or decided by a policy itself.
 */
#pragma once

#include <stdint.h>
#include <sys/stat.h>

#define PEOPLE_FILE  "/etc/passwd"
#define PEOPLE_KNOWN 64 /* that are kept in mind */

struct person {
	uint32_t uid;
	char *name; /* NULL: has none */
};

/* All zeros but for the path knows nobody yet. */
struct people {
	const char *path;
	struct stat file; /* as it was when it was read */
	struct person known[PEOPLE_KNOWN];
	unsigned count, next;
};

/* The name of that user in the initial user namespace, until the next call;
 * NULL where it has none. */
const char *people_name(struct people *people, uint32_t uid);

/* For cleanup. */
void people_free(struct people *people);
