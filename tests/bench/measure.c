/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * measure COUNT COMMAND...
 *
 * Runs the command COUNT times and prints, a line a run, its wall time in
 * nanoseconds, its peak memory in KiB and its exit status.  It is a program of
 * its own because a child is charged with the memory of whoever forks it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int run_once(char **command)
{
	long long begin = nanoseconds();
	struct rusage usage;
	int status, null;
	pid_t child = fork();

	if (child < 0)
		return -1;
	if (!child) {
		null = open("/dev/null", O_WRONLY);
		dup2(null, STDOUT_FILENO);
		execvp(command[0], command);
		_exit(127);
	}
	if (wait4(child, &status, 0, &usage) < 0)
		return -1;
	printf("%lld %ld %d\n", nanoseconds() - begin, usage.ru_maxrss,
	       WIFEXITED(status) ? WEXITSTATUS(status) : 255);
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	for (int i = 0; i < atoi(argv[1]); i++)
		if (run_once(argv + 2))
			return 1;
	return 0;
}
