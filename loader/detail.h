/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What libbpf prints while it works, kept back: shown behind our own message
 * when something failed, dropped otherwise.  The verifier's log comes this way
 * too.  Only the tail is kept, for there it says what it objected to.
 */
#pragma once

#include <stddef.h>

#define DETAIL_SIZE  4096
#define DETAIL_LINES 12 /* shown at most */

struct detail {
	char text[DETAIL_SIZE];
	size_t len;
};

/* Has libbpf print nothing at all, and take nothing from the environment; call
 * it once, before libbpf. */
void detail_silence(void);

/* From here libbpf's warnings go to @detail, up to detail_end(). */
void detail_begin(struct detail *detail);

/* For cleanup: silence again. */
void detail_end(struct detail *detail);

/* The last lines, as report_detail() writes them. */
void detail_show(const struct detail *detail);

/* Appends @size bytes, dropping from the front what no longer fits. */
void detail_append(struct detail *detail, const char *text, size_t size);
