/* SPDX-License-Identifier: GPL-2.0-only */
#include "bpf.h"

#include <errno.h>
#include <linux/btf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KERNEL_BTF "/sys/kernel/btf/vmlinux"
/* Where nobody may list what there is, all numbers up to here are tried. */
#define GUESSES 512U

int bpf_call(int command, union bpf_attr *attr, size_t size)
{
	return (int)syscall(SYS_bpf, command, attr, size);
}

static int call(int command, union bpf_attr *attr)
{
	return bpf_call(command, attr, sizeof(*attr));
}

static const int next_command[] = { BPF_PROG_GET_NEXT_ID, BPF_MAP_GET_NEXT_ID,
				    BPF_LINK_GET_NEXT_ID };
static const int fd_command[] = { BPF_PROG_GET_FD_BY_ID, BPF_MAP_GET_FD_BY_ID,
				  BPF_LINK_GET_FD_BY_ID };

static bool next_id(enum kind kind, uint32_t *id)
{
	union bpf_attr attr = { .start_id = *id };

	if (call(next_command[kind], &attr))
		return false;
	*id = attr.next_id;
	return true;
}

static uint32_t last_id(enum kind kind)
{
	uint32_t id = 0;

	while (next_id(kind, &id))
		;
	return id;
}

struct ids bpf_last_ids(void)
{
	return (struct ids){ last_id(PROGRAMS), last_id(MAPS), last_id(LINKS) };
}

int bpf_fd_by_id(enum kind kind, uint32_t id, uint32_t flags)
{
	union bpf_attr attr = { .prog_id = id };

	if (kind == MAPS)
		attr.open_flags = flags;
	return call(fd_command[kind], &attr);
}

unsigned bpf_each(const struct scene *scene, enum kind kind, uint32_t flags,
		  void (*use)(int fd, uint32_t id, void *data), void *data)
{
	const uint32_t first[] = { scene->before.program, scene->before.map,
				   scene->before.link };
	uint32_t last = last_id(kind);
	unsigned count = 0;
	int refused = ENOENT;

	if (!last)
		last = first[kind] + GUESSES;
	for (uint32_t id = first[kind] + 1; id <= last; id++) {
		int fd = bpf_fd_by_id(kind, id, flags);

		if (fd < 0) {
			refused = errno == ENOENT ? refused : errno;
			continue;
		}
		count++;
		use(fd, id, data);
		close(fd);
	}
	errno = refused;
	return count;
}

/* The kernel's types: a header, then records of various lengths. */
static size_t rest_of(const struct btf_type *type)
{
	uint32_t count = BTF_INFO_VLEN(type->info);

	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return 4;
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return count * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
	case BTF_KIND_FUNC_PROTO:
		return count * 8;
	case BTF_KIND_DATASEC:
	case BTF_KIND_ENUM64:
		return count * 12;
	}
	return 0;
}

/* /sys shows no size of it before it is read. */
static char *read_types(size_t *size)
{
	FILE *file = fopen(KERNEL_BTF, "re");
	size_t room = 16 << 20;
	char *data = malloc(room);

	*size = file && data ? fread(data, 1, room, file) : 0;
	if (file)
		fclose(file);
	return data;
}

uint32_t bpf_function(const char *name)
{
	size_t size;
	char *data = read_types(&size);
	const struct btf_header *header = (void *)data;
	const char *at, *end, *strings;
	uint32_t found = 0;

	if (!data || size < sizeof(*header)) {
		free(data);
		return 0;
	}
	at = data + header->hdr_len + header->type_off;
	end = at + header->type_len;
	strings = data + header->hdr_len + header->str_off;
	for (uint32_t id = 1; at < end && !found; id++) {
		const struct btf_type *type = (const void *)at;

		if (BTF_INFO_KIND(type->info) == BTF_KIND_FUNC &&
		    !strcmp(strings + type->name_off, name))
			found = id;
		at += sizeof(*type) + rest_of(type);
	}
	free(data);
	return found;
}

int bpf_load(int type, int attach, uint32_t function, unsigned flags,
	     const struct bpf_insn *instructions, size_t count)
{
	union bpf_attr attr = {
		.prog_type = (uint32_t)type,
		.expected_attach_type = (uint32_t)attach,
		.attach_btf_id = function,
		.prog_flags = flags,
		.insns = (uintptr_t)instructions,
		.insn_cnt = (uint32_t)count,
		.license = (uintptr_t) "GPL",
	};

	return call(BPF_PROG_LOAD, &attr);
}

int bpf_load_return(int type, int attach, uint32_t function, int value)
{
	const struct bpf_insn instructions[] = { RETURN(value) };

	return bpf_load(type, attach, function, 0, instructions, 2);
}

int bpf_open_tracing(int program)
{
	union bpf_attr attr = { .raw_tracepoint.prog_fd = (uint32_t)program };

	return call(BPF_RAW_TRACEPOINT_OPEN, &attr);
}

int bpf_pin(int fd, const char *path)
{
	union bpf_attr attr = { .pathname = (uintptr_t)path,
				.bpf_fd = (uint32_t)fd };

	return call(BPF_OBJ_PIN, &attr);
}

int bpf_get(const char *path)
{
	union bpf_attr attr = { .pathname = (uintptr_t)path };

	return call(BPF_OBJ_GET, &attr);
}

int bpf_test_run(int program, void *context, uint32_t size)
{
	static char packet[64];
	union bpf_attr attr = { .test.prog_fd = (uint32_t)program };

	if (context) {
		attr.test.ctx_in = (uintptr_t)context;
		attr.test.ctx_size_in = size;
	} else {
		attr.test.data_in = (uintptr_t)packet;
		attr.test.data_size_in = sizeof(packet);
	}
	return call(BPF_PROG_TEST_RUN, &attr) ? -1 : (int)attr.test.retval;
}

int bpf_map_info(int fd, struct bpf_map_info *info)
{
	union bpf_attr attr = { .info = { .bpf_fd = (uint32_t)fd,
					  .info_len = sizeof(*info),
					  .info = (uintptr_t)info } };

	memset(info, 0, sizeof(*info));
	return call(BPF_OBJ_GET_INFO_BY_FD, &attr);
}

int bpf_create(const struct bpf_map_info *like, int inner)
{
	union bpf_attr attr = {
		.map_type = like->type,
		.key_size = like->key_size,
		.value_size = like->value_size,
		.max_entries = like->max_entries,
		.map_flags = like->map_flags,
		.inner_map_fd = (uint32_t)(inner < 0 ? 0 : inner),
	};

	return call(BPF_MAP_CREATE, &attr);
}

int bpf_update(int map, const void *key, const void *value)
{
	union bpf_attr attr = { .map_fd = (uint32_t)map,
				.key = (uintptr_t)key,
				.value = (uintptr_t)value };

	return call(BPF_MAP_UPDATE_ELEM, &attr);
}
