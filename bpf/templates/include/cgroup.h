/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which of the cgroups that a policy names current is in, by name, so that a
 * cgroup counts whenever it is made.  See bundle/policy.h for the tables.
 *
 * The path is climbed from current's cgroup in the v2 hierarchy to the root,
 * and walked down again through the tree.  Each cgroup's parent is found by
 * typed reads, the same from 5.11 on, which load under
 * lockdown=confidentiality: self.parent->cgroup.
 *
 * Whatever is unknown is CGROUP_UNKNOWN, which policy.h takes for the strictest
 * of all: a read that failed, or a cgroup so deep that climbing gives up.
 */
#pragma once

#include "bundle/policy.h"
#include "bpf/templates/include/kernel.h"
#include "bpf/templates/include/string.h"

#define CGROUP_UNKNOWN	 UINT32_MAX
#define CGROUP_MAX_CLIMB 256 /* levels below the deepest that is named */

struct cgroup_tables {
	const volatile struct cgroup_index *index;
	const volatile struct cgroup_node *nodes;
	const volatile uint64_t *names;
	const volatile struct policy_class *classes;
};

/* A name, and zeros up to its end. */
union cgroup_name {
	char bytes[8 * CGROUP_MAX_WORDS];
	uint64_t words[CGROUP_MAX_WORDS];
};

static __always_inline struct cgroup *cgroup_of_current(void)
{
	struct task_struct *task;
	struct css_set *cgroups;
	struct cgroup *cgroup;

	if (kernel_has(get_current_task_btf)) {
		task = bpf_get_current_task_btf();
		cgroups = task->cgroups;
		return cgroups ? cgroups->dfl_cgrp : NULL;
	}
	task = (void *)bpf_get_current_task();
	if (bpf_core_read(&cgroups, sizeof(cgroups), &task->cgroups) ||
	    bpf_core_read(&cgroup, sizeof(cgroup), &cgroups->dfl_cgrp))
		return NULL;
	return cgroup;
}

static __always_inline struct cgroup *cgroup_parent(struct cgroup *cgroup)
{
	struct cgroup_subsys_state *parent;

	if (kernel_has(get_current_task_btf)) {
		parent = cgroup->self.parent;
		return parent ? parent->cgroup : NULL;
	}
	if (bpf_core_read(&parent, sizeof(parent), &cgroup->self.parent) ||
	    bpf_core_read(&cgroup, sizeof(cgroup), &parent->cgroup))
		return NULL;
	return cgroup;
}

/* 0 is the root; unknown is deeper than any. */
static __always_inline uint32_t cgroup_level(struct cgroup *cgroup)
{
	int level;

	if (kernel_has(get_current_task_btf))
		return (uint32_t)cgroup->level;
	if (bpf_core_read(&level, sizeof(level), &cgroup->level))
		return UINT32_MAX;
	return (uint32_t)level;
}

static __always_inline const char *cgroup_name_of(struct cgroup *cgroup)
{
	struct kernfs_node *node;
	const char *name;

	if (kernel_has(get_current_task_btf)) {
		node = cgroup->kn;
		return node ? node->name : NULL;
	}
	if (bpf_core_read(&node, sizeof(node), &cgroup->kn) ||
	    bpf_core_read(&name, sizeof(name), &node->name))
		return NULL;
	return name;
}

/*
 * Keeps a name on the stack, if there is one.  The byte that is written again
 * is 0xff in every address of the kernel.  To the verifier the place then holds
 * what may be anything, NULL too, and no pointer: so it goes through the walk
 * once, rather than once for each depth that a task may have.
 */
static __always_inline bool cgroup_keep_name(const char **place,
					     const char *name)
{
	if (!name)
		return false;
	*(const char *volatile *)place = name;
	((volatile uint8_t *)place)[sizeof(*place) - 1] = 0xff;
	return true;
}

/* False where it cannot be read; no cgroup but the root has an empty one. */
static __always_inline bool cgroup_read_name(union cgroup_name *name,
					     const char *const *from)
{
	__builtin_memset(name, 0, sizeof(*name));
	return string_read(name->bytes, sizeof(name->bytes),
			   (const void *const *)from) > 0 &&
	       name->bytes[0];
}

/*
 * The place of the child of @parent with that name, if it has one: the caller
 * has to compare.
 */
static __always_inline uint32_t
cgroup_guess(const volatile struct cgroup_index *index,
	     const volatile struct cgroup_node *nodes, uint32_t parent,
	     const union cgroup_name *name)
{
	uint32_t words = index->words, mask = index->node_mask;
	uint64_t hash = cgroup_hash_begin(index->seed, parent);
	uint32_t bucket;

#pragma clang loop unroll(disable)
	for (uint32_t i = 0; i < CGROUP_MAX_WORDS && i < words; i++)
		hash = cgroup_hash_word(hash, name->words[i]);
	hash = cgroup_hash_end(hash);
	bucket = cgroup_bucket(hash, mask);
	return cgroup_place(hash, nodes[bucket].displacement, mask);
}

static __always_inline bool cgroup_is_named(
	const volatile struct cgroup_index *index,
	const volatile uint64_t *names, uint32_t at,
	const union cgroup_name *name)
{
	const volatile uint64_t *words;
	uint64_t differ = 0;

	if (at > index->last_name)
		return false;
	words = names + at;
#pragma clang loop unroll(disable)
	for (uint32_t i = 0; i < CGROUP_MAX_WORDS && i < index->words; i++)
		differ |= words[i] ^ name->words[i];
	return !differ;
}

/* Where the @depth names of a path end.  Clang would add the array to the
 * number: what comes of that, Linux 5.10 takes for a place in the caller's
 * stack. */
static __always_inline const char **cgroup_path_end(const char **path,
						    uint64_t depth)
{
	asm volatile("%0 += %1" : "+r"(path) : "r"(depth * sizeof(*path)));
	return path;
}

/* The deepest named cgroup on current's path, as class numbers count them; 0
 * where it is in none, CGROUP_UNKNOWN where that cannot be told. */
SHARED uint32_t cgroup_find(const volatile struct cgroup_index *index,
			    const volatile struct cgroup_node *nodes,
			    const volatile uint64_t *names)
{
	const char *path[CGROUP_MAX_DEPTH], **place;
	uint32_t depth = index->depth, id = CGROUP_ROOT_ID, found = 0;
	struct cgroup *cgroup = cgroup_of_current();
	union cgroup_name name;
	uint32_t level;

	if (!cgroup || depth > CGROUP_MAX_DEPTH)
		return CGROUP_UNKNOWN;
	level = cgroup_level(cgroup);
#pragma clang loop unroll(disable)
	for (uint32_t i = 0; level > depth; i++) {
		if (i == CGROUP_MAX_CLIMB)
			return CGROUP_UNKNOWN;
		cgroup = cgroup_parent(cgroup);
		if (!cgroup)
			return CGROUP_UNKNOWN;
		level = cgroup_level(cgroup);
	}
	place = cgroup_path_end(path, depth);
#pragma clang loop unroll(disable)
	for (uint32_t i = depth; i > 0; i--) {
		*--place = NULL;
		if (i > level)
			continue;
		if (!cgroup_keep_name(place, cgroup_name_of(cgroup)))
			return CGROUP_UNKNOWN;
		cgroup = cgroup_parent(cgroup);
		if (!cgroup)
			return CGROUP_UNKNOWN;
	}
#pragma clang loop unroll(disable)
	for (uint32_t i = 0; i < CGROUP_MAX_DEPTH && i < index->depth; i++) {
		const volatile struct cgroup_node *node;

		if (!path[i])
			break;
		if (!cgroup_read_name(&name, &path[i]))
			return CGROUP_UNKNOWN;
		node = &nodes[cgroup_guess(index, nodes, id, &name)];
		if (node->parent != id ||
		    !cgroup_is_named(index, names, node->name, &name))
			break;
		id = node->id;
		found = node->cgroup;
	}
	return found;
}
