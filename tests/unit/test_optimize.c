/* SPDX-License-Identifier: GPL-2.0-only */
/* A template's own object, folded: what goes, and what stays exact. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "bundle/boot.h"
#include "bundle/object.h"
#include "bundle/policy.h"
#include "compiler/arena.h"
#include "compiler/btfext.h"
#include "compiler/image.h"
#include "compiler/link.h"
#include "compiler/optimize.h"
#include "compiler/template.h"
#include "compiler/types.h"
#include "sample.h"

static struct blob linked_of(struct arena *arena, struct sample *sample)
{
	struct blob object, linked;
	const char *why = "";

	assert_int_equal(template_instantiate(arena, &sample->note.table, 0,
					      &object, &why),
			 0);
	assert_int_equal(link_objects(arena, &object, 1, &linked, &why), 0);
	return linked;
}

static struct blob optimize(struct arena *arena, const struct blob *linked,
			    struct optimize_report *report)
{
	struct blob folded;
	const char *why = "";

	assert_int_equal(optimize_object(arena, linked, &folded, report, &why),
			 0);
	return folded;
}

static int find_section(const struct blob *blob, const char *name)
{
	struct object_section section;
	struct object object;
	const char *why;

	assert_int_equal(object_open(blob->bytes, blob->size, &object, &why),
			 0);
	return object_find_section(&object, name, &section);
}

static size_t count_programs(const struct blob *blob)
{
	struct bpf_object *object =
		bpf_object__open_mem(blob->bytes, blob->size, NULL);
	struct bpf_program *program;
	size_t count = 0;

	assert_non_null(object);
	bpf_object__for_each_program(program, object) count++;
	bpf_object__close(object);
	return count;
}

static void test_some(void **state)
{
	struct arena *arena = arena_new();
	struct optimize_report report, again;
	struct sample sample;
	struct blob linked, folded, twice;
	size_t left = 0;

	(void)state;
	sample_make_simple(&sample);
	linked = linked_of(arena, &sample);
	folded = optimize(arena, &linked, &report);
	for (size_t i = 0; i < report.count; i++) {
		assert_true(report.programs[i].folded);
		if (!strcmp(report.programs[i].section, ".text"))
			continue; /* functions are the same in all policies */
		assert_true(report.programs[i].slots_after <
			    report.programs[i].slots_before);
		left += report.programs[i].slots_after != 0;
	}
	assert_int_not_equal(left, 0);
	assert_int_equal(count_programs(&folded), left);
	assert_true(folded.size < linked.size);
	assert_int_equal(find_section(&folded, POLICY_SECTION), 0);
	twice = optimize(arena, &linked, &again);
	assert_int_equal(twice.size, folded.size);
	assert_memory_equal(twice.bytes, folded.bytes, folded.size);
	arena_free(arena);
}

/* Nothing denied and nothing logged: only what is for audit stays. */
static void test_none(void **state)
{
	struct arena *arena = arena_new();
	struct optimize_report report;
	struct sample sample;
	struct blob linked, folded;

	(void)state;
	sample_make_simple(&sample);
	memset(sample.denied, 0, sizeof(sample.denied));
	memset(sample.logged, 0, sizeof(sample.logged));
	linked = linked_of(arena, &sample);
	folded = optimize(arena, &linked, &report);
	for (size_t i = 0; i < report.count; i++)
		assert_int_equal(report.programs[i].slots_after, 0);
	assert_int_equal(count_programs(&folded), 0);
	assert_int_equal(find_section(&folded, ".maps"), -ENOENT);
	assert_int_equal(find_section(&folded, BOOT_SECTION), -ENOENT);
	assert_int_equal(find_section(&folded, POLICY_SECTION), 0);
	arena_free(arena);
}

/* Denied for everybody, logged for nobody: who it is does not matter, so
 * nobody asks. */
static void test_place(void **state)
{
	struct arena *arena = arena_new();
	struct optimize_report report;
	struct sample sample;
	struct blob linked, folded;

	(void)state;
	sample_make_simple(&sample);
	memset(sample.denied, 0xff, sizeof(sample.denied));
	memset(sample.logged, 0, sizeof(sample.logged));
	for (int i = 0; i < SAMPLE_CLASSES; i++)
		sample.denied[0][i] = 3;
	linked = linked_of(arena, &sample);
	folded = optimize(arena, &linked, &report);
	assert_int_equal(find_section(&folded, ".maps"), -ENOENT);
	for (size_t i = 0; i < report.count; i++)
		if (!strcmp(report.programs[i].section,
			    "lsm/kernel_module_request"))
			assert_int_equal(report.programs[i].slots_after, 2);
	arena_free(arena);
}

/* Records lead to the instruction that they led to. */
static void test_records(void **state)
{
	struct arena *arena = arena_new();
	struct optimize_report report;
	struct sample sample;
	struct blob linked, folded;
	struct image image;
	struct ext ext;
	const char *why, *before = "";
	uint32_t last = 0;

	(void)state;
	sample_make_simple(&sample);
	linked = linked_of(arena, &sample);
	folded = optimize(arena, &linked, &report);
	assert_int_equal(image_open(arena, &folded, &image, &why), 0);
	assert_int_equal(ext_read(arena,
				  &image_find(&image, ".BTF.ext")->content,
				  &ext, &why),
			 0);
	assert_int_not_equal(ext.lists[EXT_CORE].count, 0);
	assert_int_not_equal(ext.lists[EXT_FUNCTIONS].count, 0);
	for (size_t i = 0; i < ext.lists[EXT_CORE].count; i++) {
		const struct ext_record *record =
			&ext.lists[EXT_CORE].records[i];
		const struct image_section *section = image_find(
			&image, types_string(&image, record->section));
		struct insn insn;

		assert_non_null(section);
		assert_true(record->words[0] < section->content.size);
		assert_int_not_equal(
			insn_decode((const uint8_t *)section->content.bytes +
					    record->words[0],
				    2, &insn),
			0);
		/* what CO-RE fills in */
		assert_true(insn_kind(&insn) == INSN_LOAD ||
			    insn_kind(&insn) == INSN_WIDE ||
			    (insn_kind(&insn) == INSN_ALU &&
			     !insn_has_source(&insn)));
	}
	for (size_t i = 0; i < ext.lists[EXT_LINES].count; i++) {
		const struct ext_record *line =
			&ext.lists[EXT_LINES].records[i];
		const char *name = types_string(&image, line->section);

		if (!strcmp(name, before))
			assert_true(line->words[0] > last);
		assert_string_not_equal(types_string(&image, line->words[1]),
					"");
		last = line->words[0];
		before = name;
	}
	arena_free(arena);
}

/* All that templates share is there once, with nothing between, and nothing of
 * it where nobody calls it. */
static void test_shared(void **state)
{
	struct arena *arena = arena_new();
	struct blob objects[2], linked, folded;
	struct optimize_report report;
	struct sample sample;
	struct image image;
	const char *why = "";
	uint32_t index;
	uint64_t size = 0;
	unsigned count = 0;

	(void)state;
	sample_make_simple(&sample);
	sample.protections[1] = sample.protections[0];
	sample.protections[1].protection = &protections[PROTECTION_bpf];
	sample.note.table.protection_count = 2;
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(template_instantiate(arena, &sample.note.table,
						      i, &objects[i], &why),
				 0);
	assert_int_equal(link_objects(arena, objects, 2, &linked, &why), 0);
	folded = optimize(arena, &linked, &report);
	assert_int_equal(image_open(arena, &folded, &image, &why), 0);
	index = image_index(&image, image_find(&image, ".text"));
	for (uint32_t i = 1; i < image.symbol_count; i++) {
		const struct image_symbol *symbol = &image.symbols[i];

		if (symbol->entry.st_shndx != index ||
		    ELF64_ST_TYPE(symbol->entry.st_info) != STT_FUNC)
			continue;
		size += symbol->entry.st_size;
		count++;
		assert_string_not_equal(symbol->name, "cgroup_find");
	}
	assert_true(count > 2);
	assert_int_equal(size, image_find(&image, ".text")->content.size);
	arena_free(arena);
}

/* Anything may be damaged, but for types, which libbpf made and then trusts:
 * it is said, or it does no harm. */
static void test_damage(void **state)
{
	struct arena *arena = arena_new();
	struct object_section types;
	struct object object;
	struct sample sample;
	struct blob linked;
	const char *name = "";

	(void)state;
	sample_make_simple(&sample);
	linked = linked_of(arena, &sample);
	assert_int_equal(object_open(linked.bytes, linked.size, &object, &name),
			 0);
	assert_int_equal(object_find_section(&object, ".BTF", &types), 0);
	for (size_t i = 0; i < linked.size; i += 61) {
		struct arena *scratch = arena_new();
		char *bytes = arena_copy(scratch, linked.bytes, linked.size);
		struct blob damaged = { bytes, linked.size }, folded;
		struct optimize_report report;
		const char *why = NULL;

		if (i - types.offset < types.size) {
			arena_free(scratch);
			continue;
		}
		bytes[i] = (char)(bytes[i] ^ 0x81);
		if (optimize_object(scratch, &damaged, &folded, &report, &why))
			assert_non_null(why);
		arena_free(scratch);
	}
	arena_free(arena);
}

/* A function of that name with two parameters of those types. */
static void add_function(struct btf *types, const char *name, int first,
			 int second)
{
	int prototype = btf__add_func_proto(types, 0);

	assert_int_equal(btf__add_func_param(types, "a", first), 0);
	assert_int_equal(btf__add_func_param(types, "b", second), 0);
	assert_true(btf__add_func(types, name, BTF_FUNC_STATIC, prototype) > 0);
}

/* Parameters are counted where each is one register. */
static void test_parameters(void **state)
{
	struct btf *types = btf__new_empty();
	int number, pointer, large, small, wide, alias;

	(void)state;
	assert_non_null(types);
	number = btf__add_int(types, "int", 4, BTF_INT_SIGNED);
	large = btf__add_struct(types, "large", 16);
	small = btf__add_union(types, "small", 8);
	wide = btf__add_int(types, "__int128", 16, BTF_INT_SIGNED);
	pointer = btf__add_ptr(types, large);
	alias = btf__add_typedef(types, "alias", btf__add_const(types, large));
	add_function(types, "plain", number, pointer);
	add_function(types, "by_value", number, large);
	add_function(types, "by_value_named", alias, number);
	add_function(types, "in_union", small, number);
	add_function(types, "in_two", wide, number);
	add_function(types, "open", number, 0);
	assert_int_equal(types_parameters(types, "plain", 5), 2);
	assert_int_equal(types_parameters(types, "plain", 1), 1);
	assert_int_equal(types_parameters(types, "by_value", 5), 5);
	assert_int_equal(types_parameters(types, "by_value_named", 5), 5);
	assert_int_equal(types_parameters(types, "in_union", 5), 5);
	assert_int_equal(types_parameters(types, "in_two", 5), 5);
	assert_int_equal(types_parameters(types, "open", 5), 5);
	assert_int_equal(types_parameters(types, "unknown", 5), 5);
	btf__free(types);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_some),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
