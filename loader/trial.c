/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each comes to without a policy, as the kernel does it:
 *
 * - init_module asks before it copies the module, and then finds no memory to
 *   copy from; or, for the hook behind, copies a page of zeros, which is no ELF
 *   file.  finit_module finds that its file is none.
 * - fsopen of a file system that there is not has the kernel ask for its
 * module.
 * - bpf() asks before it looks at what the command is about, which here is
 *   nothing.  A program that calls bpf_probe_write_user with arguments that it
 *   does not have is refused, but only once it may call it.
 * - execveat of a text that no program is finds no format for it.  An exec that
 *   succeeds is one of this program, which then only says its version.
 * - A namespace that is made is gone again with the process that is in it; the
 *   one that is entered is that of who enters it.
 * - kexec_load asks before it looks at its flags, kexec_file_load before it
 *   finds that the file is no kernel, and perf_event_open before it looks for
 *   the cgroup.  Opening /dev/mem or /proc/kcore does nothing yet.
 * - A file of sysfs that is only opened for writing stays as it is.
 * - socket() asks before the family finds that it has no such type or protocol,
 *   and before one that nobody has is looked for.  Of an IPv4 socket, UDP does
 *   not listen, nobody here has the documentation's address, and an address of
 *   IPv6 is none that it can connect or send to.  SCTP finds no address in
 *   zeros.
 *
 * The files are memfds, or without a name on a tmpfs that is mounted nowhere.
 */
#include "loader/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/kexec.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loader/cleanup.h"
#include "loader/mount.h"
#include "loader/read.h"
#include "loader/reasons.h"
#include "loader/stand_in.h"

#define MASK(protection, operation) \
	(UINT64_C(1) << OP_BIT(protection, operation))

#define TEXT_MAX       4096
#define MODPROBE       "/proc/sys/kernel/modprobe"
#define KEXEC_DISABLED "/proc/sys/kernel/kexec_load_disabled"
#define NO_KEXEC_FLAG  0x8000UL
#define MEMFD_EXEC     0x10U  /* MFD_EXEC, 6.3 */
#define PAGE	       4096UL /* at least; what is mapped need not be there */
#define SCRIPT	       "#!/" STAND_IN_NAME "\n"
#define NOT_A_FORMAT   STAND_IN_NAME "\n"
#define NO_PROTOCOL    INT32_MAX
#define NO_ADDRESS     0xc0000201U /* 192.0.2.1: no machine has it */
#define PACKETS	       "/proc/net/packet"
#define SCTP	       "/proc/net/sctp/eps"
#define SCTP_CONNECTX  110 /* SCTP_SOCKOPT_CONNECTX */

static int error_of(long result)
{
	return result < 0 ? errno : 0;
}

/* ---- files in memory ---- */

/* Of what @made is, for reading alone: a file that somebody may write is not
 * executed, and no module.  @made is closed. */
static int fill(int made, const char *text)
{
	CLEANUP(close_fd) int fd = made;
	char path[64];
	int filled;

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	filled = open(path, O_RDONLY | O_CLOEXEC);
	return filled < 0 ? -errno : filled;
}

static int make_memfd(const char *text)
{
	int fd = memfd_create(STAND_IN_NAME, MFD_CLOEXEC | MEMFD_EXEC);

	if (fd < 0)
		fd = memfd_create(STAND_IN_NAME, MFD_CLOEXEC);
	return fill(fd, text);
}

static int make_unlinked_shm(const char *text)
{
	CLEANUP(close_fd) int mount = mount_detached("tmpfs");

	if (mount < 0)
		return mount;
	return fill(openat(mount, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0700),
		    text);
}

/* ---- kernel_modules ---- */

static int run_finit_module(const struct trial *trial)
{
	CLEANUP(close_fd) int fd = make_memfd(NOT_A_FORMAT);

	(void)trial;
	return fd < 0 ? fd : error_of(syscall(SYS_finit_module, fd, "", 0));
}

static int run_init_module(const struct trial *trial)
{
	(void)trial;
	return error_of(syscall(SYS_init_module, NULL, PAGE, ""));
}

/* A kernel that takes signed modules alone does not ask; nor one that takes
 * all, and has no such file. */
static int run_unsigned_module(const struct trial *trial)
{
	CLEANUP(free_memory) char *zeros = calloc(1, PAGE);
	CLEANUP(free_memory) char *text = NULL;
	int err = read_text(REASONS_SIG_ENFORCE, TEXT_MAX, &text);

	(void)trial;
	if (err || *text != 'N' || !zeros)
		return -EOPNOTSUPP;
	return error_of(syscall(SYS_init_module, zeros, PAGE, ""));
}

/* With no program to ask, the kernel asks for no module. */
static int run_autoload(const struct trial *trial)
{
	CLEANUP(free_memory) char *text = NULL;
	CLEANUP(close_fd) int fd = -1;
	int err = read_text(MODPROBE, TEXT_MAX, &text);

	(void)trial;
	if (err || *text != '/')
		return -EOPNOTSUPP;
	fd = fsopen(STAND_IN_NAME, FSOPEN_CLOEXEC);
	return error_of(fd);
}

static int run_delete_module(const struct trial *trial)
{
	(void)trial;
	return error_of(syscall(SYS_delete_module, STAND_IN_NAME, O_NONBLOCK));
}

/* ---- bpf ---- */

struct numbered {
	uint8_t number;
	uint8_t operation; /* bit */
};

static const struct numbered commands[] = {
#define COMMAND(number, name, operation) { number, OP_BIT(bpf, operation) },
#include "bpf/bpf_commands.def"
};

static const struct numbered types[] = {
#define PROGRAM_TYPE(number, name, operation) \
	{ number, OP_BIT(bpf, operation) },
#include "bpf/bpf_commands.def"
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* The first command that is that operation, or the first type of program. */
static int run_bpf(const struct trial *trial)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	for (size_t i = 0; i < COUNT(commands); i++) {
		if (UINT64_C(1) << commands[i].operation != trial->operations ||
		    commands[i].number == BPF_PROG_LOAD)
			continue;
		return error_of(syscall(SYS_bpf, commands[i].number, &attr,
					sizeof(attr)));
	}
	for (size_t i = 0; i < COUNT(types); i++) {
		if (UINT64_C(1) << types[i].operation != trial->operations)
			continue;
		attr.prog_type = types[i].number;
		return error_of(
			syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr)));
	}
	return -EOPNOTSUPP;
}

static int run_bpf_write(const struct trial *trial)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_JMP | BPF_CALL,
		  .imm = BPF_FUNC_probe_write_user },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr;

	(void)trial;
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_KPROBE;
	attr.insns = (uintptr_t)code;
	attr.insn_cnt = COUNT(code);
	attr.license = (uintptr_t) "GPL";
	return error_of(syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr)));
}

/* ---- fileless_exec ---- */

static int execute(int fd)
{
	static char *const arguments[] = { STAND_IN_NAME, NULL };
	static char *const environment[] = { NULL };

	return error_of(syscall(SYS_execveat, fd, "", arguments, environment,
				AT_EMPTY_PATH));
}

static int run_exec_memfd(const struct trial *trial)
{
	CLEANUP(close_fd) int fd = make_memfd(NOT_A_FORMAT);

	(void)trial;
	return fd < 0 ? fd : execute(fd);
}

static int run_exec_shm(const struct trial *trial)
{
	CLEANUP(close_fd) int fd = make_unlinked_shm(NOT_A_FORMAT);

	(void)trial;
	return fd < 0 ? fd : execute(fd);
}

/* Its interpreter is not looked for: it could not open what is closed then. */
static int run_exec_script(const struct trial *trial)
{
	CLEANUP(close_fd) int fd = make_memfd(SCRIPT);

	(void)trial;
	return fd < 0 ? fd : execute(fd);
}

static int run_mmap(const struct trial *trial)
{
	CLEANUP(close_fd) int fd = make_memfd(NOT_A_FORMAT);
	void *pages;

	(void)trial;
	if (fd < 0)
		return fd;
	pages = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	if (pages == MAP_FAILED)
		return errno;
	munmap(pages, PAGE);
	return 0;
}

static int run_mprotect(const struct trial *trial)
{
	CLEANUP(close_fd) int fd = make_memfd(NOT_A_FORMAT);
	void *pages;
	int result;

	(void)trial;
	if (fd < 0)
		return fd;
	pages = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	if (pages == MAP_FAILED)
		return -errno;
	result = error_of(mprotect(pages, PAGE, PROT_READ | PROT_EXEC));
	munmap(pages, PAGE);
	return result;
}

/* ---- trace exec ---- */

/* A child does it, and an event has this process as its parent.  One that fails
 * is no proof: that is told of elsewhere. */
static int run_exec(const struct trial *trial)
{
	static char *const arguments[] = { STAND_IN_NAME, "--version", NULL };
	static char *const environment[] = { NULL };
	pid_t pid = fork();
	int status;

	(void)trial;
	if (pid == 0) {
		execve("/proc/self/exe", arguments, environment);
		_exit(EXIT_FAILURE);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	return status ? -EOPNOTSUPP : 0;
}

/* ---- trace privileged ---- */

/* A child each time: a task's uses that come close upon each other are one
 * event.  What it ends in counts for nothing. */
static int run_in_child(void (*use)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		use();
		_exit(EXIT_SUCCESS);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	return status ? -ECHILD : 0;
}

static void use_chown(void)
{
	int fd = memfd_create(STAND_IN_NAME, MFD_CLOEXEC);

	(void)!fchown(fd, 1, 1);
}

static void use_setuid(void)
{
	(void)!setuid(0);
}

static void use_setgid(void)
{
	(void)!setgid(0);
}

static void use_sys_chroot(void)
{
	(void)!chroot("/");
}

static void use_net_raw(void)
{
	(void)!socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
}

/* Asked before what the name is, or the magic number, which is none. */
static void use_sys_admin(void)
{
	syscall(SYS_sethostname, STAND_IN_NAME, -1);
}

static void use_sys_boot(void)
{
	syscall(SYS_reboot, 0, 0, 0, NULL);
}

static void use_sys_module(void)
{
	syscall(SYS_delete_module, STAND_IN_NAME, O_NONBLOCK);
}

#define USE(name)                                        \
	static int run_##name(const struct trial *trial) \
	{                                                \
		(void)trial;                             \
		return run_in_child(use_##name);         \
	}

USE(chown)
USE(setuid)
USE(setgid)
USE(sys_chroot)
USE(net_raw)
USE(sys_admin)
USE(sys_boot)
USE(sys_module)

/* ---- kernel_image, kernel_secrets ---- */

/* Whoever set that switch is asked before any policy. */
static int check_kexec(void)
{
	CLEANUP(free_memory) char *text = NULL;
	int err = read_text(KEXEC_DISABLED, TEXT_MAX, &text);

	return err || *text != '0' ? -EOPNOTSUPP : 0;
}

static int run_kexec_load(const struct trial *trial)
{
	int err = check_kexec();

	(void)trial;
	return err ? err
		   : error_of(syscall(SYS_kexec_load, 0L, 0L, NULL,
				      NO_KEXEC_FLAG));
}

/* Kernels may be built without it, as Debian's for arm64. */
static int run_kexec_file_load(const struct trial *trial)
{
	CLEANUP(close_fd) int fd = -1;
	int err = check_kexec();

	(void)trial;
	if (err)
		return err;
	fd = make_memfd(NOT_A_FORMAT);
	if (fd < 0)
		return fd;
	err = error_of(syscall(SYS_kexec_file_load, fd, -1, 1L, "",
			       KEXEC_FILE_NO_INITRAMFS));
	return err == ENOSYS ? -EOPNOTSUPP : err;
}

static int open_and_close(const char *path)
{
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 && errno == ENOENT ? -EOPNOTSUPP : error_of(fd);
}

static int run_dev_mem(const struct trial *trial)
{
	(void)trial;
	return open_and_close("/dev/mem");
}

static int run_kcore(const struct trial *trial)
{
	(void)trial;
	return open_and_close("/proc/kcore");
}

/* Of a cgroup's tasks, and no cgroup named. */
static int run_perf(const struct trial *trial)
{
	struct perf_event_attr attr;

	(void)trial;
	memset(&attr, 0, sizeof(attr));
	attr.size = PERF_ATTR_SIZE_VER5;
	attr.type = PERF_TYPE_SOFTWARE;
	attr.config = PERF_COUNT_SW_CPU_CLOCK;
	attr.sample_type = PERF_SAMPLE_REGS_INTR;
	attr.sample_regs_intr = 1;
	attr.exclude_kernel = 1;
	return error_of(syscall(SYS_perf_event_open, &attr, -1, -1, -1,
				PERF_FLAG_PID_CGROUP));
}

/* ---- sysfs ---- */

#define SYSFS(operation) MASK(sysfs, operation)

/* Files that many machines have, and that root may write. */
static const struct {
	uint64_t operations;
	const char *path;
} sysfs_files[] = {
	{ SYSFS(kernel), "kernel/rcu_expedited" },
	{ SYSFS(kernel), "kernel/mm/transparent_hugepage/enabled" },
	{ SYSFS(module), "module/printk/parameters/time" },
	{ SYSFS(bus), "bus/platform/drivers_autoprobe" },
	{ SYSFS(class), "class/net/bonding_masters" },
	{ SYSFS(class), "class/firmware/timeout" },
	{ SYSFS(devices), "devices/platform/uevent" },
	{ SYSFS(firmware), "firmware/acpi/interrupts/sci" },
	{ SYSFS(fs), "fs/xfs/stats/stats_clear" },
	{ SYSFS(power), "power/sync_on_suspend" },
	{ SYSFS(power), "power/pm_async" },
};

/* In a mount of our own: /sys may be read-only here. */
static int run_open_sysfs(const struct trial *trial)
{
	CLEANUP(close_fd) int mount = mount_detached("sysfs");

	if (mount < 0)
		return mount;
	for (size_t i = 0; i < COUNT(sysfs_files); i++) {
		CLEANUP(close_fd) int fd = -1;

		if (sysfs_files[i].operations != trial->operations)
			continue;
		fd = openat(mount, sysfs_files[i].path, O_WRONLY | O_CLOEXEC);
		if (fd >= 0 || errno != ENOENT)
			return error_of(fd);
	}
	return -EOPNOTSUPP;
}

/* ---- namespaces ---- */

static const struct {
	uint64_t operation;
	uint64_t flag;
} created[] = {
	{ MASK(namespaces, user), CLONE_NEWUSER },
	{ MASK(namespaces, pid), CLONE_NEWPID },
	{ MASK(namespaces, net), CLONE_NEWNET },
	{ MASK(namespaces, mnt), CLONE_NEWNS },
	{ MASK(namespaces, uts), CLONE_NEWUTS },
	{ MASK(namespaces, ipc), CLONE_NEWIPC },
	{ MASK(namespaces, cgroup), CLONE_NEWCGROUP },
	{ MASK(namespaces, time), CLONE_NEWTIME },
};

static uint64_t flag_of(const struct trial *trial)
{
	for (size_t i = 0; i < COUNT(created); i++)
		if (created[i].operation == trial->operations)
			return created[i].flag;
	return 0;
}

/* A child with those, as fork() makes one; in it, 0. */
static pid_t clone_with(uint64_t flags)
{
	struct clone_args arguments = { .flags = flags,
					.exit_signal = SIGCHLD };

	return (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
}

/* The error that the child says it ended in. */
static int wait_for(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -ECHILD;
}

static int run_clone(const struct trial *trial)
{
	pid_t child = clone_with(flag_of(trial));

	if (child == 0)
		_exit(0);
	return child < 0 ? errno : wait_for(child);
}

static int run_unshare(const struct trial *trial)
{
	pid_t child = clone_with(0);

	if (child == 0)
		_exit(error_of(unshare((int)flag_of(trial))));
	return child < 0 ? -errno : wait_for(child);
}

static int run_setns(const struct trial *trial)
{
	CLEANUP(close_fd)
	int fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);

	(void)trial;
	return fd < 0 ? -errno : error_of(setns(fd, CLONE_NEWUTS));
}

/* ---- network ---- */

static int make_socket(int family, int type, int protocol)
{
	CLEANUP(close_fd)
	int fd = socket(family, type | SOCK_CLOEXEC, protocol);

	return error_of(fd);
}

static int run_raw_socket(const struct trial *trial)
{
	(void)trial;
	return make_socket(AF_INET, SOCK_RAW, NO_PROTOCOL);
}

/* Without the file its module would be loaded. */
static int run_packet_socket(const struct trial *trial)
{
	(void)trial;
	if (access(PACKETS, F_OK))
		return -EOPNOTSUPP;
	return make_socket(AF_PACKET, SOCK_SEQPACKET, 0);
}

/* Netlink is of two types, and this is neither. */
static int run_netlink_route(const struct trial *trial)
{
	(void)trial;
	return make_socket(AF_NETLINK, SOCK_STREAM, NETLINK_ROUTE);
}

static int run_netlink_netfilter(const struct trial *trial)
{
	(void)trial;
	return make_socket(AF_NETLINK, SOCK_STREAM, NETLINK_NETFILTER);
}

static int run_netlink_audit(const struct trial *trial)
{
	(void)trial;
	return make_socket(AF_NETLINK, SOCK_STREAM, NETLINK_AUDIT);
}

static int run_netlink_other(const struct trial *trial)
{
	(void)trial;
	return make_socket(AF_NETLINK, SOCK_STREAM, NETLINK_GENERIC);
}

/* A family that is a name alone. */
static int run_other_family(const struct trial *trial)
{
	(void)trial;
	return make_socket(AF_SECURITY, SOCK_STREAM, 0);
}

static int bind_port(in_port_t port)
{
	CLEANUP(close_fd)
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(NO_ADDRESS),
	};

	if (fd < 0)
		return -errno;
	return error_of(
		bind(fd, (const struct sockaddr *)&address, sizeof(address)));
}

static int run_bind(const struct trial *trial)
{
	(void)trial;
	return bind_port(0);
}

static int run_bind_low(const struct trial *trial)
{
	(void)trial;
	return bind_port(1);
}

static int run_listen(const struct trial *trial)
{
	CLEANUP(close_fd)
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)trial;
	return fd < 0 ? -errno : error_of(listen(fd, 1));
}

static const struct sockaddr_in6 of_ipv6 = { .sin6_family = AF_INET6 };

static int run_connect(const struct trial *trial)
{
	CLEANUP(close_fd)
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)trial;
	if (fd < 0)
		return -errno;
	return error_of(connect(fd, (const struct sockaddr *)&of_ipv6,
				sizeof(of_ipv6)));
}

static int run_sendto(const struct trial *trial)
{
	CLEANUP(close_fd)
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)trial;
	if (fd < 0)
		return -errno;
	return error_of(sendto(fd, "", 1, 0, (const struct sockaddr *)&of_ipv6,
			       sizeof(of_ipv6)));
}

/* Without the file its module would be loaded. */
static int run_connectx(const struct trial *trial)
{
	CLEANUP(close_fd) int fd = -1;
	const struct sockaddr nothing = { 0 };

	(void)trial;
	if (access(SCTP, F_OK))
		return -EOPNOTSUPP;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_SCTP);
	if (fd < 0)
		return -errno;
	return error_of(setsockopt(fd, IPPROTO_SCTP, SCTP_CONNECTX, &nothing,
				   sizeof(nothing)));
}

/* ---- all of them ---- */

#define PAST(...) ((const int[]){ __VA_ARGS__, TRIAL_END })

#define TRIAL(protection, hook, operations, before, call, run, denied, past) \
	{                                                                    \
		PROTECTION_##protection, HOOK_##hook, operations, before,    \
			call, run, denied, past                              \
	}

/* Of a trace, which lets all through: only an event can show it. */
#define TRACED(trace, hook, operations, call, run, result)                    \
	{                                                                     \
		TRACE_##trace, HOOK_##hook, operations, 0, call, run, result, \
			PAST(result)                                          \
	}

#define PRIVILEGED(name, call)                                             \
	TRACED(privileged, security_capable, MASK(privileged, cap_##name), \
	       call, run_##name, 0)

#define MODULES(operation) MASK(kernel_modules, operation)
#define LOADS		   (MODULES(load_module) | MODULES(foreign_module))
#define EXEC(operation)	   MASK(fileless_exec, operation)

/* Of what lockdown is asked about. */
#define LOCKED_DOWN(protection, operation, call, run, past)                  \
	TRIAL(protection, locked_down, MASK(protection, operation), 0, call, \
	      run, EPERM, PAST(past))

#define NETWORK(hook, operations, call, run, ...) \
	TRIAL(network, hook, operations, 0, call, run, EPERM, PAST(__VA_ARGS__))
#define SOCKET(operation)                                              \
	NETWORK(socket_create, MASK(network, operation),               \
		"a socket that there is not", run_##operation, EINVAL, \
		ESOCKTNOSUPPORT, EAFNOSUPPORT)

#define BPF(operation)                                                        \
	TRIAL(bpf, bpf, MASK(bpf, operation), 0, "bpf() of nothing", run_bpf, \
	      EPERM, PAST(EINVAL, EFAULT, E2BIG, EBADF, ENOENT))

#define OPEN_SYSFS(operation)                                         \
	TRIAL(sysfs, file_open, SYSFS(operation), 0,                  \
	      "open of a file of sysfs's " #operation " for writing", \
	      run_open_sysfs, EPERM, PAST(0))

#define CREATES(hook, operation, call, run)                                \
	TRIAL(namespaces, hook, MASK(namespaces, operation), 0, call, run, \
	      EPERM, PAST(0))
#define CLONES(operation) \
	CREATES(task_alloc, operation, "clone of a namespace", run_clone)
#define UNSHARES(operation) \
	CREATES(capable, operation, "unshare of a namespace", run_unshare)

/* Where several are of the same hook, those that a policy is most likely to
 * deny come first. */
const struct trial trials[] = {
	TRIAL(kernel_modules, kernel_load_data, LOADS, 0,
	      "init_module from nowhere", run_init_module, EPERM, PAST(EFAULT)),
	TRIAL(kernel_modules, kernel_read_file, LOADS, 0,
	      "finit_module of a text", run_finit_module, EPERM,
	      PAST(ENOEXEC, EKEYREJECTED)),
	TRIAL(kernel_modules, kernel_module_request, MODULES(autoload_module),
	      0, "fsopen of an unknown file system", run_autoload, ENODEV,
	      PAST(ENODEV)),
	TRIAL(kernel_modules, locked_down, MODULES(unsigned_module), LOADS,
	      "init_module of zeros", run_unsigned_module, EPERM,
	      PAST(ENOEXEC)),
	TRIAL(kernel_modules, capable, MODULES(unload_module), 0,
	      "delete_module of no module", run_delete_module, EPERM,
	      PAST(ENOENT)),
	BPF(map_create),
	BPF(other),
	BPF(obj_get),
	BPF(prog_load_lsm),
	BPF(prog_load_tracing),
	BPF(prog_load_kprobe),
	BPF(prog_load_cgroup),
	BPF(prog_load_net),
	BPF(prog_load_other),
	BPF(btf_load),
	BPF(map_update),
	BPF(obj_pin),
	BPF(prog_attach),
	BPF(link_create),
	BPF(raw_tracepoint_open),
	BPF(token_create),
	TRIAL(bpf, locked_down, MASK(bpf, bpf_write),
	      MASK(bpf, prog_load_kprobe), "a program that writes user memory",
	      run_bpf_write, EINVAL, PAST(EACCES)),
	TRIAL(fileless_exec, bprm_creds_for_exec, EXEC(memfd), 0,
	      "execveat of a memfd", run_exec_memfd, EPERM, PAST(ENOEXEC)),
	TRIAL(fileless_exec, bprm_creds_for_exec, EXEC(shm) | EXEC(unlinked), 0,
	      "execveat of a deleted file on tmpfs", run_exec_shm, EPERM,
	      PAST(ENOEXEC)),
	TRIAL(fileless_exec, bprm_check_security, EXEC(script), EXEC(memfd),
	      "execveat of a script in a memfd", run_exec_script, EPERM,
	      PAST(ENOENT)),
	TRIAL(fileless_exec, mmap_file, EXEC(map), 0, "mmap of a memfd",
	      run_mmap, EPERM, PAST(0)),
	TRIAL(fileless_exec, file_mprotect, EXEC(map), 0, "mprotect of a memfd",
	      run_mprotect, EPERM, PAST(0)),
	LOCKED_DOWN(kernel_image, kexec,
		    "kexec_load with a flag that there is not", run_kexec_load,
		    EINVAL),
	TRIAL(kernel_image, kernel_read_file, MASK(kernel_image, kexec), 0,
	      "kexec_file_load of a text", run_kexec_file_load, EPERM,
	      PAST(ENOEXEC, EINVAL)),
	LOCKED_DOWN(kernel_image, dev_mem, "open of /dev/mem", run_dev_mem, 0),
	LOCKED_DOWN(kernel_secrets, perf,
		    "perf_event_open of registers in no cgroup", run_perf,
		    EINVAL),
	LOCKED_DOWN(kernel_secrets, kcore, "open of /proc/kcore", run_kcore, 0),
	TRACED(exec, bprm_committed_creds, MASK(exec, exec),
	       "an exec of bpflock-load", run_exec, 0),
	TRACED(exec, bprm_execve, MASK(exec, exec), "execveat of a memfd",
	       run_exec_memfd, ENOEXEC),
	OPEN_SYSFS(devices),
	OPEN_SYSFS(kernel),
	OPEN_SYSFS(module),
	OPEN_SYSFS(bus),
	OPEN_SYSFS(power),
	OPEN_SYSFS(firmware),
	OPEN_SYSFS(fs),
	OPEN_SYSFS(class),
	CREATES(userns_create, user, "clone of a user namespace", run_clone),
	CLONES(uts),
	CLONES(ipc),
	CLONES(cgroup),
	CLONES(time),
	CLONES(mnt),
	CLONES(pid),
	CLONES(net),
	CREATES(capable, enter, "setns of its own namespace", run_setns),
	UNSHARES(uts),
	UNSHARES(ipc),
	UNSHARES(cgroup),
	UNSHARES(time),
	UNSHARES(mnt),
	UNSHARES(pid),
	UNSHARES(net),
	PRIVILEGED(sys_admin, "sethostname of no name"),
	PRIVILEGED(sys_module, "delete_module of no module"),
	PRIVILEGED(sys_boot, "reboot without its magic numbers"),
	PRIVILEGED(chown, "chown of a memfd"),
	PRIVILEGED(setuid, "setuid to what it is"),
	PRIVILEGED(setgid, "setgid to what it is"),
	PRIVILEGED(sys_chroot, "chroot to what it is"),
	PRIVILEGED(net_raw, "a raw socket"),
	SOCKET(raw_socket),
	SOCKET(packet_socket),
	SOCKET(netlink_other),
	SOCKET(netlink_audit),
	SOCKET(netlink_netfilter),
	SOCKET(netlink_route),
	SOCKET(other_family),
	NETWORK(socket_bind, MASK(network, bind), "bind to nobody's address",
		run_bind, EADDRNOTAVAIL, 0),
	NETWORK(socket_bind, MASK(network, bind) | MASK(network, bind_low),
		"bind to a port of nobody's address", run_bind_low,
		EADDRNOTAVAIL, EACCES, 0),
	NETWORK(socket_listen, MASK(network, listen), "listen for datagrams",
		run_listen, EOPNOTSUPP),
	NETWORK(socket_connect, MASK(network, connect),
		"connect of IPv4 to IPv6", run_connect, EAFNOSUPPORT),
	NETWORK(socket_sendmsg, MASK(network, connect),
		"sendto of IPv4 to IPv6", run_sendto, EAFNOSUPPORT),
	NETWORK(sctp_bind_connect, MASK(network, connect),
		"connectx of SCTP to nothing", run_connectx, EINVAL),
};

_Static_assert(COUNT(trials) <= TRIALS_MAX, "there is room for them");

const size_t trial_count = COUNT(trials);

int trial_run(const struct trial *trial)
{
	return trial->run(trial);
}

bool trial_is_past(const struct trial *trial, int result)
{
	for (const int *past = trial->past; *past != TRIAL_END; past++)
		if (*past == result)
			return true;
	return false;
}

bool trial_tells(const struct trial *trial)
{
	return !trial_is_past(trial, trial->denied);
}
