/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * probe serve NAME NUMBER [MODULE]: waits for orders in a fifo, so that the
 * subject is there before a policy is loaded and needs nothing of what the
 * policy forbids, container runtimes included.
 *
 *	an order	PASS PROBE...
 *	an answer	NAME RESULT COMM PID for each, in WORK/run/PASS.NAME
 *
 * Each probe is a process of its own, whose comm names subject and probe: by
 * it an event is told apart from all others.  PID is as the subject sees it.
 */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define ORDER_SIZE 16384

static void flood(const char *order, FILE *out, const struct subject *subject)
{
	long count = strtol(strchr(order, ':') + 1, NULL, 10);
	bool modules = !strncmp(order, "flood_modules", 13);
	int other = 0;
	long denied;

	prctl(PR_SET_NAME, "flood");
	denied = modules ? flood_modules(count, &other)
			 : flood_bpf(count, &other);
	prctl(PR_SET_NAME, subject->label);
	fprintf(out, "%s %ld ", order, denied);
	probe_print(out, other);
	fprintf(out, " %d\n", getpid());
}

static void obey(char *order, struct subject *subject)
{
	char *rest, *pass = strtok_r(order, " \n", &rest), *name;
	char path[128];
	FILE *out;

	if (!pass)
		return;
	snprintf(path, sizeof(path), WORK "/run/%s.%s", pass, subject->name);
	out = fopen(path, "we");
	while (out && (name = strtok_r(NULL, " \n", &rest))) {
		const struct probe *probe = probe_find(name, &subject->probe);
		pid_t pid = 0;
		int result = RESULT_SETUP;

		if (strchr(name, ':')) {
			flood(name, out, subject);
			continue;
		}
		snprintf(subject->label, sizeof(subject->label), "%.11s.%d",
			 subject->name, subject->probe);
		if (probe)
			result = probe_run(probe, subject, &pid);
		fprintf(out, "%s ", name);
		probe_print(out, result);
		fprintf(out, " %s %d\n", subject->label, pid);
		fflush(out);
	}
	if (out)
		fclose(out);
}

static void answer(const struct subject *subject)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), WORK "/run/%s.out", subject->name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)!write(fd, "done\n", 5);
	close(fd);
}

static int serve(struct subject *subject)
{
	const struct rlimit files = { 65536, 65536 };
	const struct rlimit memory = { RLIM_INFINITY, RLIM_INFINITY };
	char path[128], line[ORDER_SIZE];
	FILE *orders;

	setrlimit(RLIMIT_NOFILE, &files);
	setrlimit(RLIMIT_MEMLOCK, &memory); /* up to 5.10 it counts maps */
	snprintf(line, sizeof(line), "serve.%.9s", subject->name);
	prctl(PR_SET_NAME, line);
	bpf_prepare(subject);
	exec_prepare();
	secrets_prepare();
	sysfs_prepare();
	namespaces_prepare();
	network_prepare();
	snprintf(path, sizeof(path), WORK "/run/%s.in", subject->name);
	orders = fopen(path, "r+e"); /* r+: no end while nobody writes */
	if (!orders)
		return 1;
	answer(subject); /* it is ready */
	while (fgets(line, sizeof(line), orders)) {
		obey(line, subject);
		answer(subject);
	}
	return 1;
}

int main(int argc, char **argv)
{
	struct subject subject = { 0 };

	if (argc < 4 || strcmp(argv[1], "serve")) {
		fputs("usage: probe serve NAME NUMBER [MODULE]\n", stderr);
		return 2;
	}
	subject.name = argv[2];
	subject.number = atoi(argv[3]);
	subject.module = argv[4]; /* or the end */
	return serve(&subject);
}
