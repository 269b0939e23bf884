/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/record.h"

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "loader/cleanup.h"
#include "loader/layout.h"

#define RECORD_MAGIC 0x31727062U /* "bpr1" */
#define RECORD_MAX   (4U << 20)	 /* what the kernel takes as one element */

struct header {
	uint32_t magic;
	uint32_t note_size;
	struct digest bundle;
};

int record_create(const struct digest *bundle, const struct note *note, int *fd)
{
	LIBBPF_OPTS(bpf_map_create_opts, settings,
		    .map_flags = BPF_F_RDONLY_PROG);
	CLEANUP(free_memory) void *note_bytes = NULL;
	CLEANUP(free_memory) uint8_t *value = NULL;
	CLEANUP(close_fd) int map = -1;
	struct header header = { .magic = RECORD_MAGIC, .bundle = *bundle };
	uint32_t key = 0;
	size_t note_size, size;
	int err = note_encode(note, &note_bytes, &note_size);

	if (err)
		return err;
	size = sizeof(header) + note_size;
	if (size > RECORD_MAX)
		return -E2BIG;
	header.note_size = (uint32_t)note_size;
	value = malloc(size);
	if (!value)
		return -ENOMEM;
	memcpy(value, &header, sizeof(header));
	memcpy(value + sizeof(header), note_bytes, note_size);

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

static int read_value(int map, uint8_t **value, size_t *size)
{
	CLEANUP(free_memory) uint8_t *bytes = NULL;
	struct bpf_map_info info = { 0 };
	uint32_t info_size = sizeof(info);
	uint32_t key = 0;
	int err = bpf_obj_get_info_by_fd(map, &info, &info_size);

	if (err)
		return err;
	if (info.type != BPF_MAP_TYPE_ARRAY || info.max_entries != 1 ||
	    info.value_size < sizeof(struct header) ||
	    info.value_size > RECORD_MAX)
		return -EBADMSG;
	bytes = malloc(info.value_size);
	if (!bytes)
		return -ENOMEM;
	err = bpf_map_lookup_elem(map, &key, bytes);
	if (err)
		return err;
	*size = info.value_size;
	*value = bytes;
	bytes = NULL;
	return 0;
}

int record_read(const char *policy, struct record *record)
{
	LIBBPF_OPTS(bpf_obj_get_opts, settings, .file_flags = BPF_F_RDONLY);
	CLEANUP(free_memory) uint8_t *value = NULL;
	CLEANUP(close_fd) int map = -1;
	char path[LAYOUT_PATH_SIZE];
	struct header header;
	const char *why;
	size_t size;
	int err = layout_path(path, false, policy, LAYOUT_RECORD, NULL);

	if (err)
		return err;
	map = bpf_obj_get_opts(path, &settings);
	if (map < 0)
		return -errno;
	err = read_value(map, &value, &size);
	if (err)
		return err;
	memcpy(&header, value, sizeof(header));
	if (header.magic != RECORD_MAGIC ||
	    header.note_size > size - sizeof(header))
		return -EBADMSG;
	err = note_decode(value + sizeof(header), header.note_size,
			  &record->note, &why);
	if (!err)
		record->bundle = header.bundle;
	return err;
}

void record_free(struct record *record)
{
	note_free(record->note);
	record->note = NULL;
}
