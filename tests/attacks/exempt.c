/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the policy allows to one cgroup, had by others.  The canary is denied
 * to everybody outside it, so that these succeed by their own call.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack.h"

#define EXEMPT	     "/sys/fs/cgroup/exempt"
#define OUTSIDE	     "/sys/fs/cgroup"
#define INTO_CGROUP  0x200000000ULL
#define NO_MODULE    "attack_no_such_module"
#define PIDFD_GETFD_ 438

/* Past the policy this finds no such module; and that is harmless. */
static int ask(void)
{
	return syscall(SYS_delete_module, NO_MODULE, O_NONBLOCK) ? errno : 0;
}

static int judge(int error)
{
	return error == ENOENT ? THROUGH : error;
}

static int by_procs(const struct scene *scene)
{
	int error;

	(void)scene;
	mkdir(EXEMPT, 0755);
	if (write_text(EXEMPT "/cgroup.procs", "0\n"))
		return errno;
	error = ask();
	write_text(OUTSIDE "/cgroup.procs", "0\n");
	return judge(error);
}

static int clone_into(const struct scene *scene)
{
	struct clone_args arguments = { .flags = INTO_CGROUP,
					.exit_signal = SIGCHLD };
	int status;
	pid_t pid;

	(void)scene;
	mkdir(EXEMPT, 0755);
	arguments.cgroup = (unsigned)open(EXEMPT, O_RDONLY | O_CLOEXEC);
	pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
	if (pid == 0)
		_exit(ask());
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return errno;
	return judge(WEXITSTATUS(status));
}

/* A task of the cgroup, from before the policy: nobody could say that it was
 * moved there to be used. */
static pid_t victim;
static int victim_said[2];

static volatile sig_atomic_t asked;

static int make_victim(const struct scene *scene)
{
	(void)scene;
	mkdir(EXEMPT, 0755);
	if (pipe(victim_said) || write_text(EXEMPT "/cgroup.procs", "0\n"))
		return NOT_SET_UP;
	victim = fork();
	if (victim == 0) {
		for (;;)
			if (asked) {
				int error = ask();

				(void)!write(victim_said[1], &error,
					     sizeof(error));
				asked = 0;
			} else {
				usleep(1000);
			}
	}
	write_text(OUTSIDE "/cgroup.procs", "0\n");
	return victim < 0 ? NOT_SET_UP : 0;
}

static int wait_for_victim(void)
{
	int error = NOT_SET_UP;

	if (read(victim_said[0], &error, sizeof(error)) != sizeof(error))
		return NOT_SET_UP;
	return judge(error);
}

/* Its own system call, which who traces it has it make; then @request. */
static int made_to_ask(enum __ptrace_request request)
{
	int status;

	if (ptrace(PTRACE_ATTACH, victim, NULL, NULL))
		return errno;
	waitpid(victim, &status, 0);
	/* The program is the same here and there. */
	if (ptrace(PTRACE_POKEDATA, victim, &asked, 1L))
		return errno;
	ptrace(request, victim, NULL, NULL);
	return wait_for_victim();
}

/* While it is traced. */
static int traced(const struct scene *scene)
{
	(void)scene;
	return made_to_ask(PTRACE_CONT);
}

/* Made to, and let go before it asks. */
static int traced_and_let_go(const struct scene *scene)
{
	(void)scene;
	return made_to_ask(PTRACE_DETACH);
}

static int by_mem(const struct scene *scene)
{
	char path[64];
	int value = 1, fd;

	(void)scene;
	snprintf(path, sizeof(path), "/proc/%d/mem", victim);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || pwrite(fd, &value, sizeof(value),
			     (off_t)(uintptr_t)&asked) != sizeof(value))
		return errno;
	return wait_for_victim();
}

static int by_vm_write(const struct scene *scene)
{
	int value = 1;
	struct iovec from = { &value, sizeof(value) };
	struct iovec to = { (void *)&asked, sizeof(value) };

	(void)scene;
	if (process_vm_writev(victim, &from, 1, &to, 1, 0) < 0)
		return errno;
	return wait_for_victim();
}

/* A descriptor is a file; who opened it does not matter to our hooks, so that
 * what it was opened for has to be denied by itself. */
static int by_getfd(const struct scene *scene)
{
	int process, fd;

	(void)scene;
	process = (int)syscall(SYS_pidfd_open, victim, 0);
	fd = process < 0
		     ? -1
		     : (int)syscall(PIDFD_GETFD_, process, victim_said[0], 0);
	if (fd < 0)
		return errno;
	say("got a descriptor of the task: no operation of this policy is "
	    "decided by one");
	return judge(ask());
}

/* The tracer's child goes on to be exempt. */
static int trace_me(const struct scene *scene)
{
	int said[2], error = NOT_SET_UP, status;
	pid_t pid;

	(void)scene;
	mkdir(EXEMPT, 0755);
	if (pipe(said))
		return NOT_SET_UP;
	pid = fork();
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		write_text(EXEMPT "/cgroup.procs", "0\n");
		error = ask();
		(void)!write(said[1], &error, sizeof(error));
		_exit(0);
	}
	if (read(said[0], &error, sizeof(error)) != sizeof(error))
		return NOT_SET_UP;
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return judge(error);
}

const struct attack exempt_attacks[] = {
	ATTACK(47, "ptrace-exempt", "ptrace of an exempt task, which then asks",
	       AIM_DENIAL, traced, .traits = EARLY, .before = make_victim,
	       .needs = "exempt"),
	ATTACK(47, "ptrace-and-go", "the same, let go before it asks",
	       AIM_DENIAL, traced_and_let_go, .traits = EARLY,
	       .before = make_victim, .needs = "exempt"),
	ATTACK(47, "proc-mem-exempt", "/proc/PID/mem of an exempt task",
	       AIM_DENIAL, by_mem, .traits = EARLY, .before = make_victim,
	       .needs = "exempt"),
	ATTACK(47, "vm-write-exempt", "process_vm_writev to an exempt task",
	       AIM_DENIAL, by_vm_write, .traits = EARLY, .before = make_victim,
	       .needs = "exempt"),
	ATTACK(48, "pidfd-getfd", "pidfd_getfd of an exempt task", AIM_DENIAL,
	       by_getfd, .traits = EARLY, .before = make_victim,
	       .needs = "exempt"),
	ATTACK(49, "trace-me", "PTRACE_TRACEME, then into the exempt cgroup",
	       AIM_DENIAL, trace_me, .needs = "exempt"),
	ATTACK(50, "cgroup-procs", "cgroup.procs of an exempt cgroup",
	       AIM_DENIAL, by_procs, .needs = "exempt"),
	ATTACK(50, "clone-into-cgroup", "CLONE_INTO_CGROUP of an exempt cgroup",
	       AIM_DENIAL, clone_into, .needs = "exempt"),
	{ 0 },
};
