/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The note goes in with libelf, which lays the file out anew: the object comes
 * from our own linker, so there is nothing here to mistrust.  What comes out
 * is then opened as the loader would, before anybody sees it.
 */
#include "compiler/emit.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bundle/bundle.h"
#include "compiler/arena.h"
#include "compiler/memfile.h"
#include "compiler/template.h"

/* Appends @string to the section names; its offset there, or -1. */
static int64_t add_name(Elf *elf, const char *string)
{
	Elf_Scn *section;
	Elf_Data *data;
	GElf_Shdr header;
	size_t index;
	int64_t offset;

	if (elf_getshdrstrndx(elf, &index))
		return -1;
	section = elf_getscn(elf, index);
	if (!section || !gelf_getshdr(section, &header))
		return -1;
	data = elf_newdata(section);
	if (!data)
		return -1;
	offset = (int64_t)header.sh_size;
	data->d_buf = (void *)string;
	data->d_size = strlen(string) + 1;
	data->d_align = 1;
	data->d_off = offset;
	return offset;
}

/* @note must stay as it is until @elf is written. */
static int add_note(Elf *elf, const struct blob *note)
{
	int64_t name = add_name(elf, NOTE_SECTION);
	Elf_Scn *section = elf_newscn(elf);
	Elf_Data *data = section ? elf_newdata(section) : NULL;
	GElf_Shdr header;

	if (name < 0 || !data || !gelf_getshdr(section, &header))
		return -1;
	data->d_buf = (void *)note->bytes;
	data->d_size = note->size;
	data->d_type = ELF_T_BYTE;
	data->d_align = 4;
	header.sh_name = (Elf64_Word)name;
	header.sh_type = SHT_NOTE;
	header.sh_addralign = 4;
	return gelf_update_shdr(section, &header) ? 0 : -1;
}

static int write_note(int fd, const struct blob *note, const char **why)
{
	Elf *elf;
	int err = -EIO;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_RDWR, NULL);
	if (elf && elf_kind(elf) != ELF_K_ELF)
		*why = "the programs are no ELF object";
	else if (elf && !add_note(elf, note) &&
		 elf_update(elf, ELF_C_WRITE) >= 0)
		err = 0;
	else
		*why = elf_errmsg(-1);
	elf_end(elf);
	return err;
}

/* @linked with the note in it. */
static int add_section(struct arena *arena, const struct blob *linked,
		       const struct blob *note, struct blob *elf,
		       const char **why)
{
	__attribute__((cleanup(memfile_close))) int fd = memfile_new(linked);
	int err;

	if (fd < 0) {
		*why = strerror(-fd);
		return fd;
	}
	err = write_note(fd, note, why);
	if (err)
		return err;
	err = memfile_read(arena, fd, elf);
	if (err)
		*why = strerror(-err);
	return err;
}

int emit_bundle(struct arena *arena, const struct blob *linked,
		const struct table *table, const struct digest *source,
		struct blob *bundle, const char **why)
{
	struct note note = { .table = *table,
			     .source = *source,
			     .compiler = template_digest() };
	struct bundle *opened;
	struct blob encoded, elf;
	uint8_t *bytes;
	void *note_bytes;
	size_t size;
	int err;

	err = note_encode(&note, &note_bytes, &size);
	if (err) {
		*why = strerror(-err);
		return err;
	}
	encoded = (struct blob){ .bytes = note_bytes, .size = size };
	err = add_section(arena, linked, &encoded, &elf, why);
	free(note_bytes);
	if (err)
		return err;
	size = elf.size + BUNDLE_TRAILER_SIZE;
	bytes = arena_alloc(arena, size);
	memcpy(bytes, elf.bytes, elf.size);
	bundle_finish(bytes, elf.size);
	err = bundle_open(bytes, size, &opened, why);
	if (err)
		return err;
	bundle_close(opened);
	*bundle = (struct blob){ .bytes = bytes, .size = size };
	return 0;
}

static int write_all(int fd, const struct blob *blob)
{
	const char *bytes = blob->bytes;
	size_t done = 0;

	while (done < blob->size) {
		ssize_t written = write(fd, bytes + done, blob->size - done);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written ? -errno : -EIO;
		done += (size_t)written;
	}
	return 0;
}

static int write_straight(const char *path, const struct blob *blob)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY);
	int err;

	if (fd < 0)
		return -errno;
	err = write_all(fd, blob);
	if (close(fd) && !err)
		err = -errno;
	return err;
}

/* So that the name is on the disk too.  Not every file system can. */
static void sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

/* What any new file gets. */
static mode_t new_mode(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

static int fill(int fd, const struct blob *blob)
{
	int err = write_all(fd, blob);

	if (!err && (fchmod(fd, new_mode()) || fsync(fd)))
		err = -errno;
	return err;
}

static int replace(struct arena *arena, const char *path,
		   const struct blob *blob)
{
	const char *slash = strrchr(path, '/');
	const char *folder =
		!slash ? "."
		: slash == path
			? "/"
			: arena_copy(arena, path, (size_t)(slash - path));
	char *temporary = arena_printf(arena, "%s/.bpflockc-XXXXXX", folder);
	int fd = mkostemp(temporary, O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = fill(fd, blob);
	if (close(fd) && !err)
		err = -errno;
	if (!err && rename(temporary, path))
		err = -errno;
	if (err)
		unlink(temporary);
	else
		sync_folder(folder);
	return err;
}

/* /dev/stdout is a link to whatever stdout is, perhaps a file: its name must
 * stay. */
static bool is_special(const char *path)
{
	return !strncmp(path, "/dev/", 5) || !strncmp(path, "/proc/", 6);
}

static int write_to(struct arena *arena, const char *path,
		    const struct blob *bundle)
{
	char target[PATH_MAX];
	struct stat status;

	if (lstat(path, &status))
		return errno == ENOENT ? replace(arena, path, bundle) : -errno;
	if (is_special(path))
		return write_straight(path, bundle);
	if (S_ISLNK(status.st_mode)) {
		if (!realpath(path, target))
			return -errno;
		path = target;
		if (stat(path, &status))
			return -errno;
	}
	if (S_ISDIR(status.st_mode))
		return -EISDIR;
	if (S_ISREG(status.st_mode))
		return replace(arena, path, bundle);
	return write_straight(path, bundle);
}

int emit_write(struct arena *arena, const char *path, const struct blob *bundle,
	       const char **why)
{
	int err = write_to(arena, path, bundle);

	if (err)
		*why = strerror(-err);
	return err;
}
