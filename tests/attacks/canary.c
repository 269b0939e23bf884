/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The canaries: probes of the conformance tests, at least one for each hook of
 * the policy.  Each is tried for real, in the kernel, and counts as let through
 * whatever it comes to that is not the denial.
 *
 * They live in a process of their own whose mounts nobody shares: an attack
 * that takes the machine's mounts away would otherwise keep them from being
 * tried, and that proves nothing.  It is the host all the same, for what makes
 * a container is pid and network namespaces.
 */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONTAINER "container:" /* before a probe's name: tried in one */

/* The denials that are another errno than EPERM. */
static const struct {
	const char *name;
	int denial;
} denials[] = {
	{ "autoload_family", EAFNOSUPPORT },
	{ "autoload_link", EOPNOTSUPP },
	{ "map_ld_so", RESULT_STATUS + 127 },
};

static struct {
	pid_t pid;
	int orders, answers;
} server;

static int denial_of(const char *name)
{
	for (size_t i = 0; i < sizeof(denials) / sizeof(*denials); i++)
		if (!strcmp(denials[i].name, name))
			return denials[i].denial;
	return EPERM;
}

static int run_named(const char *name)
{
	struct subject subject = { .name = "canary" };
	const struct probe *probe = probe_find(name, &subject.probe);
	pid_t pid;

	if (!probe)
		return RESULT_SETUP;
	snprintf(subject.label, sizeof(subject.label), "canary.%d",
		 subject.probe);
	return probe_run(probe, &subject, &pid);
}

/* A pid namespace is the next child's. */
static void run_inside(const char *name, int answer)
{
	int result = RESULT_SETUP;
	pid_t pid;

	if (!unshare(CLONE_NEWPID | CLONE_NEWNET)) {
		pid = fork();
		if (pid == 0) {
			result = run_named(name);
			(void)!write(answer, &result, sizeof(result));
			_exit(0);
		}
		waitpid(pid, NULL, 0);
		return;
	}
	(void)!write(answer, &result, sizeof(result));
}

int canary_try(const char *name, bool container)
{
	int ends[2], result = RESULT_SETUP;
	pid_t pid;

	if (!container)
		return run_named(name);
	if (pipe2(ends, O_CLOEXEC))
		return RESULT_SETUP;
	pid = fork();
	if (pid == 0) {
		run_inside(name, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	(void)!read(ends[0], &result, sizeof(result));
	close(ends[0]);
	waitpid(pid, NULL, 0);
	return result;
}

static void try_one(const char *name, struct canary_report *report)
{
	bool container = !strncmp(name, CONTAINER, strlen(CONTAINER));
	const char *probe = container ? name + strlen(CONTAINER) : name;
	int result = canary_try(probe, container);
	size_t used = strlen(report->names);
	FILE *out;

	if (result == denial_of(probe)) {
		report->denied++;
		return;
	}
	report->let_through++;
	out = fmemopen(report->names + used, sizeof(report->names) - used, "w");
	if (!out)
		return;
	fprintf(out, "%s%s=", used ? "," : "", name);
	probe_print(out, result);
	fclose(out);
}

static void serve(const char *const *names, int orders, int answers)
{
	char order;

	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		_exit(1);
	/* A copy of that mount would keep the pins that an attack unmounts. */
	umount2(HOST_BPFFS, MNT_DETACH);
	while (read(orders, &order, 1) == 1) {
		struct canary_report report = { 0 };

		for (const char *const *name = names; *name; name++)
			try_one(*name, &report);
		(void)!write(answers, &report, sizeof(report));
	}
	_exit(0);
}

int canaries_start(const char *const *names)
{
	static const struct subject subject = { .name = "canary" };
	int orders[2], answers[2];

	canaries_stop();
	if (pipe2(orders, O_CLOEXEC) || pipe2(answers, O_CLOEXEC))
		return -1;
	fflush(stdout);
	server.pid = fork();
	if (server.pid == 0) {
		setpgid(0, 0);
		close(orders[1]);
		close(answers[0]);
		bpf_prepare(&subject);
		exec_prepare();
		serve(names, orders[0], answers[1]);
	}
	close(orders[0]);
	close(answers[1]);
	server.orders = orders[1];
	server.answers = answers[0];
	return server.pid < 0 ? -1 : 0;
}

bool canaries_try(struct canary_report *report)
{
	if (write(server.orders, "c", 1) != 1)
		return false;
	return read(server.answers, report, sizeof(*report)) == sizeof(*report);
}

void canaries_stop(void)
{
	if (!server.pid)
		return;
	close(server.orders);
	close(server.answers);
	kill(server.pid, SIGKILL);
	waitpid(server.pid, NULL, 0);
	server.pid = 0;
}
