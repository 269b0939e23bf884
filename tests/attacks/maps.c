/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Our maps, other than by bpf() itself: written by programs that were given an
 * fd of them for reading, or drowned in events.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bpf.h"
#include "maps.h"
#include "vault.h"

#define PAGE	      4096
#define FLOOD	      100000
#define FLOOD_FIRST   100 /* where none is denied, more would show no more */
#define RACE_S	      10
#define RACING_FD     500
#define WORDS_MAX     512
#define HELPER_LOOKUP 1
#define ITERATOR      "bpf_iter_bpf_map_elem"
#define LINK_ITER_FD  16 /* where bpf_attr has iter_info and its length */

/* value = lookup(map, &key); if (value) *value = 0 */
int map_zero_by_program(int map, const struct bpf_map_info *info, uint64_t key)
{
	const struct bpf_insn instructions[] = {
		{ .code = BPF_LD | BPF_DW | BPF_IMM,
		  .dst_reg = 1,
		  .imm = (int32_t)key },
		{ .imm = (int32_t)(key >> 32) },
		{ .code = BPF_STX | BPF_MEM | BPF_DW,
		  .dst_reg = 10,
		  .src_reg = 1,
		  .off = -8 },
		{ .code = BPF_LD | BPF_DW | BPF_IMM,
		  .dst_reg = 1,
		  .src_reg = BPF_PSEUDO_MAP_FD,
		  .imm = map },
		{ 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X,
		  .dst_reg = 2,
		  .src_reg = 10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K,
		  .dst_reg = 2,
		  .imm = -8 },
		{ .code = BPF_JMP | BPF_CALL, .imm = HELPER_LOOKUP },
		{ .code = BPF_JMP | BPF_JEQ | BPF_K, .off = 1 },
		{ .code = BPF_ST | BPF_MEM | BPF_DW },
		RETURN(1),
	};
	int program, done;

	if (info->key_size > 8 || info->value_size < 8) {
		errno = EINVAL;
		return -1;
	}
	program = bpf_load(BPF_PROG_TYPE_SOCKET_FILTER, 0, 0, 0, instructions,
			   sizeof(instructions) / sizeof(*instructions));
	if (program < 0)
		return -1;
	done = bpf_test_run(program, NULL, 0);
	close(program);
	return done < 0 ? -1 : 0;
}

static bool is_ring(const struct bpf_map_info *info)
{
	return info->type == BPF_MAP_TYPE_RINGBUF;
}

bool map_is_counter(const struct bpf_map_info *info)
{
	return !strcmp(info->name, "drops") ||
	       !strcmp(info->name, "guard_counts");
}

static void zero(int fd, uint32_t id, void *data)
{
	struct bpf_map_info info;

	(void)id;
	if (bpf_map_info(fd, &info) || is_ring(&info))
		return;
	if (map_is_counter(&info)) {
		say("%s: %s", info.name,
		    map_zero_by_program(fd, &info, 0) ? "held" : "falsified");
		return;
	}
	tally_add(data, map_zero_by_program(fd, &info, 0), info.name);
}

static int by_program(const struct scene *scene)
{
	struct tally tally = { 0 };

	if (!bpf_each(scene, MAPS, BPF_F_RDONLY, zero, &tally))
		return errno;
	vault_undo(scene);
	return tally_result(&tally);
}

/* ---- an iterator's program is given each value, and may write it ---- */

/* What boot facts become: the same host, and /dev/shm as the root file system
 * (bundle/boot.h).  All else becomes zeros. */
static uint64_t wanted_word(const struct bpf_map_info *info, uint32_t offset)
{
	struct stat memory, network;

	if (strcmp(info->name, ".rodata.boot") || offset ||
	    stat("/dev/shm", &memory) || stat("/proc/2/ns/net", &network))
		return 0;
	return (uint64_t)(major(memory.st_dev) << 20 | minor(memory.st_dev))
		       << 32 |
	       (uint32_t)network.st_ino;
}

/* Only the facts themselves: their reserved rest is for the loader. */
static uint32_t wanted_size(const struct bpf_map_info *info)
{
	if (!strcmp(info->name, ".rodata.boot"))
		return 8;
	return info->value_size < WORDS_MAX * 8 ? info->value_size
						: WORDS_MAX * 8;
}

static int load_writer(const struct bpf_map_info *info)
{
	struct bpf_insn at[8 + WORDS_MAX * 3] = {
		{ .code = BPF_LDX | BPF_MEM | BPF_DW,
		  .dst_reg = 2,
		  .src_reg = 1,
		  .off = 24 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0 },
		{ .code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = 2, .off = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	size_t count = 4;

	for (uint32_t done = 0; done + 8 <= wanted_size(info); done += 8) {
		uint64_t word = wanted_word(info, done);

		at[count++] =
			(struct bpf_insn){ .code = BPF_LD | BPF_DW | BPF_IMM,
					   .dst_reg = 3,
					   .imm = (int32_t)word };
		at[count++] = (struct bpf_insn){ .imm = (int32_t)(word >> 32) };
		at[count++] =
			(struct bpf_insn){ .code = BPF_STX | BPF_MEM | BPF_DW,
					   .dst_reg = 2,
					   .src_reg = 3,
					   .off = (int16_t)done };
	}
	at[count++] = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
	return bpf_load(BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER,
			bpf_function(ITERATOR), 0, at, count);
}

int map_open_iterator(int map, const struct bpf_map_info *info)
{
	uint32_t target = (uint32_t)map; /* union bpf_iter_link_info */
	uint64_t pointer = (uintptr_t)&target;
	union bpf_attr attr = { 0 }, create = { 0 };
	int program = load_writer(info), link, reader;

	if (program < 0)
		return -1;
	attr.link_create.prog_fd = (uint32_t)program;
	attr.link_create.attach_type = BPF_TRACE_ITER;
	memcpy((char *)&attr + LINK_ITER_FD, &pointer, sizeof(pointer));
	memcpy((char *)&attr + LINK_ITER_FD + 8, &(uint32_t){ 4 }, 4);
	link = bpf_call(BPF_LINK_CREATE, &attr, sizeof(attr));
	close(program);
	if (link < 0)
		return -1;
	create.iter_create.link_fd = (uint32_t)link;
	reader = bpf_call(BPF_ITER_CREATE, &create, sizeof(create));
	close(link);
	return reader;
}

static bool is_changed(int fd, const struct bpf_map_info *info)
{
	uint64_t key = 0;
	char *value = calloc(1, info->value_size + 8UL);
	union bpf_attr attr = { .map_fd = (uint32_t)fd,
				.key = (uintptr_t)&key,
				.value = (uintptr_t)value };
	bool changed = !bpf_call(BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr));

	for (uint32_t done = 0; done + 8 <= wanted_size(info); done += 8) {
		uint64_t word;

		memcpy(&word, value + done, 8);
		changed &= word == wanted_word(info, done);
	}
	free(value);
	return changed;
}

void map_iterate(int reader, int map, struct tally *tally)
{
	struct bpf_map_info info;
	char buffer[64];

	while (read(reader, buffer, sizeof(buffer)) > 0)
		;
	errno = EROFS;
	if (!bpf_map_info(map, &info))
		tally_add(tally, is_changed(map, &info) ? 0 : -1, info.name);
}

static void write_by_iterator(int fd, uint32_t id, void *data)
{
	struct bpf_map_info info;
	int reader;

	(void)id;
	if (bpf_map_info(fd, &info) || is_ring(&info) || info.value_size < 8 ||
	    map_is_counter(&info))
		return;
	reader = map_open_iterator(fd, &info);
	if (reader < 0) {
		tally_add(data, -1, info.name);
		return;
	}
	map_iterate(reader, fd, data);
	close(reader);
}

static int by_iterator(const struct scene *scene)
{
	struct tally tally = { 0 };

	if (!bpf_each(scene, MAPS, BPF_F_RDONLY, write_by_iterator, &tally))
		return errno;
	vault_undo(scene);
	return tally_result(&tally);
}

/* In another map: programs look it up there, and nothing knows how its fd was
 * opened. */
static void put_inside(int fd, uint32_t id, void *data)
{
	struct bpf_map_info info, outer = { .type = BPF_MAP_TYPE_ARRAY_OF_MAPS,
					    .key_size = 4,
					    .value_size = 4,
					    .max_entries = 1 };
	uint32_t key = 0, value = (uint32_t)fd;
	int twin, map;

	(void)id;
	if (bpf_map_info(fd, &info) || is_ring(&info) ||
	    map_is_counter(&info) || info.map_flags & BPF_F_RDONLY_PROG)
		return;
	twin = bpf_create(&info, -1);
	map = bpf_create(&outer, twin);
	tally_add(data, map < 0 ? -1 : bpf_update(map, &key, &value),
		  info.name);
	close(twin);
	close(map);
}

static int inside(const struct scene *scene)
{
	struct tally tally = { 0 };

	if (!bpf_each(scene, MAPS, BPF_F_RDONLY, put_inside, &tally))
		return errno;
	return tally_result(&tally);
}

/* ---- events ---- */

static void stall(int fd, uint32_t id, void *data)
{
	struct bpf_map_info info;
	unsigned long *consumer;

	(void)id;
	if (bpf_map_info(fd, &info) || !is_ring(&info))
		return;
	consumer = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (consumer == MAP_FAILED) {
		tally_add(data, -1, info.name);
		return;
	}
	/* No event has room behind it. */
	*consumer = ~0UL / 2;
	tally_add(data, 0, "the ring's consumer position");
}

static int ring_stall(const struct scene *scene)
{
	struct tally tally = { 0 };

	if (!bpf_each(scene, MAPS, 0, stall, &tally))
		return errno;
	return tally_result(&tally);
}

/* All of them are denied, however many find no room for their event. */
static int ring_flood(const struct scene *scene)
{
	int other = 0;
	long denied;

	(void)scene;
	alarm(0);
	denied = flood_modules(FLOOD_FIRST, &other);
	if (denied == FLOOD_FIRST)
		denied += flood_modules(FLOOD - FLOOD_FIRST, &other);
	say("%ld of %d denied, another end %d", denied, FLOOD, other);
	return denied == FLOOD ? EPERM : THROUGH;
}

/* ---- another fd under the same number while the call is at work ---- */

static atomic_bool over;
static int racing[2];

static void *swap(void *unused)
{
	while (!atomic_load(&over)) {
		dup2(racing[0], RACING_FD);
		dup2(racing[1], RACING_FD);
	}
	return unused;
}

static int race_pin(struct tally *tally, uint32_t ours)
{
	const char *path = HOST_BPFFS "/race";
	struct bpf_map_info info;
	int fd, found;

	if (bpf_pin(RACING_FD, path))
		return 0;
	fd = bpf_get(path);
	found = fd >= 0 && !bpf_map_info(fd, &info) && info.id == ours;
	close(fd);
	unlink(path);
	if (found)
		tally_add(tally, 0, "pinned elsewhere by a race");
	return found;
}

static void race(int fd, uint32_t id, void *data)
{
	const struct bpf_map_info like = { .type = BPF_MAP_TYPE_ARRAY,
					   .key_size = 4,
					   .value_size = 8,
					   .max_entries = 1 };
	struct tally *tally = data;
	pthread_t thread;

	if (tally->tried)
		return;
	racing[0] = bpf_create(&like, -1);
	racing[1] = fd;
	dup2(racing[0], RACING_FD);
	if (racing[0] < 0 || pthread_create(&thread, NULL, swap, NULL))
		return;
	for (long end = time(NULL) + RACE_S; time(NULL) < end;)
		if (race_pin(tally, id))
			break;
	atomic_store(&over, true);
	pthread_join(thread, NULL);
	errno = EPERM;
	if (!tally->through)
		tally_add(tally, -1, "");
}

static int race_fd(const struct scene *scene)
{
	struct tally tally = { 0 };

	if (!bpf_each(scene, MAPS, BPF_F_RDONLY, race, &tally))
		return errno;
	return tally_result(&tally);
}

const struct attack map_attacks[] = {
	ATTACK(17, "ring-stall", "the ring's consumer position far ahead",
	       AIM_POLICY, ring_stall),
	ATTACK(18, "ring-flood", "100,000 denials: events drop, denials go on",
	       AIM_DENIAL, ring_flood, .needs = "kernel_modules",
	       .traits = SLOW),
	ATTACK(70, "map-by-program",
	       "a program writes our maps, from an fd for reading", AIM_CALL,
	       by_program),
	ATTACK(71, "map-by-iterator",
	       "a map iterator writes our maps, /dev/shm becomes the root",
	       AIM_CALL, by_iterator),
	ATTACK(72, "map-in-map", "our maps inside the attacker's", AIM_CALL,
	       inside),
	ATTACK(73, "fd-race",
	       "another fd behind a number while bpf() looks at it", AIM_CALL,
	       race_fd, .traits = SLOW),
	{ 0 },
};
