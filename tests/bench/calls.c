/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * calls [-a PROGRAM]... SAMPLES CALL...
 * calls -r SAMPLES UNDO COMMAND...
 *
 * What a call costs, in a guest whose time stamp counter counts instructions
 * (QEMU's -icount).  Each is made SAMPLES times and counted alone, so that a
 * timer tick spoils one sample and no mean; a line a call has its name, the
 * least, the lowest tenth and the median of them, and how it ended (0 or an
 * errno).  With -a a pinned LSM program is attached for as long.
 *
 * With -r it is a whole command, and `sh -c UNDO` is run behind each sample.
 * What counts there is the processor's time of it and of its children, not
 * what it waits for: the line has that, in thousands, in the same form.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#define PAGE	    4096
#define TOO_LARGE   0x7ffff000UL /* bytes, for a guest */
#define MAX_SAMPLES 10000
#define STARTED	    "--started" /* this program, as a call executes it */

/* What the calls are made on; prepared before any is counted. */
static struct {
	int pipe[2];	   /* what was executed says when, in here */
	int no_module;	   /* a file that is larger than memory */
	int own_uts;	   /* the namespace that this process is in */
	int scratch;	   /* on tmpfs */
	int memory;	   /* a memfd: this program */
	int disk;	   /* a file that is in place: this program too */
	int socket;	   /* of UDP, on IPv4 */
	void *memory_page; /* mapped from these two, */
	void *disk_page;   /* without PROT_EXEC */
	volatile uint64_t begin, end; /* set by a child that shares memory */
	volatile int child_error;
} state;

/* A call counts its samples itself where the end is not its return: then it
 * sets .end.  Undoing is not counted. */
struct call {
	const char *name;
	long (*make)(void);
	void (*undo)(long result);
};

static void close_result(long result)
{
	if (result >= 0)
		close((int)result);
}

static void unmap_result(long result)
{
	if (result != -1)
		munmap((void *)result, PAGE);
}

static long call_getppid(void)
{
	return syscall(SYS_getppid);
}

static long call_open(void)
{
	return syscall(SYS_openat, AT_FDCWD, "/disk/calls", O_RDONLY, 0);
}

static long call_read(void)
{
	char byte;

	return syscall(SYS_pread64, state.disk, &byte, 1, 0);
}

static long call_write(void)
{
	return syscall(SYS_pwrite64, state.scratch, "x", 1, 0);
}

static long call_stat(void)
{
	struct stat found;

	return syscall(SYS_newfstatat, AT_FDCWD, "/disk/calls", &found, 0);
}

/* To the end of the child, which does nothing. */
static long call_fork(void)
{
	pid_t child = fork();

	if (!child)
		_exit(0);
	return child < 0 ? -1 : waitpid(child, NULL, 0);
}

/* From the system call to the first instruction of main() in the program, or
 * to its return where it failed. */
static long execute(int fd, const char *path, int flags)
{
	char *argv[] = { "calls", STARTED, NULL }, *envp[] = { NULL };
	int status;
	pid_t child;

	state.child_error = 0;
	child = vfork();
	if (!child) {
		state.begin = __rdtsc();
		syscall(SYS_execveat, fd, path, argv, envp, flags);
		state.end = __rdtsc();
		state.child_error = errno;
		_exit(1);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return -1;
	if (state.child_error) {
		errno = state.child_error;
		return -1;
	}
	if (read(state.pipe[0], (void *)&state.end, sizeof(state.end)) !=
	    sizeof(state.end))
		return -1;
	return 0;
}

static long call_exec(void)
{
	return execute(AT_FDCWD, "/disk/calls", 0);
}

static long call_exec_memfd(void)
{
	return execute(state.memory, "", AT_EMPTY_PATH);
}

static long map(int fd)
{
	return (long)mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd,
			  0);
}

static long call_mmap(void)
{
	return map(state.disk);
}

static long call_mmap_memfd(void)
{
	return map(state.memory);
}

static long call_mprotect(void)
{
	return mprotect(state.disk_page, PAGE, PROT_READ | PROT_EXEC);
}

static void undo_mprotect(long result)
{
	(void)result;
	mprotect(state.disk_page, PAGE, PROT_READ);
}

static long call_mprotect_memfd(void)
{
	return mprotect(state.memory_page, PAGE, PROT_READ | PROT_EXEC);
}

static void undo_mprotect_memfd(long result)
{
	(void)result;
	mprotect(state.memory_page, PAGE, PROT_READ);
}

/* Both are refused behind the hook, for want of memory: nothing is allocated,
 * which would not always cost the same. */
static long call_finit_module(void)
{
	return syscall(SYS_finit_module, state.no_module, "", 0);
}

static long call_init_module(void)
{
	return syscall(SYS_init_module, &state, TOO_LARGE, "");
}

/* A map of no type: refused behind the hook. */
static long call_map_create(void)
{
	union bpf_attr attr = { 0 };

	return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
}

/* Opening ends with the hook, but for what the file itself costs. */
static long call_open_dev_mem(void)
{
	return open("/dev/mem", O_RDONLY | O_CLOEXEC);
}

static long call_open_kcore(void)
{
	return open("/proc/kcore", O_RDONLY | O_CLOEXEC);
}

static long call_open_sysfs(void)
{
	return open("/sys/kernel/rcu_expedited", O_WRONLY | O_CLOEXEC);
}

/* It is in that one already. */
static long call_setns_own(void)
{
	return setns(state.own_uts, CLONE_NEWUTS);
}

/* Of no protocol: refused behind the hook, as are the next four. */
static long call_socket_raw(void)
{
	return socket(AF_INET, SOCK_RAW, INT32_MAX);
}

static long call_bind_other(void)
{
	const struct sockaddr_in nobody = { .sin_family = AF_INET,
					    .sin_addr.s_addr = 0x010200c0 };

	return bind(state.socket, (const struct sockaddr *)&nobody,
		    sizeof(nobody));
}

static long call_listen_datagram(void)
{
	return listen(state.socket, 1);
}

/* Where no route leads: refused behind the hook. */
static long call_connect_far(void)
{
	const struct sockaddr_in far = { .sin_family = AF_INET,
					 .sin_port = 0x0900,
					 .sin_addr.s_addr = 0x096433c6 };

	return connect(state.socket, (const struct sockaddr *)&far,
		       sizeof(far));
}

/* An address of IPv6, to a socket of IPv4. */
static const struct sockaddr_in6 of_ipv6 = { .sin6_family = AF_INET6 };

static long call_connect_other(void)
{
	return connect(state.socket, (const struct sockaddr *)&of_ipv6,
		       sizeof(of_ipv6));
}

static long call_sendto_other(void)
{
	return sendto(state.socket, "", 1, 0, (const struct sockaddr *)&of_ipv6,
		      sizeof(of_ipv6));
}

static const struct call calls[] = {
	{ "getppid", call_getppid, NULL },
	{ "open", call_open, close_result },
	{ "read", call_read, NULL },
	{ "write", call_write, NULL },
	{ "stat", call_stat, NULL },
	{ "fork", call_fork, NULL },
	{ "exec", call_exec, NULL },
	{ "mmap", call_mmap, unmap_result },
	{ "mprotect", call_mprotect, undo_mprotect },
	{ "exec_memfd", call_exec_memfd, NULL },
	{ "mmap_memfd", call_mmap_memfd, unmap_result },
	{ "mprotect_memfd", call_mprotect_memfd, undo_mprotect_memfd },
	{ "finit_module", call_finit_module, NULL },
	{ "init_module", call_init_module, NULL },
	{ "map_create", call_map_create, NULL },
	{ "open_dev_mem", call_open_dev_mem, close_result },
	{ "open_kcore", call_open_kcore, close_result },
	{ "open_sysfs", call_open_sysfs, close_result },
	{ "setns_own", call_setns_own, NULL },
	{ "socket_raw", call_socket_raw, close_result },
	{ "bind_other", call_bind_other, NULL },
	{ "listen_datagram", call_listen_datagram, NULL },
	{ "connect_far", call_connect_far, NULL },
	{ "connect_other", call_connect_other, NULL },
	{ "sendto_other", call_sendto_other, NULL },
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int copy_to(int to)
{
	static char program[1 << 20];
	int self = open("/disk/calls", O_RDONLY | O_CLOEXEC);
	ssize_t len = read(self, program, sizeof(program));

	close(self);
	return len > 0 && write(to, program, (size_t)len) == len;
}

static void prepare(void)
{
	int file = open("/tmp/no-module", O_RDWR | O_CREAT | O_TRUNC, 0600);
	char path[32];

	if (file < 0 || ftruncate(file, TOO_LARGE))
		fail("/tmp/no-module");
	close(file); /* one that is open for writing is never read as one */
	state.no_module = open("/tmp/no-module", O_RDONLY | O_CLOEXEC);
	state.scratch =
		open("/tmp/scratch", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	state.disk = open("/disk/calls", O_RDONLY | O_CLOEXEC);
	state.own_uts = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
	if (state.no_module < 0 || state.scratch < 0 || state.disk < 0 ||
	    state.own_uts < 0)
		fail("/disk/calls");
	file = memfd_create("calls", MFD_CLOEXEC);
	if (file < 0 || !copy_to(file))
		fail("memfd");
	/* ETXTBSY: a file that somebody may write cannot be executed. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	state.memory = open(path, O_RDONLY | O_CLOEXEC);
	close(file);
	state.socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	state.memory_page =
		mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, state.memory, 0);
	state.disk_page =
		mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, state.disk, 0);
	if (state.memory_page == MAP_FAILED || state.disk_page == MAP_FAILED ||
	    pipe(state.pipe) || dup2(state.pipe[1], 9) != 9)
		fail("preparing");
}

static void attach(const char *path)
{
	union bpf_attr get = { .pathname = (uintptr_t)path };
	union bpf_attr open = { 0 };
	long program = syscall(SYS_bpf, BPF_OBJ_GET, &get, sizeof(get));

	if (program < 0)
		fail(path);
	open.raw_tracepoint.prog_fd = (uint32_t)program;
	if (syscall(SYS_bpf, BPF_RAW_TRACEPOINT_OPEN, &open, sizeof(open)) < 0)
		fail(path);
}

static int ascending(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

static void print(const char *name, uint64_t *samples, size_t count, int error)
{
	qsort(samples, count, sizeof(*samples), ascending);
	printf("%s %llu %llu %llu %d\n", name, (unsigned long long)samples[0],
	       (unsigned long long)samples[count / 10],
	       (unsigned long long)samples[count / 2], error);
}

static uint64_t sample(const struct call *call, int *error)
{
	uint64_t begin, end;
	long result;

	state.begin = state.end = 0;
	errno = 0;
	begin = __rdtsc();
	result = call->make();
	end = __rdtsc();
	*error = result == -1 ? errno : 0;
	if (call->undo)
		call->undo(result);
	return state.end ? state.end - state.begin : end - begin;
}

static void measure(const char *name, size_t count)
{
	static uint64_t samples[MAX_SAMPLES];
	int error = 0;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(calls[i].name, name))
			continue;
		for (size_t run = 0; run < count; run++)
			samples[run] = sample(&calls[i], &error);
		print(name, samples, count, error);
		return;
	}
	fprintf(stderr, "calls: there is no call %s\n", name);
	exit(2);
}

static uint64_t microseconds(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}

static int run(char **command, uint64_t *spent)
{
	struct rusage usage;
	int status, null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	pid_t child = vfork();

	if (!child) {
		dup2(null, STDOUT_FILENO);
		execv(command[0], command);
		_exit(127);
	}
	close(null);
	if (child < 0 || wait4(child, &status, 0, &usage) < 0)
		return -1;
	*spent = microseconds(&usage.ru_utime) + microseconds(&usage.ru_stime);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int measure_command(size_t count, char *undo, char **command)
{
	char *undoing[] = { "/bin/sh", "-c", undo, NULL };
	static uint64_t samples[MAX_SAMPLES];
	uint64_t unused;

	for (size_t i = 0; i < count; i++)
		if (run(command, &samples[i]) || run(undoing, &unused))
			return 1;
	print("command", samples, count, 0);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t now = __rdtsc();
	size_t count;

	if (argc == 2 && !strcmp(argv[1], STARTED))
		return write(9, &now, sizeof(now)) != sizeof(now);
	if (argc > 4 && !strcmp(argv[1], "-r"))
		return measure_command(strtoul(argv[2], NULL, 10), argv[3],
				       argv + 4);
	prepare();
	for (; argc > 2 && !strcmp(argv[1], "-a"); argc -= 2, argv += 2)
		attach(argv[2]);
	count = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
	if (!count || count > MAX_SAMPLES)
		return 2;
	for (int i = 2; i < argc; i++)
		measure(argv[i], count);
	return 0;
}
