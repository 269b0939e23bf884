/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All reads end in reader_bytes(), which compares lengths and never pointers:
 * no sum can wrap.
 */
#include "bundle/reader.h"

struct reader reader_of(const void *bytes, size_t size)
{
	const uint8_t *first = bytes;

	return (struct reader){ .next = first,
				.end = size ? first + size : first };
}

struct reader reader_at(const void *bytes, size_t total, uint64_t offset,
			uint64_t size)
{
	const uint8_t *first = bytes;

	if (offset > total || size > total - offset)
		return (struct reader){ .spent = true };
	return reader_of(first + offset, (size_t)size);
}

size_t reader_left(const struct reader *reader)
{
	return reader->spent ? 0 : (size_t)(reader->end - reader->next);
}

const uint8_t *reader_bytes(struct reader *reader, uint64_t size)
{
	const uint8_t *bytes = reader->next;

	if (reader->spent || size > reader_left(reader)) {
		reader->spent = true;
		return NULL;
	}
	reader->next += size;
	return bytes;
}

static uint64_t little_endian(struct reader *reader, unsigned size)
{
	const uint8_t *bytes = reader_bytes(reader, size);
	uint64_t value = 0;

	for (unsigned i = 0; bytes && i < size; i++)
		value |= (uint64_t)bytes[i] << (8 * i);
	return value;
}

uint8_t reader_u8(struct reader *reader)
{
	return (uint8_t)little_endian(reader, 1);
}

uint16_t reader_u16(struct reader *reader)
{
	return (uint16_t)little_endian(reader, 2);
}

uint32_t reader_u32(struct reader *reader)
{
	return (uint32_t)little_endian(reader, 4);
}

uint64_t reader_u64(struct reader *reader)
{
	return little_endian(reader, 8);
}

uint32_t reader_count(struct reader *reader, size_t least)
{
	uint32_t count = reader_u32(reader);

	if (count > reader_left(reader) / least)
		reader->spent = true;
	return reader->spent ? 0 : count;
}
