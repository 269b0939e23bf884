/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The note: what a bundle says of itself.  It is the ELF note of owner
 * "bpflock", type NOTE_TYPE, in the section NOTE_SECTION, and holds the
 * decision table and the digests of what it was made from.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bundle/digest.h"
#include "bundle/table.h"

#define NOTE_SECTION ".note.bpflock"
#define NOTE_OWNER "bpflock"
#define NOTE_TYPE 1

struct note {
	struct table table;
	struct digest source;	/* names and bytes of all policy files */
	struct digest compiler;	/* the templates that bpflockc had embedded */
};

/*
 * Encodes @note: the same note gives the same bytes.  On success *@bytes is
 * the caller's to free().  Returns 0 or -ENOMEM.
 */
int note_encode(const struct note *note, void **bytes, size_t *size);

/*
 * Decodes what note_encode() made.  @bytes comes from outside: every length,
 * index, name and enum is checked before it is used.  On success *@note is the
 * caller's, to be freed with note_free(); it keeps no pointer into @bytes.
 * Returns 0, -ENOMEM, or -EBADMSG where it is not such a note, with *@why set
 * to words for people (constant, never freed).
 */
int note_decode(const void *bytes, size_t size, struct note **note,
		const char **why);

/* NULL is fine. */
void note_free(struct note *note);
