/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where in the v2 hierarchy a cgroup is whose id an event has, and which
 * container that is.  One that is gone has no path, unless it was asked for
 * before: the kernel gives no id twice.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define CGROUP_PATHS_KNOWN 256 /* that are kept in mind */
#define CONTAINER_ID_SIZE  65  /* with its NUL */

struct cgroup_path {
	uint64_t id;
	char *path;
};

struct cgroup_paths {
	int mount; /* the hierarchy's root; -1: it is not to be seen here */
	const char *mounted; /* where */
	struct cgroup_path known[CGROUP_PATHS_KNOWN];
	unsigned count, next;
};

/* Finds the hierarchy. */
void cgroup_paths_open(struct cgroup_paths *paths);

/* The cgroup's absolute path, until the next call; NULL where it cannot be
 * told. */
const char *cgroup_path_of(struct cgroup_paths *paths, uint64_t id);

/* For cleanup, once it was opened. */
void cgroup_paths_free(struct cgroup_paths *paths);

/*
 * The id of the outermost container whose cgroup that is, or is above it, as
 * runtimes name cgroups: 64 hexadecimal digits, alone, or as in
 * docker-ID.scope.  False: there is none.
 */
bool cgroup_container_id(const char *path, char id[CONTAINER_ID_SIZE]);
