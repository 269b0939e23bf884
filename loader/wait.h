/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel frees programs a moment after their last link and pin are gone,
 * and until then one of ours may deny bpf().
 */
#pragma once

/* Asks @count, with @context, until it says 0, for 5 s at most.  Returns what
 * it said last. */
int wait_for(int (*count)(const void *context), const void *context);
