/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An environment begins as one of accesses.def and one of its subjects, and
 * then anything in it may be something else: arguments, fields that some
 * access sets, the system call, the place.
 */
#include "differ.h"

#include <string.h>

#include "compiler/arena.h"
#include "compiler/proof/access.h"
#include "compiler/proof/specimen.h"
#include "compiler/proof/world.h"

struct pair {
	struct specimen specimens[2];
	struct world *worlds[2]; /* as access_kernels */
	uint64_t random;
};

static uint64_t next(struct pair *pair)
{
	pair->random ^= pair->random << 13;
	pair->random ^= pair->random >> 7;
	pair->random ^= pair->random << 17;
	return pair->random;
}

static uint64_t below(struct pair *pair, uint64_t limit)
{
	return (next(pair) >> 16) % limit;
}

static uint64_t any_number(struct pair *pair)
{
	static const uint64_t special[] = {
		0,
		1,
		2,
		3,
		5,
		8,
		16,
		0x20,
		106,
		129,
		176,
		97,
		268,
		272,
		308,
		310,
		337,
		346,
		375,
		428,
		432,
		467,
		0x80,
		0x20000,
		0x100000,
		0x40000000 | 272,
		0x40000000,
		100000,
		0x01021994,
		0x858458f6,
		0xef53,
		0x794c7630,
		1u << 22,
		0x8000,
		ACCESS_HOST_NETNS,
		ACCESS_ROOT_DEV,
		ACCESS_OTHER_DEV,
	};

	switch (below(pair, 3)) {
	case 0:
		return below(pair, 64);
	case 1:
		return special[below(pair,
				     sizeof(special) / sizeof(special[0]))];
	default:
		return next(pair);
	}
}

/* A field that some access or subject sets, for an object of that kind. */
static const struct access_field *any_field(struct pair *pair, const char *type)
{
	for (unsigned tries = 0; tries < 50; tries++) {
		const struct access *access =
			&accesses[below(pair, access_count)];
		const struct access_field *fields;
		size_t count = 0;

		if (!access->argument_count)
			continue;
		fields = access->arguments[0].fields;
		if (access->arguments[0].kind != VALUE_OBJECT ||
		    strcmp(access->arguments[0].text, type))
			continue;
		while (fields[count].path)
			count++;
		return &fields[below(pair, count)];
	}
	return NULL;
}

/* Sets the same in both worlds. */
static void set_both(struct world *const worlds[2], const uint64_t objects[2],
		     struct access_field field, bool number, uint64_t is)
{
	if (number)
		field.value = (struct access_value){ .number = is };
	for (unsigned i = 0; i < 2; i++)
		world_set(worlds[i], objects[i], &field, NULL);
}

static void make_tasks(struct pair *pair, struct world *const worlds[2],
		       const char *path)
{
	static const char *const paths[] = {
		"thread_pid.level",    "nsproxy.net_ns.ns.inum",
		"thread_pid",	       "nsproxy",
		"nsproxy.net_ns",      "real_parent",
		"start_boottime",      "in_execve",
		"cgroups.dfl_cgrp.kn", "mm.exe_file",
	};
	const struct access_subject *subject =
		&access_subjects[below(pair, access_subject_count)];
	struct access_field field = { 0 };
	uint64_t tasks[2];

	for (unsigned i = 0; i < 2; i++) {
		tasks[i] = world_task(worlds[i], subject->task);
		world_enter(worlds[i], tasks[i], path);
		world_bind(worlds[i], subject->unbound, subject->loader);
	}
	while (below(pair, 3) == 0) {
		size_t which = below(pair, sizeof(paths) / sizeof(paths[0]));
		bool pointer = which >= 2 && which != 6 && which != 7;

		field.path = paths[which];
		set_both(worlds, tasks, field, true,
			 pointer ? 0 : any_number(pair));
	}
}

/* False where this access cannot be made in that kernel. */
static bool make_arguments(struct pair *pair, struct world *const worlds[2],
			   const struct access *access,
			   uint64_t arguments[2][ACCESS_ARGUMENTS])
{
	for (size_t i = 0; i < access->argument_count; i++) {
		struct access_value value = access->arguments[i];
		const struct access_field *field;
		uint64_t objects[2];

		if (value.kind == VALUE_OTHERS)
			value.number = below(pair, 8);
		for (unsigned j = 0; j < 2; j++)
			if (!world_argument(worlds[j], &value,
					    &arguments[j][i]))
				return false;
		if (value.kind != VALUE_OBJECT && value.kind != VALUE_STRING &&
		    below(pair, 3) == 0)
			arguments[0][i] = arguments[1][i] = any_number(pair);
		if (value.kind != VALUE_OBJECT)
			continue;
		objects[0] = arguments[0][i];
		objects[1] = arguments[1][i];
		while (below(pair, 2)) {
			field = any_field(pair, value.text);
			if (field)
				set_both(worlds, objects, *field,
					 field->value.kind == VALUE_NUMBER &&
						 below(pair, 2),
					 any_number(pair));
		}
	}
	return true;
}

static const char *any_path(struct arena *arena, struct pair *pair,
			    const struct table *table)
{
	const struct table_protection *row;
	const char *path;

	if (!table->protection_count || below(pair, 4) == 0)
		return below(pair, 2) ? "/" : "/other/thing";
	row = &table->protections[below(pair, table->protection_count)];
	if (!row->cgroup_count)
		return "/";
	path = row->cgroups[below(pair, row->cgroup_count)];
	switch (below(pair, 4)) {
	case 0:
		return path;
	case 1:
		return arena_printf(arena, "%s/x", path);
	case 2:
		return arena_printf(arena, "%s-x", path);
	default:
		return arena_copy(arena, path, 1 + below(pair, strlen(path)));
	}
}

/* What @one and @other did: what is behind a string's end means nothing. */
static const char *compare_events(const struct world *one,
				  const struct world *other)
{
	if (one->event_count != other->event_count)
		return "another number of events";
	for (size_t i = 0; i < one->event_count; i++) {
		const struct world_event *a = &one->events[i];
		const struct world_event *b = &other->events[i];
		size_t object = offsetof(struct event, object);
		size_t parent = offsetof(struct event, parent_comm);

		if (a->size != b->size || memcmp(a->bytes, b->bytes, parent) ||
		    strncmp((const char *)a->bytes + parent,
			    (const char *)b->bytes + parent, EVENT_COMM_SIZE) ||
		    strncmp((const char *)a->bytes + object,
			    (const char *)b->bytes + object, EVENT_OBJECT_SIZE))
			return "another event";
	}
	for (size_t i = 0; i < one->specimen->map_count; i++) {
		const struct specimen_map *map = &one->specimen->maps[i];
		uint64_t size = (uint64_t)map->value_size * map->max_entries;
		const uint8_t *a, *b;

		if (!one->cells[i] || !other->cells[i])
			continue;
		a = memory_at(&one->memory, one->cells[i], size, MEMORY_READ);
		b = memory_at(&other->memory, other->cells[i], size,
			      MEMORY_READ);
		if (!a || !b || memcmp(a, b, size))
			return "another content of a map";
	}
	return NULL;
}

/* That one, or anything else. */
static struct access_call any_call(struct pair *pair,
				   const struct access_call *call)
{
	struct access_call any = *call;

	if (below(pair, 2))
		any.x86 = (int64_t)any_number(pair);
	if (below(pair, 2))
		any.arm64 = (int64_t)any_number(pair);
	if (below(pair, 2))
		any.i386 = below(pair, 2);
	for (size_t i = 0; i < ACCESS_CALL_ARGUMENTS; i++)
		if (below(pair, 2))
			any.arguments[i] = any_number(pair);
	return any;
}

/* One program in one environment; NULL where both do the same. */
static const char *run_pair(struct pair *pair, struct world *const worlds[2],
			    size_t program, const struct access *access,
			    uint64_t arguments[2][ACCESS_ARGUMENTS])
{
	bool ring_full = below(pair, 8) == 0, names_fail = below(pair, 8) == 0;
	struct access_call call = any_call(pair, &access->call);
	int32_t results[2];
	bool ran[2];

	for (unsigned i = 0; i < 2; i++) {
		world_call(worlds[i], &call);
		worlds[i]->ring_full = ring_full;
		worlds[i]->names_fail = names_fail;
		world_reset(worlds[i]);
		ran[i] = world_run(worlds[i], program, arguments[i],
				   access->argument_count, &results[i]);
	}
	if (!ran[0]) /* nothing is known of this one */
		return NULL;
	if (!ran[1])
		return worlds[1]->machine.why;
	if (results[0] != results[1])
		return "another result";
	return compare_events(worlds[0], worlds[1]);
}

static const struct access *any_access(struct pair *pair, const char *hook)
{
	for (;;) {
		const struct access *access =
			&accesses[below(pair, access_count)];

		if (!strcmp(hooks[access->hook].name, hook))
			return access;
	}
}

/* One that a hook calls; functions run in those. */
static size_t any_program(struct pair *pair)
{
	for (;;) {
		size_t program =
			below(pair, pair->specimens[0].program_count);

		if (*pair->specimens[0].programs[program].hook)
			return program;
	}
}

static bool has_program(const struct specimen *specimen)
{
	for (size_t i = 0; i < specimen->program_count; i++)
		if (*specimen->programs[i].hook)
			return true;
	return false;
}

static const char *try(struct arena *arena, struct pair *pair,
		       const struct table *table)
{
	size_t kernel = below(pair, access_kernel_count);
	struct world *const worlds[2] = { &pair->worlds[0][kernel],
					  &pair->worlds[1][kernel] };
	size_t program = any_program(pair);
	const struct access *access =
		any_access(pair, pair->specimens[0].programs[program].hook);
	uint64_t arguments[2][ACCESS_ARGUMENTS];

	make_tasks(pair, worlds, any_path(arena, pair, table));
	if (!make_arguments(pair, worlds, access, arguments))
		return NULL;
	return run_pair(pair, worlds, program, access, arguments);
}

static bool open_both(struct arena *arena, struct pair *pair,
		      const struct blob *objects[2], const char **how)
{
	for (unsigned i = 0; i < 2; i++) {
		struct specimen *specimen = &pair->specimens[i];

		if (!specimen_open(arena, objects[i]->bytes, objects[i]->size,
				   specimen)) {
			*how = specimen->why;
			return false;
		}
		pair->worlds[i] = arena_array(arena, access_kernel_count,
					      sizeof(*pair->worlds[i]));
		for (size_t j = 0; j < access_kernel_count; j++) {
			struct world *world = &pair->worlds[i][j];

			if (!world_new(arena, specimen, &access_kernels[j],
				       world)) {
				*how = world->why;
				return false;
			}
		}
	}
	*how = "other programs";
	return pair->specimens[0].program_count ==
	       pair->specimens[1].program_count;
}

bool differ_same(struct arena *arena, const struct blob *one,
		 const struct blob *other, const struct table *table,
		 uint64_t seed, uint32_t count, const char **how)
{
	const struct blob *objects[2] = { one, other };
	struct pair *pair = arena_alloc(arena, sizeof(*pair));

	pair->random = seed * 2 + 1;
	if (!open_both(arena, pair, objects, how))
		return false;
	if (!has_program(&pair->specimens[0]))
		return true;
	for (uint32_t i = 0; i < count; i++) {
		*how = try(arena, pair, table);
		if (*how)
			return false;
	}
	return true;
}
