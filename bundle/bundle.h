/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A bundle: one ordinary ELF BPF object, and behind it a trailer of fixed size
 *
 *	offset 0, 8 bytes	"\177bpflock"
 *	offset 8, 4 bytes	BUNDLE_FORMAT
 *	offset 12, 4 bytes	0
 *	offset 16, 8 bytes	the ELF object's length: all before the trailer
 *	offset 24, 32 bytes	SHA-256 of all bytes before this field
 *
 * in little-endian.  ELF tools find all they read by offset from the front, so
 * the trailer is not there for them.  It finds damage, before any ELF is
 * parsed; whether a bundle is the right one is for a signature, or for the
 * digest of the whole file, to say.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bundle/digest.h"
#include "bundle/note.h"

#define BUNDLE_FORMAT	    1
#define BUNDLE_TRAILER_SIZE 56
#define BUNDLE_MAX_SIZE	    (16u << 20)

struct bundle {
	const void *elf; /* inside the bytes that were opened */
	size_t elf_size;
	struct digest digest; /* of the whole file, as sha256sum prints it */
	struct note *note;    /* never NULL, owned */
};

/*
 * Opens the bundle in @bytes, which must stay as they are for as long as
 * *@bundle is used.  On success *@bundle is the caller's, to be freed with
 * bundle_close().  Returns 0, -ENOMEM, or -EBADMSG with *@why set to words for
 * people (constant, never freed) where the bytes are not a whole bundle,
 * undamaged, of this format and of this operations.def.
 */
int bundle_open(const void *bytes, size_t size, struct bundle **bundle,
		const char **why);

/* NULL is fine. */
void bundle_close(struct bundle *bundle);

/* The digest of a bundle that is, or is not, open: SHA-256 of all its bytes. */
struct digest bundle_digest(const void *bytes, size_t size);

/* Writes the trailer behind the object of @elf_size bytes in @bytes, which has
 * room for BUNDLE_TRAILER_SIZE more. */
void bundle_finish(uint8_t *bytes, size_t elf_size);
