/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looks into a relocatable BPF object in memory: sections and symbols by name,
 * no more.  Both sides need it: a bundle's note is found with it before
 * anything else has looked at the ELF, and a template's policy variable is.
 *
 * Made by hand over the reader rather than with libelf: what a loader does
 * with bytes that it has not yet understood should be short enough to read,
 * and libelf takes offsets, sizes and links from the file as they come.
 */
#pragma once

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

/* A string table: at least one byte, and the last one is a NUL. */
struct object_strings {
	const uint8_t *bytes;
	size_t size;
};

struct object {
	const uint8_t *bytes;
	size_t size;
	uint64_t sections; /* offset of the section headers, all inside */
	uint32_t section_count;
	struct object_strings names; /* of the sections */
};

struct object_section {
	uint32_t index;
	const char *name; /* inside the object; never NULL */
	uint32_t type;
	uint32_t link;
	const uint8_t *bytes; /* inside the object; NULL when it has none */
	uint64_t size;
	uint64_t offset; /* of @bytes in the object */
};

/*
 * @object keeps a pointer to @bytes, and owns nothing.  Returns 0, or -EBADMSG
 * with *@why set to constant words where it is not a 64-bit little-endian
 * relocatable BPF object whose section headers and section names lie inside
 * @bytes.
 */
int object_open(const void *bytes, size_t size, struct object *object,
		const char **why);

/* The section of that index: 0, or -EBADMSG where its header, its name or its
 * bytes are not inside the object. */
int object_section(const struct object *object, uint32_t index,
		   struct object_section *section);

/*
 * The only section of that name.  Returns 0, -ENOENT where there is none,
 * -EEXIST where there are two, -EBADMSG where a section is damaged.
 */
int object_find_section(const struct object *object, const char *name,
			struct object_section *section);

/*
 * The bytes of the only symbol of that name that is defined in a section:
 * *@offset into the object, *@size bytes, all inside that section, whose name
 * is *@section.  Returns as object_find_section() does.
 */
int object_find_symbol(const struct object *object, const char *name,
		       struct object_section *section, uint64_t *offset,
		       uint64_t *size);

/* The bytes of the variable of that name, in the object, and how many in
 * *@size; NULL where there is none in that section. */
const uint8_t *object_find_variable(const struct object *object,
				    const char *name, const char *section,
				    uint64_t *size);
