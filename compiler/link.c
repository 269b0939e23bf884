/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libbpf's linker reads and writes files by path; files in memory have one as
 * long as /proc is there.  It says what is wrong through a callback that has
 * no argument of ours: the one variable below is where that callback finds the
 * run's buffer, and it is set for the length of a call only.
 */
#include "compiler/link.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/btf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bundle/object.h"
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

/* ---- functions of the kernel's ---- */

#define KSYMS ".ksyms"

static uint32_t find_int(const struct btf *types)
{
	uint32_t id = 1;

	while (id < btf__type_cnt(types) &&
	       !btf_is_int(btf__type_by_id(types, id)))
		id++;
	return id < btf__type_cnt(types) ? id : 0;
}

/*
 * That section's type, where the types begin at @bytes: of the same length, a
 * struct of @member, a number, that nothing refers to.
 */
static void hide_section(const struct btf *types, uint32_t section,
			 uint32_t member, uint8_t *bytes)
{
	const struct btf_type *type = btf__type_by_id(types, section);
	const uint8_t *begin = btf__raw_data(types, &(uint32_t){ 0 });
	uint8_t *at = bytes + ((const uint8_t *)type - begin);
	uint32_t count = btf_vlen(type);
	struct btf_type hidden = {
		.info = (uint32_t)BTF_KIND_STRUCT << 24 | count,
		.size = btf__type_by_id(types, member)->size,
	};

	memcpy(at, &hidden, sizeof(hidden));
	for (uint32_t i = 0; i < count; i++) {
		struct btf_member each = { .type = member };

		_Static_assert(sizeof(each) == sizeof(struct btf_var_secinfo),
			       "they take each other's place");
		memcpy(at + sizeof(hidden) + i * sizeof(each), &each,
		       sizeof(each));
	}
}

/*
 * The linker cannot add a function of the kernel's to a section that has it
 * already: it wants to know the function's size.  So only the first object
 * keeps that section; in others the functions stand alone, and the linker finds
 * the first one's by name.  @kept says whether one has been.
 */
static int hide_ksyms(struct arena *arena, struct blob *object, bool *kept)
{
	struct object_section section;
	struct object elf;
	struct btf *types;
	uint32_t member;
	const char *why;
	uint8_t *copy;
	int id;

	if (object_open(object->bytes, object->size, &elf, &why) ||
	    object_find_section(&elf, ".BTF", &section))
		return -EBADMSG;
	types = btf__new(section.bytes, (uint32_t)section.size);
	if (!types)
		return -errno;
	id = btf__find_by_name_kind(types, KSYMS, BTF_KIND_DATASEC);
	member = id > 0 && *kept ? find_int(types) : 0;
	if (member) {
		copy = (uint8_t *)arena_copy(arena, object->bytes,
					     object->size);
		hide_section(types, (uint32_t)id, member,
			     copy + section.offset);
		object->bytes = copy;
	}
	*kept |= id > 0;
	btf__free(types);
	return 0;
}

/* ---- linking ---- */

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
	bool kept = false;

	while (!err && opened < count) {
		struct blob object = objects[opened];

		err = hide_ksyms(arena, &object, &kept);
		if (err)
			break;
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
	if (err)
		*why = arena_printf(
			arena, "the programs cannot be joined: %s%s%s",
			strerror(-err), words.len ? ": " : "", words.text);
	return err;
}
