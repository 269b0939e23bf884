/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The vault by who has read how it is made: a mount namespace that root can
 * enter, and system calls there that no hook sees.  After each of them the
 * vault is unmounted and its pins removed, as far as that goes.
 */
#include "vault.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CGROUPS		"/sys/fs/cgroup"
#define SET_GROUP	0x00000100 /* MOVE_MOUNT_SET_GROUP, 5.15 */
#define NS_MNT_GET_NEXT _IOR(0xb7, 11, char[16])
#define EMPTY_PATHS	(MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)

static long set_attributes(const char *path, struct mount_attr attr)
{
	return syscall(SYS_mount_setattr, AT_FDCWD, path, AT_RECURSIVE, &attr,
		       sizeof(attr));
}

static int open_tree_(const char *path, unsigned flags)
{
	return (int)syscall(SYS_open_tree, AT_FDCWD, path,
			    flags | OPEN_TREE_CLOEXEC);
}

static long move_mount_(int from, int to, unsigned flags)
{
	return syscall(SYS_move_mount, from, "", to, "", flags | EMPTY_PATHS);
}

/* The mount that the vault is mounted on, from where vault_enter() left. */
static void name_lower(const struct scene *scene, char path[32])
{
	snprintf(path, 32, "%d/root", scene->kdevtmpfs);
}

static bool enter(const struct scene *scene, struct tally *tally)
{
	if (vault_enter(scene))
		return true;
	tally_add(tally, -1, "setns");
	return false;
}

/* ---- writable again ---- */

static void reconfigure(const char *path, struct tally *tally)
{
	int context = (int)syscall(SYS_fspick, AT_FDCWD, path, 0);

	if (context < 0) {
		tally_add(tally, -1, "fspick");
		return;
	}
	syscall(SYS_fsconfig, context, FSCONFIG_SET_FLAG, "rw", NULL, 0);
	tally_add(tally,
		  syscall(SYS_fsconfig, context, FSCONFIG_CMD_RECONFIGURE, NULL,
			  NULL, 0),
		  "reconfigured");
	close(context);
}

static int writable(const struct scene *scene)
{
	struct tally tally = { 0 };

	if (enter(scene, &tally)) {
		set_attributes("/", (struct mount_attr){
					    .attr_clr = MOUNT_ATTR_RDONLY });
		reconfigure("/", &tally);
		tally_add(&tally, mount(NULL, "/", NULL, MS_REMOUNT, NULL),
			  "remounted");
		mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL);
		pins_unlink(scene, &tally);
	}
	return tally_result(&tally);
}

/* ---- other ways in ---- */

static int by_pidfd(const struct scene *scene)
{
	struct tally tally = { 0 };
	int process = (int)syscall(SYS_pidfd_open, scene->kdevtmpfs, 0);

	if (process < 0 || setns(process, CLONE_NEWNS))
		return errno;
	vault_unmount(scene, &tally);
	pins_unlink(scene, &tally);
	return tally_result(&tally);
}

/* From one mount namespace to the next, /proc not asked (6.12). */
static int by_next_namespace(const struct scene *scene)
{
	struct tally tally = { 0 };
	char info[16] = { 0 };
	int namespace = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	int next;

	memcpy(info, &(uint32_t){ sizeof(info) }, 4);
	for (int i = 0; i < 64; i++) {
		next = ioctl(namespace, NS_MNT_GET_NEXT + 1, info);
		if (next < 0)
			next = ioctl(namespace, NS_MNT_GET_NEXT, info);
		if (next < 0)
			break;
		namespace = next;
		if (setns(namespace, CLONE_NEWNS))
			continue;
		vault_unmount(scene, &tally);
	}
	return tally.tried ? tally_result(&tally) : NOT_HERE;
}

/* Through /proc, without being in its namespace. */
static int by_proc_root(const struct scene *scene)
{
	struct tally tally = { 0 };
	char path[64], above[80];

	snprintf(path, sizeof(path), "/proc/%d/root", scene->kdevtmpfs);
	snprintf(above, sizeof(above), "%s/..", path);
	mkdir("/tmp/into", 0755);
	tally_add(&tally, umount2(path, MNT_DETACH), path);
	tally_add(&tally, umount2(above, MNT_DETACH), above);
	tally_add(&tally, mount("tmpfs", above, "tmpfs", 0, NULL), "over it");
	tally_add(&tally,
		  mount(above, "/tmp/into", NULL, MS_BIND | MS_REC, NULL),
		  "bind out of it");
	tally_add(&tally, open_tree_(above, OPEN_TREE_CLONE | AT_RECURSIVE),
		  "clone of it");
	set_attributes(above, (struct mount_attr){ .propagation = MS_SHARED });
	if (!chroot(above)) {
		pins_unlink(scene, &tally);
		tally_add(&tally, umount2("/", MNT_DETACH),
			  "umount in a chroot");
	}
	return tally_result(&tally);
}

/* ---- trees of mounts ---- */

/* A copy of all of it, in the host's namespace. */
static int clone_out(const struct scene *scene)
{
	struct tally tally = { 0 };
	char lower[32];
	int host = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC), tree;

	name_lower(scene, lower);
	if (!enter(scene, &tally))
		return tally_result(&tally);
	tree = open_tree_(lower, OPEN_TREE_CLONE | AT_RECURSIVE);
	if (tree < 0)
		tree = open_tree_("/", OPEN_TREE_CLONE | AT_RECURSIVE);
	if (tree < 0)
		return errno;
	setns(host, CLONE_NEWNS);
	mkdir("/tmp/clone", 0755);
	tally_add(&tally,
		  syscall(SYS_move_mount, tree, "", AT_FDCWD, "/tmp/clone",
			  MOVE_MOUNT_F_EMPTY_PATH),
		  "a copy in the host's namespace");
	tally_add(&tally, umount2("/tmp/clone", MNT_DETACH), "and gone again");
	return tally_result(&tally);
}

/* The mount itself, moved to where the host could unmount it. */
static int move_out(const struct scene *scene)
{
	struct tally tally = { 0 };
	int host = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	int target = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int vault;

	if (!enter(scene, &tally))
		return tally_result(&tally);
	vault = open_tree_("/", 0);
	tally_add(&tally, move_mount_(vault, target, 0), "moved out");
	tally_add(&tally, move_mount_(target, vault, 0), "something moved in");
	tally_add(&tally, move_mount_(vault, vault, 0x200), "tucked beneath");
	setns(host, CLONE_NEWNS);
	tally_add(&tally, move_mount_(vault, target, 0), "moved from outside");
	vault_undo(scene);
	return tally_result(&tally);
}

/* Mounts of the attacker's that are peers of the one beneath the vault. */
static int join_group(const struct scene *scene)
{
	struct tally tally = { .tried = 1 };
	char lower[32];
	int own, beneath;
	pid_t pid;

	name_lower(scene, lower);
	pid = fork();
	if (pid == 0) {
		mkdir("/tmp/peer", 0755);
		if (unshare(CLONE_NEWNS) ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount("/dev", "/tmp/peer", NULL, MS_BIND, NULL) ||
		    mount(NULL, "/tmp/peer", NULL, MS_SHARED, NULL))
			_exit(1);
		own = open_tree_("/tmp/peer", 0);
		if (!vault_enter(scene))
			_exit(1);
		beneath = open_tree_(lower, 0);
		tally_add(&tally, move_mount_(own, beneath, SET_GROUP),
			  "joined the vault's mount to another's group");
		set_attributes(lower,
			       (struct mount_attr){ .propagation = MS_SHARED });
		tally_add(&tally, move_mount_(beneath, own, SET_GROUP),
			  "joined another mount to the vault's group");
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	vault_undo(scene);
	return tally_result(&tally);
}

/* ---- before the policy is loaded ---- */

static int copy_namespace = -1;

/* A copy of the namespace whose mounts are peers of the original's. */
static int make_peers(const struct scene *scene)
{
	char lower[32];

	name_lower(scene, lower);
	if (!vault_enter(scene))
		return NOT_SET_UP;
	if (set_attributes(lower,
			   (struct mount_attr){ .propagation = MS_SHARED }) &&
	    mount(NULL, lower, NULL, MS_SHARED, NULL))
		return NOT_SET_UP;
	if (unshare(CLONE_NEWNS))
		return NOT_SET_UP;
	copy_namespace = open("self/ns/mnt", O_RDONLY | O_CLOEXEC);
	return copy_namespace < 0 ? NOT_SET_UP : 0;
}

static int unmount_peers(const struct scene *scene)
{
	struct tally tally = { 0 };

	vault_unmount(scene, &tally);
	tally_add(&tally, umount2("/", MNT_DETACH), "/ of the copy");
	tally_add(&tally, umount2("/", MNT_DETACH), "/ of the copy, again");
	return tally_result(&tally);
}

/* What is on the thread's root before the vault is, shared with others. */
static int cover_root(const struct scene *scene)
{
	if (!vault_enter(scene) || mount("tmpfs", "/", "tmpfs", 0, NULL))
		return NOT_SET_UP;
	vault_enter(scene); /* the root is what is on top now */
	mkdir("/below", 0755);
	mount(NULL, "/", NULL, MS_SHARED, NULL);
	return unshare(CLONE_NEWNS) ? NOT_SET_UP : 0;
}

/* ---- the thread that owns the namespace ---- */

static int torment(const struct scene *scene)
{
	struct tally tally = { 0 };
	char pid[16];

	snprintf(pid, sizeof(pid), "%d\n", scene->kdevtmpfs);
	mkdir(CGROUPS "/tormented", 0755);
	tally_add(&tally, write_text(CGROUPS "/tormented/cgroup.procs", pid),
		  "moved to a cgroup");
	tally_add(&tally, write_text(CGROUPS "/tormented/cgroup.freeze", "1\n"),
		  "frozen");
	tally_add(&tally, write_text(CGROUPS "/tormented/cgroup.kill", "1\n"),
		  "killed with its cgroup");
	for (int signal = 1; signal < 64; signal++)
		kill(scene->kdevtmpfs, signal);
	tally_add(&tally, ptrace(PTRACE_SEIZE, scene->kdevtmpfs, NULL, NULL),
		  "traced");
	write_text(CGROUPS "/tormented/cgroup.freeze", "0\n");
	vault_undo(scene);
	return THROUGH;
}

/* Who looks into the vault waits for an answer, and enforcement for nobody. */
static int watch(const struct scene *scene)
{
	struct tally tally = { 0 };
	int group = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY);

	if (!enter(scene, &tally))
		return tally_result(&tally);
	tally_add(&tally,
		  fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
				FAN_OPEN_PERM | FAN_ACCESS_PERM, AT_FDCWD, "/"),
		  "permission events of the vault");
	return tally_result(&tally);
}

/* ---- on all file systems ---- */

static int sysrq(const struct scene *scene)
{
	static const char *const keys[] = { "j", "s", "u" };
	struct tally tally = { 0 };

	write_text("/proc/sys/kernel/sysrq", "1\n");
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		tally_add(&tally, write_text("/proc/sysrq-trigger", keys[i]),
			  keys[i]);
	sleep(1);
	vault_undo(scene);
	return tally_result(&tally);
}

const struct attack vault_attacks[] = {
	ATTACK(82, "peers-before",
	       "mounts shared with the vault's before it is made", AIM_POLICY,
	       unmount_peers, .traits = EARLY | ALONE, .before = make_peers),
	ATTACK(83, "cover-before", "something shared on its mount point before",
	       AIM_POLICY, unmount_peers, .traits = EARLY | ALONE,
	       .before = cover_root),
	ATTACK(84, "join-group", "MOVE_MOUNT_SET_GROUP with the vault's mounts",
	       AIM_POLICY, join_group),
	ATTACK(86, "vault-writable",
	       "mount_setattr, fspick, remount, then unlink", AIM_CALL,
	       writable),
	ATTACK(87, "vault-pidfd", "setns by a pidfd, then unmount", AIM_POLICY,
	       by_pidfd),
	ATTACK(87, "vault-next", "NS_MNT_GET_NEXT from namespace to namespace",
	       AIM_POLICY, by_next_namespace),
	ATTACK(87, "vault-proc-root", "/proc/PID/root: mount, bind, chroot",
	       AIM_POLICY, by_proc_root),
	ATTACK(88, "vault-clone", "a copy of its mounts, unmounted elsewhere",
	       AIM_POLICY, clone_out),
	ATTACK(88, "vault-move", "move_mount out, in, beneath", AIM_POLICY,
	       move_out),
	ATTACK(89, "torment-thread", "freeze, kill, move, trace kdevtmpfs",
	       AIM_POLICY, torment),
	ATTACK(89, "watch-vault", "fanotify permission events on the vault",
	       AIM_POLICY, watch),
	ATTACK(90, "sysrq", "sysrq: thaw, sync, remount all read-only",
	       AIM_POLICY, sysrq, .traits = SPOILS),
	{ 0 },
};
