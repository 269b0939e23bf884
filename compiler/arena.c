/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Blocks from malloc(), filled from the front.  A large request gets a block
 * of its own, so nothing is ever too big for the arena but for the machine.
 */
#include "compiler/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A sanitizer is told what of a block is nobody's, with a gap between any two
 * allocations. */
#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define GAP		   ((size_t)16)
#define CLOSE(bytes, size) ASAN_POISON_MEMORY_REGION(bytes, size)
#define OPEN(bytes, size)  ASAN_UNPOISON_MEMORY_REGION(bytes, size)
#else
#define GAP		   ((size_t)0)
#define CLOSE(bytes, size) ((void)(bytes), (void)(size))
#define OPEN(bytes, size)  ((void)(bytes), (void)(size))
#endif

#define BLOCK_SIZE ((size_t)64 * 1024)

struct block {
	struct block *next;
	alignas(max_align_t) char bytes[];
};

struct arena {
	struct block *blocks;
	char *free;
	size_t left;
};

static _Noreturn void out_of_memory(void)
{
	fputs("bpflockc: out of memory\n", stderr);
	exit(1);
}

static void *block_new(struct arena *arena, size_t size)
{
	struct block *block;

	if (size > SIZE_MAX - sizeof(*block))
		out_of_memory();
	block = calloc(1, sizeof(*block) + size);
	if (!block)
		out_of_memory();
	block->next = arena->blocks;
	arena->blocks = block;
	return block->bytes;
}

struct arena *arena_new(void)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	if (!arena)
		out_of_memory();
	return arena;
}

void arena_free(struct arena *arena)
{
	struct block *next;

	if (!arena)
		return;
	for (struct block *block = arena->blocks; block; block = next) {
		next = block->next;
		free(block);
	}
	free(arena);
}

void *arena_alloc(struct arena *arena, size_t size)
{
	size_t wanted = size;
	char *bytes;

	if (size > SIZE_MAX - alignof(max_align_t) - GAP)
		out_of_memory();
	if (size == 0) /* not NULL: it may go to memcpy() */
		size = 1;
	size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	size += GAP;
	if (size > BLOCK_SIZE / 4)
		return block_new(arena, size);
	if (size > arena->left) {
		arena->free = block_new(arena, BLOCK_SIZE);
		arena->left = BLOCK_SIZE;
	}
	bytes = arena->free;
	arena->free += size;
	arena->left -= size;
	CLOSE(bytes + wanted, size - wanted);
	return bytes;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		out_of_memory();
	return arena_alloc(arena, bytes);
}

char *arena_copy(struct arena *arena, const void *bytes, size_t size)
{
	char *copy;

	if (size == SIZE_MAX)
		out_of_memory();
	copy = arena_alloc(arena, size + 1);
	if (size)
		memcpy(copy, bytes, size);
	return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args, again;
	char *text;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	assert(len >= 0);
	text = arena_alloc(arena, (size_t)len + 1);
	vsnprintf(text, (size_t)len + 1, format, again);
	va_end(again);
	va_end(args);
	return text;
}

void *arena_grow(struct arena *arena, void *array, size_t count,
		 size_t *capacity, size_t size)
{
	char *grown = array;

	if (count >= *capacity) {
		*capacity = *capacity ? *capacity * 2 : 8;
		grown = arena_array(arena, *capacity, size);
		if (count)
			memcpy(grown, array, count * size);
		CLOSE(grown, *capacity * size);
		OPEN(grown, count * size);
	}
	OPEN(grown + count * size, size);
	return grown;
}
