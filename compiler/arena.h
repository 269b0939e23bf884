/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One arena a run: all that the compiler allocates lives until arena_free().
 * Out of memory ends the program here, with a message; callers never check.
 */
#pragma once

#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena);

/* Zeroed, aligned for any type; @size may be 0. */
void *arena_alloc(struct arena *arena, size_t size);

/* The same for @count elements of @size bytes, the product checked. */
void *arena_array(struct arena *arena, size_t count, size_t size);

/* A copy of @size bytes with a NUL behind them. */
char *arena_copy(struct arena *arena, const void *bytes, size_t size);

__attribute__((format(printf, 2, 3))) char *
arena_printf(struct arena *arena, const char *format, ...);

/*
 * Grows an array: returns room for at least @count + 1 elements, the first
 * @count kept, and updates *@capacity (in elements).  The old array stays
 * valid until the arena goes.
 */
void *arena_grow(struct arena *arena, void *array, size_t count,
		 size_t *capacity, size_t size);
