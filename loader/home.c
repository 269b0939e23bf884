/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lock is on the folder itself, so it ends with the process that has it.
 * Whoever has it knows that a folder that is still on its way in is nobody's.
 */
#include "loader/home.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "loader/cleanup.h"
#include "loader/layout.h"
#include "loader/report.h"

#define DEPTH_MAX 4 /* policy, links, and room for what others put there */

int home_is_policy(const struct dirent *entry)
{
	return layout_name_is_safe(entry->d_name);
}

int home_is_entry(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
}

static int is_staged(const struct dirent *entry)
{
	return entry->d_name[0] == LAYOUT_STAGED;
}

int home_list(const char *path, int (*filter)(const struct dirent *),
	      struct dirent ***names)
{
	int count = scandir(path, names, filter, alphasort);

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
	struct dirent **entries;
	CLEANUP(close_fd)
	int fd = openat(parent, name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
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

int home_remove(int parent, const char *name)
{
	return remove_below(parent, name, DEPTH_MAX);
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
	if (!status.st_nlink)
		return -EAGAIN;
	/* Where everybody may write to /sys/fs/bpf, anybody may have made it:
	 * whoever owns it could rename what it holds. */
	if (status.st_uid || status.st_mode & (S_IWGRP | S_IWOTH))
		return -EPERM;
	return 0;
}

static int sweep(int home)
{
	struct dirent **names;
	int count = home_list(LAYOUT_HOME, is_staged, &names);
	int err = 0;

	if (count < 0)
		return count;
	for (int i = 0; i < count && !err; i++)
		err = home_remove(home, names[i]->d_name);
	home_list_free(names, count);
	return err;
}

static int open_locked(bool create, int *home)
{
	int err;

	do {
		CLEANUP(close_fd) int fd = -1;

		if (create && mkdir(LAYOUT_HOME, 0700) && errno != EEXIST)
			return -errno;
		fd = open(LAYOUT_HOME,
			  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		err = lock(fd);
		if (!err)
			err = sweep(fd);
		if (!err)
			*home = keep_fd(&fd);
	} while (err == -EAGAIN);
	return err;
}

int home_open(bool create, int *home)
{
	int err = open_locked(create, home);

	if (!err || (err == -ENOENT && !create))
		return err;
	report_refusal("this machine", "pin", LAYOUT_HOME " is not usable: %s",
		       error_words(err));
	if (err == -EPERM)
		report_mend("it has to be root's alone: look at what is in it, "
			    "then remove it");
	else if (err == -EACCES)
		report_mend("run it as root");
	return err;
}

void home_close(int *home)
{
	if (*home < 0)
		return;
	rmdir(LAYOUT_HOME); /* refused while anything is in it */
	close(*home);
	*home = -1;
}
