/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/people.h"

#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE 4096 /* a longer one is no user's */

static void forget(struct people *people)
{
	for (unsigned i = 0; i < people->count; i++)
		free(people->known[i].name);
	people->count = 0;
	people->next = 0;
}

void people_free(struct people *people)
{
	forget(people);
}

static bool is_same_file(const struct stat *one, const struct stat *other)
{
	return one->st_dev == other->st_dev && one->st_ino == other->st_ino &&
	       one->st_size == other->st_size &&
	       one->st_mtim.tv_sec == other->st_mtim.tv_sec &&
	       one->st_mtim.tv_nsec == other->st_mtim.tv_nsec;
}

/* The first of that number, as everybody else takes it. */
static char *look_up(const char *path, uint32_t uid)
{
	FILE *file = fopen(path, "re");
	struct passwd user, *found;
	char line[LINE_SIZE];
	char *name = NULL;

	while (file && !name &&
	       !fgetpwent_r(file, &user, line, sizeof(line), &found))
		if (user.pw_uid == uid)
			name = strdup(user.pw_name);
	if (file)
		fclose(file);
	return name;
}

static struct person *keep(struct people *people, uint32_t uid, char *name)
{
	struct person *person = &people->known[people->next];

	if (people->next == people->count)
		people->count++;
	else
		free(person->name);
	people->next = (people->next + 1) % PEOPLE_KNOWN;
	*person = (struct person){ uid, name };
	return person;
}

const char *people_name(struct people *people, uint32_t uid)
{
	struct stat now = { 0 };

	stat(people->path, &now);
	if (!is_same_file(&now, &people->file))
		forget(people);
	people->file = now;
	for (unsigned i = 0; i < people->count; i++)
		if (people->known[i].uid == uid)
			return people->known[i].name;
	return keep(people, uid, look_up(people->path, uid))->name;
}
