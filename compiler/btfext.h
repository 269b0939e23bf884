/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * .BTF.ext as lists of records: where functions start, source lines, and what
 * CO-RE relocates.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "compiler/blob.h"

struct arena;

enum ext_kind {
	EXT_FUNCTIONS, /* words: offset, type */
	EXT_LINES,     /* words: offset, file name, line, number and column */
	EXT_CORE,      /* words: offset, type, access string, kind */
	EXT_KINDS
};

/* The first word is the offset in bytes in the section. */
struct ext_record {
	uint32_t section; /* its name, an offset into the strings of .BTF */
	uint32_t *words;
};

struct ext_list {
	uint32_t record_size; /* in bytes */
	struct ext_record *records;
	size_t count;
	size_t capacity;
};

struct ext {
	struct arena *arena;
	struct ext_list lists[EXT_KINDS];
};

/* Reads @bytes, all of it into the arena.  Returns 0, or -EBADMSG with *@why
 * set to constant words. */
int ext_read(struct arena *arena, const struct blob *bytes, struct ext *ext,
	     const char **why);

/* A new record at the end of a list, with a copy of @words in it. */
struct ext_record *ext_add(struct ext *ext, enum ext_kind kind,
			   uint32_t section, const uint32_t *words);

/* Records of one section must follow each other in every list. */
struct blob ext_write(const struct ext *ext);
