/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The loader goes into that namespace to mount and to unmount the vault, and
 * comes back.  Once policies are attached it does not, unless they are gone
 * again: one may deny that.  The kernel lets go of them a while after their
 * last pin and link, so that is waited for.
 */
#include "loader/vault.h"

#include <dirent.h>
#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "bpf/guard/guard.h"
#include "loader/cleanup.h"
#include "loader/fault.h"
#include "loader/guard.h"
#include "loader/home.h"
#include "loader/layout.h"
#include "loader/report.h"
#include "loader/run.h"
#include "loader/signals.h"
#include "loader/visit.h"
#include "loader/wait.h"

#define MOUNT_FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define MINOR_BITS  20 /* of a device, as the kernel counts */

static const char step[] = "vault";

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

/* Makes the super block "ro" or "rw". */
static int reconfigure(int vault, const char *flag)
{
	CLEANUP(close_fd)
	int picked = fspick(vault, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC);

	if (picked < 0 || fsconfig(picked, FSCONFIG_SET_FLAG, flag, NULL, 0) ||
	    fsconfig(picked, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0))
		return -errno;
	return 0;
}

/* 1 where a policy still denies it. */
static int count_denied(const void *context)
{
	CLEANUP(visit_leave) struct visit visit = NO_VISIT;

	(void)context;
	return visit_enter(&visit) == -EPERM;
}

/* All that is still pinned in it goes with it, and its links. */
static int unmount(void)
{
	CLEANUP(visit_leave) struct visit visit = NO_VISIT;
	int err;

	wait_for(count_denied, NULL);
	err = visit_enter(&visit);
	return !err && umount2("/", MNT_DETACH) ? -errno : err;
}

/* What cannot be removed here goes with the vault, if that can be reached. */
static void empty(int vault)
{
	struct dirent **names;
	int count;

	reconfigure(vault, "rw");
	count = home_list_policies(vault, home_is_entry, &names);
	for (int i = 0; i < count; i++)
		home_remove(vault, names[i]->d_name, LAYOUT_LINKS);
	if (count >= 0)
		home_list_free(names, count);
}

static int sweep(void)
{
	CLEANUP(close_fd) int root = -1;
	int err = visit_root(&root);

	if (err)
		return err;
	empty(root);
	return unmount();
}

/* A loader that was killed before it sealed leaves a vault, and a guard that
 * lets nobody else load programs like ours. */
int look_at_vault(struct run *run)
{
	int err = visit_vault(step, &run->vault);

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

int probe_vault(struct run *run)
{
	int err = !run->sealed && vault_is_wanted(run) ? visit_check() : 0;

	return err ? visit_refuse(err, step) : 0;
}

int make_vault(struct run *run)
{
	CLEANUP(visit_leave) struct visit visit = NO_VISIT;
	int err;

	if (run->sealed || !vault_is_wanted(run))
		return 0;
	/* Neither the mount nor what is attached to the root cgroup goes with
	 * a process that is killed. */
	signals_hold();
	err = visit_enter(&visit);
	if (err)
		return visit_refuse(err, step);
	err = mount_vault();
	visit_leave(&visit); /* back to its own /proc */
	if (!err) {
		err = visit_root(&run->vault);
		if (err)
			unmount();
	}
	if (!err)
		err = vault_device(run->vault, &run->facts.vault_dev);
	if (err)
		return refuse(err, MACHINE, step, NULL,
			      "the vault for locked policies cannot be made:");
	return 0;
}

void remove_vault(struct run *run)
{
	int err;

	if (run->vault < 0 || run->sealed)
		return;
	close_fd(&run->vault);
	run->vault = -1;
	err = unmount();
	if (err && err != -ENOENT)
		refuse(err, MACHINE, "undo",
		       "the next run of bpflock-load removes it, or a reboot",
		       "the vault stays, and what is pinned in it:");
}

/* Opens what is mounted there, which has to be this run's vault. */
static int open_vault(const struct run *run, int *root)
{
	uint32_t device;
	int err = visit_root(root);

	if (!err)
		err = vault_device(*root, &device);
	if (!err && device != run->facts.vault_dev)
		err = -ENOENT;
	return err;
}

/* From the moment that the guard says so there is no way back. */
static int ask_guard(int vault)
{
	int err = fault("seal");

	if (err)
		return err;
	err = visit_disturb(vault);
	return err == GUARD_SEALED ? 0 : -(err ? err : EBADE);
}

static int seal(const struct run *run)
{
	CLEANUP(close_fd) int root = -1;
	int err = fault("seal");

	if (!err)
		err = open_vault(run, &root);
	if (!err)
		err = reconfigure(root, "ro");
	if (err)
		return err;
	err = ask_guard(root);
	if (err)
		reconfigure(root, "rw"); /* to be unpinned */
	return err;
}

/* An unmount that was let through before may have come between. */
static int look_again(const struct run *run)
{
	CLEANUP(close_fd) int root = -1;

	return open_vault(run, &root);
}

int seal_vault(struct run *run)
{
	int err;

	if (run->sealed || run->vault < 0)
		return 0;
	if (signals_have_come())
		return refuse(-EINTR, MACHINE, "seal", NULL,
			      "it was told to end, and does not seal:");
	err = seal(run);
	if (err)
		return refuse(err, MACHINE, "seal", NULL,
			      "the vault cannot be sealed:");
	run->sealed = true;
	err = look_again(run);
	if (err)
		return refuse(
			err, MACHINE, "seal", "reboot",
			"somebody unmounted the vault meanwhile, and what "
			"is pinned in it goes:");
	return 0;
}
