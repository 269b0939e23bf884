/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * measure COUNT COMMAND... [-- COMMAND...]...
 *
 * Runs the commands in turn, COUNT times each, and prints a line a run: which
 * of them it was, from 0 on, its wall time and its processor's time in
 * nanoseconds, its peak memory in KiB and its exit status.  It is a program of
 * its own because a child is charged with the memory of whoever forks it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_COMMANDS 16

static long long nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static long long microseconds(const struct timeval *time)
{
	return time->tv_sec * 1000000LL + time->tv_usec;
}

static int run_once(int number, char **command)
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
	printf("%d %lld %lld %ld %d\n", number, nanoseconds() - begin,
	       1000 * (microseconds(&usage.ru_utime) +
		       microseconds(&usage.ru_stime)),
	       usage.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 255);
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	char **commands[MAX_COMMANDS];
	int count = 0;

	if (argc < 3)
		return 2;
	commands[count++] = argv + 2;
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--"))
			continue;
		if (count == MAX_COMMANDS)
			return 2;
		argv[i] = NULL;
		commands[count++] = argv + i + 1;
	}
	for (int i = 0; i < atoi(argv[1]); i++)
		for (int number = 0; number < count; number++)
			if (run_once(number, commands[number]))
				return 1;
	return 0;
}
