/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A perfect hash, by hash and displace: what hashes to one bucket is moved by
 * one displacement, the fullest buckets first, to where nothing is yet.  With
 * twice as many places as nodes the first seeds do.
 */
#include "compiler/cgroups.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/arena.h"

#define MAX_SEEDS 1000 /* a handful at most is ever tried */

/* A node of the tree on its way into the table: a name below a parent. */
struct item {
	uint32_t parent; /* ids, which are indices; CGROUP_ROOT_ID is no item */
	const char *name; /* inside a path */
	uint32_t len;
	uint32_t cgroup;
	uint32_t word; /* where its name is */
	uint64_t hash;
	uint32_t bucket;
};

struct tree {
	struct item *items; /* the first one stands for the root */
	uint32_t count;
	uint32_t longest; /* name, in bytes */
	uint32_t depth;
};

uint32_t cgroups_depth(const char *path)
{
	uint32_t depth = 0;

	for (; *path; path++)
		depth += *path == '/';
	return depth;
}

static bool has_name(const struct item *item, const char *name, uint32_t len)
{
	return item->len == len && !memcmp(item->name, name, len);
}

/* Paths come in path order: what a path shares with the one before it is in
 * @above, an item a level, and named cgroups come before all below them. */
static void add_path(struct tree *tree, const char *path, uint32_t cgroup,
		     uint32_t above[CGROUP_MAX_DEPTH + 1])
{
	uint32_t level = 0;
	bool shared = true;

	while (*path) {
		uint32_t len = (uint32_t)strcspn(++path, "/");
		uint32_t parent = above[level++];

		shared = shared && above[level] &&
			 has_name(&tree->items[above[level]], path, len);
		if (!shared) {
			tree->items[tree->count] = (struct item){
				.parent = parent,
				.name = path,
				.len = len,
				.cgroup = tree->items[parent].cgroup,
			};
			above[level] = tree->count++;
		}
		if (len > tree->longest)
			tree->longest = len;
		path += len;
	}
	tree->items[above[level]].cgroup = cgroup;
	if (level > tree->depth)
		tree->depth = level;
	while (level < CGROUP_MAX_DEPTH)
		above[++level] = CGROUP_ROOT_ID;
}

static int make_tree(struct arena *arena, const struct table_protection *row,
		     struct tree *tree)
{
	uint32_t above[CGROUP_MAX_DEPTH + 1] = { CGROUP_ROOT_ID };
	size_t names = 1;

	for (uint32_t i = 0; i < row->cgroup_count; i++) {
		uint32_t depth = cgroups_depth(row->cgroups[i]);

		if (depth > CGROUP_MAX_DEPTH)
			return -ERANGE;
		names += depth;
	}
	tree->items = arena_array(arena, names, sizeof(*tree->items));
	tree->count = 1;
	for (uint32_t i = 0; i < row->cgroup_count; i++)
		add_path(tree, row->cgroups[i], i + 1, above);
	return 0;
}

/* ---- names ---- */

static int compare_names(const void *a, const void *b)
{
	const struct item *left = *(struct item *const *)a;
	const struct item *right = *(struct item *const *)b;
	uint32_t len = left->len < right->len ? left->len : right->len;
	int order = memcmp(left->name, right->name, len);

	return order ? order
		     : (left->len > right->len) - (left->len < right->len);
}

/* Each name once, as many words as the longest one takes with its NUL. */
static void make_names(struct arena *arena, struct tree *tree,
		       struct cgroup_tables *tables)
{
	uint32_t words = tree->longest / 8 + 1;
	struct item **sorted =
		arena_array(arena, tree->count, sizeof(struct item *));
	uint32_t next = 0;

	for (uint32_t i = 1; i < tree->count; i++)
		sorted[i] = &tree->items[i];
	qsort(sorted + 1, tree->count - 1, sizeof(*sorted), compare_names);
	tables->names = arena_array(arena, (size_t)tree->count * words,
				    sizeof(*tables->names));
	for (uint32_t i = 1; i < tree->count; i++) {
		struct item *item = sorted[i];

		if (i > 1 && has_name(sorted[i - 1], item->name, item->len)) {
			item->word = sorted[i - 1]->word;
			continue;
		}
		item->word = next;
		memcpy(&tables->names[next], item->name, item->len);
		next += words;
	}
	tables->word_count = next;
	tables->index.words = words;
	tables->index.last_name = next - words;
}

/* ---- the hash table ---- */

static void hash_items(struct tree *tree, const struct cgroup_tables *tables)
{
	const struct cgroup_index *index = &tables->index;

	for (uint32_t i = 1; i < tree->count; i++) {
		struct item *item = &tree->items[i];

		item->hash = cgroup_hash_begin(index->seed, item->parent);
		for (uint32_t j = 0; j < index->words; j++)
			item->hash = cgroup_hash_word(
				item->hash, tables->names[item->word + j]);
		item->hash = cgroup_hash_end(item->hash);
		item->bucket = cgroup_bucket(item->hash, index->node_mask);
	}
}

/* The items by bucket: those of bucket i are list[first[i]] to before
 * list[first[i + 1]]. */
struct buckets {
	uint32_t *first;
	uint32_t *list;
	uint32_t *order; /* of the buckets, the fullest first */
};

static uint32_t bucket_size(const struct buckets *buckets, uint32_t bucket)
{
	return buckets->first[bucket + 1] - buckets->first[bucket];
}

static void sort_items(const struct tree *tree, uint32_t count,
		       struct buckets *buckets)
{
	uint32_t most = 0, next = 0;

	memset(buckets->first, 0, (count + 1) * sizeof(*buckets->first));
	for (uint32_t i = 1; i < tree->count; i++)
		buckets->first[tree->items[i].bucket]++;
	for (uint32_t i = 0; i < count; i++) {
		if (buckets->first[i] > most)
			most = buckets->first[i];
		next += buckets->first[i];
		buckets->first[i] = next;
	}
	buckets->first[count] = next;
	for (uint32_t i = tree->count; i-- > 1;)
		buckets->list[--buckets->first[tree->items[i].bucket]] = i;
	next = 0;
	for (; most; most--)
		for (uint32_t i = 0; i < count; i++)
			if (bucket_size(buckets, i) == most)
				buckets->order[next++] = i;
	buckets->order[next] = count;
}

/* Puts the items of a bucket where @displacement moves them; false where two
 * meet, and then none is there. */
static bool place_bucket(const struct tree *tree, const uint32_t *list,
			 uint32_t size, uint32_t displacement,
			 struct cgroup_tables *tables)
{
	uint32_t mask = tables->index.node_mask, placed = 0;

	while (placed < size) {
		const struct item *item = &tree->items[list[placed]];
		struct cgroup_node *node = &tables->nodes[cgroup_place(
			item->hash, displacement, mask)];

		if (node->parent != CGROUP_NO_PARENT)
			break;
		node->parent = item->parent;
		node->id = list[placed++];
		node->name = item->word;
		node->cgroup = item->cgroup;
	}
	if (placed == size)
		return true;
	while (placed) {
		uint64_t hash = tree->items[list[--placed]].hash;

		tables->nodes[cgroup_place(hash, displacement, mask)].parent =
			CGROUP_NO_PARENT;
	}
	return false;
}

static bool place_all(const struct tree *tree, const struct buckets *buckets,
		      struct cgroup_tables *tables)
{
	for (const uint32_t *bucket = buckets->order;
	     *bucket < tables->node_count; bucket++) {
		uint32_t displacement = 0;

		while (!place_bucket(
			tree, &buckets->list[buckets->first[*bucket]],
			bucket_size(buckets, *bucket), displacement, tables))
			if (++displacement == tables->node_count)
				return false;
		tables->nodes[*bucket].displacement = displacement;
	}
	return true;
}

static void make_nodes(struct arena *arena, struct tree *tree,
		       struct cgroup_tables *tables)
{
	struct buckets buckets;
	uint32_t count = 2;

	while (count < 2 * (tree->count - 1))
		count *= 2;
	tables->node_count = count;
	tables->index.node_mask = count - 1;
	tables->nodes = arena_array(arena, count, sizeof(*tables->nodes));
	buckets.first = arena_array(arena, count + 1, sizeof(uint32_t));
	buckets.order = arena_array(arena, count + 1, sizeof(uint32_t));
	buckets.list = arena_array(arena, tree->count, sizeof(uint32_t));
	do {
		assert(tables->index.seed < MAX_SEEDS);
		tables->index.seed++;
		for (uint32_t i = 0; i < count; i++)
			tables->nodes[i] = (struct cgroup_node){
				.parent = CGROUP_NO_PARENT,
			};
		hash_items(tree, tables);
		sort_items(tree, count, &buckets);
	} while (!place_all(tree, &buckets, tables));
}

/* ---- classes ---- */

static void make_classes(struct arena *arena,
			 const struct table_protection *row,
			 struct cgroup_tables *tables)
{
	tables->class_count = table_class_count(row);
	tables->classes = arena_array(arena, tables->class_count,
				      sizeof(*tables->classes));
	for (uint32_t i = 0; i < tables->class_count; i++) {
		struct policy_class *unknown =
			&tables->index.unknown[table_class_place(i)];

		tables->classes[i].denied = row->denied[i];
		tables->classes[i].logged = row->logged[i];
		unknown->denied |= row->denied[i];
		unknown->logged |= row->logged[i];
		tables->index.differ |= (row->denied[i] ^ row->denied[0]) |
					(row->logged[i] ^ row->logged[0]);
	}
}

int cgroups_make(struct arena *arena, const struct table_protection *row,
		 struct cgroup_tables *tables)
{
	struct tree tree = { 0 };
	int err = make_tree(arena, row, &tree);

	if (err)
		return err;
	*tables = (struct cgroup_tables){ .index.depth = tree.depth };
	make_names(arena, &tree, tables);
	make_nodes(arena, &tree, tables);
	make_classes(arena, row, tables);
	return 0;
}
