/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lock is on the folder itself, so it ends with the process that has it.
 * Whoever has it knows that a folder that is still on its way is nobody's.
 */
#include "loader/home.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "loader/cleanup.h"
#include "loader/fault.h"
#include "loader/layout.h"
#include "loader/report.h"

#define DEPTH_MAX 4 /* policy, links, and room for what others put there */
#define FOLDER	  (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

int home_is_policy(const struct dirent *entry)
{
	return layout_name_is_safe(entry->d_name);
}

int home_is_leftover(const struct dirent *entry)
{
	return entry->d_name[0] == LAYOUT_STAGED[0] ||
	       entry->d_name[0] == LAYOUT_ASIDE[0];
}

int home_is_entry(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
}

int home_list(const char *path, int (*filter)(const struct dirent *),
	      struct dirent ***names)
{
	int count = scandir(path, names, filter, alphasort);

	return count < 0 ? -errno : count;
}

int home_list_policies(int home, int (*filter)(const struct dirent *),
		       struct dirent ***names)
{
	int count = scandirat(home, ".", names, filter, alphasort);

	return count < 0 ? -errno : count;
}

void home_list_free(struct dirent **names, int count)
{
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

static int remove_below(int parent, const char *name, unsigned depth)
{
	CLEANUP(close_fd) int fd = openat(parent, name, FOLDER);
	struct dirent **entries;
	int count, err = 0;

	if (fd < 0)
		return -errno;
	if (!depth)
		return -ELOOP;
	count = scandirat(fd, ".", &entries, home_is_entry, alphasort);
	if (count < 0)
		return -errno;
	for (int i = 0; i < count && !err; i++) {
		if (entries[i]->d_type == DT_DIR)
			err = remove_below(fd, entries[i]->d_name, depth - 1);
		else if (unlinkat(fd, entries[i]->d_name, 0))
			err = -errno;
	}
	home_list_free(entries, count);
	if (!err && unlinkat(parent, name, AT_REMOVEDIR))
		err = -errno;
	return err;
}

int home_remove(int parent, const char *name, const char *first)
{
	CLEANUP(close_fd) int fd = openat(parent, name, FOLDER);
	int err = fd < 0 ? -errno : 0;

	if (!err && first)
		err = remove_below(fd, first, DEPTH_MAX);
	return err && err != -ENOENT ? err
				     : remove_below(parent, name, DEPTH_MAX);
}

static int move(int home, const char *from, const char *to, unsigned flags)
{
	int err = fault("exchange");

	return !err && renameat2(home, from, home, to, flags) ? -errno : err;
}

/* The bpf file system exchanges names from Linux 5.16 on. */
int home_exchange(int home, const char *one, const char *other,
		  const char *aside)
{
	int err = move(home, one, other, RENAME_EXCHANGE);

	if (err != -EINVAL)
		return err;
	err = move(home, other, aside, RENAME_NOREPLACE);
	if (err)
		return err;
	err = move(home, one, other, RENAME_NOREPLACE);
	if (err) {
		renameat2(home, aside, home, other, RENAME_NOREPLACE);
		return err;
	}
	err = move(home, aside, one, RENAME_NOREPLACE);
	if (err) {
		renameat2(home, other, home, one, RENAME_NOREPLACE);
		renameat2(home, aside, home, other, RENAME_NOREPLACE);
	}
	return err;
}

/* Where everybody may write to /sys/fs/bpf, anybody may have made it: whoever
 * owns it could rename what it holds. */
static int check_folder(int fd)
{
	struct stat status;
	struct statfs system;

	if (fstat(fd, &status) || fstatfs(fd, &system))
		return -errno;
	if (status.st_uid || status.st_mode & (S_IWGRP | S_IWOTH))
		return -EPERM;
	return (uint32_t)system.f_type == BPF_FS_MAGIC ? 0 : -EXDEV;
}

/* 0; -EAGAIN where the folder went while the lock was waited for. */
static int lock(int fd)
{
	struct stat status;

	while (flock(fd, LOCK_EX))
		if (errno != EINTR)
			return -errno;
	if (fstat(fd, &status))
		return -errno;
	return status.st_nlink ? 0 : -EAGAIN;
}

bool home_is_locked(int home)
{
	bool locked = flock(home, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;

	if (!locked)
		flock(home, LOCK_UN);
	return locked;
}

/* '-' sorts behind '+', so what stepped aside comes first: back to its place
 * where nothing is there, or away. */
static int sweep(int home)
{
	struct dirent **names;
	int count = home_list_policies(home, home_is_leftover, &names);
	int err = 0;

	for (int i = count - 1; i >= 0 && !err; i--) {
		const char *name = names[i]->d_name;

		if (name[0] == LAYOUT_ASIDE[0] &&
		    !renameat2(home, name, home, name + 1, RENAME_NOREPLACE))
			continue;
		err = home_remove(home, name, LAYOUT_LINKS);
	}
	if (count < 0)
		return count;
	home_list_free(names, count);
	return err;
}

static int open_folder(enum home_use use, int *home)
{
	CLEANUP(close_fd) int fd = -1;
	int err;

	if (use == HOME_CREATE && mkdir(LAYOUT_HOME, 0700) && errno != EEXIST)
		return -errno;
	fd = open(LAYOUT_HOME, FOLDER);
	if (fd < 0)
		return -errno;
	err = check_folder(fd);
	if (!err && use != HOME_LOOK)
		err = lock(fd);
	if (!err && use != HOME_LOOK)
		err = sweep(fd);
	if (!err)
		*home = keep_fd(&fd);
	return err;
}

int home_open(enum home_use use, const char *step, int *home)
{
	const char *mend = NULL;
	int err;

	do
		err = open_folder(use, home);
	while (err == -EAGAIN);
	if (!err || (err == -ENOENT && use != HOME_CREATE))
		return err;
	if (err == -EPERM)
		mend = "it has to be root's alone: look at what is in it, then "
		       "remove it";
	else if (err == -EACCES)
		mend = "run it as root";
	else if (err == -EXDEV)
		mend = "something else is mounted on it: unmount that";
	return refuse(err, MACHINE, step, mend, LAYOUT_HOME " is not usable:");
}

void home_close(int *home)
{
	if (*home < 0)
		return;
	rmdir(LAYOUT_HOME); /* refused while anything is in it */
	close_fd(home);
	*home = -1;
}
