/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's BPF_MAP_TYPE_RINGBUF as user space maps it: a page with how far
 * it was read, a page with how far it was written, then the data, mapped twice
 * so that no record is broken at the end.  A record is 8 bytes that begin with
 * its length, the event, and what fills up to 8 bytes.
 */
#include "loader/ring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/bpf.h>

#include "bundle/event.h"

#define RECORD_SIZE(len) (((uint64_t)(len) + BPF_RINGBUF_HDR_SZ + 7) / 8 * 8)

static const void *map_pages(int fd, size_t size, size_t offset)
{
	void *pages =
		mmap(NULL, size, PROT_READ, MAP_SHARED, fd, (off_t)offset);

	return pages == MAP_FAILED ? NULL : pages;
}

int ring_open(int fd, size_t size, struct ring *ring)
{
	struct ring opened = { .page = (size_t)sysconf(_SC_PAGESIZE),
			       .size = size };

	opened.consumer = map_pages(fd, opened.page, 0);
	if (!opened.consumer)
		return -errno;
	opened.producer =
		map_pages(fd, opened.page + 2 * opened.size, opened.page);
	if (!opened.producer) {
		int err = -errno;

		ring_close(&opened);
		return err;
	}
	*ring = opened;
	return 0;
}

void ring_close(struct ring *ring)
{
	if (ring->consumer)
		munmap((void *)(uintptr_t)ring->consumer, ring->page);
	if (ring->producer)
		munmap((void *)(uintptr_t)ring->producer,
		       ring->page + 2 * ring->size);
	*ring = (struct ring){ 0 };
}

uint64_t ring_position(const struct ring *ring)
{
	return __atomic_load_n((const uint64_t *)ring->producer,
			       __ATOMIC_ACQUIRE);
}

bool ring_is_full(const struct ring *ring)
{
	uint64_t read = __atomic_load_n(ring->consumer, __ATOMIC_ACQUIRE);

	/* for the largest event that there is */
	return ring_position(ring) + RECORD_SIZE(sizeof(struct event_exec)) -
		       read >=
	       ring->size;
}

bool ring_find(const struct ring *ring, uint64_t position,
	       bool (*wanted)(const struct event *event, const void *context),
	       const void *context, bool *lost)
{
	uint64_t end = ring_position(ring);

	while (position < end && end - position <= ring->size) {
		const uint8_t *record =
			ring->producer + ring->page + position % ring->size;
		uint32_t len =
			__atomic_load_n((const uint32_t *)(const void *)record,
					__ATOMIC_ACQUIRE);
		struct event event;

		memcpy(&event, record + BPF_RINGBUF_HDR_SZ, sizeof(event));
		/* Another writer's own event is not finished yet. */
		if (!(len & (BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT)) &&
		    len >= sizeof(event) && event.version == EVENT_VERSION &&
		    wanted(&event, context))
			return true;
		position += RECORD_SIZE(len & ~(BPF_RINGBUF_BUSY_BIT |
						BPF_RINGBUF_DISCARD_BIT));
	}
	*lost |= ring_position(ring) - position > ring->size;
	return false;
}
