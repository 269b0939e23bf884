/* SPDX-License-Identifier: GPL-2.0-only */
/* io_uring as far as one operation. */
#pragma once

#include <linux/io_uring.h>
#include <stdbool.h>

/* Has the kernel do it, by a thread of its own where @polled.  Returns what
 * the operation came to, or -errno where there is no io_uring. */
int uring_do(const struct io_uring_sqe *operation, bool polled);
