/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fileless_exec.  The process becomes the payload; where it cannot, it says
 * why.  What is executed is named after the probe, by its file or by the
 * number of its descriptor, so that the comm it gets says whose it is.
 */
#include "exec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SCRIPT	    "#!" PAYLOAD "\n"
#define PAGE	    4096
#define LABEL_BYTES 15

void exec_prepare(void)
{
	struct statvfs now;

	/* Runtimes mount it without exec: then nothing is left to be denied. */
	if (!statvfs(SHM, &now) && now.f_flag & ST_NOEXEC)
		mount(NULL, SHM, NULL, MS_REMOUNT | MS_NOSUID | MS_NODEV, NULL);
}

static int fill(int fd, const void *data, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t now = write(fd, (const char *)data + done, size - done);

		if (now <= 0)
			return RESULT_SETUP;
		done += (size_t)now;
	}
	return 0;
}

static int fill_from(int fd, const char *path)
{
	size_t size;
	void *data = read_whole(path, &size);
	int result = data ? fill(fd, data, size) : RESULT_SETUP;

	free(data);
	return result;
}

static int new_memfd(const struct subject *subject)
{
	return memfd_create(subject->label, 0);
}

/*
 * The number tells whose it is; a script's has to stay open for its
 * interpreter.  Read-only, since what is open for writing is ETXTBSY.
 */
static int numbered(int fd, const struct subject *subject)
{
	int number = 1000 + 100 * subject->number + subject->probe;
	char path[32];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY);
	close(fd);
	if (again < 0 || dup2(again, number) < 0)
		return -1;
	close(again);
	return number;
}

int run_path(const char *path)
{
	char *const argv[] = { (char *)path, NULL };
	char *const env[] = { NULL };

	execve(path, argv, env);
	return errno;
}

static int run_number(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return run_path(path);
}

static int run_empty_path(int fd)
{
	char *const argv[] = { "memfd", NULL };
	char *const env[] = { NULL };

	syscall(SYS_execveat, fd, "", argv, env, AT_EMPTY_PATH);
	return errno;
}

static int filled_memfd(const struct subject *subject, const char *script)
{
	int fd = new_memfd(subject);

	if (fd < 0 || (script ? fill(fd, script, strlen(script))
			      : fill_from(fd, PAYLOAD)))
		return -1;
	return numbered(fd, subject);
}

static int memfd_execveat(const struct subject *subject)
{
	int fd = filled_memfd(subject, NULL);

	return fd < 0 ? RESULT_SETUP : run_empty_path(fd);
}

static int memfd_fd(const struct subject *subject)
{
	int fd = filled_memfd(subject, NULL);

	return fd < 0 ? RESULT_SETUP : run_number(fd);
}

static int memfd_script(const struct subject *subject)
{
	int fd = filled_memfd(subject, SCRIPT);

	return fd < 0 ? RESULT_SETUP : run_number(fd);
}

int make_file(const char *path, const char *from, const char *script)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	int result;

	if (fd < 0)
		return RESULT_SETUP;
	result =
		script ? fill(fd, script, strlen(script)) : fill_from(fd, from);
	close(fd);
	return result;
}

/*
 * Executes a file in a child, since it has to be removed afterwards.  The
 * child is what runs; its comm is the label as well, by the file's name.
 */
int run_and_remove(const char *path, const char *removed)
{
	int ends[2], result = 0, status;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return RESULT_SETUP;
	pid = fork();
	if (pid == 0) {
		result = run_path(path);
		(void)!write(ends[1], &result, sizeof(result));
		_exit(0);
	}
	close(ends[1]);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return RESULT_SETUP;
	unlink(removed);
	if (read(ends[0], &result, sizeof(result)) == sizeof(result))
		return result;
	if (WIFSIGNALED(status))
		return RESULT_SIGNAL + WTERMSIG(status);
	return WEXITSTATUS(status) == PAYLOAD_RAN
		       ? 0
		       : RESULT_STATUS + WEXITSTATUS(status);
}

static int run_made(const char *folder, const struct subject *subject,
		    const char *script)
{
	char path[128];
	int result;

	snprintf(path, sizeof(path), "%s%s", folder, subject->label);
	result = make_file(path, PAYLOAD, script);
	return result ? result : run_and_remove(path, path);
}

static int shm(const struct subject *subject)
{
	return run_made(SHM, subject, NULL);
}

static int shm_script(const struct subject *subject)
{
	return run_made(SHM, subject, SCRIPT);
}

static int run_unlinked(const char *folder, const struct subject *subject)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s%s", folder, subject->label);
	if (make_file(path, PAYLOAD, NULL))
		return RESULT_SETUP;
	fd = open(path, O_RDONLY);
	unlink(path);
	fd = fd < 0 ? fd : numbered(fd, subject);
	return fd < 0 ? RESULT_SETUP : run_number(fd);
}

static int unlinked(const struct subject *subject)
{
	return run_unlinked(WORK "/run/", subject);
}

static int unlinked_on_disk(const struct subject *subject)
{
	return run_unlinked(DISK, subject);
}

static int never_linked(const struct subject *subject)
{
	int fd = open(WORK "/run", O_TMPFILE | O_RDWR, 0755);

	if (fd < 0 || fill_from(fd, PAYLOAD))
		return RESULT_SETUP;
	fd = numbered(fd, subject);
	return fd < 0 ? RESULT_SETUP : run_number(fd);
}

int map_fd(int fd, int protection)
{
	void *at;

	if (fd < 0)
		return RESULT_SETUP;
	at = mmap(NULL, PAGE, protection, MAP_PRIVATE, fd, 0);
	return at == MAP_FAILED ? errno : 0;
}

int protect_fd(int fd, int flags)
{
	void *at = mmap(NULL, PAGE, PROT_READ, flags, fd, 0);

	if (at == MAP_FAILED)
		return RESULT_SETUP;
	return mprotect(at, PAGE, PROT_READ | PROT_EXEC) ? errno : 0;
}

static int map_memfd(const struct subject *subject)
{
	return map_fd(filled_memfd(subject, NULL), PROT_READ | PROT_EXEC);
}

static int open_shm(const struct subject *subject)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), SHM "%s", subject->label);
	if (make_file(path, PAYLOAD, NULL))
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd;
}

static void remove_shm(const struct subject *subject)
{
	char path[64];

	snprintf(path, sizeof(path), SHM "%s", subject->label);
	unlink(path);
}

static int map_shm(const struct subject *subject)
{
	int result = map_fd(open_shm(subject), PROT_READ | PROT_EXEC);

	remove_shm(subject);
	return result;
}

static int map_mprotect(const struct subject *subject)
{
	return protect_fd(filled_memfd(subject, NULL), MAP_PRIVATE);
}

/*
 * ld.so PROGRAM, with the program on /dev/shm: it runs with --version, or
 * ld.so ends with 127.  ld.so itself gets the label as its comm by a link.
 */
static int map_ld_so(const struct subject *subject)
{
	char link[64], program[64];
	char *const argv[] = { link, program, "--version", NULL };
	char *const env[] = { NULL };
	int status;
	pid_t pid;

	snprintf(link, sizeof(link), WORK "/run/%s", subject->label);
	snprintf(program, sizeof(program), SHM "%s", subject->label);
	unlink(link);
	if (symlink(LD_SO, link) || make_file(program, DYNAMIC, NULL))
		return RESULT_SETUP;
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 1);
		dup2(null, 2);
		execve(link, argv, env);
		_exit(126);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return RESULT_SETUP;
	unlink(link);
	unlink(program);
	if (WIFSIGNALED(status))
		return RESULT_SIGNAL + WTERMSIG(status);
	return WEXITSTATUS(status) ? RESULT_STATUS + WEXITSTATUS(status) : 0;
}

/* The neighbours. */

static int exec_file(const struct subject *subject)
{
	return run_made(WORK "/run/", subject, NULL);
}

static int exec_script(const struct subject *subject)
{
	return run_made(WORK "/run/", subject, SCRIPT);
}

static int exec_on_disk(const struct subject *subject)
{
	return run_made(DISK, subject, NULL);
}

static int script_on_disk(const struct subject *subject)
{
	return run_made(DISK, subject, SCRIPT);
}

static int map_on_disk(const struct subject *subject)
{
	(void)subject;
	return map_fd(open(DISK "payload", O_RDONLY | O_CLOEXEC),
		      PROT_READ | PROT_EXEC);
}

static int map_file(const struct subject *subject)
{
	(void)subject;
	return map_fd(open(PAYLOAD, O_RDONLY | O_CLOEXEC),
		      PROT_READ | PROT_EXEC);
}

static int read_memfd(const struct subject *subject)
{
	return map_fd(filled_memfd(subject, NULL), PROT_READ);
}

static int map_anonymous(const struct subject *subject)
{
	void *at = mmap(NULL, PAGE, PROT_READ | PROT_EXEC,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)subject;
	return at == MAP_FAILED ? errno : 0;
}

const struct probe exec_probes[] = {
	{ "memfd_execveat", memfd_execveat },
	{ "memfd_fd", memfd_fd },
	{ "memfd_script", memfd_script },
	{ "shm", shm },
	{ "shm_script", shm_script },
	{ "unlinked", unlinked },
	{ "never_linked", never_linked },
	{ "map_memfd", map_memfd },
	{ "map_shm", map_shm },
	{ "map_mprotect", map_mprotect },
	{ "map_ld_so", map_ld_so },
	{ "exec_file", exec_file },
	{ "exec_script", exec_script },
	{ "map_file", map_file },
	{ "read_memfd", read_memfd },
	{ "map_anonymous", map_anonymous },
	{ "exec_on_disk", exec_on_disk },
	{ "script_on_disk", script_on_disk },
	{ "map_on_disk", map_on_disk },
	{ "unlinked_on_disk", unlinked_on_disk },
	{ NULL, NULL },
};
