/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * That the vault is sealed is asked of the guard: an unmount that the kernel
 * itself refuses with EINVAL, whatever comes, is one that the guard refuses
 * with EPERM before.
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

static int open_thread_namespace(void)
{
	struct dirent **pids;
	int count = scandir("/proc", &pids, is_process, NULL);
	char path[64];
	int fd = -ESRCH;

	for (int i = 0; i < count && fd == -ESRCH; i++) {
		if (!is_thread(pids[i]->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%.16s/ns/mnt",
			 pids[i]->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		fd = fd < 0 ? -errno : fd;
	}
	home_list_free(pids, count);
	return count < 0 ? -errno : fd;
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
}

int visit_enter(struct visit *visit)
{
	CLEANUP(close_fd) int thread = open_thread_namespace();

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

/* ---- in the namespace ---- */

int visit_root(int *root)
{
	CLEANUP(close_fd) int fd = open("/", FOLDER);
	struct statfs system;

	if (fd < 0 || fstatfs(fd, &system))
		return -errno;
	if ((uint32_t)system.f_type != BPF_FS_MAGIC)
		return -ENOENT;
	*root = keep_fd(&fd);
	return 0;
}

static bool is_sealed(void)
{
	return umount2("/", MNT_EXPIRE | MNT_FORCE) && errno == EPERM;
}

int vault_open(const char *where, int *vault)
{
	CLEANUP(visit_leave) struct visit visit = NO_VISIT;
	CLEANUP(close_fd) int root = -1;
	int err = visit_enter(&visit);

	if (err == -ESRCH)
		return -ENOENT;
	if (err)
		return visit_refuse(err, where);
	err = visit_root(&root);
	if (err)
		return err == -ENOENT ? err : visit_refuse(err, where);
	if (!is_sealed())
		return -ENOENT;
	*vault = keep_fd(&root);
	return 0;
}
