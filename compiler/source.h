/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy's text: the file itself and what it includes, each read once into
 * memory and never changed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct arena;

#define SOURCE_MAX_BYTES ((size_t)1024 * 1024) /* all files together */
#define SOURCE_MAX_DEPTH 16 /* of includes */

/* A stretch of one source's bytes, [begin, end). */
struct loc {
	uint32_t source; /* index, or SOURCE_NONE */
	uint32_t begin;
	uint32_t end;
};

#define SOURCE_NONE UINT32_MAX
#define LOC_NONE ((struct loc){ .source = SOURCE_NONE })

struct source {
	const char *path; /* as it was opened: what diagnostics show */
	const char *name; /* the same from any folder: what bundles carry */
	const char *bytes; /* a NUL follows, which is not counted in size */
	size_t size;
	uint32_t *lines; /* offsets at which they begin */
	size_t line_count;
	uint32_t *characters; /* that begin before each 256th byte */
	struct loc included_from; /* LOC_NONE for the policy itself */
	unsigned depth; /* of includes around it */
	dev_t device; /* with inode: which file it is */
	ino_t inode;
	bool holds_items; /* an included file of more than lets */
	bool is_file; /* otherwise the text came from a command line */
};

struct sources {
	struct arena *arena;
	struct source *list;
	size_t count;
	size_t capacity;
	size_t total; /* bytes of them all */
};

/* A place as people count: lines and characters from 1. */
struct place_in_source {
	uint32_t line;
	uint32_t column;
	const char *text; /* the line, without its end */
	size_t text_len;
};

/*
 * Reads @path, which may be a file, a pipe or a terminal.  On success *@index
 * is its place in @sources->list.  Otherwise -errno: -EISDIR, -EFBIG where the
 * limit of all sources together is passed (no more than that is ever read), or
 * what open() and read() say.
 */
int source_read(struct sources *sources, const char *path, const char *name,
		struct loc included_from, uint32_t *index);

/* Adds text that is no file, a copy of @bytes; -EFBIG as above. */
int source_add(struct sources *sources, const char *name, const char *bytes,
	       size_t size, uint32_t *index);

/* Whether that file is one of these already; its index, or SOURCE_NONE. */
uint32_t source_find(const struct sources *sources, const char *path);

/* Whether writing to @path would change one of these: a terminal or a pipe that
 * a policy came from may be written to. */
bool source_is_read(const struct sources *sources, const char *path);

/* Whether there is anything of that name. */
bool source_exists(const char *path);

/* Where @offset lies; at the end of the text, just behind its last byte. */
struct place_in_source source_place(const struct source *source,
				    size_t offset);

/* The folder part of @path with its '/'; "" where there is none. */
const char *source_folder(struct arena *arena, const char *path);
