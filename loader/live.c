/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "loader/cleanup.h"

#define SIZE_MAX_OF_ALL (1U << 26) /* a million instructions, with room */

int live_program(int fd, struct live_program *program)
{
	CLEANUP(free_memory) struct bpf_insn *instructions = NULL;
	struct bpf_prog_info info = { 0 };
	uint32_t len, size = sizeof(info);
	int err = bpf_obj_get_info_by_fd(fd, &info, &size);

	if (err)
		return err;
	len = info.xlated_prog_len;
	if (len > SIZE_MAX_OF_ALL || len % sizeof(*instructions))
		return -E2BIG;
	if (len) {
		instructions = malloc(len);
		if (!instructions)
			return -ENOMEM;
		memset(&info, 0, sizeof(info));
		info.xlated_prog_len = len;
		info.xlated_prog_insns = (uintptr_t)instructions;
		size = sizeof(info);
		err = bpf_obj_get_info_by_fd(fd, &info, &size);
		if (err)
			return err;
		if (info.xlated_prog_len != len)
			return -EAGAIN;
	}
	*program = (struct live_program){ .info = info, .info_size = size };
	if (info.xlated_prog_insns) {
		program->instructions = instructions;
		program->count = len / sizeof(*instructions);
		instructions = NULL;
	}
	return 0;
}

int live_program_info(uint32_t id, struct live_program *program)
{
	CLEANUP(close_fd) int fd = bpf_prog_get_fd_by_id(id);

	*program = (struct live_program){ .info_size = sizeof(program->info) };
	if (fd < 0)
		return -errno;
	return bpf_obj_get_info_by_fd(fd, &program->info, &program->info_size);
}

void live_program_free(struct live_program *program)
{
	free(program->instructions);
	program->instructions = NULL;
}

struct digest live_digest(const struct live_program *program)
{
	CLEANUP(free_memory) struct bpf_insn *copy = NULL;
	size_t size = program->count * sizeof(*copy);
	struct digest none = { 0 };

	if (!program->instructions)
		return none;
	copy = malloc(size);
	if (!copy)
		return none;
	memcpy(copy, program->instructions, size);
	for (size_t i = 0; i < program->count; i++)
		if (copy[i].code == (BPF_JMP | BPF_CALL))
			copy[i].imm = 0;
	return digest_of(copy, size);
}

static int describe_program(const struct bpf_program *program,
			    struct record_object *described)
{
	CLEANUP(live_program_free) struct live_program live = { 0 };
	int err = live_program(bpf_program__fd(program), &live);

	if (!err)
		*described = (struct record_object){ live.info.id,
						     live_digest(&live) };
	return err;
}

static int describe_map(const struct bpf_map *map,
			struct record_object *described)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);
	int err = bpf_obj_get_info_by_fd(bpf_map__fd(map), &info, &size);

	*described = (struct record_object){ .id = info.id };
	return err;
}

int live_objects(const struct bpf_object *object,
		 struct record_objects *objects)
{
	CLEANUP(free_memory) struct record_object *all = NULL;
	struct record_objects found = { 0 };
	struct bpf_program *program;
	struct record_object *next;
	struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_program(program, object) found.program_count++;
	bpf_object__for_each_map(map, object) found.map_count++;
	all = calloc((size_t)found.program_count + found.map_count + 1,
		     sizeof(*all));
	if (!all)
		return -ENOMEM;
	next = all;
	bpf_object__for_each_program(program, object)
	{
		if (!err)
			err = describe_program(program, next++);
	}
	bpf_object__for_each_map(map, object)
	{
		if (!err)
			err = describe_map(map, next++);
	}
	if (err)
		return err;
	found.objects = all;
	all = NULL;
	*objects = found;
	return 0;
}
