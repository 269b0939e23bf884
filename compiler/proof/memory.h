/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a program that is run in the evaluator can reach: regions of bytes,
 * each at an address of its own, far from all others.  An address outside of
 * them is known to be wrong, however it was come by.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

enum memory_access {
	MEMORY_READ = 1,
	MEMORY_WRITE = 2,
	/* The kernel's: a read outside gives 0, as the kernel makes it for
	 * pointers whose type it knows. */
	MEMORY_KERNEL = 4,
	/* A process's: programs read it through a helper alone. */
	MEMORY_USER = 8,
};

struct region {
	uint8_t *bytes;
	uint8_t *written; /* 1 for each byte that may be read; NULL: all */
	uint32_t size;
	unsigned access; /* of enum memory_access */
	uint32_t tag;	 /* its owner's */
};

struct memory {
	struct arena *arena;
	struct region *regions;
	size_t count, capacity;
};

/* The address of a new region over @bytes, which stay the caller's; 0 where
 * there are too many.  @written is as in struct region. */
uint64_t memory_add(struct memory *memory, uint8_t *bytes, uint8_t *written,
		    uint32_t size, unsigned access);

/* The region that @address is nearest to, with the distance from its start in
 * *@offset; NULL where it is none's. */
struct region *memory_region(const struct memory *memory, uint64_t address,
			     int64_t *offset);

/*
 * The bytes at @address, or NULL where not all @size of them are in one region
 * that allows @access.  For reading, all must have been written; what is given
 * out for writing counts as written.
 */
uint8_t *memory_at(const struct memory *memory, uint64_t address, uint64_t size,
		   enum memory_access access);

/* A little-endian number of @size bytes, 1 to 8, at @bytes. */
uint64_t memory_get(const uint8_t *bytes, unsigned size);
void memory_put(uint8_t *bytes, unsigned size, uint64_t value);

/*
 * What a load instruction gets: false where a verifier would have refused it.
 * NULL, and what is near to the kernel's regions, give 0.
 */
bool memory_load(const struct memory *memory, uint64_t address, unsigned size,
		 uint64_t *value);
