/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes a growing buffer from front to back.  Where there is no memory, the
 * rest of the writes do nothing, and the end says so.
 */
#include "bundle/note.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/note_format.h"

struct writer {
	uint8_t *bytes;
	size_t size;
	size_t capacity;
	bool failed; /* out of memory */
};

static void write_bytes(struct writer *writer, const void *bytes, size_t size)
{
	size_t capacity = writer->capacity ? writer->capacity : 4096;
	uint8_t *grown;

	while (capacity - writer->size < size)
		capacity *= 2;
	if (capacity != writer->capacity && !writer->failed) {
		grown = realloc(writer->bytes, capacity);
		if (!grown) {
			writer->failed = true;
			return;
		}
		writer->bytes = grown;
		writer->capacity = capacity;
	}
	if (writer->failed)
		return;
	if (size)
		memcpy(writer->bytes + writer->size, bytes, size);
	writer->size += size;
}

static void write_u8(struct writer *writer, unsigned value)
{
	uint8_t byte = (uint8_t)value;

	write_bytes(writer, &byte, 1);
}

static void write_number(struct writer *writer, uint64_t value, size_t size)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
	write_bytes(writer, bytes, size);
}

static void write_u16(struct writer *writer, uint16_t value)
{
	write_number(writer, value, sizeof(value));
}

static void write_u32(struct writer *writer, uint32_t value)
{
	write_number(writer, value, sizeof(value));
}

static void write_u64(struct writer *writer, uint64_t value)
{
	write_number(writer, value, sizeof(value));
}

static void write_string(struct writer *writer, const char *string)
{
	size_t len = strlen(string);

	assert(len <= UINT32_MAX);
	write_u32(writer, (uint32_t)len);
	write_bytes(writer, string, len);
}

static void write_text(struct writer *writer, const char *text)
{
	write_u8(writer, text != NULL);
	if (text)
		write_string(writer, text);
}

static void write_strings(struct writer *writer, const char **strings,
			  uint32_t count)
{
	write_u32(writer, count);
	for (uint32_t i = 0; i < count; i++)
		write_string(writer, strings[i]);
}

static void write_runs(struct writer *writer, const uint32_t *values,
		       size_t count)
{
	size_t first = 0;

	for (size_t i = 1; i <= count; i++) {
		if (i < count && values[i] == values[first])
			continue;
		write_u32(writer, (uint32_t)(i - first));
		write_u32(writer, values[first]);
		first = i;
	}
}

static void write_destination(struct writer *writer,
			      const struct destination *destination)
{
	write_u32(writer, destination->prefix_count);
	for (uint32_t i = 0; i < destination->prefix_count; i++) {
		const struct destination_prefix *prefix =
			&destination->prefixes[i];

		write_bytes(writer, prefix->address, sizeof(prefix->address));
		write_u8(writer, prefix->bits);
	}
	write_u32(writer, destination->ports_count);
	for (uint32_t i = 0; i < destination->ports_count; i++) {
		write_u16(writer, destination->ports[i].first);
		write_u16(writer, destination->ports[i].last);
	}
}

static void write_protection(struct writer *writer,
			     const struct table_protection *protection)
{
	const struct protection *kind = protection->protection;
	unsigned operations = protection_operation_count(kind);
	uint32_t classes = table_class_count(protection);

	write_string(writer, kind->name);
	write_u32(writer, operations);
	for (unsigned i = 0; i < operations; i++)
		write_string(writer, kind->operations[i].name);
	write_u8(writer, kind->trace ? 0 : protection->profile);
	write_u8(writer, kind->trace ? 0 : protection->log);
	write_strings(writer, protection->cgroups, protection->cgroup_count);
	for (uint32_t i = 0; i < classes; i++)
		write_u64(writer, protection->denied[i]);
	for (uint32_t i = 0; i < classes; i++)
		write_u64(writer, protection->logged[i]);
	write_runs(writer, protection->decided_by,
		   (size_t)classes * operations);
	write_strings(writer, protection->devices, protection->device_count);
	for (unsigned i = 0; i < kind->destination_count; i++)
		write_destination(writer, &protection->destinations[i]);
}

static void write_description(struct writer *writer, const struct note *note)
{
	const struct table *table = &note->table;

	write_u32(writer, NOTE_ENCODING);
	write_bytes(writer, note->source.bytes, DIGEST_SIZE);
	write_bytes(writer, note->compiler.bytes, DIGEST_SIZE);
	write_string(writer, table->policy);
	write_text(writer, table->description);
	write_u32(writer, table->language);
	write_u32(writer, table->version);
	write_u32(writer, (table->audit ? NOTE_AUDIT : 0) |
				  (table->locked ? NOTE_LOCKED : 0));
	write_u32(writer, table->until);
	write_strings(writer, table->sources, table->source_count);
	write_u32(writer, table->statement_count);
	for (uint32_t i = 0; i < table->statement_count; i++) {
		write_u32(writer, table->statements[i].source);
		write_u32(writer, table->statements[i].line);
		write_u32(writer, table->statements[i].column);
		write_u32(writer, table->statements[i].until);
		write_text(writer, table->statements[i].reason);
	}
	write_u32(writer, table->protection_count);
	for (uint32_t i = 0; i < table->protection_count; i++)
		write_protection(writer, &table->protections[i]);
}

int note_encode(const struct note *note, void **bytes, size_t *size)
{
	static const uint8_t zeros[4];
	struct writer writer = { 0 };
	size_t description;

	write_u32(&writer, sizeof(NOTE_OWNER));
	write_u32(&writer, 0); /* the description's size, filled in below */
	write_u32(&writer, NOTE_TYPE);
	write_bytes(&writer, NOTE_OWNER, sizeof(NOTE_OWNER));
	write_bytes(&writer, zeros, note_padding(writer.size));
	description = writer.size;
	write_description(&writer, note);
	description = writer.size - description;
	write_bytes(&writer, zeros, note_padding(writer.size));
	if (writer.failed) {
		free(writer.bytes);
		return -ENOMEM;
	}
	assert(description <= UINT32_MAX);
	for (unsigned i = 0; i < 4; i++)
		writer.bytes[4 + i] = (uint8_t)(description >> (8 * i));
	*bytes = writer.bytes;
	*size = writer.size;
	return 0;
}
