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
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_S 20 /* for one probe */
#define ORDER_SIZE 4096

static const struct probe *const tables[] = { module_probes, bpf_probes,
					      exec_probes, corner_probes };
#define TABLES (sizeof(tables) / sizeof(tables[0]))

static const struct probe *find_probe(const char *name, int *number)
{
	*number = 0;
	for (size_t i = 0; i < TABLES; i++)
		for (const struct probe *p = tables[i]; p->name; p++) {
			if (!strcmp(p->name, name))
				return p;
			++*number;
		}
	return NULL;
}

void *read_whole(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *data = NULL;
	size_t done = 0;
	ssize_t got;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st))
		data = malloc((size_t)st.st_size + 1);
	while (data &&
	       (got = read(fd, data + done, (size_t)st.st_size - done)) > 0)
		done += (size_t)got;
	close(fd);
	*size = done;
	return data;
}

static void print_result(FILE *out, int result)
{
	const char *name;

	switch (result) {
	case RESULT_OK:
		fputs("ok", out);
		return;
	case RESULT_NO_MODULE:
		fputs("NO-MODULE", out);
		return;
	case RESULT_LOADED:
		fputs("LOADED-ALL-THE-SAME", out);
		return;
	case RESULT_STALE:
		fputs("STALE", out);
		return;
	case RESULT_SETUP:
		fputs("SETUP", out);
		return;
	}
	if (result >= RESULT_STATUS) {
		fprintf(out, "STATUS-%d", result - RESULT_STATUS);
		return;
	}
	if (result >= RESULT_SIGNAL) {
		fprintf(out, "SIG%s", sigabbrev_np(result - RESULT_SIGNAL));
		return;
	}
	name = strerrorname_np(result);
	if (name)
		fputs(name, out);
	else
		fprintf(out, "ERRNO-%d", result);
}

/*
 * The probe in the child either says its result in the pipe, or becomes the
 * payload, whose status says that it ran.
 */
static int run_probe(const struct probe *probe, const struct subject *subject,
		     pid_t *pid)
{
	int ends[2], status, result;
	ssize_t got;

	if (pipe2(ends, O_CLOEXEC))
		return RESULT_SETUP;
	*pid = fork();
	if (*pid == 0) {
		prctl(PR_SET_NAME, subject->label);
		alarm(PATIENCE_S);
		result = probe->call(subject);
		(void)!write(ends[1], &result, sizeof(result));
		_exit(0);
	}
	close(ends[1]);
	got = read(ends[0], &result, sizeof(result));
	close(ends[0]);
	if (*pid < 0 || waitpid(*pid, &status, 0) < 0)
		return RESULT_SETUP;
	if (WIFSIGNALED(status))
		return RESULT_SIGNAL + WTERMSIG(status);
	if (got == sizeof(result))
		return result;
	if (WEXITSTATUS(status) == PAYLOAD_RAN)
		return RESULT_OK;
	return RESULT_STATUS + WEXITSTATUS(status);
}

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
	print_result(out, other);
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
		const struct probe *probe = find_probe(name, &subject->probe);
		pid_t pid = 0;
		int result = RESULT_SETUP;

		if (strchr(name, ':')) {
			flood(name, out, subject);
			continue;
		}
		snprintf(subject->label, sizeof(subject->label), "%.11s.%d",
			 subject->name, subject->probe);
		if (probe)
			result = run_probe(probe, subject, &pid);
		fprintf(out, "%s ", name);
		print_result(out, result);
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
