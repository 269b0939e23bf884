/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An id is what the kernel takes as a handle of the cgroup's folder.  So there
 * is no walk through all of them, and nothing that grows with how many there
 * are.  The folder's path is then what /proc says of its descriptor.
 */
#include "loader/cgroup_paths.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/cgroup_root.h"
#include "loader/cleanup.h"

#define HANDLE_KERNFS 0xfe /* FILEID_KERNFS: the id is the handle */
#define ID_LEN	      64
#define SCOPE	      ".scope"
#define MONITOR	      "conmon-"	      /* who watches a container is not in it */
#define PODS	      "libpod_parent" /* Podman's, without systemd */

void cgroup_paths_open(struct cgroup_paths *paths)
{
	*paths = (struct cgroup_paths){ .mount = -1 };
	paths->mount = cgroup_root_open(&paths->mounted);
}

void cgroup_paths_free(struct cgroup_paths *paths)
{
	for (unsigned i = 0; i < paths->count; i++)
		free(paths->known[i].path);
	close_fd(&paths->mount);
	*paths = (struct cgroup_paths){ .mount = -1 };
}

static int open_cgroup(const struct cgroup_paths *paths, uint64_t id)
{
	struct {
		struct file_handle head;
		unsigned char id[sizeof(id)];
	} handle = { .head = { .handle_bytes = sizeof(id),
			       .handle_type = HANDLE_KERNFS } };

	memcpy(handle.head.f_handle, &id, sizeof(id));
	return open_by_handle_at(paths->mount, &handle.head,
				 O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* The caller's to free(), or NULL. */
static char *look_up(const struct cgroup_paths *paths, uint64_t id)
{
	CLEANUP(close_fd) int fd = open_cgroup(paths, id);
	CLEANUP(close_fd) int again = -1;
	size_t before = strlen(paths->mounted);
	char link[64], path[PATH_MAX];
	ssize_t len;

	if (fd < 0)
		return NULL;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	/* Of a folder that goes meanwhile the path says more than its name. */
	again = open_cgroup(paths, id);
	if (again < 0 || len < (ssize_t)before || len == sizeof(path) - 1)
		return NULL;
	path[len] = '\0';
	if (strncmp(path, paths->mounted, before) ||
	    (path[before] && path[before] != '/'))
		return NULL;
	return strdup(path[before] ? path + before : "/");
}

static void keep(struct cgroup_paths *paths, uint64_t id, char *path)
{
	struct cgroup_path *at = &paths->known[paths->next];

	if (paths->next == paths->count)
		paths->count++;
	else
		free(at->path);
	paths->next = (paths->next + 1) % CGROUP_PATHS_KNOWN;
	*at = (struct cgroup_path){ id, path };
}

const char *cgroup_path_of(struct cgroup_paths *paths, uint64_t id)
{
	char *path;

	if (!id || paths->mount < 0)
		return NULL;
	for (unsigned i = 0; i < paths->count; i++)
		if (paths->known[i].id == id)
			return paths->known[i].path;
	path = look_up(paths, id);
	if (path)
		keep(paths, id, path);
	return path;
}

/* The id in one folder's name, or NULL. */
static const char *find_id(const char *name, size_t len)
{
	size_t scope = strlen(SCOPE);
	const char *at;

	if (len > scope && !strncmp(name + len - scope, SCOPE, scope))
		len -= scope;
	if (len < ID_LEN)
		return NULL;
	at = name + len - ID_LEN;
	if (strspn(at, "0123456789abcdef") < ID_LEN)
		return NULL;
	if (at == name)
		return at;
	if (at[-1] != '-')
		return NULL;
	len = strlen(MONITOR);
	return (size_t)(at - name) >= len && !strncmp(at - len, MONITOR, len)
		       ? NULL
		       : at;
}

bool cgroup_container_id(const char *path, char id[CONTAINER_ID_SIZE])
{
	const char *found = NULL;
	bool pods = false;

	/* The outermost: below its own cgroup a container may make others, with
	 * names that it chooses.  But where Podman has its pods, an id alone is
	 * one of those, and its containers are below. */
	for (const char *name = path; *name && !found;) {
		size_t len = strcspn(name, "/");
		const char *at = find_id(name, len);

		if (!pods || at != name)
			found = at;
		pods = len == strlen(PODS) && !strncmp(name, PODS, len);
		name += len + (name[len] == '/');
	}
	if (!found)
		return false;
	memcpy(id, found, ID_LEN);
	id[ID_LEN] = '\0';
	return true;
}
