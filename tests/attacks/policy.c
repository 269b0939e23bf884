/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the policy denies, by ways around.  The control is a machine without
 * the policy: open or locked, it is the same programs that deny.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack.h"
#include "tests/vm/conformance/probes/exec.h"

#define PAGE	  4096UL
#define CGROUPS	  "/sys/fs/cgroup"
#define FILE_NAME "attack-payload"
#define IN_SHM	  SHM FILE_NAME
#define SELF	  "/usr/bin/attack"

static int probe(const char *name)
{
	int result = canary_try(name, false);

	return result == RESULT_SETUP ? NOT_SET_UP : result;
}

/* Through if any of them is; otherwise how the last one was refused. */
static int probes(const char *const *names)
{
	int result = NOT_HERE;

	for (; *names; names++) {
		result = probe(*names);
		if (!result) {
			say("through: %s", *names);
			return THROUGH;
		}
	}
	return result;
}

static int memfd(const struct scene *scene)
{
	(void)scene;
	return probes((const char *const[]){ "memfd_execveat", "memfd_script",
					     "anonymous_exec", NULL });
}

static int by_descriptor(const struct scene *scene)
{
	(void)scene;
	return probes((const char *const[]){ "memfd_fd", "unlinked",
					     "never_linked", NULL });
}

static int by_loader(const struct scene *scene)
{
	(void)scene;
	return probes((const char *const[]){ "map_ld_so", "loader_shm", NULL });
}

static int by_mapping(const struct scene *scene)
{
	(void)scene;
	return probes((const char *const[]){
		"map_memfd", "map_shm", "map_mprotect", "map_sysv",
		"overlay_map", "overlay_mprotect", "map_reopened",
		"map_reopened_write", "map_reopened_later",
		"map_reopened_write_later", NULL });
}

static int payload_in_memory(void)
{
	size_t size;
	void *data = read_whole(PAYLOAD, &size);
	int fd = memfd_create("attack", 0);

	if (!data || fd < 0 || write(fd, data, size) != (ssize_t)size)
		return -1;
	free(data);
	return fd;
}

/* Whether the page at @at may be executed, by what the kernel says. */
static bool is_executable(const void *at)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512], rights[8];
	unsigned long start;
	bool found = false;

	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%*x %7s", &start, rights) == 2 &&
		    start == (unsigned long)at)
			found = rights[2] == 'x';
	if (maps)
		fclose(maps);
	return found;
}

static int read_implies_exec(const struct scene *scene)
{
	int fd = payload_in_memory();
	void *at;

	(void)scene;
	personality(READ_IMPLIES_EXEC);
	at = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		return errno;
	return is_executable(at) ? THROUGH : NOT_HERE;
}

static int remap(const struct scene *scene)
{
	int fd = payload_in_memory();
	void *at = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);

	(void)scene;
	if (at == MAP_FAILED)
		return NOT_SET_UP;
	personality(READ_IMPLIES_EXEC);
	if (syscall(SYS_remap_file_pages, at, PAGE, 0, 0UL, 0))
		return errno;
	return is_executable(at) ? THROUGH : NOT_HERE;
}

/* ---- other names of the same file ---- */

static int run_child(const char *path, const char *root)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (root && (chroot(root) || chdir("/")))
			_exit(126);
		_exit(run_path(path));
	}
	waitpid(pid, &status, 0);
	if (!WIFEXITED(status))
		return NOT_SET_UP;
	return WEXITSTATUS(status) == PAYLOAD_RAN ? THROUGH
						  : WEXITSTATUS(status);
}

static int aliases(const struct scene *scene)
{
	static const char other[] = SHM "attack-link";
	int result;

	(void)scene;
	exec_prepare();
	if (make_file(IN_SHM, PAYLOAD, NULL) || make_file("/t/alias", NULL, ""))
		return NOT_SET_UP;
	unlink(other);
	if (link(IN_SHM, other))
		return NOT_SET_UP;
	result = run_child(other, NULL);
	if (result && !mount(IN_SHM, "/t/alias", NULL, MS_BIND, NULL)) {
		result = run_child("/t/alias", NULL);
		umount2("/t/alias", MNT_DETACH);
	}
	if (result)
		result = run_child("/" FILE_NAME, SHM);
	if (result)
		result = probe("overlay_upper");
	unlink(other);
	unlink(IN_SHM);
	return result;
}

/* Further down than any path reaches. */
static int deep(const struct scene *scene)
{
	char name[201];
	int result;

	(void)scene;
	exec_prepare();
	memset(name, 'd', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	if (chdir(SHM))
		return NOT_SET_UP;
	for (int i = 0; i < 30; i++)
		if ((mkdir(name, 0755) && errno != EEXIST) || chdir(name))
			return NOT_SET_UP;
	if (make_file("payload", PAYLOAD, NULL))
		return NOT_SET_UP;
	result = run_child("payload", NULL);
	unlink("payload");
	return result;
}

/* ---- the kernel starts programs for who asks ---- */

#define RESULT_FILE "/t/helper-result"
#define HELPER	    "/t/helper"

static int make_helper(const char *name)
{
	char script[256];

	unlink(RESULT_FILE);
	snprintf(script, sizeof(script),
		 "#!/bin/sh\n" SELF " try %s >" RESULT_FILE " 2>&1\n", name);
	return make_file(HELPER, NULL, script);
}

static int helper_result(void)
{
	char word[32] = "";

	for (int i = 0; i < 150; i++) {
		FILE *file = fopen(RESULT_FILE, "re");
		bool done = file && fscanf(file, "%31s", word) == 1;

		if (file)
			fclose(file);
		if (done)
			break;
		usleep(100000);
	}
	say("the helper says: %s", *word ? word : "nothing");
	if (!*word)
		return NOT_HERE;
	return strcmp(word, "ok") ? EPERM : THROUGH;
}

static int core_pattern(const struct scene *scene)
{
	pid_t pid;

	(void)scene;
	if (make_helper("finit") ||
	    write_text("/proc/sys/kernel/core_pattern", "|" HELPER "\n"))
		return NOT_SET_UP;
	pid = fork();
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		raise(SIGSEGV);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	write_text("/proc/sys/kernel/core_pattern", "core\n");
	return helper_result();
}

/* The kernel asks for a module, and this is what it runs for that. */
static int modprobe_path(const struct scene *scene)
{
	char before[128] = "/sbin/modprobe\n";
	FILE *file = fopen("/proc/sys/kernel/modprobe", "re");

	(void)scene;
	if (file) {
		(void)!fgets(before, sizeof(before), file);
		fclose(file);
	}
	if (make_helper("finit") ||
	    write_text("/proc/sys/kernel/modprobe", HELPER "\n"))
		return NOT_SET_UP;
	canary_try("autoload_family", false);
	write_text("/proc/sys/kernel/modprobe", before);
	return helper_result() == THROUGH ? THROUGH : EPERM;
}

static int uevent_helper(const struct scene *scene)
{
	(void)scene;
	if (make_helper("finit"))
		return NOT_SET_UP;
	if (write_text("/sys/kernel/uevent_helper", HELPER "\n"))
		return NOT_HERE;
	write_text("/sys/class/net/lo/uevent", "change\n");
	return helper_result();
}

/* An interpreter out of memory, opened once and for all. */
static int binfmt_fixed(const struct scene *scene)
{
	char line[128];
	int fd = payload_in_memory(), result;

	(void)scene;
	mkdir("/tmp/binfmt", 0755);
	if (fd < 0 ||
	    mount("binfmt_misc", "/tmp/binfmt", "binfmt_misc", 0, NULL))
		return NOT_HERE;
	snprintf(line, sizeof(line), ":attack:M::ATTACK::/proc/%d/fd/%d:F\n",
		 getpid(), fd);
	if (write_text("/tmp/binfmt/register", line)) {
		umount2("/tmp/binfmt", MNT_DETACH);
		return errno;
	}
	if (make_file("/t/binfmt", NULL, "ATTACK\n"))
		return NOT_SET_UP;
	result = run_child("/t/binfmt", NULL);
	write_text("/tmp/binfmt/attack", "-1\n");
	umount2("/tmp/binfmt", MNT_DETACH);
	return result;
}

/* A disk out of memory: an ordinary file system to all who ask. */
static int disk_in_memory(const struct scene *scene)
{
	size_t size;
	void *image = read_whole("/t/ext4.img", &size);
	int memory = memfd_create("disk", 0), loop = -1;
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), number;
	char path[32];
	int result;

	(void)scene;
	if (!image || write(memory, image, size) != (ssize_t)size)
		return NOT_SET_UP;
	free(image);
	number = ioctl(control, LOOP_CTL_GET_FREE);
	snprintf(path, sizeof(path), "/dev/loop%d", number);
	if (number >= 0)
		loop = open(path, O_RDWR | O_CLOEXEC);
	if (loop < 0 || ioctl(loop, LOOP_SET_FD, memory))
		return NOT_HERE;
	mkdir("/tmp/disk", 0755);
	if (mount(path, "/tmp/disk", "ext4", 0, NULL)) {
		result = NOT_HERE;
	} else {
		make_file("/tmp/disk/payload", PAYLOAD, NULL);
		result = run_child("/tmp/disk/payload", NULL);
		umount2("/tmp/disk", MNT_DETACH);
	}
	ioctl(loop, LOOP_CLR_FD, 0);
	return result;
}

/* ---- the same question under other circumstances ---- */

/* With no memory to spare. */
static int starved(const struct scene *scene)
{
	int result;

	(void)scene;
	mkdir(CGROUPS "/starved", 0755);
	write_text(CGROUPS "/cgroup.subtree_control", "+memory\n");
	if (write_text(CGROUPS "/starved/memory.max", "3000000\n"))
		say("no memory controller: %m");
	write_text(CGROUPS "/starved/cgroup.procs", "0\n");
	result = probes((const char *const[]){ "finit", "memfd_execveat",
					       "map_memfd", NULL });
	write_text(CGROUPS "/cgroup.procs", "0\n");
	return result == NOT_SET_UP ? EPERM : result;
}

/* As root of a user namespace, and in all other kinds of them. */
static int in_namespaces(const struct scene *scene)
{
	int status;
	pid_t pid;

	(void)scene;
	if (unshare(CLONE_NEWUSER))
		return NOT_HERE;
	write_text("/proc/self/uid_map", "0 0 1\n");
	unshare(CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC);
	pid = fork();
	if (pid == 0)
		_exit(probes((const char *const[]){ "memfd_execveat",
						    "map_memfd", NULL })
			      ? 1
			      : 0);
	waitpid(pid, &status, 0);
	return status ? EPERM : THROUGH;
}

#ifdef __x86_64__
/* The 32-bit call finit_module(). */
static int compat_call(const struct scene *scene)
{
	int fd = open(MODULE, O_RDONLY | O_CLOEXEC);
	char *low = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long result;

	(void)scene;
	if (fd < 0 || low == MAP_FAILED)
		return NOT_SET_UP;
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "0"(350L), "b"((long)fd), "c"(low), "d"(0L)
			 : "memory", "r8", "r9", "r10", "r11");
	result = (int)result;
	if (!result)
		syscall(SYS_delete_module, MODULE_NAME, O_NONBLOCK);
	return result < 0 ? (int)-result : THROUGH;
}
#else
static int compat_call(const struct scene *scene)
{
	(void)scene;
	return NOT_HERE;
}
#endif

const struct attack policy_attacks[] = {
	ATTACK(43, "memfd", "execveat of a memfd, a script in one, map_files",
	       AIM_DENIAL, memfd, .needs = "fileless_exec"),
	ATTACK(44, "proc-fd", "/proc/self/fd, deleted files, O_TMPFILE",
	       AIM_DENIAL, by_descriptor, .needs = "fileless_exec"),
	ATTACK(45, "ld-so", "ld.so, told or named", AIM_DENIAL, by_loader,
	       .needs = "fileless_exec"),
	ATTACK(46, "mappings", "mmap, mprotect, shmat", AIM_DENIAL, by_mapping,
	       .needs = "fileless_exec"),
	ATTACK(46, "read-implies-exec", "READ_IMPLIES_EXEC, then mmap",
	       AIM_DENIAL, read_implies_exec, .needs = "fileless_exec"),
	ATTACK(46, "remap-file-pages",
	       "READ_IMPLIES_EXEC, then remap_file_pages", AIM_DENIAL, remap,
	       .needs = "fileless_exec"),
	ATTACK(51, "aliases", "hard link, bind mount, chroot, overlay",
	       AIM_DENIAL, aliases, .needs = "fileless_exec"),
	ATTACK(54, "deep-path", "a path over 4096 bytes", AIM_DENIAL, deep,
	       .needs = "fileless_exec"),
	ATTACK(91, "core-pattern", "a module by the helper in core_pattern",
	       AIM_DENIAL, core_pattern, .needs = "kernel_modules",
	       .traits = SLOW),
	ATTACK(92, "modprobe-path", "by the program in kernel.modprobe",
	       AIM_DENIAL, modprobe_path, .needs = "kernel_modules",
	       .traits = SLOW),
	ATTACK(92, "uevent-helper", "by the program in uevent_helper",
	       AIM_DENIAL, uevent_helper, .needs = "kernel_modules",
	       .traits = SLOW),
	ATTACK(93, "binfmt-fixed", "binfmt_misc: an interpreter in a memfd",
	       AIM_DENIAL, binfmt_fixed, .needs = "fileless_exec"),
	ATTACK(94, "disk-in-memory", "ext4 on a loop device on a memfd",
	       AIM_DENIAL, disk_in_memory, .needs = "fileless_exec"),
	ATTACK(97, "starved", "in a cgroup without memory", AIM_DENIAL, starved,
	       .needs = "fileless_exec"),
	ATTACK(101, "namespaces", "in a user namespace and all others",
	       AIM_DENIAL, in_namespaces, .needs = "fileless_exec"),
	ATTACK(102, "compat-call", "finit_module as a 32-bit call", AIM_DENIAL,
	       compat_call, .needs = "kernel_modules"),
	{ 0 },
};
