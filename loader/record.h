/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel keeps of a policy when the loader has gone: a small frozen
 * map, pinned beside the links, with the bundle's digest and its note, and with
 * the ids of the programs and maps that were loaded.  The guard has one as
 * well, without a note.
 *
 * It is written before anything is attached, so links are not in it: the links
 * of a policy are those of its programs.
 *
 *	offset 0	magic, u32: RECORD_MAGIC of record.c
 *	4		the note's length in bytes, u32
 *	8		how many programs, u32
 *	12		how many maps, u32
 *	16		SHA-256 of the bundle
 *	48		the programs, then the maps, each in the bundle's order:
 *			struct record_object
 *	behind them	the note (bundle/note.h)
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bundle/digest.h"
#include "bundle/note.h"

struct record_object {
	uint32_t id;
	struct digest instructions; /* of a program, see loader/live.h; all
				     * zeros where the kernel hid them, and of
				     * a map */
};

struct record_objects {
	struct record_object *objects; /* owned; the programs, then the maps */
	uint32_t program_count, map_count;
};

struct record {
	struct digest bundle; /* of the whole file, as sha256sum prints it */
	struct note *note;    /* owned; NULL: the guard's */
	struct record_objects objects;
	uint32_t id; /* of the map: another for each load */
};

/* Puts it into the kernel; @note NULL: the guard's.  On success *@fd is the
 * map, the caller's to close().  Returns 0 or -errno. */
int record_create(const struct digest *bundle, const struct note *note,
		  const struct record_objects *objects, int *fd);

/* The record of the policy of that name, which is in its place in @home.  On
 * success *@record is the caller's to record_free().  Returns 0; -EBADMSG where
 * it is not one that this program wrote; or -errno. */
int record_read(int home, const char *policy, struct record *record);

/* Only the record's id.  Returns as record_read() does. */
int record_id(int home, const char *policy, uint32_t *id);

/* The same for the bytes of one: it parses what others may have written. */
int record_parse(const void *bytes, size_t size, bool with_note,
		 struct record *record);

/* For cleanup; all zeros is fine. */
void record_free(struct record *record);
