/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * evaluate_object() on anything.  The input is an ELF object; the table is its
 * note's, or where it has none that can be read, one of our own.
 */
#include <stdint.h>
#include <stdlib.h>

#include "bundle/note.h"
#include "bundle/object.h"
#include "compiler/arena.h"
#include "compiler/proof/evaluate.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct note *find_note(const uint8_t *bytes, size_t size)
{
	struct object_section section;
	struct object object;
	struct note *note;
	const char *why;

	if (object_open(bytes, size, &object, &why) ||
	    object_find_section(&object, NOTE_SECTION, &section) ||
	    !section.bytes ||
	    note_decode(section.bytes, (size_t)section.size, &note, &why))
		return NULL;
	return note;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	uint64_t masks[PLACE_COUNT] = { 0, 3 };
	struct table_protection row = {
		.protection = &protections[PROTECTION_kernel_modules],
		.denied = masks,
		.logged = masks,
	};
	struct table ours = { .policy = "fuzz",
			      .protections = &row,
			      .protection_count = 1 };
	struct note *note = find_note(bytes, size);
	struct arena *arena = arena_new();
	const char *why;

	evaluate_object(arena, bytes, size, note ? &note->table : &ours, NULL,
			&why);
	arena_free(arena);
	note_free(note);
	return 0;
}
