/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/arena.h"

static struct source *add(struct sources *sources, const char *path,
			  const char *name)
{
	struct source *source;

	sources->list = arena_grow(sources->arena, sources->list,
				   sources->count, &sources->capacity,
				   sizeof(*sources->list));
	source = &sources->list[sources->count++];
	*source = (struct source){
		.path = arena_copy(sources->arena, path, strlen(path)),
		.name = arena_copy(sources->arena, name, strlen(name)),
		.included_from = LOC_NONE,
	};
	return source;
}

/* So that a line is found without reading the text again. */
static void index_lines(struct arena *arena, struct source *source)
{
	const char *end = source->bytes + source->size, *newline;
	size_t capacity = 0;

	for (const char *line = source->bytes;; line = newline + 1) {
		source->lines = arena_grow(arena, source->lines,
					   source->line_count, &capacity,
					   sizeof(*source->lines));
		source->lines[source->line_count++] =
			(uint32_t)(line - source->bytes);
		newline = memchr(line, '\n', (size_t)(end - line));
		if (!newline)
			return;
	}
}

/* Continuation bytes of UTF-8 begin no character. */
static bool begins_character(char byte)
{
	return ((unsigned char)byte & 0xc0) != 0x80;
}

#define STRIDE 256 /* bytes */

static void index_characters(struct arena *arena, struct source *source)
{
	uint32_t count = 0;

	source->characters = arena_array(arena, source->size / STRIDE + 1,
					 sizeof(*source->characters));
	for (size_t i = 0; i <= source->size; i++) {
		if (i % STRIDE == 0)
			source->characters[i / STRIDE] = count;
		count += begins_character(source->bytes[i]);
	}
}

static uint32_t characters_before(const struct source *source, size_t offset)
{
	uint32_t count = source->characters[offset / STRIDE];

	for (size_t i = offset - offset % STRIDE; i < offset; i++)
		count += begins_character(source->bytes[i]);
	return count;
}

/*
 * Reads to the end, or one byte past what is left of the limit: a device that
 * never ends costs no more than a policy of the largest size.
 */
static int read_all(struct sources *sources, int fd, char **bytes,
		    size_t *size)
{
	size_t left = SOURCE_MAX_BYTES - sources->total, capacity = 16 * 1024;
	char *buffer = arena_alloc(sources->arena, capacity);
	size_t used = 0;

	for (;;) {
		ssize_t got;

		if (used + 1 >= capacity) {
			char *grown = arena_alloc(sources->arena, capacity * 4);

			memcpy(grown, buffer, used);
			buffer = grown;
			capacity *= 4;
		}
		got = read(fd, buffer + used, capacity - used - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		used += (size_t)got;
		if (used > left)
			return -EFBIG;
	}
	buffer[used] = '\0';
	*bytes = buffer;
	*size = used;
	return 0;
}

static int read_open(struct sources *sources, int fd, const char *path,
		     const char *name, uint32_t *index)
{
	struct source *source;
	struct stat status;
	char *bytes = NULL;
	size_t size = 0;
	int err;

	if (fstat(fd, &status))
		return -errno;
	if (S_ISDIR(status.st_mode))
		return -EISDIR;
	if (S_ISREG(status.st_mode) &&
	    (uintmax_t)status.st_size > SOURCE_MAX_BYTES - sources->total)
		return -EFBIG;
	err = read_all(sources, fd, &bytes, &size);
	if (err)
		return err;
	source = add(sources, path, name);
	source->bytes = bytes;
	source->size = size;
	source->device = status.st_dev;
	source->inode = status.st_ino;
	source->is_file = true;
	index_lines(sources->arena, source);
	index_characters(sources->arena, source);
	sources->total += size;
	*index = (uint32_t)(sources->count - 1);
	return 0;
}

int source_read(struct sources *sources, const char *path, const char *name,
		struct loc included_from, uint32_t *index)
{
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	err = read_open(sources, fd, path, name, index);
	close(fd);
	if (err)
		return err;
	sources->list[*index].included_from = included_from;
	if (included_from.source != SOURCE_NONE)
		sources->list[*index].depth =
			sources->list[included_from.source].depth + 1;
	return 0;
}

int source_add(struct sources *sources, const char *name, const char *bytes,
	       size_t size, uint32_t *index)
{
	struct source *source;

	if (size > SOURCE_MAX_BYTES - sources->total)
		return -EFBIG;
	source = add(sources, name, name);
	source->bytes = arena_copy(sources->arena, bytes, size);
	source->size = size;
	index_lines(sources->arena, source);
	index_characters(sources->arena, source);
	sources->total += size;
	*index = (uint32_t)(sources->count - 1);
	return 0;
}

uint32_t source_find(const struct sources *sources, const char *path)
{
	struct stat status;

	if (stat(path, &status))
		return SOURCE_NONE;
	for (size_t i = 0; i < sources->count; i++)
		if (sources->list[i].is_file &&
		    sources->list[i].device == status.st_dev &&
		    sources->list[i].inode == status.st_ino)
			return (uint32_t)i;
	return SOURCE_NONE;
}

bool source_is_read(const struct sources *sources, const char *path)
{
	struct stat status;

	return !stat(path, &status) && S_ISREG(status.st_mode) &&
	       source_find(sources, path) != SOURCE_NONE;
}

bool source_exists(const char *path)
{
	struct stat status;

	return !stat(path, &status);
}

struct place_in_source source_place(const struct source *source,
				    size_t offset)
{
	size_t first = 0, behind = source->line_count;
	struct place_in_source place;
	const char *end = source->bytes + source->size;

	if (offset > source->size)
		offset = source->size;
	while (behind - first > 1) { /* the last line that begins by then */
		size_t middle = first + (behind - first) / 2;

		if (source->lines[middle] <= offset)
			first = middle;
		else
			behind = middle;
	}
	place.line = (uint32_t)first + 1;
	place.text = source->bytes + source->lines[first];
	place.column = 1 + characters_before(source, offset) -
		       characters_before(source, source->lines[first]);
	if (first + 1 < source->line_count)
		end = source->bytes + source->lines[first + 1] - 1;
	if (end > place.text && end[-1] == '\r')
		end--;
	place.text_len = (size_t)(end - place.text);
	return place;
}

const char *source_folder(struct arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? arena_copy(arena, path, (size_t)(slash + 1 - path)) : "";
}
