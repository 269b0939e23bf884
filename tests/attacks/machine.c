/* SPDX-License-Identifier: GPL-2.0-only */
/* The machine: policies go in and out of it, attacks leave it a wreck. */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vault.h"

#define LOADER "/usr/bin/bpflock-load"

/* As the guest's init mounts them, in that order. */
static const struct {
	const char *type, *where;
	long magic;
} mounts[] = {
	{ "proc", "/proc", PROC_SUPER_MAGIC },
	{ "sysfs", "/sys", SYSFS_MAGIC },
	{ "devtmpfs", "/dev", TMPFS_MAGIC },
	{ "tmpfs", "/dev/shm", TMPFS_MAGIC },
	{ "tmpfs", "/run", TMPFS_MAGIC },
	{ "tmpfs", "/tmp", TMPFS_MAGIC },
	{ "securityfs", "/sys/kernel/security", SECURITYFS_MAGIC },
	{ "bpf", HOST_BPFFS, BPF_FS_MAGIC },
	{ "debugfs", "/sys/kernel/debug", DEBUGFS_MAGIC },
	{ "tracefs", "/sys/kernel/tracing", TRACEFS_MAGIC },
	{ "cgroup2", "/sys/fs/cgroup", CGROUP2_SUPER_MAGIC },
};

static bool is_mounted(const char *where, long magic)
{
	struct statfs system;

	return !statfs(where, &system) && (long)system.f_type == magic;
}

/* What attacks set stays until the canaries were tried. */
static const struct {
	const char *path, *text;
} settings[] = {
	{ FTRACE_ENABLED, "1\n" },
	{ "/proc/sys/kernel/sysctl_writes_strict", "1\n" },
	{ "/proc/sys/fs/mount-max", "100000\n" },
	{ "/proc/sys/net/core/bpf_jit_enable", "1\n" },
	{ "/proc/sys/net/core/bpf_jit_limit", "1000000000\n" },
	{ "/proc/sys/kernel/bpf_stats_enabled", "0\n" },
	{ "/proc/sys/kernel/stack_tracer_enabled", "0\n" },
	{ "/proc/sys/kernel/sched_rt_runtime_us", "950000\n" },
	{ "/sys/kernel/tracing/current_tracer", "nop\n" },
	{ "/sys/kernel/tracing/events/enable", "0\n" },
	{ "/sys/kernel/tracing/kprobe_events", "\n" },
	{ "/sys/kernel/tracing/set_ftrace_filter", "\n" },
	{ "/sys/kernel/tracing/set_ftrace_notrace", "\n" },
	{ "/sys/kernel/tracing/tracing_on", "1\n" },
	{ "/sys/devices/system/cpu/cpu1/online", "1\n" },
};

static void mend_settings(void)
{
	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
		int fd = open(settings[i].path, O_WRONLY | O_TRUNC | O_CLOEXEC);

		if (fd < 0)
			continue;
		(void)!write(fd, settings[i].text, strlen(settings[i].text));
		close(fd);
	}
}

/* While what is above the vault shares its mounts, the guard lets nobody
 * unmount anything: the next attacks would prove nothing. */
static void mend_vault(const struct scene *scene)
{
	char lower[32];
	pid_t pid = fork();

	if (pid == 0) {
		struct mount_attr attr = { .propagation = MS_PRIVATE };

		snprintf(lower, sizeof(lower), "%d/root", scene->kdevtmpfs);
		if (vault_enter_if_any(scene)) {
			syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, &attr,
				sizeof(attr));
			syscall(SYS_mount_setattr, AT_FDCWD, lower, 0, &attr,
				sizeof(attr));
		}
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

/* A folder on a tmpfs is no tmpfs of its own, and serves as well. */
bool machine_mend(const struct scene *scene)
{
	mend_vault(scene);
	for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++) {
		const char *where = mounts[i].where;

		if (is_mounted(where, mounts[i].magic))
			continue;
		mkdir(where, 0755);
		if (mount(mounts[i].type, where, mounts[i].type, 0, NULL) ||
		    !is_mounted(where, mounts[i].magic)) {
			say("cannot mend %s: %m", where);
			return false;
		}
	}
	mend_settings();
	return true;
}

/* What it says is for people. */
static int run_program(const char *const *arguments)
{
	int output[2], status = -1;
	char line[256];
	FILE *said;
	pid_t pid;

	if (pipe2(output, O_CLOEXEC))
		return -1;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		dup2(output[1], 1);
		dup2(output[1], 2);
		execvp(arguments[0], (char *const *)arguments);
		_exit(127);
	}
	close(output[1]);
	said = fdopen(output[0], "r");
	while (said && fgets(line, sizeof(line), said))
		printf("# %s", line);
	if (said)
		fclose(said);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

void machine_prepare(void)
{
	run_program((const char *const[]){ "modprobe", "-a", "-q", "overlay",
					   "loop", "ext4", "binfmt_misc", "msr",
					   NULL });
}

int machine_load(const char *bundle)
{
	return run_program((const char *const[]){ LOADER, bundle, NULL });
}

static int remove_one(const char *path, const struct stat *status, int type,
		      struct FTW *where)
{
	(void)status;
	(void)type;
	if (where->level)
		remove(path);
	return 0;
}

void machine_unload(const char *policy)
{
	run_program((const char *const[]){ LOADER, "--unload", policy, NULL });
	nftw(HOST_BPFFS, remove_one, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* A child of kthreadd, which is the second process. */
pid_t machine_find_kdevtmpfs(void)
{
	for (pid_t pid = 3; pid < 1000; pid++) {
		char path[32], comm[32];
		int parent;
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fscanf(file, "%*d (%31[^)]) %*c %d", comm, &parent) != 2)
			parent = 0;
		fclose(file);
		if (parent == 2 && !strcmp(comm, "kdevtmpfs"))
			return pid;
	}
	return 0;
}
