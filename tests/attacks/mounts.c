/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pins, and the mounts that they are in.  Most of this succeeds on the bpf
 * file system that everybody sees, where a locked policy has nothing: what
 * counts is whether the policy is still there.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vault.h"

static int host_namespace = -1;

static bool is_bpffs(const char *path)
{
	struct statfs system;

	return !statfs(path, &system) && system.f_type == BPF_FS_MAGIC;
}

bool vault_enter(const struct scene *scene)
{
	char path[64];
	int namespace, proc = open("/proc", O_RDONLY | O_CLOEXEC);

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", scene->kdevtmpfs);
	namespace = open(path, O_RDONLY | O_CLOEXEC);
	if (host_namespace < 0)
		host_namespace =
			open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (namespace < 0 || setns(namespace, CLONE_NEWNS)) {
		say("kdevtmpfs's namespace: %m");
		return false;
	}
	(void)!fchdir(proc);
	close(namespace);
	close(proc);
	return true;
}

bool vault_enter_if_any(const struct scene *scene)
{
	if (!vault_enter(scene))
		return false;
	if (is_bpffs("/"))
		return true;
	setns(host_namespace, CLONE_NEWNS);
	return false;
}

const char *vault_pins(void)
{
	return is_bpffs("/") ? "/" : HOST_BPFFS;
}

void vault_both(const struct scene *scene,
		void (*attack)(const struct scene *scene, struct tally *tally),
		struct tally *tally)
{
	attack(scene, tally);
	if (vault_enter_if_any(scene)) {
		say("in the vault:");
		attack(scene, tally);
	}
}

/* ---- pins ---- */

static struct tally *walk_tally;
static char stranger[64]; /* a name of the attacker's, in the same place */

static void walk(struct tally *tally,
		 int (*visit)(const char *, const struct stat *, int,
			      struct FTW *))
{
	walk_tally = tally;
	snprintf(stranger, sizeof(stranger), "%s/stranger", vault_pins());
	nftw(vault_pins(), visit, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static int unlink_one(const char *path, const struct stat *status, int type,
		      struct FTW *where)
{
	(void)status;
	(void)where;
	if (type == FTW_F)
		tally_add(walk_tally, unlink(path), path);
	return 0;
}

void pins_unlink(const struct scene *scene, struct tally *tally)
{
	(void)scene;
	walk(tally, unlink_one);
}

static int rename_one(const char *path, const struct stat *status, int type,
		      struct FTW *where)
{
	(void)status;
	(void)where;
	if (type != FTW_F)
		return 0;
	mkdir(stranger, 0700);
	tally_add(
		walk_tally,
		renameat2(AT_FDCWD, stranger, AT_FDCWD, path, RENAME_EXCHANGE),
		"exchange");
	remove(stranger);
	if (!symlink("/", stranger))
		tally_add(walk_tally, rename(stranger, path), "rename over");
	else
		tally_add(walk_tally, rename(path, stranger), "rename away");
	remove(stranger);
	return 0;
}

static void rename_pins(const struct scene *scene, struct tally *tally)
{
	(void)scene;
	walk(tally, rename_one);
}

static int remove_one(const char *path, const struct stat *status, int type,
		      struct FTW *where)
{
	(void)status;
	if (type == FTW_DP && where->level)
		tally_add(walk_tally, rmdir(path), path);
	return 0;
}

static void remove_folders(const struct scene *scene, struct tally *tally)
{
	(void)scene;
	walk(tally, remove_one);
}

/* ---- unmounting ---- */

static void unmount(const char *path, struct tally *tally)
{
	static const int flags[] = { 0,
				     MNT_FORCE,
				     MNT_EXPIRE,
				     MNT_EXPIRE,
				     UMOUNT_NOFOLLOW,
				     MNT_DETACH,
				     MNT_DETACH | UMOUNT_NOFOLLOW };

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (tally_add(tally, umount2(path, flags[i]), path))
			return;
}

void vault_unmount(const struct scene *scene, struct tally *tally)
{
	char lower[32];

	if (!is_bpffs("/")) {
		unmount(HOST_BPFFS, tally);
		return;
	}
	snprintf(lower, sizeof(lower), "%d/root", scene->kdevtmpfs);
	unmount("/..", tally);
	unmount("/", tally);
	unmount("/../..", tally);
	unmount(lower, tally);
}

static void unmount_ancestors(const struct scene *scene, struct tally *tally)
{
	if (is_bpffs("/"))
		vault_unmount(scene, tally);
	else
		unmount("/sys", tally);
}

void vault_undo(const struct scene *scene)
{
	struct tally tally = { 0 };

	if (!vault_enter_if_any(scene))
		return;
	vault_unmount(scene, &tally);
	pins_unlink(scene, &tally);
}

static int unlink_pins(const struct scene *scene)
{
	struct tally tally = { 0 };

	vault_both(scene, pins_unlink, &tally);
	return tally_result(&tally);
}

static int rename_all(const struct scene *scene)
{
	struct tally tally = { 0 };

	vault_both(scene, rename_pins, &tally);
	return tally_result(&tally);
}

static int rmdir_all(const struct scene *scene)
{
	struct tally tally = { 0 };

	vault_both(scene, remove_folders, &tally);
	return tally_result(&tally);
}

static int unmount_pins(const struct scene *scene)
{
	struct tally tally = { 0 };

	vault_both(scene, vault_unmount, &tally);
	return tally_result(&tally);
}

static int unmount_above(const struct scene *scene)
{
	struct tally tally = { 0 };

	vault_both(scene, unmount_ancestors, &tally);
	return tally_result(&tally);
}

static int unmount_root(const struct scene *scene)
{
	(void)scene;
	return umount2("/", MNT_DETACH) ? errno : THROUGH;
}

/* In a copy of the namespace, whose mounts may be peers of the original's. */
static void unmount_in_copy(const struct scene *scene, struct tally *tally)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (!unshare(CLONE_NEWNS)) {
			unmount_ancestors(scene, tally);
			vault_unmount(scene, tally);
		}
		_exit(tally_result(tally) ? 1 : 0);
	}
	waitpid(pid, NULL, 0);
}

static int child_namespace(const struct scene *scene)
{
	struct tally tally = { .tried = 1 };

	vault_both(scene, unmount_in_copy, &tally);
	return tally_result(&tally);
}

static void share(const char *path, struct tally *tally)
{
	struct mount_attr attr = { .propagation = MS_SHARED };

	tally_add(tally,
		  syscall(SYS_mount_setattr, AT_FDCWD, path, AT_RECURSIVE,
			  &attr, sizeof(attr)),
		  "mount_setattr(MS_SHARED)");
	tally_add(tally, mount(NULL, path, NULL, MS_REC | MS_SHARED, NULL),
		  "mount(MS_SHARED)");
}

static void share_and_unmount(const struct scene *scene, struct tally *tally)
{
	char lower[32];

	snprintf(lower, sizeof(lower), "%d/root", scene->kdevtmpfs);
	share("/", tally);
	share("/..", tally);
	if (is_bpffs("/"))
		share(lower, tally);
	unmount_in_copy(scene, tally);
}

static int shared(const struct scene *scene)
{
	struct tally tally = { 0 };

	vault_both(scene, share_and_unmount, &tally);
	return tally_result(&tally);
}

/* ---- moving ---- */

#define NEW_ROOT "/tmp/newroot"

static int pivot(const struct scene *scene)
{
	struct tally tally = { 0 };

	if (vault_enter_if_any(scene)) {
		char lower[32];

		snprintf(lower, sizeof(lower), "%d/root", scene->kdevtmpfs);
		tally_add(&tally, syscall(SYS_pivot_root, "/", "/"), "/ on /");
		tally_add(&tally, syscall(SYS_pivot_root, lower, lower), lower);
		tally_add(&tally, syscall(SYS_pivot_root, ".", "."), ".");
		setns(host_namespace, CLONE_NEWNS);
	}
	mkdir(NEW_ROOT, 0755);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", NEW_ROOT, "tmpfs", 0, NULL))
		return NOT_SET_UP;
	mkdir(NEW_ROOT "/old", 0755);
	tally_add(&tally, syscall(SYS_pivot_root, NEW_ROOT, NEW_ROOT "/old"),
		  "pivot_root");
	tally_add(&tally, umount2("/old", MNT_DETACH), "umount -l /old");
	return tally_result(&tally);
}

static void move_and_cover(const struct scene *scene, struct tally *tally)
{
	const char *pins = vault_pins();

	(void)scene;
	mkdir("/tmp/moved", 0755);
	tally_add(tally, mount("none", "/tmp", NULL, MS_PRIVATE, NULL),
		  "private");
	tally_add(tally, mount("tmpfs", pins, "tmpfs", 0, NULL),
		  "mounted over");
	tally_add(tally, umount2(pins, MNT_DETACH), "and off");
	tally_add(tally, mount(pins, "/tmp/moved", NULL, MS_MOVE, NULL),
		  "moved");
}

static int move_over(const struct scene *scene)
{
	struct tally tally = { 0 };

	vault_both(scene, move_and_cover, &tally);
	return tally_result(&tally);
}

/* The files below a folder that only an fd leads to. */
static void unlink_below(int folder, struct tally *tally)
{
	DIR *stream = fdopendir(dup(folder));
	struct dirent *entry;

	while (stream && (entry = readdir(stream))) {
		int fd;

		if (entry->d_name[0] == '.')
			continue;
		fd = openat(folder, entry->d_name,
			    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0) {
			unlink_below(fd, tally);
			close(fd);
		} else {
			tally_add(tally, unlinkat(folder, entry->d_name, 0),
				  entry->d_name);
		}
	}
	if (stream)
		closedir(stream);
}

static void clone_and_unlink(const struct scene *scene, struct tally *tally)
{
	int tree = (int)syscall(SYS_open_tree, AT_FDCWD, vault_pins(),
				OPEN_TREE_CLONE | AT_RECURSIVE);

	(void)scene;
	if (tree < 0) {
		tally_add(tally, -1, "open_tree");
		return;
	}
	unlink_below(tree, tally);
	close(tree);
}

static int open_tree_unlink(const struct scene *scene)
{
	struct tally tally = { 0 };

	vault_both(scene, clone_and_unlink, &tally);
	return tally_result(&tally);
}

/* As a container's root that has the host's /proc. */
static int nsenter(const struct scene *scene)
{
	struct tally tally = { .tried = 1 };
	int host = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);
	pid_t pid;

	if (unshare(CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC |
		    CLONE_NEWUTS | CLONE_NEWCGROUP))
		return NOT_SET_UP;
	pid = fork();
	if (pid == 0) {
		if (setns(host, CLONE_NEWNS))
			_exit(NOT_SET_UP & 0xff);
		vault_both(scene, pins_unlink, &tally);
		setns(host, CLONE_NEWNS);
		vault_both(scene, rename_pins, &tally);
		setns(host, CLONE_NEWNS);
		vault_both(scene, share_and_unmount, &tally);
		setns(host, CLONE_NEWNS);
		vault_both(scene, unmount_ancestors, &tally);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	return THROUGH;
}

static pid_t parent_of(pid_t pid)
{
	char path[32];
	int parent = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (file && fscanf(file, "%*d (%*[^)]) %*c %d", &parent) != 1)
		parent = 0;
	if (file)
		fclose(file);
	return parent;
}

/* But for who keeps the score, and what else waits for its turn. */
static int kill_all(const struct scene *scene)
{
	pid_t own = getpid(), driver = getppid();
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	unsigned killed = 0;

	while (processes && (entry = readdir(processes))) {
		pid_t pid = atoi(entry->d_name);

		if (pid > 1 && pid != own && pid != driver &&
		    parent_of(pid) != driver && !kill(pid, SIGKILL))
			killed++;
	}
	say("%u killed, kdevtmpfs is %s", killed,
	    kill(scene->kdevtmpfs, 0) ? "gone" : "there");
	return THROUGH;
}

const struct attack mount_attacks[] = {
	ATTACK(20, "unlink", "unlink every pin", AIM_POLICY, unlink_pins),
	ATTACK(21, "rename", "rename every pin away, over it, exchange it",
	       AIM_POLICY, rename_all),
	ATTACK(22, "rmdir", "rmdir every folder of pins", AIM_POLICY,
	       rmdir_all),
	ATTACK(23, "umount", "umount what the pins are in, with every flag",
	       AIM_POLICY, unmount_pins),
	ATTACK(24, "umount-ancestors", "umount -l of what that is mounted on",
	       AIM_POLICY, unmount_above),
	ATTACK(24, "umount-root", "umount -l /", AIM_POLICY, unmount_root,
	       .traits = SPOILS),
	ATTACK(25, "umount-in-child", "the same from a child mount namespace",
	       AIM_POLICY, child_namespace),
	ATTACK(26, "share-and-umount", "mount_setattr(MS_SHARED), then 25",
	       AIM_POLICY, shared),
	ATTACK(27, "pivot-root", "pivot_root, and umount -l of the old root",
	       AIM_POLICY, pivot, .traits = SPOILS),
	ATTACK(28, "move-mount", "mount over the pins, mount --move them",
	       AIM_POLICY, move_over),
	ATTACK(29, "open-tree", "open_tree(CLONE|RECURSIVE), then unlinkat",
	       AIM_POLICY, open_tree_unlink),
	ATTACK(30, "nsenter", "20 to 26 by a container with the host's /proc",
	       AIM_POLICY, nsenter),
	ATTACK(31, "kill-all", "kill -9 of everything killable", AIM_POLICY,
	       kill_all, .traits = SLOW),
	{ 0 },
};
