/* SPDX-License-Identifier: GPL-2.0-only */
/* The folder of all pins, and the folders in it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct dirent;

/*
 * Opens the folder and locks it, waiting for another loader that is at work;
 * creates it where it is missing and @create is set.  What an interrupted run
 * left half made is removed.  On success *@home is to be closed with
 * home_close().  Returns 0; -ENOENT where there is no such folder; or -errno
 * after saying on stderr what is wrong.
 */
int home_open(bool create, int *home);

/* For cleanup: removes the folder where it is empty, and unlocks it.  *@home
 * below 0 is fine. */
void home_close(int *home);

/* Removes the folder @name of @parent with all that is in it.  Returns 0 or
 * -errno. */
int home_remove(int parent, const char *name);

/*
 * The names in the folder at @path that @filter takes (as of scandir()),
 * ascending.  Returns their count, or -errno.  On success *@names is the
 * caller's, for home_list_free().
 */
int home_list(const char *path, int (*filter)(const struct dirent *),
	      struct dirent ***names);
void home_list_free(struct dirent **names, int count);

/* Filters: a policy in its place; anything but . and .. */
int home_is_policy(const struct dirent *entry);
int home_is_entry(const struct dirent *entry);
