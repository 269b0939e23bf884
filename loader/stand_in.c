/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * They are started before anything is attached: a policy may deny its like the
 * namespaces of a container.  In a container nothing but the pid and the
 * network namespace is another one, as only they make it one.
 */
#include "loader/stand_in.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loader/cleanup.h"
#include "loader/trial.h"

#define OWN_NETNS  "/proc/self/ns/net"
#define HOST_NETNS "/proc/2/ns/net" /* kthreadd's: loader/bind.c */
#define ANSWER_MS  30000	    /* the kernel may run modprobe meanwhile */
#define SOCKET_FD  3		    /* behind the three that are always there */

/* The loader may be in a network namespace of its own. */
static int enter_host(uint32_t host_netns)
{
	CLEANUP(close_fd) int fd = -1;
	struct stat own;

	if (stat(OWN_NETNS, &own))
		return -errno;
	if (own.st_ino == host_netns)
		return 0;
	fd = open(HOST_NETNS, O_RDONLY | O_CLOEXEC);
	return fd < 0 || setns(fd, CLONE_NEWNET) ? -errno : 0;
}

/* What is open here may be what the loader's end has to end. */
static int let_go(int socket)
{
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0 ||
	    dup2(socket, SOCKET_FD) < 0 ||
	    syscall(SYS_close_range, SOCKET_FD + 1, ~0U, 0))
		return -errno;
	return 0;
}

__attribute__((noreturn)) static void serve(int socket, enum place place,
					    uint32_t host_netns)
{
	uint32_t trial;
	int result;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, STAND_IN_NAME);
	result = let_go(socket);
	if (!result && place == PLACE_HOST)
		result = enter_host(host_netns);
	send(result ? socket : SOCKET_FD, &result, sizeof(result),
	     MSG_NOSIGNAL);
	while (!result &&
	       recv(SOCKET_FD, &trial, sizeof(trial), 0) == sizeof(trial)) {
		int answer = trial_run(&trials[trial]);

		send(SOCKET_FD, &answer, sizeof(answer), MSG_NOSIGNAL);
	}
	_exit(0);
}

static int take_answer(const struct stand_in *one)
{
	struct pollfd wait = { .fd = one->socket, .events = POLLIN };
	int answer, ready;

	do
		ready = poll(&wait, 1, ANSWER_MS);
	while (ready < 0 && errno == EINTR);
	if (ready <= 0)
		return ready ? -errno : -ETIMEDOUT;
	return recv(one->socket, &answer, sizeof(answer), 0) == sizeof(answer)
		       ? answer
		       : -ECHILD;
}

static void stop(struct stand_in *one)
{
	if (!one->pid)
		return;
	close(one->socket);
	kill(one->pid, SIGKILL);
	waitpid(one->pid, NULL, 0);
	one->pid = 0;
}

/* The process's number is one of this namespace also where it gets its own. */
static int start(struct stand_in *one, enum place place, uint32_t host_netns)
{
	unsigned long flags = SIGCHLD;
	int ends[2];
	long pid;

	if (place == PLACE_CONTAINER)
		flags |= CLONE_NEWPID | CLONE_NEWNET;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	pid = syscall(SYS_clone, flags, 0UL, 0UL, 0UL, 0UL);
	if (pid == 0)
		serve(ends[1], place, host_netns);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return -errno;
	}
	one->pid = (pid_t)pid;
	one->socket = ends[0];
	return take_answer(one);
}

void stand_ins_start(struct stand_ins *all, uint32_t host_netns)
{
	all->started = true;
	for (unsigned place = 0; place < PLACE_COUNT; place++) {
		struct stand_in *one = &all->of[place];

		one->err = start(one, place, host_netns);
		if (one->err)
			stop(one);
	}
}

int stand_in_try(const struct stand_in *one, size_t trial)
{
	uint32_t order = (uint32_t)trial;

	if (!one->pid)
		return one->err ? one->err : -ESRCH;
	if (send(one->socket, &order, sizeof(order), MSG_NOSIGNAL) !=
	    sizeof(order))
		return -ECHILD;
	return take_answer(one);
}

void stand_ins_stop(struct stand_ins *all)
{
	for (unsigned place = 0; place < PLACE_COUNT; place++)
		stop(&all->of[place]);
	all->started = false;
}
