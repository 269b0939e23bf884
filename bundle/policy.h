/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a template gets baked in: for each protection one variable
 * `policy_<protection>` of type struct policy, in the section and map
 * ".rodata.policy".  The compiler writes all of it but .operations, which the
 * template states.  BPF includes this too.
 *
 * As a template comes from the compiler's own build everything is denied and
 * logged: an object that was never instantiated fails closed.
 *
 * Where a policy names cgroups, the template's other object is taken, which
 * has four variables more.  `cgroups_<protection>`, a struct cgroup_index next
 * to the policy, is what the verifier must know while it loads the programs.
 * The rest is as long as the policy needs, in ".rodata.cgroups":
 *
 *	cgroup_nodes_<protection>	the named cgroups and all above them, as
 *					a tree in a hash table
 *	cgroup_names_<protection>	their names
 *	cgroup_classes_<protection>	the masks of every class
 *
 * A policy's destinations (bundle/destination.h) are looked up in two tables in
 * ".rodata.destinations", `destination_ranges` of addresses and
 * `destination_ports`: each row is what all from there to before the next row
 * belongs to.  `destination_index`, next to the policy, says how long they are.
 *
 * A task's cgroup is looked up from the root down, one name after another: the
 * hash of a node's id and of a name leads to the only node that can be its
 * child of that name, and is believed only where parent and name, compared in
 * full, are the same.  The compiler finds a seed and displacements for which
 * no two nodes meet in one place, so that a step costs the same for one cgroup
 * and for two thousand.
 */
#pragma once

#include <stdint.h>

#define POLICY_SECTION	     ".rodata.policy"
#define POLICY_SYMBOL_PREFIX "policy_"
#define POLICY_CLASSES	     2 /* host, container: enum place of bundle/table.h */

#define DESTINATION_SECTION ".rodata.destinations"
#define DESTINATION_INDEX   "destination_index"
#define DESTINATION_RANGES  "destination_ranges"
#define DESTINATION_PORTS   "destination_ports"

#define CGROUP_SECTION	      ".rodata.cgroups"
#define CGROUP_INDEX_PREFIX   "cgroups_"
#define CGROUP_NODES_PREFIX   "cgroup_nodes_"
#define CGROUP_NAMES_PREFIX   "cgroup_names_"
#define CGROUP_CLASSES_PREFIX "cgroup_classes_"
#define CGROUP_MAX_DEPTH      16 /* names in the path of a named cgroup */
#define CGROUP_MAX_WORDS      32 /* a name: 255 bytes and its NUL */
#define CGROUP_ROOT_ID	      0
#define CGROUP_NO_PARENT      UINT32_MAX

struct policy_class {
	uint64_t denied; /* bits are OP_BIT() */
	uint64_t logged;
};

struct policy {
	uint64_t operations; /* that this template decides */
	uint32_t protection; /* index into the bundle's table.protections */
	uint32_t audit;	     /* 1: a denial is logged and let through */
	uint32_t class_count;
	uint32_t reserved;			     /* 0 */
	struct policy_class classes[POLICY_CLASSES]; /* in no named cgroup */
};

_Static_assert(sizeof(struct policy) == 56, "as every template has it");

struct cgroup_index {
	uint64_t seed;
	uint32_t depth; /* names in the longest path, 1 to CGROUP_MAX_DEPTH */
	uint32_t words; /* of 8 bytes that each name takes, 1 to
			 * CGROUP_MAX_WORDS: the longest fits with its NUL */
	uint32_t node_mask; /* the nodes, a power of two, less one */
	uint32_t last_name; /* no name begins behind this word */
	/* Of each place, for a task whose cgroup cannot be told: whatever is
	 * denied or logged in one of its classes. */
	struct policy_class unknown[POLICY_CLASSES];
	/* Operations that are not denied, or not logged, alike in all classes:
	 * for others nobody need find out which class a task is in. */
	uint64_t differ;
};

_Static_assert(sizeof(struct cgroup_index) == 64, "as every template has it");

struct cgroup_node {
	uint32_t parent; /* id; CGROUP_NO_PARENT where nothing is */
	uint32_t id;
	uint32_t name;	       /* word of cgroup_names where it begins */
	uint32_t cgroup;       /* the deepest named one here or above, as class
				* numbers count them: 0 is none */
	uint32_t displacement; /* of what hashes to this place */
};

_Static_assert(sizeof(struct cgroup_node) == 20, "as every template has it");

struct destination_index {
	uint64_t all;	   /* operations that are destinations */
	uint64_t any_port; /* those of them that are every port */
	uint32_t ranges;   /* rows of each table: powers of two, the last row
			    * as often as that takes */
	uint32_t ports;
};

_Static_assert(sizeof(struct destination_index) == 24,
	       "as the template has it");

/* Addresses are as IPv6 has them, in this machine's byte order. */
struct destination_range {
	uint64_t high; /* that begins it: 0 in the first row */
	uint64_t low;
	uint64_t destinations; /* that have it among their prefixes, or none */
};

_Static_assert(sizeof(struct destination_range) == 24,
	       "as the template has it");

struct destination_port {
	uint64_t first; /* 0 in the first row */
	uint64_t destinations;
};

_Static_assert(sizeof(struct destination_port) == 16, "as the template has it");

/* The hash of a name below the node @parent, word for word. */
static inline uint64_t cgroup_hash_word(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 32;
}

static inline uint64_t cgroup_hash_begin(uint64_t seed, uint32_t parent)
{
	return cgroup_hash_word(seed, parent);
}

/* The last word's upper bits have not come down to the lower ones yet. */
static inline uint64_t cgroup_hash_end(uint64_t hash)
{
	return cgroup_hash_word(hash, 0);
}

/* Where the displacement for that hash is, and where with it the node. */
static inline uint32_t cgroup_bucket(uint64_t hash, uint32_t mask)
{
	return (uint32_t)hash & mask;
}

static inline uint32_t cgroup_place(uint64_t hash, uint32_t displacement,
				    uint32_t mask)
{
	return ((uint32_t)(hash >> 32) + displacement) & mask;
}
