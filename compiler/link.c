/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libbpf's linker reads and writes files by path; files in memory have one as
 * long as /proc is there.  It says what is wrong through a callback that has
 * no argument of ours: the one variable below is where that callback finds the
 * run's buffer, and it is set for the length of a call only.
 */
#include "compiler/link.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "compiler/arena.h"
#include "compiler/memfile.h"

struct words {
	char text[1024];
	size_t len;
};

static _Thread_local struct words *said;

/* libbpf's lines, joined by "; ": they end up in one message of ours. */
__attribute__((format(printf, 2, 0))) static int hear(
	enum libbpf_print_level level, const char *format, va_list arguments)
{
	size_t room;
	int len;

	if (!said || level != LIBBPF_WARN)
		return 0;
	if (said->len && said->len + 3 < sizeof(said->text)) {
		memcpy(said->text + said->len, "; ", 3);
		said->len += 2;
	}
	room = sizeof(said->text) - said->len;
	len = vsnprintf(said->text + said->len, room, format, arguments);
	if (len > 0)
		said->len += (size_t)len < room ? (size_t)len : room - 1;
	while (said->len && said->text[said->len - 1] == '\n')
		said->text[--said->len] = '\0';
	return 0;
}

/*
 * libbpf 1.1 does not join objects that call the same function of the kernel:
 * it wants to know the function's size.  So while they are joined, each object
 * but the first calls one whose name begins with a letter of its own.  Names
 * stand between NULs, in string tables alone.
 */
static const char *const kernel_functions[] = { "bpf_rdonly_cast" };

#define NAME_MAX_SIZE 64

static void rename_one(struct blob *object, const char *name, char from,
		       char to)
{
	char wanted[NAME_MAX_SIZE] = { '\0', from };
	size_t size = strlen(name) + 2;
	char *at = (char *)object->bytes, *end = at + object->size;

	memcpy(wanted + 2, name + 1, size - 2);
	while ((at = memmem(at, (size_t)(end - at), wanted, size)))
		*++at = to;
}

static struct blob rename_functions(struct arena *arena,
				    const struct blob *object, size_t number,
				    bool back)
{
	struct blob renamed = { arena_copy(arena, object->bytes, object->size),
				object->size };
	char letter = (char)('A' + number);

	for (size_t i = 0;
	     i < sizeof(kernel_functions) / sizeof(kernel_functions[0]); i++) {
		const char *name = kernel_functions[i];

		rename_one(&renamed, name, back ? letter : *name,
			   back ? *name : letter);
	}
	return renamed;
}

static int link_files(struct arena *arena, const int *fds, size_t count, int to)
{
	struct bpf_linker *linker;
	int err = 0;

	linker = bpf_linker__new(memfile_path(arena, to), NULL);
	if (!linker)
		return -errno;
	for (size_t i = 0; !err && i < count; i++)
		err = bpf_linker__add_file(linker, memfile_path(arena, fds[i]),
					   NULL);
	if (!err)
		err = bpf_linker__finalize(linker);
	bpf_linker__free(linker);
	return err;
}

static int link_quietly(struct arena *arena, const int *fds, size_t count,
			int to, struct words *words)
{
	libbpf_print_fn_t before;
	int err;

	said = words;
	before = libbpf_set_print(hear);
	err = link_files(arena, fds, count, to);
	libbpf_set_print(before);
	said = NULL;
	return err;
}

int link_objects(struct arena *arena, const struct blob *objects, size_t count,
		 struct blob *linked, const char **why)
{
	__attribute__((cleanup(memfile_close))) int to = memfile_new(NULL);
	int *fds = arena_array(arena, count, sizeof(*fds));
	struct words words = { 0 };
	size_t opened = 0;
	int err = to < 0 ? to : 0;

	while (!err && opened < count) {
		struct blob object = objects[opened];

		if (opened)
			object =
				rename_functions(arena, &object, opened, false);
		fds[opened] = memfile_new(&object);
		if (fds[opened] < 0)
			err = fds[opened];
		else
			opened++;
	}
	if (!err)
		err = link_quietly(arena, fds, count, to, &words);
	while (opened)
		close(fds[--opened]);
	if (!err)
		err = memfile_read(arena, to, linked);
	for (size_t i = 1; !err && i < count; i++)
		*linked = rename_functions(arena, linked, i, true);
	if (err)
		*why = arena_printf(
			arena, "the programs cannot be joined: %s%s%s",
			strerror(-err), words.len ? ": " : "", words.text);
	return err;
}
