/* SPDX-License-Identifier: GPL-2.0-only */
/* The folder of all pins, and the folders in it. */
#pragma once

#include <stdbool.h>

struct dirent;

enum home_use {
	HOME_LOOK,   /* unlocked: a loader may be at work in it */
	HOME_CHANGE, /* locked, after waiting for another loader */
	HOME_CREATE, /* the same, and made where it is missing */
};

/*
 * Opens the folder, which has to be root's alone.  Where it is locked, what an
 * interrupted run left is put right: a folder that stepped aside comes back,
 * one that is half made is removed.  On success *@home is to be closed with
 * home_close() or, after HOME_LOOK, with close().  Returns 0; -ENOENT where
 * there is no such folder; or -errno after saying on stderr, as what happened
 * at @step, what is wrong.
 */
int home_open(enum home_use use, const char *step, int *home);

/* For cleanup: removes the folder where it is empty, and unlocks it.  *@home
 * below 0 is fine. */
void home_close(int *home);

/* Whether a loader has it locked. */
bool home_is_locked(int home);

/* Removes the folder @name of @parent with all that is in it, @first of it
 * before all else (NULL: none).  Returns 0 or -errno. */
int home_remove(int parent, const char *name, const char *first);

/*
 * Exchanges two folders in @home, so that each is there all the time or, where
 * the kernel cannot, nearly all the time: *@aside is a third name for that.
 * What is pinned in them stays pinned throughout.  Returns 0, or -errno with
 * nothing exchanged.
 */
int home_exchange(int home, const char *one, const char *other,
		  const char *aside);

/*
 * The names in the folder at @path that @filter takes (as of scandir()),
 * ascending.  Returns their count, or -errno.  On success *@names is the
 * caller's, for home_list_free().
 */
int home_list(const char *path, int (*filter)(const struct dirent *),
	      struct dirent ***names);
void home_list_free(struct dirent **names, int count);

/* The same for the policies in @home that @filter takes. */
int home_list_policies(int home, int (*filter)(const struct dirent *),
		       struct dirent ***names);

/* Filters: a policy in its place; one on its way; anything but . and .. */
int home_is_policy(const struct dirent *entry);
int home_is_leftover(const struct dirent *entry);
int home_is_entry(const struct dirent *entry);
