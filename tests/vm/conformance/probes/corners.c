/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fileless_exec where it is easily missed, or easily too strict: interpreters,
 * overlays, memory that has a file inside the kernel alone.
 */
#include "exec.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096UL

/* In /dev/shm, and short enough to take the place of LD_SO. */
#define NEAR_LD_SO SHM "ld.so"

/* A script in place, its interpreter not. */
static int interpreter_shm(const struct subject *subject)
{
	char path[64], interpreter[64], script[80];
	int result;

	snprintf(path, sizeof(path), WORK "/run/%s", subject->label);
	snprintf(interpreter, sizeof(interpreter), SHM "%s", subject->label);
	snprintf(script, sizeof(script), "#!%s\n", interpreter);
	if (make_file(path, NULL, script) ||
	    make_file(interpreter, PAYLOAD, NULL))
		return RESULT_SETUP;
	result = run_and_remove(path, path);
	unlink(interpreter);
	return result;
}

static int name_other_ld_so(const char *path)
{
	size_t size;
	char *program = read_whole(DYNAMIC, &size), *name = NULL;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	if (program)
		name = memmem(program, size, LD_SO, sizeof(LD_SO));
	if (name)
		strcpy(name, NEAR_LD_SO);
	if (!name || fd < 0 || write(fd, program, size) != (ssize_t)size)
		return RESULT_SETUP;
	close(fd);
	free(program);
	return make_file(NEAR_LD_SO, LD_SO, NULL);
}

/* A program in place, the dynamic loader that it names not: the kernel maps
 * that, when there is no way back from the exec. */
static int loader_shm(const struct subject *subject)
{
	char path[64];
	char *const argv[] = { path, "--version", NULL };
	char *const env[] = { NULL };
	int status;
	pid_t pid;

	snprintf(path, sizeof(path), WORK "/run/%s", subject->label);
	if (name_other_ld_so(path))
		return RESULT_SETUP;
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 1);
		dup2(null, 2);
		execve(path, argv, env);
		_exit(126);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return RESULT_SETUP;
	unlink(path);
	unlink(NEAR_LD_SO);
	if (WIFSIGNALED(status))
		return RESULT_SIGNAL + WTERMSIG(status);
	return WEXITSTATUS(status) ? RESULT_STATUS + WEXITSTATUS(status) : 0;
}

/* An overlay of WORK, written to in @folder; where its file is. */
static int mount_layers(const char *folder, const char *name, char file[128])
{
	static const char *const parts[] = { "upper", "work", "all" };
	char path[96], options[256];

	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, parts[i]);
		mkdir(path, 0755);
	}
	snprintf(options, sizeof(options),
		 "lowerdir=" WORK ",upperdir=%s/upper,workdir=%s/work", folder,
		 folder);
	snprintf(file, 128, "%s/%s", path, name);
	return mount("overlay", path, "overlay", 0, options) ? RESULT_SETUP : 0;
}

/* The same, written to in a tmpfs. */
static int mount_overlay(const struct subject *subject, const char *name,
			 char file[128])
{
	char folder[64];

	if (own_mounts(subject, folder))
		return RESULT_SETUP;
	return mount_layers(folder, name, file);
}

static int overlay_upper(const struct subject *subject)
{
	char file[128];

	if (mount_overlay(subject, subject->label, file) ||
	    make_file(file, PAYLOAD, NULL))
		return RESULT_SETUP;
	return run_path(file);
}

static int overlay_lower(const struct subject *subject)
{
	char file[128];

	if (mount_overlay(subject, strrchr(PAYLOAD, '/') + 1, file))
		return RESULT_SETUP;
	return run_path(file);
}

/* Written to in the root file system, even if that is in memory itself. */
static int overlay_in_place(const struct subject *subject)
{
	char folder[64], file[128];

	if (own_mounts(subject, folder))
		return RESULT_SETUP;
	snprintf(folder, sizeof(folder), "/root/%s", subject->label);
	mkdir(folder, 0755);
	if (mount_layers(folder, subject->label, file) ||
	    make_file(file, PAYLOAD, NULL))
		return RESULT_SETUP;
	return run_path(file);
}

static int overlay_map(const struct subject *subject)
{
	char file[128];

	if (mount_overlay(subject, subject->label, file) ||
	    make_file(file, PAYLOAD, NULL))
		return RESULT_SETUP;
	return map_fd(open(file, O_RDONLY | O_CLOEXEC), PROT_READ | PROT_EXEC);
}

static int overlay_mprotect(const struct subject *subject)
{
	char file[128];

	if (mount_overlay(subject, subject->label, file) ||
	    make_file(file, PAYLOAD, NULL))
		return RESULT_SETUP;
	return protect_fd(open(file, O_RDONLY | O_CLOEXEC), MAP_PRIVATE);
}

static int ramfs(const struct subject *subject)
{
	char folder[64], file[96];

	if (own_mounts(subject, folder) ||
	    mount("ramfs", folder, "ramfs", 0, NULL))
		return RESULT_SETUP;
	snprintf(file, sizeof(file), "%s/%s", folder, subject->label);
	if (make_file(file, PAYLOAD, NULL))
		return RESULT_SETUP;
	return run_path(file);
}

/* Shared memory, which has a file that can be found in /proc. */
static int anonymous_exec(const struct subject *subject)
{
	size_t size;
	void *program = read_whole(PAYLOAD, &size), *at;
	char path[64];

	(void)subject;
	if (!program)
		return RESULT_SETUP;
	size = (size + PAGE - 1) & ~(PAGE - 1);
	at = mmap(NULL, size, PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		return RESULT_SETUP;
	memcpy(at, program, size);
	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx",
		 (unsigned long)at, (unsigned long)at + size);
	return run_path(path);
}

/* Shared memory, opened by its name in /proc: mapped anew it is no memory
 * without a file any more. */
static int reopen_shared(int flags)
{
	void *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx",
		 (unsigned long)at, (unsigned long)at + PAGE);
	return at == MAP_FAILED ? -1 : open(path, flags | O_CLOEXEC);
}

static int map_reopened(const struct subject *subject)
{
	(void)subject;
	return map_fd(reopen_shared(O_RDONLY), PROT_READ | PROT_EXEC);
}

static int map_reopened_write(const struct subject *subject)
{
	(void)subject;
	return map_fd(reopen_shared(O_RDWR), PROT_READ | PROT_EXEC);
}

/* As map_shared_anonymous, with a file that somebody opened. */
static int map_reopened_later(const struct subject *subject)
{
	(void)subject;
	return protect_fd(reopen_shared(O_RDONLY), MAP_SHARED);
}

static int map_reopened_write_later(const struct subject *subject)
{
	(void)subject;
	return protect_fd(reopen_shared(O_RDWR), MAP_SHARED);
}

static int map_sysv(const struct subject *subject)
{
	int id = shmget(IPC_PRIVATE, PAGE, 0700);
	void *at;
	int result;

	(void)subject;
	if (id < 0)
		return RESULT_SETUP;
	at = shmat(id, NULL, SHM_EXEC);
	result = at == (void *)-1 ? errno : 0;
	shmctl(id, IPC_RMID, NULL);
	return result;
}

/* The neighbours. */

static int map_shared_anonymous(const struct subject *subject)
{
	void *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)subject;
	if (at == MAP_FAILED)
		return RESULT_SETUP;
	return mprotect(at, PAGE, PROT_READ | PROT_EXEC) ? errno : 0;
}

static int map_zero(const struct subject *subject)
{
	(void)subject;
	return map_fd(open("/dev/zero", O_RDONLY | O_CLOEXEC),
		      PROT_READ | PROT_EXEC);
}

/* The kernel maps page 0 executable then, and no file. */
static int page_zero(const struct subject *subject)
{
	(void)subject;
	if (personality(MMAP_PAGE_ZERO) < 0)
		return RESULT_SETUP;
	return run_path(PAYLOAD);
}

static int linked_later(const struct subject *subject)
{
	char path[64], from[32];
	size_t size;
	void *program = read_whole(PAYLOAD, &size);
	int fd = open(WORK "/run", O_TMPFILE | O_RDWR | O_CLOEXEC, 0755);

	snprintf(path, sizeof(path), WORK "/run/%s", subject->label);
	snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	if (!program || fd < 0 || write(fd, program, size) != (ssize_t)size ||
	    linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW))
		return RESULT_SETUP;
	close(fd);
	return run_and_remove(path, path);
}

const struct probe corner_probes[] = {
	{ "interpreter_shm", interpreter_shm },
	{ "loader_shm", loader_shm },
	{ "overlay_upper", overlay_upper },
	{ "overlay_lower", overlay_lower },
	{ "overlay_in_place", overlay_in_place },
	{ "overlay_map", overlay_map },
	{ "overlay_mprotect", overlay_mprotect },
	{ "ramfs", ramfs },
	{ "anonymous_exec", anonymous_exec },
	{ "map_reopened", map_reopened },
	{ "map_reopened_write", map_reopened_write },
	{ "map_reopened_later", map_reopened_later },
	{ "map_reopened_write_later", map_reopened_write_later },
	{ "map_sysv", map_sysv },
	{ "map_shared_anonymous", map_shared_anonymous },
	{ "map_zero", map_zero },
	{ "page_zero", page_zero },
	{ "linked_later", linked_later },
	{ NULL, NULL },
};
