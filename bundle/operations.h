/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * operations.def as tables: what is called what, and where it is decided.
 * All of it is constant and lives as long as the program.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/operations.h"

#define KERNEL(major, minor) ((major) << 8 | (minor))

struct hook {
	const char *name;    /* without what a section has before it */
	const char *section; /* that its programs are in: "lsm/bpf" */
	bool hot;
};

struct operation {
	const char *name;
	const char *words;   /* for people: what a subject does */
	uint64_t hooks;	     /* bits are enum hook_id */
	unsigned first_kernel; /* KERNEL(major, minor) that can decide it */
};

/* A name for several operations of one protection. */
struct family {
	const char *name;
	uint64_t members; /* bits as in a protection's masks */
};

struct protection {
	enum protection_id id;
	const char *name;
	const char *words;
	bool trace; /* a statement of `trace { }`: logs, never denies */
	const struct operation *operations; /* protection_operation_count() */
	const struct family *families;	    /* protection_family_count() */
	unsigned destination_count; /* operations, the last ones, that are one
				     * policy's own: bundle/destination.h */
};

extern const struct hook hooks[HOOK_COUNT];
extern const struct protection protections[PROTECTION_COUNT + 1];

/* 1 to 64 operations. */
unsigned protection_operation_count(const struct protection *protection);
unsigned protection_family_count(const struct protection *protection);

/* Every operation of @protection, as a mask; and those that are destinations. */
uint64_t protection_all(const struct protection *protection);
uint64_t protection_destinations(const struct protection *protection);

/* Those that happen without a subject, as a mask. */
uint64_t protection_no_subject(const struct protection *protection);

/* The protection, not a trace, of that name; NULL where there is none.
 * @len is the name's length in bytes: it need not end in NUL. */
const struct protection *protection_find(const char *name, size_t len);

/* The operation or family of that name as a mask; 0 where there is none. */
uint64_t protection_mask(const struct protection *protection, const char *name,
			 size_t len);

/* The hook's name in a section as programs are in: "bpf" of "lsm/bpf"; NULL
 * where none is. */
const char *hook_of_section(const char *section);

/* Whether deciding this operation needs a hot hook. */
bool operation_is_hot(const struct operation *operation);
