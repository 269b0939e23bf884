/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A policy's ring of events, only looked at: what is read here stays there for
 * bpflock-log.  It takes no bpf() command, which the policy may deny.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event;

struct ring {
	const uint64_t *consumer; /* mapped pages; NULL: no ring */
	const uint8_t *producer;  /* its page, and the data behind, twice */
	size_t page, size;	  /* of the data, in bytes */
};

/* @fd is the map's, and may be closed then; @size what it holds.  On success
 * *@ring is the caller's to ring_close().  Returns 0 or -errno. */
int ring_open(int fd, size_t size, struct ring *ring);

/* For cleanup; all zeros is fine. */
void ring_close(struct ring *ring);

/* Where the next event will be. */
uint64_t ring_position(const struct ring *ring);

/* Whether the next event would find no room. */
bool ring_is_full(const struct ring *ring);

/*
 * Goes through the events behind @position, which ring_position() gave, until
 * @wanted says true of one: then true.  False too where so many came since that
 * they are not all there any more; then *@lost is set.
 */
bool ring_find(const struct ring *ring, uint64_t position,
	       bool (*wanted)(const struct event *event, const void *context),
	       const void *context, bool *lost);
