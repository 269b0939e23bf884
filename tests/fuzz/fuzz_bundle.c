/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bundle_open() on anything.  The input is the ELF object, or a whole bundle,
 * whose trailer is then made again: so it gets past the digest.  What opens
 * must encode to the note that it was.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/bundle.h"
#include "bundle/object.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_again(const struct bundle *bundle)
{
	struct object_section section;
	struct object object;
	const char *why;
	size_t size;
	void *note;

	if (object_open(bundle->elf, bundle->elf_size, &object, &why) ||
	    object_find_section(&object, NOTE_SECTION, &section))
		abort();
	if (note_encode(bundle->note, &note, &size))
		return;
	if (size != section.size || memcmp(note, section.bytes, size))
		abort();
	free(note);
}

static void open_sealed(const uint8_t *bytes, size_t size)
{
	uint8_t *sealed = malloc(size + BUNDLE_TRAILER_SIZE);
	struct bundle *bundle;
	const char *why;

	if (!sealed)
		return;
	if (size)
		memcpy(sealed, bytes, size);
	bundle_finish(sealed, size);
	if (!bundle_open(sealed, size + BUNDLE_TRAILER_SIZE, &bundle, &why)) {
		check_again(bundle);
		bundle_close(bundle);
	}
	free(sealed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct bundle *bundle;
	const char *why;

	if (!bundle_open(bytes, size, &bundle, &why))
		bundle_close(bundle);
	open_sealed(bytes, size);
	if (size > BUNDLE_TRAILER_SIZE)
		open_sealed(bytes, size - BUNDLE_TRAILER_SIZE);
	return 0;
}
