/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A template states the operations that it decides in its policy variable.
 * What a policy needs beyond these is refused: it must never enforce less than
 * it says because a template is not there yet.
 *
 * Each template is compiled twice: as it is, and with POLICY_NAMES_CGROUPS for
 * policies that name cgroups, so that those that do not pay nothing for them.
 * Which programs a policy needs follows from operations.def: the ones on the
 * hooks of the operations that somebody is denied, or that are logged.
 */
#include "compiler/template.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/object.h"
#include "bundle/policy.h"
#include "compiler/arena.h"
#include "compiler/cgroups.h"
#include "compiler/edit.h"
#include "compiler/lookup.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "struct policy is copied as BPF objects have it");
_Static_assert((int)POLICY_CLASSES == (int)PLACE_COUNT,
	       "a class a place, for whom no named cgroup has");

_Static_assert(TEMPLATE_MAX_DEPTH == CGROUP_MAX_DEPTH,
	       "bundle/policy.h and compiler/policy.h do not go together");

#define CGROUPS_SUFFIX "_cgroups"

/* compiler/embed.py writes these, in the order of their names. */
struct embedded {
	const char *name;
	struct blob object;
};
_Static_assert(sizeof(struct embedded) == 24, "as embed.py has it");

extern const struct embedded embedded_templates[];
extern const size_t embedded_template_count;
extern const struct digest embedded_templates_digest;

/* The embedded object of that name and suffix. */
static const struct blob *find_embedded(const char *name, const char *suffix)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < embedded_template_count; i++)
		if (!strncmp(embedded_templates[i].name, name, len) &&
		    !strcmp(embedded_templates[i].name + len, suffix))
			return &embedded_templates[i].object;
	return NULL;
}

const struct blob *template_find(const struct protection *protection)
{
	return find_embedded(protection->name, "");
}

/* Where the variable @symbol is in an object: it has to be in POLICY_SECTION
 * and of @size bytes. */
static int find_variable(struct arena *arena, const struct blob *template,
			 const char *symbol, size_t size, uint64_t *offset,
			 const char **why)
{
	struct object_section section;
	struct object object;
	uint64_t found;

	if (object_open(template->bytes, template->size, &object, why))
		return -EBADMSG;
	if (object_find_symbol(&object, symbol, &section, offset, &found)) {
		*why = arena_printf(arena, "its template defines no %s",
				    symbol);
		return -EBADMSG;
	}
	if (strcmp(section.name, POLICY_SECTION) || found != size) {
		*why = arena_printf(arena, "its template has another %s",
				    symbol);
		return -EBADMSG;
	}
	return 0;
}

/* The policy variable of @protection: where it is, and what it holds now. */
static int find_policy(struct arena *arena, const struct blob *template,
		       const struct protection *protection, uint64_t *offset,
		       struct policy *policy, const char **why)
{
	int err = find_variable(arena, template,
				arena_printf(arena, POLICY_SYMBOL_PREFIX "%s",
					     protection->name),
				sizeof(*policy), offset, why);

	if (err)
		return err;
	memcpy(policy, (const char *)template->bytes + *offset,
	       sizeof(*policy));
	if (!policy->operations ||
	    policy->operations & ~protection_all(protection)) {
		*why = "its template decides operations that there are not";
		return -EBADMSG;
	}
	/* for whose sake any template that has them at all searches */
	policy->operations |= protection_destinations(protection);
	return 0;
}

uint64_t template_operations(const struct protection *protection)
{
	const struct blob *template = template_find(protection);
	struct policy policy = { 0 };
	struct arena *arena;
	const char *why;
	uint64_t offset;

	if (!template)
		return 0;
	arena = arena_new();
	if (find_policy(arena, template, protection, &offset, &policy, &why))
		policy.operations = 0;
	arena_free(arena);
	return policy.operations;
}

bool template_tells_devices(const struct protection *protection)
{
	(void)protection;
	return false;
}

uint32_t template_depth(const char *cgroup)
{
	return cgroups_depth(cgroup);
}

struct digest template_digest(void)
{
	return embedded_templates_digest;
}

/* The names of the operations in @mask, for people. */
static const char *list_operations(struct arena *arena,
				   const struct protection *protection,
				   uint64_t mask)
{
	const char *list = "";

	for (unsigned i = 0; i < protection_operation_count(protection); i++)
		if (mask >> i & 1)
			list = arena_printf(arena, "%s%s%s", list,
					    *list ? ", " : "",
					    protection->operations[i].name);
	return list;
}

/* The hooks of @operations, as a mask of enum hook_id. */
static uint64_t hooks_of(const struct protection *protection,
			 uint64_t operations)
{
	uint64_t mask = 0;

	for (; operations; operations &= operations - 1)
		mask |= protection->operations[__builtin_ctzll(operations)]
				.hooks;
	return mask;
}

static bool has_hook(uint64_t mask, const char *section)
{
	for (; mask; mask &= mask - 1)
		if (!strcmp(hooks[__builtin_ctzll(mask)].section, section))
			return true;
	return false;
}

static bool is_unneeded(const char *section, const void *context)
{
	const uint64_t *needed = context;

	return hook_of_section(section) && !has_hook(*needed, section);
}

/* A program on a hook that operations.def does not have for the protection
 * would always be dropped. */
static int check_hooks(struct arena *arena, const struct blob *template,
		       const struct protection *protection, const char **why)
{
	uint64_t all = hooks_of(protection, protection_all(protection));
	struct object_section section;
	struct object object;

	if (object_open(template->bytes, template->size, &object, why))
		return -EBADMSG;
	for (uint32_t i = 1; i < object.section_count; i++) {
		if (object_section(&object, i, &section)) {
			*why = "its template is damaged";
			return -EBADMSG;
		}
		if (!hook_of_section(section.name) ||
		    has_hook(all, section.name))
			continue;
		*why = arena_printf(
			arena,
			"its template has a program on %s, and none of its operations is decided there",
			hook_of_section(section.name));
		return -EBADMSG;
	}
	return 0;
}

/* Objects are shared until something is written into them. */
static void put_bytes(struct arena *arena, struct blob *blob, uint64_t offset,
		      const void *value, size_t size)
{
	char *bytes = arena_copy(arena, blob->bytes, blob->size);

	memcpy(bytes + offset, value, size);
	blob->bytes = bytes;
}

static int write_variable(struct arena *arena, struct blob *blob,
			  const char *symbol, const void *value, size_t size,
			  const char **why)
{
	uint64_t offset;
	int err = find_variable(arena, blob, symbol, size, &offset, why);

	if (!err)
		put_bytes(arena, blob, offset, value, size);
	return err;
}

/* Writes in the tables of the cgroups that @row names. */
static int write_cgroups(struct arena *arena,
			 const struct table_protection *row, struct blob *blob,
			 const char **why)
{
	const char *name = row->protection->name;
	struct cgroup_tables tables;
	struct edit_array arrays[3];
	int err;

	if (cgroups_make(arena, row, &tables)) {
		*why = arena_printf(
			arena,
			"it names a cgroup more than %d levels deep, which cannot be told",
			CGROUP_MAX_DEPTH);
		return -EOPNOTSUPP;
	}
	arrays[0] = (struct edit_array){
		arena_printf(arena, CGROUP_NODES_PREFIX "%s", name),
		tables.nodes, tables.node_count * sizeof(*tables.nodes),
		tables.node_count
	};
	arrays[1] = (struct edit_array){
		arena_printf(arena, CGROUP_NAMES_PREFIX "%s", name),
		tables.names, tables.word_count * sizeof(*tables.names),
		tables.word_count
	};
	arrays[2] = (struct edit_array){
		arena_printf(arena, CGROUP_CLASSES_PREFIX "%s", name),
		tables.classes, tables.class_count * sizeof(*tables.classes),
		tables.class_count
	};
	err = edit_replace_arrays(arena, blob, CGROUP_SECTION, arrays, 3, blob,
				  why);
	if (err)
		return err;
	return write_variable(
		arena, blob,
		arena_printf(arena, CGROUP_INDEX_PREFIX "%s", name),
		&tables.index, sizeof(tables.index), why);
}

/* Writes in the tables by which the destinations of @row are found. */
static int write_destinations(struct arena *arena,
			      const struct table_protection *row,
			      struct blob *blob, const char **why)
{
	struct lookup_tables tables;
	struct edit_array arrays[2];
	int err;

	lookup_make(arena, row, &tables);
	arrays[0] = (struct edit_array){ DESTINATION_RANGES, tables.ranges,
					 tables.index.ranges *
						 sizeof(*tables.ranges),
					 tables.index.ranges };
	arrays[1] =
		(struct edit_array){ DESTINATION_PORTS, tables.ports,
				     tables.index.ports * sizeof(*tables.ports),
				     tables.index.ports };
	err = edit_replace_arrays(arena, blob, DESTINATION_SECTION, arrays, 2,
				  blob, why);
	if (err)
		return err;
	return write_variable(arena, blob, DESTINATION_INDEX, &tables.index,
			      sizeof(tables.index), why);
}

/* The template that tells the classes of @row apart. */
static const struct blob *find_template(const struct table_protection *row)
{
	return find_embedded(row->protection->name,
			     row->cgroup_count ? CGROUPS_SUFFIX : "");
}

static int write_policy(struct arena *arena, const struct table *table,
			uint32_t index, struct blob *blob, const char **why)
{
	const struct table_protection *row = &table->protections[index];
	uint64_t offset, missing;
	struct policy policy;
	int err;

	err = find_policy(arena, blob, row->protection, &offset, &policy, why);
	if (err)
		return err;
	missing = table_used_operations(row) & ~policy.operations;
	if (missing) {
		*why = arena_printf(
			arena,
			"these operations of %s cannot be enforced by this bpflockc: %s",
			row->protection->name,
			list_operations(arena, row->protection, missing));
		return -EOPNOTSUPP;
	}
	policy.protection = index;
	policy.audit = table->audit;
	policy.class_count = table_class_count(row);
	policy.reserved = 0;
	for (uint32_t i = 0; i < POLICY_CLASSES; i++) {
		policy.classes[i].denied = row->denied[i];
		policy.classes[i].logged = row->logged[i];
	}
	put_bytes(arena, blob, offset, &policy, sizeof(policy));
	return 0;
}

/* Where nobody is denied a connection and none is logged, no program asks. */
static bool needs_search(const struct table_protection *row)
{
	uint64_t destinations = protection_destinations(row->protection);

	return destinations &&
	       table_used_operations(row) &
		       (destinations | UINT64_C(1) << OP_BIT(network, connect));
}

int template_instantiate(struct arena *arena, const struct table *table,
			 uint32_t index, struct blob *object, const char **why)
{
	const struct table_protection *row = &table->protections[index];
	const struct blob *template = find_template(row);
	uint64_t needed = hooks_of(row->protection, table_used_operations(row));
	struct blob blob;
	int err;

	if (!template) {
		*why = arena_printf(arena,
				    "%s cannot be enforced by this bpflockc",
				    row->protection->name);
		return -EOPNOTSUPP;
	}
	if (row->device_count && !template_tells_devices(row->protection)) {
		*why = arena_printf(
			arena,
			"the devices of %s cannot be told by this bpflockc",
			row->protection->name);
		return -EOPNOTSUPP;
	}
	blob = *template;
	err = check_hooks(arena, template, row->protection, why);
	if (!err)
		err = write_policy(arena, table, index, &blob, why);
	if (!err)
		err = edit_drop_programs(arena, &blob, is_unneeded, &needed,
					 &blob, why);
	if (!err && row->cgroup_count)
		err = write_cgroups(arena, row, &blob, why);
	if (!err && needs_search(row))
		err = write_destinations(arena, row, &blob, why);
	if (!err)
		*object = blob;
	return err;
}
