/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trace exec and trace privileged.  What is executed is named after the probe,
 * so that the comm that it gets says whose it is; what it is given is in
 * rows.py once more.
 */
#include "exec.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONG_BYTES	2000
#define AT_EXECVE_CHECK 0x10000 /* 6.14 */

static char *const environment[] = { "KEY=of-the-environment", NULL };

/* Makes such a file, and executes it in a child. */
static int execute(const struct subject *subject, const char *script,
		   char *const argv[])
{
	char path[64];
	int ends[2], result = 0, status;
	pid_t pid;

	snprintf(path, sizeof(path), WORK "/run/%s", subject->label);
	if (make_file(path, PAYLOAD, script) || pipe2(ends, O_CLOEXEC))
		return RESULT_SETUP;
	pid = fork();
	if (pid == 0) {
		execve(path, argv, environment);
		result = errno;
		(void)!write(ends[1], &result, sizeof(result));
		_exit(0);
	}
	close(ends[1]);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return RESULT_SETUP;
	unlink(path);
	if (read(ends[0], &result, sizeof(result)) == sizeof(result))
		return result;
	return WIFEXITED(status) && WEXITSTATUS(status) == PAYLOAD_RAN
		       ? 0
		       : RESULT_STATUS;
}

static int trace_exec(const struct subject *subject)
{
	char *const argv[] = {
		"program",     "two words", "new\nline",       "q\"uote\\", "",
		"\x01\x1b[2J", "\xff",	    "arg0=\"forged\"", NULL
	};

	return execute(subject, NULL, argv);
}

static int trace_script(const struct subject *subject)
{
	char *const argv[] = { "program", "arg", NULL };

	return execute(subject, "#!" PAYLOAD " -x\n", argv);
}

static int trace_long(const struct subject *subject)
{
	char text[LONG_BYTES + 1] = { 0 };
	char *const argv[] = { "program", text, "last", NULL };

	memset(text, 'x', LONG_BYTES);
	return execute(subject, NULL, argv);
}

/* As many bytes as there is room for, the ends counted. */
static int trace_fits(const struct subject *subject)
{
	char text[512 - 8] = { 0 };
	char *const argv[] = { "program", text, NULL };

	memset(text, 'x', sizeof(text) - 1);
	return execute(subject, NULL, argv);
}

static int trace_noexec(const struct subject *subject)
{
	char *const argv[] = { "program", "arg", NULL };

	return execute(subject, "no program", argv);
}

static int trace_interpreter(const struct subject *subject)
{
	char *const argv[] = { "program", "arg", NULL };

	return execute(subject, "#!" WORK "/no-such-interpreter\n", argv);
}

static int execute_missing(int flags)
{
	char *const argv[] = { "program", NULL };

	syscall(SYS_execveat, AT_FDCWD, WORK "/no-such-file", argv, environment,
		flags);
	return errno;
}

static int trace_missing(const struct subject *subject)
{
	(void)subject;
	return execute_missing(0);
}

/* Its comm is the number's, or the name's, which is the number too. */
static int trace_memfd(const struct subject *subject)
{
	char *const argv[] = { "program", "of memory", NULL };
	int number = 1000 + 100 * subject->number + subject->probe, fd;
	char name[32], path[64];
	size_t size;
	void *bytes = read_whole(PAYLOAD, &size);

	snprintf(name, sizeof(name), "%d", number);
	fd = memfd_create(name, 0);
	if (!bytes || fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		return RESULT_SETUP;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	number = dup2(open(path, O_RDONLY), number);
	close(fd); /* what is open for writing is ETXTBSY */
	if (number < 0)
		return RESULT_SETUP;
	syscall(SYS_execveat, number, "", argv, environment, AT_EMPTY_PATH);
	return errno;
}

/* trace privileged. */

#define FLOOD	 200
#define NO_GROUP ((gid_t)-1) /* a group would be asked for again */

/* A file of its own, which anybody may open who is somebody else later. */
static int own_file(const struct subject *subject)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), WORK "/run/%s", subject->label);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	unlink(path);
	return fd;
}

static int cap_chown(const struct subject *subject)
{
	int fd = own_file(subject);

	return fd < 0 ? RESULT_SETUP : fchown(fd, 1, 1) ? errno : 0;
}

static int cap_refused(const struct subject *subject)
{
	int fd = own_file(subject);

	if (fd < 0 || setresuid(65534, 65534, 65534))
		return RESULT_SETUP;
	return fchown(fd, 1, 1) && errno == EPERM ? 0 : RESULT_SETUP;
}

/* Many in a second, and one in another. */
static int cap_flood(const struct subject *subject)
{
	int fd = own_file(subject);

	for (unsigned i = 0; i < FLOOD; i++)
		if (fchown(fd, 1 + i % 2, NO_GROUP))
			return errno;
	usleep(1200000);
	return fchown(fd, 3, NO_GROUP) ? errno : 0;
}

/* The number of the namespace is another; what it may there is not the host's.
 */
static int cap_inner(const struct subject *subject)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWUTS))
		return RESULT_SETUP;
	return sethostname(subject->label, strlen(subject->label)) ? errno : 0;
}

/* A capability that no policy of the rows names. */
static int cap_other(const struct subject *subject)
{
	(void)subject;
	return chroot("/") ? errno : 0;
}

/* Whether addresses are shown is asked without meaning it. */
static int cap_unmeant(const struct subject *subject)
{
	char text[256];
	int fd = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC);

	(void)subject;
	return fd < 0 || read(fd, text, sizeof(text)) < 0 ? errno : 0;
}

/* The neighbours: nothing is executed. */

static int trace_fork(const struct subject *subject)
{
	pid_t pid = fork();

	(void)subject;
	if (pid == 0)
		_exit(0);
	return pid < 0 || waitpid(pid, NULL, 0) < 0 ? RESULT_SETUP : 0;
}

static int trace_map(const struct subject *subject)
{
	(void)subject;
	return map_fd(open(PAYLOAD, O_RDONLY | O_CLOEXEC),
		      PROT_READ | PROT_EXEC);
}

/* Asks whether it might be executed; older kernels do not know the flag. */
static int trace_check(const struct subject *subject)
{
	char *const argv[] = { "program", NULL };
	int fd = open(PAYLOAD, O_RDONLY | O_CLOEXEC);
	long result = syscall(SYS_execveat, fd, "", argv, environment,
			      AT_EMPTY_PATH | AT_EXECVE_CHECK);

	(void)subject;
	return fd < 0 ? RESULT_SETUP : result ? errno : 0;
}

const struct probe trace_probes[] = {
	{ "trace_exec", trace_exec },
	{ "trace_script", trace_script },
	{ "trace_long", trace_long },
	{ "trace_fits", trace_fits },
	{ "trace_noexec", trace_noexec },
	{ "trace_interpreter", trace_interpreter },
	{ "trace_missing", trace_missing },
	{ "trace_memfd", trace_memfd },
	{ "trace_fork", trace_fork },
	{ "trace_map", trace_map },
	{ "trace_check", trace_check },
	{ "cap_chown", cap_chown },
	{ "cap_refused", cap_refused },
	{ "cap_flood", cap_flood },
	{ "cap_inner", cap_inner },
	{ "cap_other", cap_other },
	{ "cap_unmeant", cap_unmeant },
	{ NULL, NULL },
};
