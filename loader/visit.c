/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * To look, nobody has to go there, which a policy may deny: a path leads out of
 * the thread's own root to what is mounted on top of it.
 *
 * That the vault is sealed is asked of the guard: a change that the kernel
 * itself refuses with EINVAL, as the mount is in another namespace, is one that
 * the guard refuses with EPERM before.
 */
#include "loader/visit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>

#include "loader/cleanup.h"
#include "loader/home.h"
#include "loader/process.h"
#include "loader/read.h"
#include "loader/report.h"

#define THREAD	 "kdevtmpfs"
#define STAT_MAX 1024
#define FOLDER	 (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* ---- the namespace ---- */

static int is_process(const struct dirent *entry)
{
	return entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
}

/* A process may take the thread's name, but not its flags and parent. */
static bool is_thread(const char *pid)
{
	CLEANUP(free_memory) char *stat = NULL;
	struct process process;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%.16s/stat", pid);
	return !read_text(path, STAT_MAX, &stat) &&
	       strstr(stat, " (" THREAD ") ") &&
	       !process_parse(stat, &process) && process_is_kernels(&process);
}

/* A file of the thread's folder in /proc. */
static int open_thread(const char *name, int flags)
{
	struct dirent **pids = NULL;
	int count = home_list("/proc", is_process, &pids);
	char path[64];
	int fd = -ESRCH;

	if (count < 0)
		return count;
	for (int i = 0; i < count && fd == -ESRCH; i++) {
		if (!is_thread(pids[i]->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%.16s/%s", pids[i]->d_name,
			 name);
		fd = open(path, flags | O_CLOEXEC);
		fd = fd < 0 ? -errno : fd;
	}
	home_list_free(pids, count);
	return fd;
}

void visit_leave(struct visit *visit)
{
	if (visit->namespace >= 0 && setns(visit->namespace, CLONE_NEWNS))
		abort(); /* nothing but our own bug keeps it from that */
	if (visit->namespace >= 0 && visit->folder >= 0 &&
	    fchdir(visit->folder))
		report_note("the working directory is gone");
	close_fd(&visit->namespace);
	close_fd(&visit->folder);
	*visit = (struct visit)NO_VISIT;
}

int visit_check(void)
{
	CLEANUP(close_fd) int thread = open_thread("ns/mnt", O_RDONLY);

	return thread < 0 ? thread : 0;
}

int visit_enter(struct visit *visit)
{
	CLEANUP(close_fd) int thread = open_thread("ns/mnt", O_RDONLY);

	if (thread < 0)
		return thread;
	visit->folder = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	visit->namespace = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (visit->namespace < 0 || setns(thread, CLONE_NEWNS)) {
		int err = -errno;

		close_fd(&visit->namespace);
		visit->namespace = -1;
		return err;
	}
	return 0;
}

int visit_refuse(int err, const char *where)
{
	return refuse(err, MACHINE, where,
		      err == -ESRCH ? "run a kernel with CONFIG_DEVTMPFS=y, or "
				      "compile the policy with 'seal open'"
				    : "run it as root, with the machine's own "
				      "/proc",
		      "the mount namespace of the kernel's thread " THREAD
		      " cannot be entered:");
}

/* ---- the vault ---- */

int visit_root(int *root)
{
	CLEANUP(close_fd) int own = open_thread("root", O_PATH | O_DIRECTORY);
	CLEANUP(close_fd) int top = -1;
	struct statfs system;

	if (own < 0)
		return own;
	/* Above a root is the root again, and then what is mounted on it. */
	top = openat(own, "..", FOLDER);
	if (top < 0 || fstatfs(top, &system))
		return -errno;
	if ((uint32_t)system.f_type != BPF_FS_MAGIC)
		return -ENOENT;
	*root = keep_fd(&top);
	return 0;
}

int visit_disturb(int vault)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", vault);
	return mount(NULL, path, NULL, MS_REMOUNT | MS_BIND, NULL) ? errno : 0;
}

int visit_vault(const char *where, int *vault)
{
	CLEANUP(close_fd) int root = -1;
	int err = visit_root(&root);

	if (err == -ESRCH)
		return -ENOENT;
	if (err)
		return err == -ENOENT ? err : visit_refuse(err, where);
	if (visit_disturb(root) != EPERM)
		return -ENOENT;
	*vault = keep_fd(&root);
	return 0;
}
