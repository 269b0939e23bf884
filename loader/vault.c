/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The loader goes into that namespace and comes back, several times: in it the
 * root is whatever is mounted last, so the vault where there is one.
 *
 * That it is sealed is asked of the guard: an unmount that the kernel itself
 * refuses with EINVAL, whatever comes, is one that the guard refuses with
 * EPERM before.
 */
#include "loader/vault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "bpf/guard/guard.h"
#include "loader/cleanup.h"
#include "loader/fault.h"
#include "loader/guard.h"
#include "loader/home.h"
#include "loader/layout.h"
#include "loader/process.h"
#include "loader/read.h"
#include "loader/report.h"
#include "loader/run.h"

#define THREAD	    "kdevtmpfs"
#define STAT_MAX    1024
#define MOUNT_FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define MINOR_BITS  20 /* of a device, as the kernel counts */
#define FOLDER	    (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static const char step[] = "vault";

/* ---- the namespace ---- */

/* Where this process came from, while it is in the thread's namespace. */
struct visit {
	int namespace; /* -1: not there */
	int folder;
};

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

/* For cleanup. */
static void leave(struct visit *visit)
{
	if (visit->namespace >= 0 && setns(visit->namespace, CLONE_NEWNS))
		abort(); /* nothing but our own bug keeps it from that */
	if (visit->namespace >= 0 && visit->folder >= 0 &&
	    fchdir(visit->folder))
		report_note("the working directory is gone");
	close_fd(&visit->namespace);
	close_fd(&visit->folder);
}

#define NO_VISIT                              \
	{                                     \
		.namespace = -1, .folder = -1 \
	}

static int enter(struct visit *visit)
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

static int refuse_enter(int err, const char *where)
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

/* A bpf file system that is root's: nothing else of that kind is there. */
static int open_root(int *root)
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
	CLEANUP(leave) struct visit visit = NO_VISIT;
	CLEANUP(close_fd) int root = -1;
	int err = enter(&visit);

	if (err == -ESRCH)
		return -ENOENT;
	if (err)
		return refuse_enter(err, where);
	err = open_root(&root);
	if (err)
		return err == -ENOENT ? err : refuse_enter(err, where);
	if (!is_sealed())
		return -ENOENT;
	*vault = keep_fd(&root);
	return 0;
}

bool vault_is_wanted(const struct run *run)
{
	for (size_t i = 0; i < run->count; i++)
		if (!run->loads[i].already &&
		    run->loads[i].bundle->note->table.locked)
			return true;
	return false;
}

int refuse_when_sealed(struct run *run)
{
	for (size_t i = 0; i < run->count && run->sealed; i++)
		if (!run->loads[i].already)
			return refuse(-EPERM, run->loads[i].path, "probe",
				      "name it with the others in one run of "
				      "bpflock-load, at the next boot",
				      "this machine is sealed: until it boots "
				      "again it takes no further policy");
	return 0;
}

int home_of(const struct run *run, const struct load *load)
{
	return !load->bundle || load->bundle->note->table.locked ? run->vault
								 : run->home;
}

/* All that is pinned in it goes with it, and its links: 0, or -ENOENT where
 * there is none. */
static int unmount(void)
{
	CLEANUP(close_fd) int root = -1;
	int err = open_root(&root);

	return !err && umount2("/", MNT_DETACH) ? -errno : err;
}

static int sweep(void)
{
	CLEANUP(leave) struct visit visit = NO_VISIT;
	int err = enter(&visit);

	return err ? err : unmount();
}

/* A loader that was killed before it sealed leaves a vault, and a guard that
 * lets nobody else load programs like ours. */
int look_at_vault(struct run *run)
{
	int err = vault_open(step, &run->vault);

	run->sealed = !err;
	if (err == -ENOENT && run->options->command == COMMAND_LOAD) {
		err = sweep();
		if (err == -ESRCH) /* no thread, no vault */
			err = 0;
		else if (!err)
			err = wait_for_no_guard();
		if (err && err != -ENOENT)
			return refuse(err, MACHINE, step, "reboot",
				      "what a loader that was killed left "
				      "stays:");
	}
	return err == -ENOENT ? 0 : err;
}

static int mount_vault(void)
{
	int err = fault("vault");

	if (!err && mount("bpflock", "/", "bpf", MOUNT_FLAGS, "mode=0700"))
		err = -errno;
	return err;
}

int vault_device(int vault, uint32_t *device)
{
	struct stat status;

	if (fstat(vault, &status))
		return -errno;
	*device = major(status.st_dev) << MINOR_BITS | minor(status.st_dev);
	return 0;
}

int make_vault(struct run *run)
{
	CLEANUP(leave) struct visit visit = NO_VISIT;
	int err;

	if (run->sealed || !vault_is_wanted(run))
		return 0;
	err = enter(&visit);
	if (err)
		return refuse_enter(err, step);
	err = mount_vault();
	if (!err) {
		/* It is what setns() comes to from here on. */
		leave(&visit);
		err = enter(&visit);
	}
	if (!err)
		err = open_root(&run->vault);
	if (!err)
		err = vault_device(run->vault, &run->facts.vault_dev);
	if (err)
		return refuse(err, MACHINE, step, NULL,
			      "the vault for locked policies cannot be made:");
	return 0;
}

void remove_vault(struct run *run)
{
	CLEANUP(leave) struct visit visit = NO_VISIT;
	int err;

	if (run->vault < 0 || run->sealed)
		return;
	close_fd(&run->vault);
	run->vault = -1;
	err = enter(&visit);
	if (!err)
		err = unmount();
	if (err && err != -ENOENT)
		refuse(err, MACHINE, "undo",
		       "the next run of bpflock-load removes it, or a reboot",
		       "the vault stays, and what is pinned in it:");
}

/* From the moment that the guard says so there is no way back. */
static int seal(void)
{
	int err = fault("seal");

	if (!err && mount("bpflock", "/", NULL,
			  MS_REMOUNT | MS_RDONLY | MOUNT_FLAGS, NULL))
		err = -errno;
	if (err)
		return err;
	if (!umount2("/", 0))
		return -EBADE;
	return errno == GUARD_SEALED ? 0 : -errno;
}

int seal_vault(struct run *run)
{
	CLEANUP(leave) struct visit visit = NO_VISIT;
	int err;

	if (run->sealed || run->vault < 0)
		return 0;
	err = enter(&visit);
	if (err)
		return refuse_enter(err, "seal");
	err = seal();
	if (err)
		return refuse(err, MACHINE, "seal", NULL,
			      "the vault cannot be sealed:");
	run->sealed = true;
	return 0;
}
