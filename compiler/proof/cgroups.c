/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cgroups as the kernel has them, each made once, its parents before it: a
 * chain of them with names, numbers and levels.
 */
#include <string.h>

#include "compiler/arena.h"
#include "compiler/proof/world.h"

struct world_cgroup {
	const char *path; /* NULL: nothing is here */
	uint64_t address;
	uint64_t number; /* from 1, the root's */
	uint64_t level;
};

static uint32_t hash(const char *path)
{
	uint32_t value = 2166136261u;

	while (*path)
		value = (value ^ (uint8_t)*path++) * 16777619u;
	return value;
}

/* Where @path is in the table, or would be. */
static struct world_cgroup *find(const struct world *world, const char *path)
{
	size_t mask = world->cgroup_capacity - 1, at = hash(path) & mask;

	while (world->cgroups[at].path && strcmp(world->cgroups[at].path, path))
		at = (at + 1) & mask;
	return &world->cgroups[at];
}

static void make_room(struct world *world)
{
	struct world_cgroup *old = world->cgroups;
	size_t capacity = world->cgroup_capacity;

	if (2 * (world->cgroup_count + 1) < capacity)
		return;
	world->cgroup_capacity = capacity ? 2 * capacity : 64;
	world->cgroups = arena_array(world->arena, world->cgroup_capacity,
				     sizeof(*world->cgroups));
	for (size_t i = 0; i < capacity; i++)
		if (old[i].path)
			*find(world, old[i].path) = old[i];
}

static void set_number(struct world *world, uint64_t cgroup, const char *path,
		       uint64_t number)
{
	struct access_field field = { .path = path, .value.number = number };

	world_set(world, cgroup, &field, NULL);
}

static struct world_cgroup *add(struct world *world, const char *path,
				const char *name,
				const struct world_cgroup *parent)
{
	static const struct access_value object = { .kind = VALUE_OBJECT,
						    .text = "cgroup" };
	struct access_field field = { .path = "kn.name" };
	struct world_cgroup made = { .path = path };
	uint32_t type = kernel_find(world->kernel, "cgroup", 6), self = 0;
	const struct kernel_field *css =
		type ? kernel_field(world->kernel, type, "self", 4, &self)
		     : NULL;

	world_argument(world, &object, &made.address);
	made.level = parent ? parent->level + 1 : 0;
	made.number = ++world->cgroup_count;
	field.value.kind = VALUE_STRING;
	field.value.text = name;
	world_set(world, made.address, &field, NULL);
	set_number(world, made.address, "level", made.level);
	set_number(world, made.address, "self.cgroup", made.address);
	set_number(world, made.address, "self.parent",
		   parent && css ? parent->address + self + css->offset : 0);
	make_room(world);
	*find(world, path) = made;
	return find(world, path);
}

static const struct world_cgroup *get(struct world *world, const char *path)
{
	struct world_cgroup *found;
	struct world_cgroup parent;
	const char *slash = strrchr(path, '/');

	make_room(world);
	found = find(world, path);
	if (found->path)
		return found;
	if (!slash || !slash[1])
		return add(world, path, "", NULL);
	parent =
		*get(world, slash == path ? "/"
					  : arena_copy(world->arena, path,
						       (size_t)(slash - path)));
	return add(world, path, slash + 1, &parent);
}

uint64_t world_cgroup(struct world *world, const char *path)
{
	const struct world_cgroup *cgroup = get(world, path);

	world->cgroup = cgroup->number;
	return cgroup->address;
}
