/* SPDX-License-Identifier: GPL-2.0-only */
#include "uring.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ENTRIES 4
#define WAIT_MS 2000

static void *map_ring(int fd, size_t size, off_t offset)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_POPULATE, fd, offset);
}

static int wait_for(const char *completions,
		    const struct io_uring_params *params)
{
	_Atomic unsigned *head = (void *)(completions + params->cq_off.head);
	_Atomic unsigned *tail = (void *)(completions + params->cq_off.tail);
	const struct io_uring_cqe *events =
		(void *)(completions + params->cq_off.cqes);

	for (int waited = 0; waited < WAIT_MS; waited++) {
		if (atomic_load(head) != atomic_load(tail))
			return events[0].res;
		usleep(1000);
	}
	return -ETIMEDOUT;
}

int uring_do(const struct io_uring_sqe *operation, bool polled)
{
	struct io_uring_params params = {
		.flags = polled ? IORING_SETUP_SQPOLL : 0,
		.sq_thread_idle = 1000,
	};
	int fd = (int)syscall(SYS_io_uring_setup, ENTRIES, &params);
	char *submissions, *completions;
	struct io_uring_sqe *entries;
	int result;

	if (fd < 0)
		return -errno;
	submissions = map_ring(fd, params.sq_off.array + ENTRIES * 4,
			       IORING_OFF_SQ_RING);
	completions = map_ring(fd,
			       params.cq_off.cqes +
				       params.cq_entries *
					       sizeof(struct io_uring_cqe),
			       IORING_OFF_CQ_RING);
	entries = map_ring(fd, ENTRIES * sizeof(*entries), IORING_OFF_SQES);
	if (submissions == MAP_FAILED || completions == MAP_FAILED ||
	    entries == MAP_FAILED) {
		close(fd);
		return -ENOMEM;
	}
	entries[0] = *operation;
	*(unsigned *)(submissions + params.sq_off.array) = 0;
	atomic_store((_Atomic unsigned *)(submissions + params.sq_off.tail), 1);
	syscall(SYS_io_uring_enter, fd, polled ? 0 : 1, 0,
		polled ? IORING_ENTER_SQ_WAKEUP : 0, NULL, 0);
	result = wait_for(completions, &params);
	close(fd);
	return result;
}
