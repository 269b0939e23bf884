/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel keeps of a policy when the loader has gone: a small frozen
 * map, pinned beside the links, with the bundle's digest and its note.
 */
#pragma once

#include "bundle/digest.h"
#include "bundle/note.h"

struct record {
	struct digest bundle; /* of the whole file, as sha256sum prints it */
	struct note *note;    /* owned */
	uint32_t id;	      /* of the map: another for each load */
};

/* Puts it into the kernel.  On success *@fd is the map, the caller's to
 * close().  Returns 0 or -errno. */
int record_create(const struct digest *bundle, const struct note *note,
		  int *fd);

/* The record of the policy of that name, which is in its place in @home.  On
 * success *@record is the caller's to record_free().  Returns 0; -EBADMSG where
 * it is not one that this program wrote; or -errno. */
int record_read(int home, const char *policy, struct record *record);

/* Only the record's id.  Returns as record_read() does. */
int record_id(int home, const char *policy, uint32_t *id);

/* For cleanup; all zeros is fine. */
void record_free(struct record *record);
