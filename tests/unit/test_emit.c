/* SPDX-License-Identifier: GPL-2.0-only */
/* The whole way to a file, and what is left where it cannot be written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bundle/bundle.h"
#include "bundle/object.h"
#include "compiler/arena.h"
#include "compiler/emit.h"
#include "compiler/link.h"
#include "compiler/template.h"
#include "sample.h"

/* A new folder for each test; what is in it is removed behind the test. */
struct folder {
	char path[64];
	struct arena *arena;
};

static int folder_make(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	strcpy(folder->path, "/tmp/test_emit-XXXXXX");
	if (!mkdtemp(folder->path))
		return -1;
	folder->arena = arena_new();
	*state = folder;
	return 0;
}

/* How many names there are, each removed. */
static unsigned empty(const struct folder *folder)
{
	DIR *dir = opendir(folder->path);
	struct dirent *entry;
	unsigned count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		unlinkat(dirfd(dir), entry->d_name, 0);
		count++;
	}
	closedir(dir);
	return count;
}

static int folder_remove(void **state)
{
	struct folder *folder = *state;

	empty(folder);
	rmdir(folder->path);
	arena_free(folder->arena);
	free(folder);
	return 0;
}

static const char *in(const struct folder *folder, const char *name)
{
	return arena_printf(folder->arena, "%s/%s", folder->path, name);
}

static const struct blob content = { .bytes = "a bundle", .size = 8 };

static void assert_holds(const char *path, const struct blob *blob)
{
	char bytes[64];
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(read(fd, bytes, sizeof(bytes)), blob->size);
	assert_memory_equal(bytes, blob->bytes, blob->size);
	close(fd);
}

static void assert_not_written(const struct folder *folder, const char *path,
			       int err)
{
	const char *why = NULL;

	assert_int_equal(emit_write(folder->arena, path, &content, &why), err);
	assert_string_equal(why, strerror(-err));
}

static void write_it(const struct folder *folder, const char *path)
{
	const char *why;

	assert_int_equal(emit_write(folder->arena, path, &content, &why), 0);
}

static struct blob make_bundle(struct arena *arena)
{
	struct blob object, linked, bundle;
	struct sample sample;
	const char *why = "";

	sample_make_simple(&sample);
	assert_int_equal(template_instantiate(arena, &sample.note.table, 0,
					      &object, &why),
			 0);
	assert_int_equal(link_objects(arena, &object, 1, &linked, &why), 0);
	assert_int_equal(emit_bundle(arena, &linked, &sample.note.table,
				     &sample.note.source, &bundle, &why),
			 0);
	return bundle;
}

static void test_bundle(void **state)
{
	struct folder *folder = *state;
	struct blob bytes = make_bundle(folder->arena);
	struct blob again = make_bundle(folder->arena);
	struct digest compiler = template_digest();
	struct object_section section;
	struct object object;
	struct bundle *bundle;
	const char *why;

	assert_int_equal(bytes.size, again.size);
	assert_memory_equal(bytes.bytes, again.bytes, bytes.size);
	assert_int_equal(bundle_open(bytes.bytes, bytes.size, &bundle, &why),
			 0);
	assert_memory_equal(&bundle->note->compiler, &compiler, DIGEST_SIZE);
	assert_int_equal(bundle->note->source.bytes[0], 0x5a);
	assert_int_equal(
		object_open(bundle->elf, bundle->elf_size, &object, &why), 0);
	assert_int_equal(object_find_section(&object, NOTE_SECTION, &section),
			 0);
	assert_int_equal(section.offset % 4, 0);
	bundle_close(bundle);
}

/* What no loader would open is not made either. */
static void test_bundle_checked(void **state)
{
	struct folder *folder = *state;
	struct blob object, linked, bundle = { 0 };
	struct sample sample;
	const char *why = NULL;

	sample_make_simple(&sample);
	assert_int_equal(template_instantiate(folder->arena, &sample.note.table,
					      0, &object, &why),
			 0);
	assert_int_equal(link_objects(folder->arena, &object, 1, &linked, &why),
			 0);
	sample.note.table.until = 0;
	assert_int_equal(emit_bundle(folder->arena, &linked, &sample.note.table,
				     &sample.note.source, &bundle, &why),
			 -EBADMSG);
	assert_null(bundle.bytes);
	assert_string_equal(why,
			    "its note has another day than its statements");
	assert_int_equal(emit_bundle(folder->arena, &content,
				     &sample.note.table, &sample.note.source,
				     &bundle, &why),
			 -EIO);
	assert_null(bundle.bytes);
	assert_string_equal(why, "the programs are no ELF object");
}

static void test_new_file(void **state)
{
	struct folder *folder = *state;
	const char *path = in(folder, "x.o");
	struct stat status;
	mode_t mask = umask(0027);

	write_it(folder, path);
	assert_int_equal(umask(mask), 0027);
	assert_holds(path, &content);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode, S_IFREG | 0640);
	assert_int_equal(empty(folder), 1);
}

/* Who has the old file open keeps it. */
static void test_replaces(void **state)
{
	static const struct blob old = { .bytes = "the old one", .size = 11 };
	struct folder *folder = *state;
	const char *path = in(folder, "x.o");
	const char *why;
	char bytes[16];
	int fd;

	assert_int_equal(emit_write(folder->arena, path, &old, &why), 0);
	fd = open(path, O_RDONLY);
	write_it(folder, path);
	assert_holds(path, &content);
	assert_int_equal(read(fd, bytes, sizeof(bytes)), old.size);
	close(fd);
	assert_int_equal(empty(folder), 1);
}

static void test_through_link(void **state)
{
	struct folder *folder = *state;
	const char *link = in(folder, "link.o");
	struct stat status;

	assert_int_equal(symlink("real.o", link), 0);
	assert_not_written(folder, link, -ENOENT);
	write_it(folder, in(folder, "real.o"));
	write_it(folder, link);
	assert_int_equal(lstat(link, &status), 0);
	assert_true(S_ISLNK(status.st_mode));
	assert_int_equal(empty(folder), 2);
}

static void test_refused(void **state)
{
	struct folder *folder = *state;

	assert_not_written(folder, folder->path, -EISDIR);
	assert_not_written(folder, in(folder, "none/x.o"), -ENOENT);
	assert_not_written(folder, "/dev/full", -ENOSPC);
	assert_not_written(folder, "", -ENOENT);
	write_it(folder, in(folder, "file"));
	assert_not_written(folder, in(folder, "file/x.o"), -ENOTDIR);
	assert_int_equal(empty(folder), 1);
}

/* A name that cannot be renamed to: the temporary file goes too. */
static void test_long_name(void **state)
{
	struct folder *folder = *state;
	char name[300];

	memset(name, 'x', sizeof(name));
	name[256] = '\0';
	assert_not_written(folder, in(folder, name), -ENAMETOOLONG);
	assert_int_equal(empty(folder), 0);
}

static void test_pipe(void **state)
{
	struct folder *folder = *state;
	char bytes[16];
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	write_it(folder,
		 arena_printf(folder->arena, "/proc/self/fd/%d", ends[1]));
	assert_int_equal(read(ends[0], bytes, sizeof(bytes)), content.size);
	close(ends[0]);
	close(ends[1]);
}

#define TEST(test) \
	cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bundle),	 TEST(test_bundle_checked),
		TEST(test_new_file),	 TEST(test_replaces),
		TEST(test_through_link), TEST(test_refused),
		TEST(test_long_name),	 TEST(test_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
