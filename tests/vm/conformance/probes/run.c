/* SPDX-License-Identifier: GPL-2.0-only */
/* One probe by name, as a process of its own. */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_S 20 /* for one probe */

static const struct probe *const tables[] = {
	module_probes, bpf_probes,   exec_probes,
	corner_probes, image_probes, secrets_probes,
	trace_probes,  sysfs_probes, namespace_probes,
	network_probes,
};
#define TABLES (sizeof(tables) / sizeof(tables[0]))

const struct probe *probe_find(const char *name, int *number)
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

int try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? RESULT_SETUP : errno;
	close(fd);
	return 0;
}

int own_mounts(const struct subject *subject, char folder[64])
{
	snprintf(folder, 64, "/tmp/%s", subject->label);
	mkdir(folder, 0755);
	return unshare(CLONE_NEWNS) ||
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

#define MORE_IN_REGISTER 0x500000000L

static long call_raw(long number, long first, long second)
{
#ifdef __x86_64__
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(first), "S"(second)
			 : "rcx", "r11", "memory");
	return result;
#else
	register long called __asm__("x8") = number;
	register long result __asm__("x0") = first;
	register long other __asm__("x1") = second;

	__asm__ volatile("svc #0"
			 : "+r"(result)
			 : "r"(called), "r"(other)
			 : "memory");
	return result;
#endif
}

int call_with_more(long number, long first, long second)
{
	struct sock_filter all[] = { BPF_STMT(BPF_RET | BPF_K,
					      SECCOMP_RET_ALLOW) };
	struct sock_fprog filter = { 1, all };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
		return RESULT_SETUP;
	return (int)-call_raw(number | MORE_IN_REGISTER, first, second);
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

void probe_print(FILE *out, int result)
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
	case RESULT_REDACTED:
		fputs("REDACTED", out);
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
int probe_run(const struct probe *probe, const struct subject *subject,
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
