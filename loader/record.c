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

int record_read(int home, const char *policy, struct record *record)
{
	CLEANUP(free_memory) uint8_t *value = NULL;
	CLEANUP(close_fd) int map = -1;
	struct bpf_map_info info;
	struct header header;
	uint32_t key = 0;
	const char *why;
	int err = open_record(home, policy, &map, &info);

	if (err)
		return err;
	value = malloc(info.value_size);
	if (!value)
		return -ENOMEM;
	err = bpf_map_lookup_elem(map, &key, value);
	if (err)
		return err;
	memcpy(&header, value, sizeof(header));
	if (header.magic != RECORD_MAGIC ||
	    header.note_size > info.value_size - sizeof(header))
		return -EBADMSG;
	err = note_decode(value + sizeof(header), header.note_size,
			  &record->note, &why);
	if (err)
		return err;
	record->bundle = header.bundle;
	record->id = info.id;
	return 0;
}

void record_free(struct record *record)
{
	note_free(record->note);
	record->note = NULL;
}
