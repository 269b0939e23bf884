/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The journal of systemd, by its own protocol: a datagram an entry, of fields
 * whose values may hold any bytes.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* What syslog calls it: journalctl -p takes the names. */
enum journal_priority {
	JOURNAL_WARNING = 4,
	JOURNAL_NOTICE = 5,
	JOURNAL_INFO = 6,
};

/* A socket to the one at @path, the caller's to close(); or -errno. */
int journal_open(const char *path);

/* Writes a field; @name is in capitals. */
void journal_put(FILE *entry, const char *name, const char *value);

/* Sends an entry.  Returns 0; -EAGAIN where it was not taken for a second; or
 * -errno. */
int journal_send(int journal, const void *entry, size_t size);
