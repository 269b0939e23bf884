/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Our programs, links and maps, by their numbers: whoever may call bpf() gets
 * fds of them.  What can be done with one, besides looking at it?
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bpf.h"
#include "vault.h"

#define ELSEWHERE HOST_BPFFS "/elsewhere"
#define PAGE	  4096

/* Each attack tallies with what no fd could be had of as a refusal. */
static int each(const struct scene *scene, enum kind kind, uint32_t flags,
		void (*use)(int fd, uint32_t id, void *data))
{
	struct tally tally = { 0 };

	if (bpf_each(scene, kind, flags, use, &tally))
		return tally_result(&tally);
	return errno;
}

static void detach(int fd, uint32_t id, void *data)
{
	union bpf_attr attr = { .link_detach.link_fd = (uint32_t)fd };

	(void)id;
	tally_add(data, bpf_call(BPF_LINK_DETACH, &attr, sizeof(attr)),
		  "detach");
}

static int link_detach(const struct scene *scene)
{
	return each(scene, LINKS, 0, detach);
}

/* To a program that the attacker could load before. */
static void update(int fd, uint32_t id, void *data)
{
	static int program = -1;
	union bpf_attr attr = { .link_update.link_fd = (uint32_t)fd };

	(void)id;
	if (program < 0)
		program = bpf_load_return(BPF_PROG_TYPE_SOCKET_FILTER, 0, 0, 0);
	attr.link_update.new_prog_fd = (uint32_t)program;
	tally_add(data, bpf_call(BPF_LINK_UPDATE, &attr, sizeof(attr)),
		  "update");
}

static int link_update(const struct scene *scene)
{
	return each(scene, LINKS, 0, update);
}

/* A link or program that is pinned by us is there to stay, which by itself
 * does no harm; only nobody but us should be able to do it. */
static void pin_elsewhere(int fd, uint32_t id, void *data)
{
	char path[64];

	snprintf(path, sizeof(path), ELSEWHERE "%u", id);
	tally_add(data, bpf_pin(fd, path), "pinned elsewhere");
	unlink(path);
}

static void use_link(int fd, uint32_t id, void *data)
{
	union bpf_attr attr = { .iter_create.link_fd = (uint32_t)fd };

	pin_elsewhere(fd, id, data);
	tally_add(data, bpf_call(BPF_ITER_CREATE, &attr, sizeof(attr)),
		  "iterator of it");
}

static int link_by_id(const struct scene *scene)
{
	return each(scene, LINKS, 0, use_link);
}

static void use_program(int fd, uint32_t id, void *data)
{
	union bpf_attr bind = { .prog_bind_map.prog_fd = (uint32_t)fd };
	const struct bpf_map_info like = { .type = BPF_MAP_TYPE_ARRAY,
					   .key_size = 4,
					   .value_size = 4,
					   .max_entries = 1 };
	int map = bpf_create(&like, -1);

	pin_elsewhere(fd, id, data);
	tally_add(data, bpf_test_run(fd, NULL, 0), "test run of it");
	bind.prog_bind_map.map_fd = (uint32_t)map;
	tally_add(data, bpf_call(BPF_PROG_BIND_MAP, &bind, sizeof(bind)),
		  "a map bound to it");
	close(map);
}

static int program_by_id(const struct scene *scene)
{
	return each(scene, PROGRAMS, 0, use_program);
}

static void delete (int fd, const struct bpf_map_info *info, void *data)
{
	char *key = calloc(1, info->key_size ? info->key_size : 1);
	char *value = calloc(1, info->value_size ? info->value_size : 8);
	union bpf_attr attr = { .map_fd = (uint32_t)fd,
				.key = (uintptr_t)key,
				.value = (uintptr_t)value };

	tally_add(data, bpf_call(BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr)),
		  info->name);
	tally_add(data, bpf_call(BPF_MAP_DELETE_ELEM, &attr, sizeof(attr)),
		  info->name);
	tally_add(data,
		  bpf_call(BPF_MAP_LOOKUP_AND_DELETE_ELEM, &attr, sizeof(attr)),
		  info->name);
	free(key);
	free(value);
}

static void delete_batch(int fd, const struct bpf_map_info *info, void *data)
{
	char *keys = calloc(1, info->key_size ? info->key_size : 1);
	char *values = calloc(1, info->value_size ? info->value_size : 8);
	uint32_t position[16] = { 0 };
	const int commands[] = { BPF_MAP_UPDATE_BATCH, BPF_MAP_DELETE_BATCH,
				 BPF_MAP_LOOKUP_AND_DELETE_BATCH };

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		union bpf_attr attr = {
			.batch = { .map_fd = (uint32_t)fd,
				   .keys = (uintptr_t)keys,
				   .values = (uintptr_t)values,
				   .out_batch = (uintptr_t)position,
				   .count = 1 },
		};

		tally_add(data, bpf_call(commands[i], &attr, sizeof(attr)),
			  info->name);
	}
	free(keys);
	free(values);
}

static void write_map(int fd, uint32_t id, void *data)
{
	struct bpf_map_info info;

	(void)id;
	if (bpf_map_info(fd, &info))
		return;
	delete (fd, &info, data);
	delete_batch(fd, &info, data);
}

/* What every bundle has: the ring is written by who reads it, and freezing it
 * is another attack. */
static int map_by_id(const struct scene *scene)
{
	return each(scene, MAPS, 0, write_map);
}

static int map_by_id_read_only(const struct scene *scene)
{
	return each(scene, MAPS, BPF_F_RDONLY, write_map);
}

static void map_data(int fd, uint32_t id, void *data)
{
	struct bpf_map_info info;
	void *at;

	(void)id;
	if (bpf_map_info(fd, &info) || info.type == BPF_MAP_TYPE_RINGBUF)
		return;
	at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	tally_add(data, at == MAP_FAILED ? -1 : 0, "written through mmap");
	at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return;
	tally_add(data, mprotect(at, PAGE, PROT_READ | PROT_WRITE),
		  "made writable by mprotect");
	munmap(at, PAGE);
}

static int map_mmap(const struct scene *scene)
{
	return each(scene, MAPS, 0, map_data);
}

static void freeze(int fd, uint32_t id, void *data)
{
	union bpf_attr attr = { .map_fd = (uint32_t)fd };
	struct bpf_map_info info;

	(void)id;
	if (bpf_map_info(fd, &info) || info.type == BPF_MAP_TYPE_RINGBUF)
		return;
	tally_add(data, bpf_call(BPF_MAP_FREEZE, &attr, sizeof(attr)),
		  info.name);
}

static int map_freeze(const struct scene *scene)
{
	return each(scene, MAPS, 0, freeze);
}

/* Frozen, nobody reads the events any more. */
static void freeze_ring(int fd, uint32_t id, void *data)
{
	union bpf_attr attr = { .map_fd = (uint32_t)fd };
	struct bpf_map_info info;

	(void)id;
	if (bpf_map_info(fd, &info) || info.type != BPF_MAP_TYPE_RINGBUF)
		return;
	tally_add(data, bpf_call(BPF_MAP_FREEZE, &attr, sizeof(attr)),
		  info.name);
}

static int ring_freeze(const struct scene *scene)
{
	return each(scene, MAPS, 0, freeze_ring);
}

/* ---- by their pins ---- */

static struct tally *pins;

static int use_pin(const char *path, const struct stat *status, int type,
		   struct FTW *where)
{
	int fd;

	(void)status;
	(void)where;
	if (type != FTW_F)
		return 0;
	fd = bpf_get(path);
	if (fd < 0) {
		tally_add(pins, -1, path);
		return 0;
	}
	pin_elsewhere(fd, 0, pins);
	detach(fd, 0, pins);
	update(fd, 0, pins);
	tally_add(pins, bpf_test_run(fd, NULL, 0), path);
	write_map(fd, 0, pins);
	freeze(fd, 0, pins);
	close(fd);
	return 0;
}

static int pins_get(const struct scene *scene)
{
	struct tally tally = { 0 };

	pins = &tally;
	vault_enter_if_any(scene);
	nftw(vault_pins(), use_pin, 16, FTW_PHYS | FTW_MOUNT);
	return tally_result(&tally);
}

const struct attack object_attacks[] = {
	ATTACK(1, "link-detach", "LINK_DETACH of our links", AIM_CALL,
	       link_detach),
	ATTACK(2, "link-update", "LINK_UPDATE of our links", AIM_CALL,
	       link_update),
	ATTACK(3, "link-by-id", "a link by its id: pinned elsewhere, iterated",
	       AIM_CALL, link_by_id),
	ATTACK(4, "program-by-id",
	       "a program by its id: pinned, run, bound to a map", AIM_CALL,
	       program_by_id),
	ATTACK(5, "map-by-id",
	       "a map by its id: updated, deleted from, in batches", AIM_CALL,
	       map_by_id),
	ATTACK(5, "map-by-id-ro", "the same with an fd for reading", AIM_CALL,
	       map_by_id_read_only),
	ATTACK(7, "map-mmap", "a writable mapping of .rodata", AIM_CALL,
	       map_mmap),
	ATTACK(8, "map-freeze", "a second freeze", AIM_CALL, map_freeze),
	ATTACK(9, "pins-get", "OBJ_GET of our pins, then all of 1 to 8",
	       AIM_CALL, pins_get),
	ATTACK(75, "ring-freeze",
	       "MAP_FREEZE of the event ring: nobody reads it", AIM_CALL,
	       ring_freeze),
	{ 0 },
};
