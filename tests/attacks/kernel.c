/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel itself: the switch that has it call no program, and ways to change
 * or replace it.  The latter are what the policy denies, so that their control
 * is a machine without it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack.h"
#include "uring.h"
#ifdef __x86_64__
#include <sys/io.h>
#endif

#define CGROUPS "/sys/fs/cgroup"

static int opened_before = -1;

static int is_off(void)
{
	return read_number(FTRACE_ENABLED) == 0 ? THROUGH : EPERM;
}

/* A number can be written in many ways, and the guard reads none of them. */
static int switch_off(const struct scene *scene)
{
	static const char *const zeros[] = { "0",    "0\n",	 "00",	"0x0",
					     "-0",   " 0",	 "\t0", "0 ",
					     "0\t1", "00000000", "0\n1" };
	char padded[4100];

	(void)scene;
	for (size_t i = 0; i < sizeof(zeros) / sizeof(*zeros); i++) {
		write_text(FTRACE_ENABLED, zeros[i]);
		if (is_off() == THROUGH) {
			say("by \"%s\"", zeros[i]);
			return THROUGH;
		}
	}
	for (size_t size = 8; size < sizeof(padded); size *= 2) {
		memset(padded, ' ', size);
		padded[size - 1] = '0';
		padded[size] = '\0';
		write_text(FTRACE_ENABLED, padded);
		if (is_off() == THROUGH) {
			say("behind %zu blanks", size);
			return THROUGH;
		}
	}
	return is_off();
}

/* With writes that count from wherever the file is. */
static int switch_off_at(const struct scene *scene)
{
	int fd = open(FTRACE_ENABLED, O_WRONLY | O_CLOEXEC);

	(void)scene;
	write_text("/proc/sys/kernel/sysctl_writes_strict", "-1\n");
	(void)!pwrite(fd, "0\n", 2, 1);
	(void)!pwrite(fd, "0\n", 2, 0);
	(void)!pwrite(fd, "0\n", 2, 4096);
	close(fd);
	return is_off();
}

static int second_procfs(const struct scene *scene)
{
	(void)scene;
	mkdir("/tmp/proc", 0755);
	if (mount("proc", "/tmp/proc", "proc", 0, NULL))
		return NOT_SET_UP;
	write_text("/tmp/proc/sys/kernel/ftrace_enabled", "0\n");
	umount2("/tmp/proc", MNT_DETACH);
	return is_off();
}

static int open_before(const struct scene *scene)
{
	(void)scene;
	opened_before = open(FTRACE_ENABLED, O_RDWR | O_CLOEXEC);
	return opened_before < 0 ? NOT_SET_UP : 0;
}

static int fd_from_before(const struct scene *scene)
{
	(void)scene;
	(void)!write(opened_before, "0\n", 2);
	(void)!pwrite(opened_before, "0\n", 2, 0);
	return is_off();
}

static int by_uring(bool polled)
{
	struct io_uring_sqe operation = {
		.opcode = IORING_OP_WRITE,
		.fd = open(FTRACE_ENABLED, O_WRONLY | O_CLOEXEC),
		.addr = (uintptr_t) "0\n",
		.len = 2,
	};
	int result = uring_do(&operation, polled);

	say("io_uring: %d", result);
	return is_off();
}

static int uring(const struct scene *scene)
{
	(void)scene;
	return by_uring(false);
}

static int uring_polled(const struct scene *scene)
{
	(void)scene;
	return by_uring(true);
}

static int by_other_calls(const struct scene *scene)
{
	int fd = open(FTRACE_ENABLED, O_WRONLY | O_CLOEXEC);
	int file = open("/t/zero", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct iovec vector = { "0\n", 2 };
	struct iocb block = { .aio_lio_opcode = IOCB_CMD_PWRITE,
			      .aio_fildes = (uint32_t)fd,
			      .aio_buf = (uintptr_t) "0\n",
			      .aio_nbytes = 2 };
	struct iocb *blocks[] = { &block };
	aio_context_t context = 0;
	int ends[2];

	(void)scene;
	(void)!writev(fd, &vector, 1);
	(void)!write(file, "0\n", 2);
	(void)!sendfile(fd, file, &(off_t){ 0 }, 2);
	if (!pipe2(ends, O_CLOEXEC) && write(ends[1], "0\n", 2) == 2)
		(void)!splice(ends[0], NULL, fd, NULL, 2, 0);
	if (!syscall(SYS_io_setup, 1, &context))
		syscall(SYS_io_submit, context, 1L, blocks);
	usleep(100000);
	return is_off();
}

/* A task of a cgroup below, in namespaces of its own. */
static int from_cgroup(const struct scene *scene)
{
	pid_t pid;

	(void)scene;
	mkdir(CGROUPS "/attack", 0755);
	mkdir(CGROUPS "/attack/below", 0755);
	write_text(CGROUPS "/attack/below/cgroup.procs", "0\n");
	if (unshare(CLONE_NEWCGROUP | CLONE_NEWPID | CLONE_NEWNET |
		    CLONE_NEWNS))
		return NOT_SET_UP;
	pid = fork();
	if (pid == 0) {
		write_text(FTRACE_ENABLED, "0\n");
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	return is_off();
}

/* The hierarchy that the program hangs on, mounted or not. */
static int without_cgroup2(const struct scene *scene)
{
	(void)scene;
	umount2(CGROUPS, MNT_DETACH);
	write_text(FTRACE_ENABLED, "0\n");
	return is_off();
}

/* ---- what the policy denies ---- */

static int probe(const char *name)
{
	int result = canary_try(name, false);

	if (result == RESULT_SETUP)
		return NOT_HERE;
	return result;
}

static int either(const char *one, const char *other)
{
	int result = probe(one);

	return result ? probe(other) : result;
}

static int finit_module_(const struct scene *scene)
{
	(void)scene;
	return either("finit", "finit_unsigned");
}

static int finit_compressed(const struct scene *scene)
{
	(void)scene;
	return probe("finit_compressed");
}

static int init_module_(const struct scene *scene)
{
	(void)scene;
	return probe("init");
}

static int autoload(const struct scene *scene)
{
	(void)scene;
	return either("autoload_family", "autoload_link");
}

/* Loads nothing: without segments it takes back what was loaded. */
static int kexec(const struct scene *scene)
{
	(void)scene;
	return probe("kexec_data");
}

static int open_for_writing(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	int error = errno;

	if (fd >= 0)
		close(fd);
	return fd < 0 ? (error == ENOENT || error == ENXIO ? NOT_HERE : error)
		      : THROUGH;
}

static int open_node(const char *path, unsigned minor)
{
	int result;

	if (mknod(path, S_IFCHR | 0600, makedev(1, minor)))
		return NOT_SET_UP;
	result = open_for_writing(path);
	unlink(path);
	return result;
}

static int dev_mem(const struct scene *scene)
{
	(void)scene;
	return open_for_writing("/dev/mem");
}

static int dev_port(const struct scene *scene)
{
	(void)scene;
	return open_for_writing("/dev/port");
}

static int dev_mem_copy(const struct scene *scene)
{
	int mem = open_node("/t/mem", 1), port = open_node("/t/port", 4);

	(void)scene;
	return mem == THROUGH || port == NOT_HERE ? mem : port;
}

static int dev_mem_polled(const struct scene *scene)
{
	struct io_uring_sqe operation = {
		.opcode = IORING_OP_OPENAT,
		.fd = AT_FDCWD,
		.addr = (uintptr_t) "/dev/mem",
		.open_flags = O_RDWR,
	};
	int result = uring_do(&operation, true);

	(void)scene;
	return result < 0 ? -result : THROUGH;
}

#ifdef __x86_64__
static int io_ports(const struct scene *scene)
{
	(void)scene;
	if (!ioperm(0x80, 1, 1))
		return THROUGH;
	return iopl(3) ? errno : THROUGH;
}

/* What it is, it becomes again. */
static int msr(const struct scene *scene)
{
	int fd = open("/dev/cpu/0/msr", O_RDWR | O_CLOEXEC);
	uint64_t value;
	int result = NOT_HERE;

	(void)scene;
	if (fd >= 0 && pread(fd, &value, 8, 0xc0000102) == 8)
		result = pwrite(fd, &value, 8, 0xc0000102) == 8 ? THROUGH
								: errno;
	if (fd >= 0)
		close(fd);
	return result;
}
#else
static int io_ports(const struct scene *scene)
{
	(void)scene;
	return NOT_HERE;
}

static int msr(const struct scene *scene)
{
	(void)scene;
	return NOT_HERE;
}
#endif

static int pci_config(const struct scene *scene)
{
	int fd = open("/sys/bus/pci/devices/0000:00:01.0/config",
		      O_RDWR | O_CLOEXEC);
	uint16_t value;
	int result;

	(void)scene;
	if (fd < 0)
		return errno == ENOENT ? NOT_HERE : errno;
	if (pread(fd, &value, 2, 4) != 2)
		return NOT_SET_UP;
	result = pwrite(fd, &value, 2, 4) == 2 ? THROUGH : errno;
	close(fd);
	return result;
}

static int tracefs(const struct scene *scene)
{
	(void)scene;
	return open_for_writing("/sys/kernel/tracing/kprobe_events");
}

static int debugfs(const struct scene *scene)
{
	int result =
		open_for_writing("/sys/kernel/debug/dynamic_debug/control");

	(void)scene;
	if (result != NOT_HERE)
		return result;
	return open_for_writing("/sys/kernel/debug/clear_warn_once");
}

static int hibernate(const struct scene *scene)
{
	(void)scene;
	return write_text("/sys/power/disk", "shutdown\n") ? errno : THROUGH;
}

const struct attack kernel_attacks[] = {
	ATTACK(32, "ftrace-off",
	       "0 into kernel.ftrace_enabled, in 20 spellings", AIM_CALL,
	       switch_off),
	ATTACK(32, "ftrace-off-at", "the same at other offsets", AIM_CALL,
	       switch_off_at),
	ATTACK(33, "ftrace-second-proc", "the same through a second procfs",
	       AIM_CALL, second_procfs),
	ATTACK(33, "ftrace-fd", "through a descriptor from before the seal",
	       AIM_CALL, fd_from_before, .traits = EARLY,
	       .before = open_before),
	ATTACK(33, "ftrace-uring", "through io_uring", AIM_CALL, uring),
	ATTACK(53, "ftrace-sqpoll", "through io_uring's own thread (SQPOLL)",
	       AIM_CALL, uring_polled),
	ATTACK(33, "ftrace-splice", "through splice, sendfile, writev, aio",
	       AIM_CALL, by_other_calls),
	ATTACK(79, "ftrace-cgroup",
	       "from a nested cgroup in namespaces of its own", AIM_CALL,
	       from_cgroup),
	ATTACK(79, "ftrace-no-cgroup2", "with cgroup v2 unmounted", AIM_CALL,
	       without_cgroup2),
	ATTACK(34, "finit-module", "finit_module", AIM_DENIAL, finit_module_,
	       .needs = "kernel_modules"),
	ATTACK(34, "finit-compressed", "finit_module of a compressed file",
	       AIM_DENIAL, finit_compressed, .needs = "kernel_modules"),
	ATTACK(35, "init-module", "init_module", AIM_DENIAL, init_module_,
	       .needs = "kernel_modules"),
	ATTACK(36, "autoload", "a socket of a family without its module",
	       AIM_DENIAL, autoload, .needs = "kernel_modules"),
	ATTACK(37, "kexec", "kexec_load", AIM_DENIAL, kexec,
	       .needs = "kernel_image"),
	ATTACK(38, "dev-mem", "/dev/mem", AIM_DENIAL, dev_mem,
	       .needs = "kernel_image"),
	ATTACK(38, "dev-port", "/dev/port", AIM_DENIAL, dev_port,
	       .needs = "kernel_image"),
	ATTACK(38, "dev-mem-copy", "other nodes of the same devices",
	       AIM_DENIAL, dev_mem_copy, .needs = "kernel_image"),
	ATTACK(53, "dev-mem-sqpoll", "/dev/mem opened by io_uring's own thread",
	       AIM_DENIAL, dev_mem_polled, .needs = "kernel_image"),
	ATTACK(39, "io-ports", "ioperm, iopl", AIM_DENIAL, io_ports,
	       .needs = "kernel_image"),
	ATTACK(39, "msr", "writing an MSR", AIM_DENIAL, msr,
	       .needs = "kernel_image"),
	ATTACK(39, "pci-config", "writing PCI configuration", AIM_DENIAL,
	       pci_config, .needs = "kernel_image"),
	ATTACK(40, "tracefs", "kprobe_events in tracefs", AIM_DENIAL, tracefs,
	       .needs = "kernel_secrets"),
	ATTACK(40, "debugfs", "a file of debugfs, for writing", AIM_DENIAL,
	       debugfs, .needs = "kernel_image"),
	ATTACK(41, "hibernate", "choosing how to hibernate", AIM_DENIAL,
	       hibernate, .needs = "kernel_image"),
	{ 0 },
};
