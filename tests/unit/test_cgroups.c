/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tables of named cgroups, walked as a BPF program walks them, against the
 * plain meaning: the deepest named cgroup that covers a path.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/arena.h"
#include "compiler/cgroups.h"

#define MOST 2047

struct fixture {
	struct arena *arena;
	struct table_protection row;
	const char *cgroups[MOST];
	uint64_t denied[2 * (MOST + 1)];
	uint64_t logged[2 * (MOST + 1)];
	struct cgroup_tables tables;
};

static struct fixture *set_up(void)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	fixture->arena = arena_new();
	fixture->row = (struct table_protection){
		.protection = &protections[PROTECTION_kernel_modules],
		.cgroups = fixture->cgroups,
		.denied = fixture->denied,
		.logged = fixture->logged,
	};
	return fixture;
}

static void tear_down(struct fixture *fixture)
{
	arena_free(fixture->arena);
	free(fixture);
}

static void name(struct fixture *fixture, const char *path)
{
	fixture->cgroups[fixture->row.cgroup_count++] =
		arena_printf(fixture->arena, "%s", path);
}

static int compare(const void *a, const void *b)
{
	return table_cgroup_compare(*(const char *const *)a,
				    *(const char *const *)b);
}

static void make(struct fixture *fixture)
{
	qsort(fixture->cgroups, fixture->row.cgroup_count,
	      sizeof(*fixture->cgroups), compare);
	assert_int_equal(
		cgroups_make(fixture->arena, &fixture->row, &fixture->tables),
		0);
}

/* As bpf/templates/include/cgroup.h does it. */
static uint32_t walk(const struct cgroup_tables *tables, const char *path)
{
	const struct cgroup_index *index = &tables->index;
	uint32_t id = CGROUP_ROOT_ID, found = 0;

	for (uint32_t i = 0; *path && i < index->depth; i++) {
		uint64_t words[CGROUP_MAX_WORDS] = { 0 };
		size_t len = strcspn(++path, "/");
		const struct cgroup_node *node;
		uint64_t hash;

		if (len + 1 > 8 * index->words)
			break;
		memcpy(words, path, len);
		hash = cgroup_hash_begin(index->seed, id);
		for (uint32_t j = 0; j < index->words; j++)
			hash = cgroup_hash_word(hash, words[j]);
		hash = cgroup_hash_end(hash);
		node = &tables->nodes[cgroup_bucket(hash, index->node_mask)];
		node = &tables->nodes[cgroup_place(hash, node->displacement,
						   index->node_mask)];
		assert_true(node->name <= index->last_name);
		assert_true(node->name + index->words <= tables->word_count);
		if (node->parent != id || memcmp(&tables->names[node->name],
						 words, 8 * index->words) != 0)
			break;
		id = node->id;
		found = node->cgroup;
		path += len;
	}
	return found;
}

/* In path order the deepest one that covers is the last. */
static uint32_t meant(const struct fixture *fixture, const char *path)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < fixture->row.cgroup_count; i++)
		if (table_cgroup_covers(fixture->cgroups[i], path))
			found = i + 1;
	return found;
}

static void agree(const struct fixture *fixture, const char *path)
{
	assert_int_equal(walk(&fixture->tables, path), meant(fixture, path));
}

static void test_nested(void **state)
{
	struct fixture *fixture = set_up();
	static const char *const paths[] = {
		"",	    "/a",
		"/a/b",	    "/a/b/c",
		"/a/b/c/d", "/a-b",
		"/a-b/",    "/b",
		"/a/c",	    "/a/b/d",
		"/ab",	    "/a/b/c/c",
		"/x",	    "/x/y/z",
		"/x/y",	    "/x/y/z/z",
		"/x/a",	    "/x/y/a",
		"/z",	    "/y/z",
		"/a/b/cc",  "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o",
	};

	(void)state;
	name(fixture, "/a");
	name(fixture, "/a/b/c");
	name(fixture, "/a-b");
	name(fixture, "/x/y/z");
	make(fixture);
	assert_int_equal(fixture->tables.index.depth, 3);
	assert_int_equal(fixture->tables.index.words, 1);
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		agree(fixture, paths[i]);
	tear_down(fixture);
}

/* Names that differ in the last of 255 bytes, or in their length alone. */
static void test_long_names(void **state)
{
	struct fixture *fixture = set_up();
	char path[300];

	(void)state;
	memset(path, 'n', sizeof(path));
	path[0] = '/';
	path[256] = '\0';
	for (char last = 'a'; last <= 'z'; last += 2) {
		path[255] = last;
		name(fixture, path);
	}
	for (size_t len = 254; len > 2; len -= 3) {
		path[len] = '\0';
		name(fixture, path);
	}
	make(fixture);
	assert_int_equal(fixture->tables.index.words, CGROUP_MAX_WORDS);
	memset(path + 1, 'n', sizeof(path) - 1);
	path[256] = '\0';
	for (char last = 'a'; last <= 'z'; last++) {
		path[255] = last;
		agree(fixture, path);
	}
	for (size_t len = 255; len > 1; len--) {
		path[len] = '\0';
		agree(fixture, path);
	}
	tear_down(fixture);
}

static void test_many(void **state)
{
	static const uint32_t counts[] = { 1, 2, 3, 8, 64, 1000, MOST };

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		struct fixture *fixture = set_up();
		char path[200];

		for (uint32_t j = 0; j < counts[i]; j++) {
			snprintf(path, sizeof(path), "/pods.slice/pod%u/c%u",
				 j / 7, j);
			name(fixture, path);
		}
		make(fixture);
		for (uint32_t j = 0; j < counts[i] + 3; j++) {
			snprintf(path, sizeof(path), "/pods.slice/pod%u/c%u/x",
				 j / 7, j);
			agree(fixture, path);
			snprintf(path, sizeof(path), "/pods.slice/pod%u/c%u",
				 j / 7 + 1, j);
			agree(fixture, path);
			snprintf(path, sizeof(path), "/c%u", j);
			agree(fixture, path);
		}
		tear_down(fixture);
	}
}

/* Every one below the one before, as deep as it may be, and one deeper. */
static void test_depth(void **state)
{
	struct fixture *fixture = set_up();
	struct cgroup_tables tables;
	char path[100] = "";

	(void)state;
	for (unsigned i = 1; i <= CGROUP_MAX_DEPTH; i++) {
		strcat(path, "/d");
		if (i % 2)
			name(fixture, path);
	}
	name(fixture, path);
	make(fixture);
	assert_int_equal(fixture->tables.index.depth, CGROUP_MAX_DEPTH);
	strcat(path, "/d/d");
	for (size_t len = strlen(path); len; len -= 2) {
		path[len] = '\0';
		agree(fixture, path);
	}
	path[0] = '\0';
	for (unsigned i = 0; i <= CGROUP_MAX_DEPTH; i++)
		strcat(path, "/d");
	name(fixture, path);
	assert_int_equal(cgroups_depth(path), CGROUP_MAX_DEPTH + 1);
	assert_int_equal(cgroups_make(fixture->arena, &fixture->row, &tables),
			 -ERANGE);
	tear_down(fixture);
}

static void test_classes(void **state)
{
	struct fixture *fixture = set_up();

	(void)state;
	name(fixture, "/a");
	name(fixture, "/b");
	for (unsigned i = 0; i < 6; i++) {
		fixture->denied[i] = UINT64_C(1) << i;
		fixture->logged[i] = UINT64_C(1) << (8 + i);
	}
	make(fixture);
	assert_int_equal(fixture->tables.class_count, 6);
	assert_int_equal(fixture->tables.classes[5].denied, 1 << 5);
	assert_int_equal(fixture->tables.classes[5].logged, 1 << 13);
	/* unknown is all that a class of the place is denied */
	assert_int_equal(fixture->tables.index.unknown[PLACE_HOST].denied,
			 1 << 0 | 1 << 2 | 1 << 4);
	assert_int_equal(fixture->tables.index.unknown[PLACE_CONTAINER].denied,
			 1 << 1 | 1 << 3 | 1 << 5);
	assert_int_equal(fixture->tables.index.unknown[PLACE_CONTAINER].logged,
			 1 << 9 | 1 << 11 | 1 << 13);
	tear_down(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nested),	   cmocka_unit_test(test_many),
		cmocka_unit_test(test_long_names), cmocka_unit_test(test_depth),
		cmocka_unit_test(test_classes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
