/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program walks from a node to its child of some name, by a hash that
 * bundle/policy.h defines.  So does this, once for each name in the path of
 * each named cgroup: there must be a node, of the class that verdict_class()
 * finds without any table.  Numbers of nodes must not repeat, and no node may
 * be left that no path came to: then the tree has those paths, and no others.
 */
#include "compiler/proof/classes.h"

#include <string.h>

#include "bundle/policy.h"
#include "bundle/reader.h"
#include "compiler/arena.h"
#include "compiler/proof/verdict.h"

#define NAME_SIZE (8 * CGROUP_MAX_WORDS)

/* A variable, as it lies in the object; no bytes where there is none. */
struct variable {
	const uint8_t *bytes;
	uint64_t size;
};

struct tables {
	struct arena *arena;
	const struct object *object;
	const struct table_protection *row;
	struct cgroup_index index;
	struct variable nodes;
	struct variable names;
	struct variable classes;
	uint32_t node_count;
	uint32_t visited_count;
	bool *visited; /* by place */
	bool *numbers; /* that visited nodes have, by number */
	uint32_t depth;
	const char *why;
};

static bool differs(struct tables *tables, const char *what)
{
	tables->why = arena_printf(
		tables->arena,
		"the tables of the cgroups of %s are not those of the policy: %s",
		tables->row->protection->name, what);
	return false;
}

static struct variable find(struct tables *tables, const char *prefix,
			    const char *section)
{
	const char *symbol = arena_printf(tables->arena, "%s%s", prefix,
					  tables->row->protection->name);
	struct variable found = { 0 };

	found.bytes = object_find_variable(tables->object, symbol, section,
					   &found.size);
	return found.bytes ? found : (struct variable){ 0 };
}

static struct reader read_at(const struct variable *variable, uint64_t offset,
			     uint64_t size)
{
	return reader_at(variable->bytes, variable->size, offset, size);
}

/* ---- masks ---- */

static struct policy_class read_masks(struct reader *reader)
{
	struct policy_class masks;

	masks.denied = reader_u64(reader);
	masks.logged = reader_u64(reader);
	return masks;
}

static bool same_masks(const struct policy_class *one,
		       const struct policy_class *other)
{
	return one->denied == other->denied && one->logged == other->logged;
}

/* Of every class, and what index has of all of them together. */
static bool check_masks(struct tables *tables)
{
	const struct table_protection *row = tables->row;
	struct policy_class unknown[POLICY_CLASSES] = { 0 };
	uint64_t differ = 0;
	struct reader reader =
		read_at(&tables->classes, 0, tables->classes.size);

	for (uint32_t i = 0; i < table_class_count(row); i++) {
		struct policy_class masks = { row->denied[i], row->logged[i] };
		struct policy_class found = read_masks(&reader);

		if (!same_masks(&masks, &found))
			return differs(tables, verdict_class_words(
						       tables->arena, row, i));
		unknown[table_class_place(i)].denied |= masks.denied;
		unknown[table_class_place(i)].logged |= masks.logged;
		differ |= (masks.denied ^ row->denied[0]) |
			  (masks.logged ^ row->logged[0]);
	}
	for (uint32_t i = 0; i < POLICY_CLASSES; i++)
		if (!same_masks(&unknown[i], &tables->index.unknown[i]))
			return differs(tables, "whoever cannot be told");
	return differ == tables->index.differ ||
	       differs(tables, "what classes differ in");
}

/* ---- the tree of names ---- */

static struct cgroup_node node_at(const struct tables *tables, uint32_t place)
{
	struct reader reader = read_at(
		&tables->nodes, (uint64_t)place * sizeof(struct cgroup_node),
		sizeof(struct cgroup_node));
	struct cgroup_node node;

	node.parent = reader_u32(&reader);
	node.id = reader_u32(&reader);
	node.name = reader_u32(&reader);
	node.cgroup = reader_u32(&reader);
	node.displacement = reader_u32(&reader);
	return node;
}

/* Where a child of @parent with the name is, if there is one; @name has NULs up
 * to its end. */
static uint32_t place_of(const struct tables *tables, uint32_t parent,
			 const uint8_t name[NAME_SIZE])
{
	struct reader reader = reader_of(name, NAME_SIZE);
	uint64_t hash = cgroup_hash_begin(tables->index.seed, parent);
	uint32_t mask = tables->index.node_mask;

	for (uint32_t i = 0; i < tables->index.words; i++)
		hash = cgroup_hash_word(hash, reader_u64(&reader));
	hash = cgroup_hash_end(hash);
	return cgroup_place(
		hash, node_at(tables, cgroup_bucket(hash, mask)).displacement,
		mask);
}

static bool has_name(const struct tables *tables,
		     const struct cgroup_node *node,
		     const uint8_t name[NAME_SIZE])
{
	uint64_t size = 8 * (uint64_t)tables->index.words;
	struct reader reader =
		read_at(&tables->names, 8 * (uint64_t)node->name, size);
	const uint8_t *bytes = reader_bytes(&reader, size);

	return node->name <= tables->index.last_name && bytes &&
	       !memcmp(bytes, name, size);
}

/* A node that no path came to before. */
static bool visit(struct tables *tables, uint32_t place,
		  const struct cgroup_node *node, const char *path)
{
	uint32_t class = verdict_class(tables->row, 0, path);

	if (node->id == CGROUP_ROOT_ID || node->id > tables->node_count ||
	    tables->numbers[node->id] || node->cgroup != class / PLACE_COUNT)
		return false;
	tables->visited[place] = true;
	tables->numbers[node->id] = true;
	tables->visited_count++;
	return true;
}

static bool check_path(struct tables *tables, const char *path)
{
	char *above = arena_copy(tables->arena, path, strlen(path));
	uint32_t id = CGROUP_ROOT_ID, depth = 0;

	for (char *next = above; *next; depth++) {
		size_t len = strcspn(++next, "/");
		uint8_t name[NAME_SIZE] = { 0 };
		char behind = next[len];
		struct cgroup_node node;
		uint32_t place;

		if (len >= 8 * tables->index.words)
			return differs(tables, path);
		memcpy(name, next, len);
		next += len;
		place = place_of(tables, id, name);
		node = node_at(tables, place);
		if (node.parent != id || !has_name(tables, &node, name))
			return differs(tables, path);
		*next = '\0'; /* for the path up to here */
		if (!tables->visited[place] &&
		    !visit(tables, place, &node, above))
			return differs(tables, path);
		*next = behind;
		id = node.id;
	}
	if (depth > tables->depth)
		tables->depth = depth;
	return true;
}

static bool check_tree(struct tables *tables)
{
	const struct table_protection *row = tables->row;
	uint32_t used = 0;

	tables->visited = arena_array(tables->arena, tables->node_count,
				      sizeof(*tables->visited));
	tables->numbers = arena_array(tables->arena, tables->node_count + 1,
				      sizeof(*tables->numbers));
	for (uint32_t i = 0; i < row->cgroup_count; i++)
		if (!check_path(tables, row->cgroups[i]))
			return false;
	for (uint32_t i = 0; i < tables->node_count; i++)
		used += node_at(tables, i).parent != CGROUP_NO_PARENT;
	if (used != tables->visited_count)
		return differs(tables, "a cgroup that is not named");
	return tables->depth == tables->index.depth ||
	       differs(tables, "the longest path");
}

/* ---- all of it ---- */

static bool read_index(struct tables *tables)
{
	struct variable found =
		find(tables, CGROUP_INDEX_PREFIX, POLICY_SECTION);
	struct reader reader = read_at(&found, 0, sizeof(tables->index));

	tables->index.seed = reader_u64(&reader);
	tables->index.depth = reader_u32(&reader);
	tables->index.words = reader_u32(&reader);
	tables->index.node_mask = reader_u32(&reader);
	tables->index.last_name = reader_u32(&reader);
	for (uint32_t i = 0; i < POLICY_CLASSES; i++)
		tables->index.unknown[i] = read_masks(&reader);
	tables->index.differ = reader_u64(&reader);
	return found.size == sizeof(tables->index) && !reader.spent;
}

static bool has_class_count(struct tables *tables)
{
	struct variable policy =
		find(tables, POLICY_SYMBOL_PREFIX, POLICY_SECTION);
	struct reader reader =
		read_at(&policy, offsetof(struct policy, class_count),
			sizeof(uint32_t));

	return reader_u32(&reader) == table_class_count(tables->row) &&
	       policy.size == sizeof(struct policy) && !reader.spent;
}

/* Of all tables, and that no name reaches out of its own. */
static bool has_sizes(struct tables *tables)
{
	const struct cgroup_index *index = &tables->index;
	uint64_t nodes = (uint64_t)index->node_mask + 1;
	uint64_t words = (uint64_t)index->last_name + index->words;

	tables->nodes = find(tables, CGROUP_NODES_PREFIX, CGROUP_SECTION);
	tables->names = find(tables, CGROUP_NAMES_PREFIX, CGROUP_SECTION);
	tables->classes = find(tables, CGROUP_CLASSES_PREFIX, CGROUP_SECTION);
	tables->node_count = (uint32_t)nodes;
	return index->words && index->words <= CGROUP_MAX_WORDS &&
	       !(nodes & (nodes - 1)) &&
	       tables->nodes.size == nodes * sizeof(struct cgroup_node) &&
	       tables->names.size == 8 * words &&
	       tables->classes.size == table_class_count(tables->row) *
					       sizeof(struct policy_class);
}

bool classes_agree(struct arena *arena, const struct object *object,
		   const struct table_protection *row, const char **why)
{
	struct tables tables = { .arena = arena, .object = object, .row = row };
	bool has_index = read_index(&tables), good;

	if (!row->cgroup_count)
		good = !has_index || differs(&tables, "there are none in it");
	else if (!has_index || !has_sizes(&tables) || !has_class_count(&tables))
		good = differs(&tables, "their size");
	else
		good = check_masks(&tables) && check_tree(&tables);
	*why = tables.why;
	return good;
}
