/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the embedded template to a linked object.  A second template is made of
 * the first one: kernel_secrets has as many letters as kernel_modules.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bundle/boot.h"
#include "bundle/event.h"
#include "bundle/object.h"
#include "bundle/policy.h"
#include "compiler/arena.h"
#include "compiler/link.h"
#include "compiler/template.h"
#include "sample.h"

static const struct protection *const modules =
	&protections[PROTECTION_kernel_modules];

static struct blob instantiate(struct arena *arena, struct sample *sample)
{
	struct blob object;
	const char *why = "";

	assert_int_equal(template_instantiate(arena, &sample->note.table, 0,
					      &object, &why),
			 0);
	return object;
}

static struct policy policy_of(const struct blob *blob, const char *symbol)
{
	struct object_section section;
	struct object object;
	struct policy policy;
	uint64_t offset, size;
	const char *why;

	assert_int_equal(object_open(blob->bytes, blob->size, &object, &why),
			 0);
	assert_int_equal(
		object_find_symbol(&object, symbol, &section, &offset, &size),
		0);
	assert_string_equal(section.name, POLICY_SECTION);
	assert_int_equal(size, sizeof(policy));
	memcpy(&policy, object.bytes + offset, sizeof(policy));
	return policy;
}

/* The same object under another protection's name. */
static struct blob rename_all(struct arena *arena, const struct blob *object)
{
	static const char from[] = "kernel_modules", to[] = "kernel_secrets";
	char *bytes = arena_copy(arena, object->bytes, object->size);
	char *end = bytes + object->size, *at = bytes;

	while ((at = memmem(at, (size_t)(end - at), from, strlen(from))))
		memcpy(at, to, strlen(to));
	return (struct blob){ .bytes = bytes, .size = object->size };
}

static void test_find(void **state)
{
	const struct blob *template = template_find(modules);
	struct policy policy;

	(void)state;
	assert_non_null(template);
	assert_int_equal(template_operations(modules) & 3, 3);
	assert_null(template_find(&protections[PROTECTION_root_filesystem]));
	assert_int_equal(
		template_operations(&protections[PROTECTION_root_filesystem]),
		0);
	/* Never written in: closed. */
	policy = policy_of(template, "policy_kernel_modules");
	for (unsigned i = 0; i < POLICY_CLASSES; i++)
		assert_true(policy.classes[i].denied == UINT64_MAX);
	assert_int_equal(policy.audit, 0);
}

/* As compiler/embed.py writes them. */
extern const struct {
	const char *name;
	struct blob object;
} embedded_templates[];
extern const size_t embedded_template_count;

/* What was computed when the program was built is of what is in it. */
static void test_digest(void **state)
{
	struct digest parts[64], all, digest = template_digest();
	size_t count = 0;

	(void)state;
	assert_in_range(embedded_template_count, 1, 32);
	for (size_t i = 0; i < embedded_template_count; i++) {
		const struct blob *object = &embedded_templates[i].object;
		const char *name = embedded_templates[i].name;

		parts[count++] = digest_of(name, strlen(name));
		parts[count++] = digest_of(object->bytes, object->size);
	}
	all = digest_of(parts, count * sizeof(parts[0]));
	assert_memory_equal(&all, &digest, sizeof(digest));
}

static void test_instantiate(void **state)
{
	struct arena *arena = arena_new();
	struct sample sample;
	struct blob object, again;
	struct policy policy;

	(void)state;
	sample_make_simple(&sample);
	object = instantiate(arena, &sample);
	again = instantiate(arena, &sample);
	assert_int_equal(object.size, again.size);
	assert_memory_equal(object.bytes, again.bytes, object.size);
	policy = policy_of(&object, "policy_kernel_modules");
	assert_int_equal(policy.operations, template_operations(modules));
	assert_int_equal(policy.protection, 0);
	assert_int_equal(policy.audit, 0);
	assert_int_equal(policy.class_count, 2);
	assert_int_equal(policy.classes[PLACE_HOST].denied, 0);
	assert_int_equal(policy.classes[PLACE_HOST].logged, 3);
	assert_int_equal(policy.classes[PLACE_CONTAINER].denied, 3);
	assert_int_equal(policy.classes[PLACE_CONTAINER].logged, 3);
	arena_free(arena);
}

static void test_index_and_audit(void **state)
{
	struct arena *arena = arena_new();
	struct sample sample;
	struct blob object;
	struct policy policy;
	const char *why;

	(void)state;
	sample_make(&sample);
	sample.note.table.audit = true;
	sample.protections[2] = sample.protections[0];
	assert_int_equal(template_instantiate(arena, &sample.note.table, 2,
					      &object, &why),
			 0);
	policy = policy_of(&object, "policy_kernel_modules");
	assert_int_equal(policy.protection, 2);
	assert_int_equal(policy.audit, 1);
	arena_free(arena);
}

static void assert_not_supported(const struct sample *sample, uint32_t index,
				 const char *reason)
{
	struct arena *arena = arena_new();
	struct blob object = { 0 };
	const char *why = NULL;

	assert_int_equal(template_instantiate(arena, &sample->note.table, index,
					      &object, &why),
			 -EOPNOTSUPP);
	assert_null(object.bytes);
	assert_string_equal(why, reason);
	arena_free(arena);
}

static void test_not_supported(void **state)
{
	struct sample sample;
	struct table_protection *row = &sample.protections[0];

	(void)state;
	sample_make(&sample);
	sample.protections[2].protection =
		&protections[PROTECTION_root_filesystem];
	assert_not_supported(
		&sample, 2,
		"root_filesystem cannot be enforced by this bpflockc");
	sample.cgroups[0] = "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17";
	row->cgroups = sample.cgroups;
	row->cgroup_count = 1;
	assert_not_supported(
		&sample, 0,
		"it names a cgroup more than 16 levels deep, which cannot be told");
}

/* As if operations.def had as many for kernel_modules as it has for bpf. */
static void test_operations_left_out(void **state)
{
	struct protection wider = protections[PROTECTION_bpf];
	unsigned count = protection_operation_count(&wider);
	struct operation operations[64];
	struct sample sample;

	(void)state;
	assert_true(count > protection_operation_count(modules) + 1);
	memcpy(operations, wider.operations, count * sizeof(*operations));
	for (unsigned i = 0; i < count; i++)
		operations[i].hooks = UINT64_MAX; /* no program is in vain */
	operations[count - 2].name = "one";
	operations[count - 1].name = "other";
	wider.name = modules->name;
	wider.operations = operations;
	sample_make_simple(&sample);
	sample.protections[0].protection = &wider;
	sample.denied[0][PLACE_CONTAINER] |= UINT64_C(1) << (count - 2);
	sample.logged[0][PLACE_HOST] |= UINT64_C(1) << (count - 1);
	assert_not_supported(
		&sample, 0,
		"these operations of kernel_modules cannot be enforced by this bpflockc: one, other");
}

/* What names devices would be taken for one that names none. */
static void test_devices(void **state)
{
	struct sample sample;

	(void)state;
	sample_make(&sample);
	sample.protections[0].devices = sample.devices;
	sample.protections[0].device_count = 2;
	assert_not_supported(
		&sample, 0,
		"the devices of kernel_modules cannot be told by this bpflockc");
}

static void assert_opens(const struct blob *linked, unsigned programs)
{
	struct bpf_object *object =
		bpf_object__open_mem(linked->bytes, linked->size, NULL);
	struct bpf_program *program;
	struct bpf_map *map;
	unsigned count = 0, maps = 0;
	size_t size;

	assert_non_null(object);
	bpf_object__for_each_program(program, object) count++;
	assert_int_equal(count, programs);
	bpf_object__for_each_map(map, object) maps++;
	assert_int_equal(maps, 4);
	map = bpf_object__find_map_by_name(object, EVENT_RING_MAP);
	assert_non_null(map);
	assert_int_equal(bpf_map__max_entries(map), EVENT_RING_SIZE);
	map = bpf_object__find_map_by_name(object, EVENT_DROPS_MAP);
	assert_non_null(map);
	assert_int_equal(bpf_map__value_size(map), 8);
	map = bpf_object__find_map_by_name(object, BOOT_SECTION);
	assert_non_null(map);
	bpf_map__initial_value(map, &size);
	assert_true(size >= sizeof(struct boot_facts));
	bpf_object__close(object);
}

static void test_link_one(void **state)
{
	struct arena *arena = arena_new();
	struct sample sample;
	struct blob object, linked;
	const char *why;

	(void)state;
	sample_make_simple(&sample);
	object = instantiate(arena, &sample);
	assert_int_equal(link_objects(arena, &object, 1, &linked, &why), 0);
	assert_opens(&linked, 3);
	arena_free(arena);
}

static struct bpf_object *link_one(struct arena *arena, struct sample *sample)
{
	struct blob object = instantiate(arena, sample), linked;
	struct bpf_object *opened;
	const char *why;

	assert_int_equal(link_objects(arena, &object, 1, &linked, &why), 0);
	opened = bpf_object__open_mem(linked.bytes, linked.size, NULL);
	assert_non_null(opened);
	return opened;
}

static bool has_program(const struct bpf_object *object, const char *section)
{
	struct bpf_program *program;

	bpf_object__for_each_program(
		program, object) if (!strcmp(bpf_program__section_name(program),
					     section)) return true;
	return false;
}

/* One operation at a time: the programs on its hooks, and no other. */
static void test_unneeded_programs(void **state)
{
	uint64_t decided = template_operations(modules);

	(void)state;
	for (; decided; decided &= decided - 1) {
		uint64_t operation = decided & -decided;
		uint64_t needed =
			modules->operations[__builtin_ctzll(operation)].hooks;
		struct arena *arena = arena_new();
		struct bpf_object *object;
		struct bpf_program *program;
		struct sample sample;
		unsigned count = 0;

		sample_make_simple(&sample);
		sample.denied[0][PLACE_CONTAINER] = operation;
		sample.logged[0][PLACE_CONTAINER] = 0;
		sample.logged[0][PLACE_HOST] = 0;
		object = link_one(arena, &sample);
		for (unsigned i = 0; i < HOOK_COUNT; i++) {
			assert_int_equal(has_program(object, hooks[i].section),
					 needed >> i & 1);
		}
		bpf_object__for_each_program(program, object) count++;
		assert_int_equal(count, __builtin_popcountll(needed));
		bpf_object__close(object);
		arena_free(arena);
	}
}

/* Nobody is denied anything, and nothing is logged. */
static void test_no_program(void **state)
{
	struct arena *arena = arena_new();
	struct bpf_object *object;
	struct sample sample;

	(void)state;
	sample_make_simple(&sample);
	sample.denied[0][PLACE_CONTAINER] = 0;
	sample.logged[0][PLACE_CONTAINER] = 0;
	sample.logged[0][PLACE_HOST] = 0;
	object = link_one(arena, &sample);
	assert_null(bpf_object__next_program(object, NULL));
	bpf_object__close(object);
	arena_free(arena);
}

/* The table's length in the section, the map and the types alike. */
static void test_cgroups(void **state)
{
	struct arena *arena = arena_new();
	const struct policy_class *classes;
	const struct btf_var_secinfo *infos;
	const struct btf_type *type;
	struct bpf_object *object;
	struct sample sample;
	struct bpf_map *map;
	const struct btf *btf;
	size_t size, end = 0;
	int id;

	(void)state;
	sample_make(&sample);
	sample.note.table.protection_count = 1;
	sample.protections[0].cgroups = sample.cgroups;
	sample.protections[0].cgroup_count = 3;
	sample.denied[0][7] = 2;
	object = link_one(arena, &sample);
	map = bpf_object__find_map_by_name(object, CGROUP_SECTION);
	assert_non_null(map);
	bpf_map__initial_value(map, &size);
	btf = bpf_object__btf(object);
	id = btf__find_by_name_kind(btf, CGROUP_SECTION, BTF_KIND_DATASEC);
	assert_true(id > 0);
	type = btf__type_by_id(btf, (uint32_t)id);
	assert_int_equal(type->size, size);
	assert_int_equal(btf_vlen(type), 3);
	infos = btf_var_secinfos(type);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(infos[i].offset >= end);
		end = infos[i].offset + infos[i].size;
		assert_int_equal(infos[i].size,
				 btf__resolve_size(btf, infos[i].type));
	}
	assert_int_equal(end, size);
	/* the classes come last */
	assert_int_equal(infos[2].size, 8 * sizeof(struct policy_class));
	classes = (const void *)((const char *)bpf_map__initial_value(map,
								      &size) +
				 infos[2].offset);
	assert_int_equal(classes[7].denied, 2);
	bpf_object__close(object);
	arena_free(arena);
}

/* Two templates share the ring, the counter and the boot facts. */
static void test_link_two(void **state)
{
	struct arena *arena = arena_new();
	struct sample sample;
	struct object_section section;
	struct object object;
	struct blob objects[2], linked, again;
	struct policy policy;
	uint64_t offset, size;
	const char *why;

	(void)state;
	sample_make_simple(&sample);
	objects[0] = instantiate(arena, &sample);
	sample.denied[0][PLACE_CONTAINER] = 1;
	objects[1] = instantiate(arena, &sample);
	objects[1] = rename_all(arena, &objects[1]);
	assert_int_equal(link_objects(arena, objects, 2, &linked, &why), 0);
	assert_int_equal(link_objects(arena, objects, 2, &again, &why), 0);
	assert_int_equal(linked.size, again.size);
	assert_memory_equal(linked.bytes, again.bytes, linked.size);
	assert_opens(&linked, 6);
	policy = policy_of(&linked, "policy_kernel_modules");
	assert_int_equal(policy.classes[PLACE_CONTAINER].denied, 3);
	policy = policy_of(&linked, "policy_kernel_secrets");
	assert_int_equal(policy.classes[PLACE_CONTAINER].denied, 1);
	/* As bundle/boot.h has it: at the start, though not alone. */
	assert_int_equal(object_open(linked.bytes, linked.size, &object, &why),
			 0);
	assert_int_equal(object_find_symbol(&object, BOOT_SYMBOL, &section,
					    &offset, &size),
			 0);
	assert_string_equal(section.name, BOOT_SECTION);
	assert_int_equal(offset, section.offset);
	assert_int_equal(size, sizeof(struct boot_facts));
	arena_free(arena);
}

/* All that there are: more than one of them calls the same function of the
 * kernel. */
static void test_link_all(void **state)
{
	struct arena *arena = arena_new();
	struct blob objects[PROTECTION_COUNT], linked;
	size_t count = 0;
	const char *why = "";

	(void)state;
	for (unsigned id = 0; id < PROTECTION_COUNT; id++) {
		const struct blob *found = template_find(&protections[id]);

		if (found)
			objects[count++] = *found;
	}
	if (link_objects(arena, objects, count, &linked, &why))
		fail_msg("%s", why);
	arena_free(arena);
}

/* libbpf's words are in ours, and nowhere else. */
static void test_link_fails(void **state)
{
	struct arena *arena = arena_new();
	struct sample sample;
	struct blob objects[2], linked = { 0 };
	const char *why = NULL;

	(void)state;
	sample_make_simple(&sample);
	objects[0] = instantiate(arena, &sample);
	objects[1] = objects[0]; /* all symbols twice */
	assert_true(link_objects(arena, objects, 2, &linked, &why) < 0);
	assert_null(linked.bytes);
	assert_non_null(strstr(why, "the programs cannot be joined: "));
	assert_non_null(strstr(why, "libbpf: "));
	objects[1] = (struct blob){ .bytes = "no ELF", .size = 6 };
	assert_true(link_objects(arena, objects, 2, &linked, &why) < 0);
	assert_non_null(strstr(why, "the programs cannot be joined: "));
	arena_free(arena);
}

/* Takes what a test must never see. */
static int unexpected(enum libbpf_print_level level, const char *format,
		      va_list arguments)
{
	(void)arguments;
	if (level == LIBBPF_WARN)
		fail_msg("libbpf said: %s", format);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_instantiate),
		cmocka_unit_test(test_index_and_audit),
		cmocka_unit_test(test_not_supported),
		cmocka_unit_test(test_operations_left_out),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_link_one),
		cmocka_unit_test(test_unneeded_programs),
		cmocka_unit_test(test_no_program),
		cmocka_unit_test(test_cgroups),
		cmocka_unit_test(test_link_two),
		cmocka_unit_test(test_link_all),
		cmocka_unit_test(test_link_fails),
	};

	libbpf_set_print(unexpected);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
