/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * accesses.def against the templates: nothing that one decides is forgotten,
 * and nothing that is written there is a slip.  And that the evaluator sees
 * what is wrong, and says it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "bundle/object.h"
#include "bundle/policy.h"
#include "compiler/arena.h"
#include "compiler/link.h"
#include "compiler/proof/access.h"
#include "compiler/proof/evaluate.h"
#include "compiler/proof/specimen.h"
#include "compiler/proof/world.h"
#include "compiler/template.h"
#include "sample.h"

/* Every operation that a template decides is in accesses.def. */
static void test_nothing_forgotten(void **state)
{
	unsigned missing = 0;

	(void)state;
	for (unsigned i = 0; i < PROTECTION_COUNT; i++) {
		const struct protection *protection = &protections[i];
		uint64_t decided = template_operations(protection);

		for (unsigned bit = 0; decided; bit++, decided >>= 1) {
			if (!(decided & 1) ||
			    evaluate_access(protection, bit, NULL))
				continue;
			print_error("accesses.def has nothing for %s.%s\n",
				    protection->name,
				    protection->operations[bit].name);
			missing++;
		}
	}
	assert_int_equal(missing, 0);
}

/* A hook that operations.def names for an operation is asked somewhere. */
static void test_every_hook(void **state)
{
	unsigned missing = 0;

	(void)state;
	for (unsigned i = 0; i < PROTECTION_COUNT; i++) {
		const struct protection *protection = &protections[i];
		uint64_t decided = template_operations(protection);

		for (unsigned bit = 0; decided; bit++, decided >>= 1) {
			uint64_t left = protection->operations[bit].hooks;
			const struct access *access = NULL;

			if (!(decided & 1))
				continue;
			while ((access = evaluate_access(protection, bit,
							 access)))
				left &= ~(UINT64_C(1) << access->hook);
			if (!left)
				continue;
			print_error("%s.%s: a hook is never asked for it\n",
				    protection->name,
				    protection->operations[bit].name);
			missing++;
		}
	}
	assert_int_equal(missing, 0);
}

static struct blob instantiate(struct arena *arena, struct sample *sample)
{
	struct blob object, linked = { 0 };
	const char *why = "";

	if (template_instantiate(arena, &sample->note.table, 0, &object,
				 &why) ||
	    link_objects(arena, &object, 1, &linked, &why))
		fail_msg("%s", why);
	return linked;
}

static void assert_differs(struct arena *arena, const struct blob *object,
			   const struct sample *sample, const char *words)
{
	const char *why = "";

	assert_int_equal(evaluate_object(arena, object->bytes, object->size,
					 &sample->note.table, NULL, &why),
			 -EBADMSG);
	if (!strstr(why, words))
		fail_msg("'%s' does not say '%s'", why, words);
}

static void test_agrees(void **state)
{
	struct arena *arena = arena_new();
	struct evaluation evaluation = { 0 };
	struct sample sample;
	struct blob object;
	const char *why = "";

	(void)state;
	sample_make_simple(&sample);
	object = instantiate(arena, &sample);
	if (evaluate_object(arena, object.bytes, object.size,
			    &sample.note.table, &evaluation, &why))
		fail_msg("%s", why);
	assert_true(evaluation.runs > 100);
	arena_free(arena);
}

/* The table is another than the one that the object was made of. */
static void test_differs(void **state)
{
	struct arena *arena = arena_new();
	struct sample sample, other;
	struct blob object;

	(void)state;
	sample_make_simple(&sample);
	object = instantiate(arena, &sample);
	sample_make_simple(&other);
	other.denied[0][PLACE_HOST] = 1;
	assert_differs(
		arena, &object, &other,
		"the code of kernel_modules.load_module for host decides allow, the policy says deny");
	sample_make_simple(&other);
	other.denied[0][PLACE_CONTAINER] = 1;
	assert_differs(
		arena, &object, &other,
		"the code of kernel_modules.autoload_module for container decides deny, the policy says allow");
	sample_make_simple(&other);
	other.logged[0][PLACE_HOST] = 1;
	assert_differs(arena, &object, &other, "for host is logged");
	sample_make_simple(&other);
	other.note.table.audit = true;
	assert_differs(arena, &object, &other, "decides deny");
	sample_make_simple(&other);
	other.logged[0][PLACE_HOST] |= UINT64_C(1) << 63;
	assert_differs(arena, &object, &other, "no such operation");
	arena_free(arena);
}

/* ---- tables ---- */

#define CGROUPS 12
#define CLASSES (PLACE_COUNT * (1 + CGROUPS))

/* kernel_modules with so many cgroups that not all is tried in each. */
struct named {
	struct sample sample;
	const char *cgroups[CGROUPS];
	uint64_t denied[CLASSES];
	uint64_t logged[CLASSES];
};

static void make_named(struct arena *arena, struct named *named)
{
	struct table_protection *row;

	sample_make_simple(&named->sample);
	row = &named->sample.protections[0];
	for (uint32_t i = 0; i < CGROUPS; i++)
		named->cgroups[i] = arena_printf(arena, "/a/c%02u", i);
	for (uint32_t i = 0; i < CLASSES; i++) {
		named->denied[i] = i / PLACE_COUNT % 2 ? 1 : 3;
		named->logged[i] = named->denied[i];
	}
	row->cgroups = named->cgroups;
	row->cgroup_count = CGROUPS;
	row->denied = named->denied;
	row->logged = named->logged;
}

/* A copy with other bits at @at of the variable @symbol. */
static struct blob flip(struct arena *arena, const struct blob *object,
			const char *symbol, uint64_t at, uint8_t bits)
{
	char *bytes = arena_copy(arena, object->bytes, object->size);
	struct object_section section;
	struct object opened;
	uint64_t offset, size;
	const char *why = "";

	assert_int_equal(object_open(bytes, object->size, &opened, &why), 0);
	assert_int_equal(
		object_find_symbol(&opened, symbol, &section, &offset, &size),
		0);
	assert_true(at < size);
	bytes[offset + at] ^= (char)bits;
	return (struct blob){ bytes, object->size };
}

/* A copy in which the variable's name is another. */
static struct blob rename_symbol(struct arena *arena, const struct blob *object,
				 const char *symbol)
{
	char *bytes = arena_copy(arena, object->bytes, object->size);
	size_t size = strlen(symbol) + 1;

	for (size_t i = 0; i + size <= object->size; i++)
		if (!memcmp(bytes + i, symbol, size))
			bytes[i] = 'x';
	return (struct blob){ bytes, object->size };
}

/* All of each table counts, whatever is tried. */
static void test_cgroup_tables(void **state)
{
	static const struct {
		const char *symbol;
		uint64_t at;
		const char *words;
	} rows[] = {
		{ "cgroup_classes_kernel_modules", 16 * (CLASSES - 1),
		  "the policy: container in /a/c11" },
		{ "cgroup_classes_kernel_modules", 16 * 8 + 9,
		  "the policy: host in /a/c03" },
		{ "cgroups_kernel_modules",
		  offsetof(struct cgroup_index, unknown) + 16,
		  "whoever cannot be told" },
		{ "cgroups_kernel_modules",
		  offsetof(struct cgroup_index, differ) + 1,
		  "what classes differ in" },
		{ "cgroups_kernel_modules",
		  offsetof(struct cgroup_index, depth), "the longest path" },
		{ "cgroups_kernel_modules",
		  offsetof(struct cgroup_index, node_mask), "their size" },
		{ "cgroups_kernel_modules", offsetof(struct cgroup_index, seed),
		  "the policy: /a/c" },
		{ "cgroup_names_kernel_modules", 9, "the policy: /a/c" },
		{ "policy_kernel_modules", offsetof(struct policy, class_count),
		  "their size" },
	};
	static const char *const needed[] = {
		"cgroups_kernel_modules",
		"cgroup_nodes_kernel_modules",
		"cgroup_names_kernel_modules",
		"cgroup_classes_kernel_modules",
	};
	struct arena *arena = arena_new();
	struct named named;
	struct blob object, changed;
	const char *why = "";

	(void)state;
	make_named(arena, &named);
	object = instantiate(arena, &named.sample);
	if (evaluate_object(arena, object.bytes, object.size,
			    &named.sample.note.table, NULL, &why))
		fail_msg("%s", why);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		changed =
			flip(arena, &object, rows[i].symbol, rows[i].at, 0x20);
		assert_differs(arena, &changed, &named.sample, rows[i].words);
	}
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		changed = rename_symbol(arena, &object, needed[i]);
		assert_differs(arena, &changed, &named.sample, "their size");
	}
	arena_free(arena);
}

/* One bit of each node: its parent, number, name and class, of those that are
 * there; a place where none is may hold anything but a parent. */
static void test_cgroup_nodes(void **state)
{
	struct arena *arena = arena_new();
	struct object_section section;
	struct object opened;
	struct named named;
	struct blob object, changed;
	uint64_t offset, size;
	const char *why = "";
	unsigned there = 0;

	(void)state;
	make_named(arena, &named);
	object = instantiate(arena, &named.sample);
	assert_int_equal(object_open(object.bytes, object.size, &opened, &why),
			 0);
	assert_int_equal(object_find_symbol(&opened,
					    "cgroup_nodes_kernel_modules",
					    &section, &offset, &size),
			 0);
	for (uint64_t at = 0; at < size; at += sizeof(struct cgroup_node)) {
		struct cgroup_node node;

		memcpy(&node, (const char *)object.bytes + offset + at,
		       sizeof(node));
		there += node.parent != CGROUP_NO_PARENT;
		for (unsigned field = 0;
		     field < (node.parent == CGROUP_NO_PARENT ? 1 : 4);
		     field++) {
			changed = flip(arena, &object,
				       "cgroup_nodes_kernel_modules",
				       at + 4 * field, 1);
			assert_differs(arena, &changed, &named.sample,
				       "the tables of the cgroups");
		}
	}
	assert_int_equal(there, 1 + CGROUPS);
	arena_free(arena);
}

/* Tables of a policy with cgroups under one that names none. */
static void test_cgroups_unnamed(void **state)
{
	struct arena *arena = arena_new();
	struct sample plain;
	struct named named;
	struct blob object;

	(void)state;
	make_named(arena, &named);
	object = instantiate(arena, &named.sample);
	sample_make_simple(&plain);
	assert_differs(arena, &object, &plain, "there are none in it");
	arena_free(arena);
}

/* No tables of destinations are not tables that agree. */
static void test_destination_tables(void **state)
{
	static const struct {
		const char *symbol, *words;
	} rows[] = {
		{ DESTINATION_INDEX, "there is no index of them" },
		{ DESTINATION_RANGES, "their size" },
		{ DESTINATION_PORTS, "their size" },
	};
	struct arena *arena = arena_new();
	struct blob object, changed;
	struct sample sample;

	(void)state;
	sample_make_network(&sample);
	object = instantiate(arena, &sample);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		changed = rename_symbol(arena, &object, rows[i].symbol);
		assert_differs(arena, &changed, &sample, rows[i].words);
	}
	arena_free(arena);
}

/* Bytes cut or changed never crash it. */
static void test_damaged(void **state)
{
	struct sample sample;
	struct arena *arena = arena_new();
	struct blob object;
	const char *why;

	(void)state;
	sample_make_simple(&sample);
	object = instantiate(arena, &sample);
	for (size_t i = 0; i < object.size; i += 97) {
		struct arena *inner = arena_new();
		char *bytes = arena_copy(inner, object.bytes, object.size);

		bytes[i] = (char)~bytes[i];
		evaluate_object(inner, bytes, object.size, &sample.note.table,
				NULL, &why);
		evaluate_object(inner, bytes, i, &sample.note.table, NULL,
				&why);
		arena_free(inner);
	}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_forgotten),
		cmocka_unit_test(test_every_hook),
		cmocka_unit_test(test_agrees),
		cmocka_unit_test(test_differs),
		cmocka_unit_test(test_cgroup_tables),
		cmocka_unit_test(test_cgroup_nodes),
		cmocka_unit_test(test_cgroups_unnamed),
		cmocka_unit_test(test_destination_tables),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
