/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A region's number is in its addresses, which begin with the bits that the
 * kernel's do.  Regions start inside of their 256 MiB, so that what is
 * near to one, on either side, is no other's.
 */
#include "compiler/proof/memory.h"

#include <string.h>

#include "compiler/arena.h"

#define TOP	    UINT64_C(0xffff800000000000)
#define TOP_BITS    17
#define OFFSET_BITS 28
#define START	    INT64_C(0x4123458) /* no byte of an address is 0 */
#define NULL_PAGE   4096

uint64_t memory_add(struct memory *memory, uint8_t *bytes, uint8_t *written,
		    uint32_t size, unsigned access)
{
	uint64_t number = memory->count + 1;

	if (number >> (64 - TOP_BITS - OFFSET_BITS) || size > START)
		return 0;
	memory->regions =
		arena_grow(memory->arena, memory->regions, memory->count,
			   &memory->capacity, sizeof(*memory->regions));
	memory->regions[memory->count++] = (struct region){
		.bytes = bytes,
		.written = written,
		.size = size,
		.access = access,
	};
	return TOP | number << OFFSET_BITS | (uint64_t)START;
}

struct region *memory_region(const struct memory *memory, uint64_t address,
			     int64_t *offset)
{
	uint64_t number = (address & ~TOP) >> OFFSET_BITS;

	if ((address & TOP) != TOP || number == 0 || number > memory->count)
		return NULL;
	*offset =
		(int64_t)(address & ((UINT64_C(1) << OFFSET_BITS) - 1)) - START;
	return &memory->regions[number - 1];
}

uint8_t *memory_at(const struct memory *memory, uint64_t address, uint64_t size,
		   enum memory_access access)
{
	struct region *region;
	int64_t offset;

	region = memory_region(memory, address, &offset);
	if (!region || !(region->access & access) || offset < 0 ||
	    (uint64_t)offset > region->size ||
	    size > region->size - (uint64_t)offset)
		return NULL;
	if (region->written && access == MEMORY_WRITE)
		memset(region->written + offset, 1, size);
	if (region->written && access == MEMORY_READ &&
	    memchr(region->written + offset, 0, size))
		return NULL;
	return region->bytes + offset;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "numbers are copied as they are");

uint64_t memory_get(const uint8_t *bytes, unsigned size)
{
	uint64_t value = 0;

	switch (size) {
	case 8:
		memcpy(&value, bytes, 8);
		break;
	case 4:
		memcpy(&value, bytes, 4);
		break;
	case 2:
		memcpy(&value, bytes, 2);
		break;
	case 1:
		value = *bytes;
		break;
	default:
		memcpy(&value, bytes, size);
	}
	return value;
}

void memory_put(uint8_t *bytes, unsigned size, uint64_t value)
{
	switch (size) {
	case 8:
		memcpy(bytes, &value, 8);
		break;
	case 4:
		memcpy(bytes, &value, 4);
		break;
	case 2:
		memcpy(bytes, &value, 2);
		break;
	case 1:
		*bytes = (uint8_t)value;
		break;
	default:
		memcpy(bytes, &value, size);
	}
}

bool memory_load(const struct memory *memory, uint64_t address, unsigned size,
		 uint64_t *value)
{
	const uint8_t *bytes = memory_at(memory, address, size, MEMORY_READ);
	const struct region *region;
	int64_t offset;

	*value = 0;
	if (bytes) {
		*value = memory_get(bytes, size);
		return true;
	}
	if (address < NULL_PAGE)
		return true;
	region = memory_region(memory, address, &offset);
	return region && region->access & MEMORY_KERNEL;
}
