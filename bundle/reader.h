/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one reader of bytes that come from outside: little-endian fields between
 * @next and @end, each length checked before it is used.
 *
 * A reader that once came to its end is spent: it gives zeros and NULL from
 * then on, so that a run of reads needs one look at @spent behind it.  What it
 * gave must not be trusted before that look.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader {
	const uint8_t *next;
	const uint8_t *end;
	bool spent;
};

struct reader reader_of(const void *bytes, size_t size);

/*
 * A reader over @size bytes from @offset of @bytes[@total]; a spent one where
 * they do not all lie inside.
 */
struct reader reader_at(const void *bytes, size_t total, uint64_t offset,
			uint64_t size);

/* Bytes not read yet; 0 when spent. */
size_t reader_left(const struct reader *reader);

uint8_t reader_u8(struct reader *reader);
uint16_t reader_u16(struct reader *reader);
uint32_t reader_u32(struct reader *reader);
uint64_t reader_u64(struct reader *reader);

/* The next @size bytes, inside what the reader was made of; NULL when they are
 * not there. */
const uint8_t *reader_bytes(struct reader *reader, uint64_t size);

/*
 * A count of things that take at least @least bytes each (1 or more): spends
 * the reader, and gives 0, where so many cannot follow.  So whatever is then
 * allocated is bounded by the size of the input.
 */
uint32_t reader_count(struct reader *reader, size_t least);
