/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the back to the front: the trailer says how long the object is and what
 * it hashes to; only then is the object looked at.
 */
#include "bundle/bundle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/object.h"
#include "bundle/reader.h"

#define DIGEST_OFFSET (BUNDLE_TRAILER_SIZE - DIGEST_SIZE)

/* Not the owner of the note, which is in there too. */
static const char magic[8] = { '\177', 'b', 'p', 'f', 'l', 'o', 'c', 'k' };

struct digest bundle_digest(const void *bytes, size_t size)
{
	return digest_of(bytes, size);
}

static void put_little_endian(uint8_t *bytes, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
}

void bundle_finish(uint8_t *bytes, size_t elf_size)
{
	uint8_t *trailer = bytes + elf_size;
	struct digest digest;

	memset(trailer, 0, BUNDLE_TRAILER_SIZE);
	memcpy(trailer, magic, sizeof(magic));
	put_little_endian(trailer + 8, BUNDLE_FORMAT, 4);
	put_little_endian(trailer + 16, elf_size, 8);
	digest = digest_of(bytes, elf_size + DIGEST_OFFSET);
	memcpy(trailer + DIGEST_OFFSET, digest.bytes, DIGEST_SIZE);
}

static int check_trailer(const uint8_t *bytes, size_t size, size_t *elf_size,
			 const char **why)
{
	struct reader reader;
	struct digest digest;
	const uint8_t *trailer;
	uint32_t format, reserved;
	uint64_t length;

	if (size <= BUNDLE_TRAILER_SIZE) {
		*why = "it is too short to be a bundle";
		return -EBADMSG;
	}
	if (size > BUNDLE_MAX_SIZE) {
		*why = "it is too large to be a bundle";
		return -EBADMSG;
	}
	trailer = bytes + size - BUNDLE_TRAILER_SIZE;
	reader = reader_of(trailer, BUNDLE_TRAILER_SIZE);
	if (memcmp(reader_bytes(&reader, sizeof(magic)), magic,
		   sizeof(magic))) {
		*why = "it does not end as a bundle does";
		return -EBADMSG;
	}
	format = reader_u32(&reader);
	reserved = reader_u32(&reader);
	length = reader_u64(&reader);
	if (format != BUNDLE_FORMAT || reserved) {
		*why = "it is a bundle of another format";
		return -EBADMSG;
	}
	if (length != size - BUNDLE_TRAILER_SIZE) {
		*why = "it is not as long as it says";
		return -EBADMSG;
	}
	digest = digest_of(bytes, size - DIGEST_SIZE);
	if (memcmp(digest.bytes, trailer + DIGEST_OFFSET, DIGEST_SIZE)) {
		*why = "it is damaged: its digest differs";
		return -EBADMSG;
	}
	*elf_size = (size_t)length;
	return 0;
}

/* The one note section.  Others, of whatever owner, no bundle has. */
static int find_note(const void *elf, size_t size,
		     struct object_section *section, const char **why)
{
	struct object_section each;
	struct object object;
	uint32_t notes = 0;
	int err;

	err = object_open(elf, size, &object, why);
	if (err)
		return err;
	for (uint32_t i = 1; i < object.section_count; i++) {
		if (object_section(&object, i, &each)) {
			*why = "one of its ELF sections is damaged";
			return -EBADMSG;
		}
		if (each.type != SHT_NOTE && strcmp(each.name, NOTE_SECTION))
			continue;
		*section = each;
		notes++;
	}
	if (!notes) {
		*why = "it has no bpflock note";
		return -EBADMSG;
	}
	if (notes > 1 || section->type != SHT_NOTE ||
	    strcmp(section->name, NOTE_SECTION)) {
		*why = "it has other notes than bpflock's";
		return -EBADMSG;
	}
	return 0;
}

int bundle_open(const void *bytes, size_t size, struct bundle **bundle,
		const char **why)
{
	struct object_section section;
	struct bundle *opened;
	struct note *note;
	size_t elf_size;
	int err;

	err = check_trailer(bytes, size, &elf_size, why);
	if (err)
		return err;
	err = find_note(bytes, elf_size, &section, why);
	if (err)
		return err;
	err = note_decode(section.bytes, (size_t)section.size, &note, why);
	if (err)
		return err;
	opened = calloc(1, sizeof(*opened));
	if (!opened) {
		note_free(note);
		return -ENOMEM;
	}
	opened->elf = bytes;
	opened->elf_size = elf_size;
	opened->digest = bundle_digest(bytes, size);
	opened->note = note;
	*bundle = opened;
	return 0;
}

void bundle_close(struct bundle *bundle)
{
	if (!bundle)
		return;
	note_free(bundle->note);
	free(bundle);
}
