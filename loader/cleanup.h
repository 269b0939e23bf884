/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What owns something gives it back when it goes out of scope:
 *
 *	CLEANUP(close_fd) int fd = open(...);
 *
 * The variable must be initialised where it is declared.
 */
#pragma once

#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(function) __attribute__((cleanup(function)))

/* Below 0 is "none". */
static inline void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void free_memory(void *pointer)
{
	free(*(void **)pointer);
}

/* Hands @fd to whoever keeps it: the variable owns nothing any more. */
static inline int keep_fd(int *fd)
{
	int kept = *fd;

	*fd = -1;
	return kept;
}
