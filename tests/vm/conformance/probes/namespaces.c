/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * namespaces: each way to make one, and to enter one.  What is made goes with
 * the probe's process; what is entered is a holder's, a process that is started
 * before any policy and has one of each.
 */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY		    65534
#define EMPTY_MOUNTS	    0x00100000 /* UNSHARE_EMPTY_MNTNS, 7.1 */
#define OPEN_TREE_NAMESPACE 2	       /* 7.0 */
#define FSMOUNT_NAMESPACE   2	       /* 7.1 */
#define UNSHARE_I386	    310
#define SETNS_I386	    346
#define STACK_SIZE	    65536

#define ALL_BUT_USER                                                \
	(CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS | \
	 CLONE_NEWIPC | CLONE_NEWCGROUP | CLONE_NEWTIME)

static pid_t holder, user_holder;

/* As fork() does it: 0 in the child. */
static pid_t clone_new(uint64_t flags)
{
	struct clone_args arguments = { .flags = flags,
					.exit_signal = SIGCHLD };

	return (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
}

__attribute__((noreturn)) static void hold(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

void namespaces_prepare(void)
{
	holder = clone_new(ALL_BUT_USER);
	if (holder == 0)
		hold();
	user_holder = clone_new(CLONE_NEWUSER);
	if (user_holder == 0)
		hold();
}

/* ---- clone ---- */

static int child_result(pid_t pid)
{
	int status;

	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return errno;
	return waitpid(pid, &status, 0) == pid && !status ? 0 : RESULT_SETUP;
}

#define CLONE(name, flags)                             \
	static int name(const struct subject *subject) \
	{                                              \
		(void)subject;                         \
		return child_result(clone_new(flags)); \
	}
CLONE(clone_user, CLONE_NEWUSER)
CLONE(clone_pid, CLONE_NEWPID)
CLONE(clone_net, CLONE_NEWNET)
CLONE(clone_mnt, CLONE_NEWNS)
CLONE(clone_uts, CLONE_NEWUTS)
CLONE(clone_ipc, CLONE_NEWIPC)
CLONE(clone_cgroup, CLONE_NEWCGROUP)
CLONE(clone_time, CLONE_NEWTIME)
CLONE(clone_two, CLONE_NEWIPC | CLONE_NEWUTS)
CLONE(clone_plain, 0)

/* The call that was there before clone3. */
static int clone_old(const struct subject *subject)
{
	(void)subject;
	return child_result((pid_t)syscall(SYS_clone, CLONE_NEWNET | SIGCHLD,
					   0L, 0L, 0L, 0L));
}

static int end(void *nothing)
{
	(void)nothing;
	return 0;
}

/* With everything shared that a child can share. */
static int clone_shared(const struct subject *subject)
{
	char *stack = malloc(STACK_SIZE);
	int status, result = 0;
	pid_t pid;

	(void)subject;
	if (!stack)
		return RESULT_SETUP;
	pid = clone(end, stack + STACK_SIZE,
		    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
			    CLONE_VFORK | SIGCHLD,
		    NULL);
	if (pid < 0)
		result = errno;
	else if (waitpid(pid, &status, 0) != pid || status)
		result = RESULT_SETUP;
	free(stack);
	return result;
}

/* ---- unshare ---- */

#define UNSHARE(name, flags)                           \
	static int name(const struct subject *subject) \
	{                                              \
		(void)subject;                         \
		return unshare(flags) ? errno : 0;     \
	}
UNSHARE(unshare_user, CLONE_NEWUSER)
UNSHARE(unshare_pid, CLONE_NEWPID)
UNSHARE(unshare_net, CLONE_NEWNET)
UNSHARE(unshare_mnt, CLONE_NEWNS)
UNSHARE(unshare_uts, CLONE_NEWUTS)
UNSHARE(unshare_ipc, CLONE_NEWIPC)
UNSHARE(unshare_cgroup, CLONE_NEWCGROUP)
UNSHARE(unshare_time, CLONE_NEWTIME)
UNSHARE(unshare_two, CLONE_NEWIPC | CLONE_NEWUTS)
UNSHARE(unshare_empty, EMPTY_MOUNTS)
UNSHARE(unshare_files, CLONE_FILES | CLONE_FS | CLONE_SYSVSEM)

/* A call of 32 bits from a program of 64: only the kernel's own note tells. */
static int call_i386(long number, long first, long second)
{
#ifdef __x86_64__
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(first), "c"(second), "d"(0)
			 : "memory", "r8", "r9", "r10", "r11");
	return result < 0 ? (int)-result : 0;
#else
	(void)number;
	(void)first;
	(void)second;
	return RESULT_SETUP;
#endif
}

static int unshare_i386(const struct subject *subject)
{
	(void)subject;
	return call_i386(UNSHARE_I386, CLONE_NEWUTS, 0);
}

/* ---- without privileges ---- */

static int unprivileged(int (*call)(const struct subject *),
			const struct subject *subject)
{
	if (setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		return RESULT_SETUP;
	return call(subject);
}

CLONE(clone_user_and_net, CLONE_NEWUSER | CLONE_NEWNET)
UNSHARE(unshare_user_and_net, CLONE_NEWUSER | CLONE_NEWNET)

static int nobody_clones(const struct subject *subject)
{
	return unprivileged(clone_user_and_net, subject);
}

static int nobody_unshares(const struct subject *subject)
{
	return unprivileged(unshare_user_and_net, subject);
}

/* ---- setns ---- */

static int open_namespace(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int enter(pid_t pid, const char *name, int type)
{
	int fd = open_namespace(pid, name);
	int result;

	if (fd < 0)
		return RESULT_SETUP;
	result = setns(fd, type) ? errno : 0;
	close(fd);
	return result;
}

#define SETNS(function, pid, name, type)                   \
	static int function(const struct subject *subject) \
	{                                                  \
		(void)subject;                             \
		return enter(pid, name, type);             \
	}
SETNS(setns_user, user_holder, "user", CLONE_NEWUSER)
SETNS(setns_pid, holder, "pid", CLONE_NEWPID)
SETNS(setns_net, holder, "net", CLONE_NEWNET)
SETNS(setns_mnt, holder, "mnt", CLONE_NEWNS)
SETNS(setns_uts, holder, "uts", CLONE_NEWUTS)
SETNS(setns_ipc, holder, "ipc", CLONE_NEWIPC)
SETNS(setns_cgroup, holder, "cgroup", CLONE_NEWCGROUP)
SETNS(setns_time, holder, "time", CLONE_NEWTIME)
SETNS(setns_any_type, holder, "uts", 0)
SETNS(setns_own, getpid(), "uts", CLONE_NEWUTS)

static int setns_with_more(const struct subject *subject)
{
	int fd = open_namespace(getpid(), "uts");
	int result;

	(void)subject;
	if (fd < 0)
		return RESULT_SETUP;
	result = call_with_more(SYS_setns, fd, CLONE_NEWUTS);
	close(fd);
	return result;
}

static int unshare_with_more(const struct subject *subject)
{
	(void)subject;
	return call_with_more(SYS_unshare, CLONE_NEWUTS, 0);
}

static int setns_pidfd(const struct subject *subject)
{
	int fd = (int)syscall(SYS_pidfd_open, holder, 0);
	int result;

	(void)subject;
	if (fd < 0)
		return RESULT_SETUP;
	result = setns(fd, CLONE_NEWUTS | CLONE_NEWIPC) ? errno : 0;
	close(fd);
	return result;
}

static int setns_i386(const struct subject *subject)
{
	int fd = open_namespace(holder, "uts");
	int result;

	(void)subject;
	if (fd < 0)
		return RESULT_SETUP;
	result = call_i386(SETNS_I386, fd, CLONE_NEWUTS);
	close(fd);
	return result;
}

/* ---- the calls that make a mount namespace without anybody in it ---- */

static int tree(unsigned flags)
{
	int fd = (int)syscall(SYS_open_tree, AT_FDCWD, "/tmp",
			      flags | OPEN_TREE_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int tree_namespace(const struct subject *subject)
{
	(void)subject;
	return tree(OPEN_TREE_NAMESPACE);
}

static int tree_clone(const struct subject *subject)
{
	(void)subject;
	return tree(OPEN_TREE_CLONE);
}

static int mount_new(unsigned flags)
{
	int made = fsopen("tmpfs", FSOPEN_CLOEXEC);
	int fd = -1, result = 0;

	if (made < 0 || fsconfig(made, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return RESULT_SETUP;
	fd = fsmount(made, flags | FSMOUNT_CLOEXEC, 0);
	if (fd < 0)
		result = errno;
	else
		close(fd);
	close(made);
	return result;
}

static int mount_namespace(const struct subject *subject)
{
	(void)subject;
	return mount_new(FSMOUNT_NAMESPACE);
}

static int mount_plain(const struct subject *subject)
{
	(void)subject;
	return mount_new(0);
}

/* ---- neighbours ---- */

/* Other uses of CAP_SYS_ADMIN. */
static int same_name(const struct subject *subject)
{
	char name[128];

	(void)subject;
	if (gethostname(name, sizeof(name)))
		return RESULT_SETUP;
	return sethostname(name, strlen(name)) ? errno : 0;
}

static int mount_and_unmount(const struct subject *subject)
{
	char path[64];
	int result = 0;

	snprintf(path, sizeof(path), "/tmp/ns-%s", subject->label);
	mkdir(path, 0755);
	if (mount("none", path, "tmpfs", 0, NULL))
		result = errno;
	else if (umount(path))
		result = RESULT_SETUP;
	rmdir(path);
	return result;
}

const struct probe namespace_probes[] = {
	{ "clone_user", clone_user },
	{ "clone_pid", clone_pid },
	{ "clone_net", clone_net },
	{ "clone_mnt", clone_mnt },
	{ "clone_uts", clone_uts },
	{ "clone_ipc", clone_ipc },
	{ "clone_cgroup", clone_cgroup },
	{ "clone_time", clone_time },
	{ "clone_two", clone_two },
	{ "clone_old", clone_old },
	{ "unshare_user", unshare_user },
	{ "unshare_pid", unshare_pid },
	{ "unshare_net", unshare_net },
	{ "unshare_mnt", unshare_mnt },
	{ "unshare_uts", unshare_uts },
	{ "unshare_ipc", unshare_ipc },
	{ "unshare_cgroup", unshare_cgroup },
	{ "unshare_time", unshare_time },
	{ "unshare_two", unshare_two },
	{ "unshare_empty", unshare_empty },
	{ "unshare_i386", unshare_i386 },
	{ "unshare_with_more", unshare_with_more },
	{ "nobody_clones", nobody_clones },
	{ "nobody_unshares", nobody_unshares },
	{ "setns_user", setns_user },
	{ "setns_pid", setns_pid },
	{ "setns_net", setns_net },
	{ "setns_mnt", setns_mnt },
	{ "setns_uts", setns_uts },
	{ "setns_ipc", setns_ipc },
	{ "setns_cgroup", setns_cgroup },
	{ "setns_time", setns_time },
	{ "setns_any_type", setns_any_type },
	{ "setns_own", setns_own },
	{ "setns_pidfd", setns_pidfd },
	{ "setns_with_more", setns_with_more },
	{ "setns_i386", setns_i386 },
	{ "tree_namespace", tree_namespace },
	{ "mount_namespace", mount_namespace },
	{ "clone_plain", clone_plain },
	{ "clone_shared", clone_shared },
	{ "unshare_files", unshare_files },
	{ "tree_clone", tree_clone },
	{ "mount_plain", mount_plain },
	{ "same_name", same_name },
	{ "mount_and_unmount", mount_and_unmount },
	{ NULL, NULL },
};
