/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/btfext.h"

#include <bpf/btf.h>
#include <errno.h>
#include <linux/btf.h>
#include <string.h>

#include "bundle/reader.h"
#include "compiler/arena.h"

#define HEADER_SIZE (8 + 8 * EXT_KINDS)

static const uint32_t least_sizes[EXT_KINDS] = { 8, 16, 16 };

struct ext_record *ext_add(struct ext *ext, enum ext_kind kind,
			   uint32_t section, const uint32_t *words)
{
	struct ext_list *list = &ext->lists[kind];
	struct ext_record *record;

	list->records = arena_grow(ext->arena, list->records, list->count,
				   &list->capacity, sizeof(*list->records));
	record = &list->records[list->count++];
	record->section = section;
	record->words = arena_alloc(ext->arena, list->record_size);
	memcpy(record->words, words, list->record_size);
	return record;
}

static bool read_list(struct ext *ext, enum ext_kind kind, struct reader reader)
{
	struct ext_list *list = &ext->lists[kind];

	list->record_size = least_sizes[kind];
	if (!reader_left(&reader))
		return true;
	list->record_size = reader_u32(&reader);
	if (list->record_size < least_sizes[kind] || list->record_size % 4)
		return false;
	while (!reader.spent && reader_left(&reader)) {
		uint32_t section = reader_u32(&reader);
		uint32_t count = reader_count(&reader, list->record_size);

		for (uint32_t i = 0; i < count; i++) {
			const uint8_t *bytes =
				reader_bytes(&reader, list->record_size);
			uint32_t *words;

			if (!bytes)
				return false;
			words = arena_alloc(ext->arena, list->record_size);
			memcpy(words, bytes, list->record_size);
			ext_add(ext, kind, section, words);
		}
	}
	return !reader.spent;
}

int ext_read(struct arena *arena, const struct blob *bytes, struct ext *ext,
	     const char **why)
{
	struct reader reader = reader_of(bytes->bytes, bytes->size);
	uint32_t offsets[EXT_KINDS] = { 0 }, sizes[EXT_KINDS] = { 0 }, length;
	bool good;

	*ext = (struct ext){ .arena = arena };
	good = reader_u16(&reader) == BTF_MAGIC;
	reader_u16(&reader); /* version, flags */
	length = reader_u32(&reader);
	for (unsigned i = 0; i < EXT_KINDS; i++) {
		offsets[i] = reader_u32(&reader);
		sizes[i] = reader_u32(&reader);
	}
	good = good && !reader.spent && length >= HEADER_SIZE;
	for (unsigned i = 0; good && i < EXT_KINDS; i++)
		good = read_list(ext, i,
				 reader_at(bytes->bytes, bytes->size,
					   (uint64_t)length + offsets[i],
					   sizes[i]));
	if (good)
		return 0;
	*why = "the linked object's .BTF.ext is damaged";
	return -EBADMSG;
}

/* ---- writing ---- */

static size_t list_room(const struct ext_list *list)
{
	return 4 + list->count * (8 + (size_t)list->record_size);
}

static void put_u32(uint8_t **at, uint32_t value)
{
	memcpy(*at, &value, sizeof(value));
	*at += sizeof(value);
}

/* Records of one section from @first on. */
static uint32_t run_length(const struct ext_list *list, size_t first)
{
	size_t end = first;

	while (end < list->count &&
	       list->records[end].section == list->records[first].section)
		end++;
	return (uint32_t)(end - first);
}

static void write_list(const struct ext_list *list, uint8_t **at)
{
	if (!list->count)
		return;
	put_u32(at, list->record_size);
	for (size_t i = 0; i < list->count;) {
		uint32_t length = run_length(list, i);

		put_u32(at, list->records[i].section);
		put_u32(at, length);
		for (; length; length--, i++) {
			memcpy(*at, list->records[i].words, list->record_size);
			*at += list->record_size;
		}
	}
}

struct blob ext_write(const struct ext *ext)
{
	size_t room = HEADER_SIZE;
	uint8_t *bytes, *at, *header;

	for (unsigned i = 0; i < EXT_KINDS; i++)
		room += list_room(&ext->lists[i]);
	bytes = arena_alloc(ext->arena, room);
	header = bytes;
	at = bytes + HEADER_SIZE;
	put_u32(&header, BTF_MAGIC | BTF_VERSION << 16);
	put_u32(&header, HEADER_SIZE);
	for (unsigned i = 0; i < EXT_KINDS; i++) {
		uint8_t *start = at;

		write_list(&ext->lists[i], &at);
		put_u32(&header, (uint32_t)(start - bytes) - HEADER_SIZE);
		put_u32(&header, (uint32_t)(at - start));
	}
	return (struct blob){ bytes, (size_t)(at - bytes) };
}
