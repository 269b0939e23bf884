/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "loader/cleanup.h"
#include "loader/layout.h"

#define RECORD_MAGIC 0x32727062U /* "bpr2" */
#define RECORD_MAX   (4U << 20)	 /* what the kernel takes as one element */

struct header {
	uint32_t magic;
	uint32_t note_size;
	uint32_t program_count;
	uint32_t map_count;
	struct digest bundle;
};

static size_t objects_size(const struct header *header)
{
	return ((size_t)header->program_count + header->map_count) *
	       sizeof(struct record_object);
}

int record_create(const struct digest *bundle, const struct note *note,
		  const struct record_objects *objects, int *fd)
{
	LIBBPF_OPTS(bpf_map_create_opts, settings,
		    .map_flags = BPF_F_RDONLY_PROG);
	CLEANUP(free_memory) void *note_bytes = NULL;
	CLEANUP(free_memory) uint8_t *value = NULL;
	CLEANUP(close_fd) int map = -1;
	struct header header = {
		.magic = RECORD_MAGIC,
		.program_count = objects->program_count,
		.map_count = objects->map_count,
		.bundle = *bundle,
	};
	size_t note_size = 0, size = sizeof(header) + objects_size(&header);
	uint32_t key = 0;
	int err = note ? note_encode(note, &note_bytes, &note_size) : 0;

	if (err)
		return err;
	size += note_size;
	if (size > RECORD_MAX)
		return -E2BIG;
	header.note_size = (uint32_t)note_size;
	value = malloc(size);
	if (!value)
		return -ENOMEM;
	memcpy(value, &header, sizeof(header));
	memcpy(value + sizeof(header), objects->objects, objects_size(&header));
	if (note)
		memcpy(value + size - note_size, note_bytes, note_size);

	map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "bpflock_record", sizeof(key),
			     (uint32_t)size, 1, &settings);
	if (map < 0)
		return -errno;
	err = bpf_map_update_elem(map, &key, value, BPF_ANY);
	if (!err)
		err = bpf_map_freeze(map);
	if (err)
		return err;
	*fd = keep_fd(&map);
	return 0;
}

static int open_record(int home, const char *policy, int *map,
		       struct bpf_map_info *info)
{
	LIBBPF_OPTS(bpf_obj_get_opts, settings, .file_flags = BPF_F_RDONLY);
	CLEANUP(close_fd) int fd = -1;
	uint32_t size = sizeof(*info);
	char path[LAYOUT_PATH_SIZE];
	int err = layout_path(path, home, LAYOUT_IN_PLACE, policy,
			      LAYOUT_RECORD, NULL);

	if (err)
		return err;
	fd = bpf_obj_get_opts(path, &settings);
	if (fd < 0)
		return -errno;
	memset(info, 0, sizeof(*info));
	err = bpf_obj_get_info_by_fd(fd, info, &size);
	if (err)
		return err;
	if (info->type != BPF_MAP_TYPE_ARRAY || info->max_entries != 1 ||
	    info->value_size < sizeof(struct header) ||
	    info->value_size > RECORD_MAX)
		return -EBADMSG;
	*map = keep_fd(&fd);
	return 0;
}

int record_id(int home, const char *policy, uint32_t *id)
{
	CLEANUP(close_fd) int map = -1;
	struct bpf_map_info info;
	int err = open_record(home, policy, &map, &info);

	if (!err)
		*id = info.id;
	return err;
}

int record_parse(const void *bytes, size_t size, bool with_note,
		 struct record *record)
{
	CLEANUP(free_memory) struct record_object *objects = NULL;
	const uint8_t *at = bytes;
	struct header header;
	const char *why;
	int err = 0;

	if (size < sizeof(header))
		return -EBADMSG;
	memcpy(&header, at, sizeof(header));
	size -= sizeof(header);
	at += sizeof(header);
	if (header.magic != RECORD_MAGIC || objects_size(&header) > size ||
	    header.note_size != size - objects_size(&header))
		return -EBADMSG;
	objects = malloc(objects_size(&header) + 1);
	if (!objects)
		return -ENOMEM;
	memcpy(objects, at, objects_size(&header));
	if (with_note)
		err = note_decode(at + objects_size(&header), header.note_size,
				  &record->note, &why);
	if (err)
		return err;
	record->objects = (struct record_objects){
		.objects = objects,
		.program_count = header.program_count,
		.map_count = header.map_count,
	};
	objects = NULL;
	record->bundle = header.bundle;
	return 0;
}

int record_read(int home, const char *policy, struct record *record)
{
	CLEANUP(free_memory) uint8_t *value = NULL;
	CLEANUP(close_fd) int map = -1;
	struct bpf_map_info info;
	uint32_t key = 0;
	int err = open_record(home, policy, &map, &info);

	if (err)
		return err;
	value = malloc(info.value_size);
	if (!value)
		return -ENOMEM;
	err = bpf_map_lookup_elem(map, &key, value);
	if (err)
		return err;
	err = record_parse(value, info.value_size, strcmp(policy, LAYOUT_GUARD),
			   record);
	if (!err)
		record->id = info.id;
	return err;
}

void record_free(struct record *record)
{
	note_free(record->note);
	free(record->objects.objects);
	*record = (struct record){ 0 };
}
