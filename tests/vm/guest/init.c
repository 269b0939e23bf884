/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's pid 1: prepares a plain machine, runs one command, reports.
 *
 * It is C rather than a shell script for three reasons. Nothing the command
 * does can cut its output off: pid 1 itself moves it to the host, and nobody
 * can kill pid 1. It starts no process for a mount, which an emulated machine
 * pays for dearly. And once a policy is in force, it needs to execute nothing
 * more to report and to switch the machine off.
 *
 * To the host lead four virtio ports: what the command writes on stdout and
 * stderr, our report (lines of "word value"), and a tar file of /out.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORT_STDOUT "/dev/vport0p1"
#define PORT_STDERR "/dev/vport0p2"
#define PORT_REPORT "/dev/vport0p3"
#define PORT_OUT "/dev/vport0p4"

#define PATH_VALUE \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

enum { PORT_WAIT_MS = 20000 };

static const struct {
	const char *type, *where, *options;
	unsigned long flags;
} mounts[] = {
	{ "proc", "/proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "sysfs", "/sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "devtmpfs", "/dev", "mode=755", MS_NOSUID },
	{ "devpts", "/dev/pts", "gid=5,mode=620,ptmxmode=666", MS_NOSUID },
	{ "tmpfs", "/dev/shm", NULL, MS_NOSUID | MS_NODEV },
	{ "mqueue", "/dev/mqueue", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "tmpfs", "/run", "mode=755", MS_NOSUID | MS_NODEV },
	{ "tmpfs", "/tmp", "mode=1777", MS_NOSUID | MS_NODEV },
	{ "securityfs", "/sys/kernel/security", NULL, 0 },
	{ "bpf", "/sys/fs/bpf", "mode=700", 0 },
	{ "debugfs", "/sys/kernel/debug", NULL, 0 },
	{ "tracefs", "/sys/kernel/tracing", NULL, 0 },
	{ "cgroup2", "/sys/fs/cgroup", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
};

/* To the kernel's console, which the host shows when a run goes wrong. */
static void complain(const char *what, const char *about)
{
	fprintf(stderr, "init: %s %s: %s\n", what, about, strerror(errno));
}

/*
 * The kernel refuses pivot_root, which container runtimes live on, while the
 * root is the initramfs itself. A bind mount of it, moved over it, is a mount
 * like any other, and copies nothing.
 */
static void become_ordinary_root(void)
{
	if (mount("/", "/mnt", NULL, MS_BIND, NULL) < 0 || chdir("/mnt") < 0 ||
	    mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
	    chdir("/") < 0)
		complain("cannot leave", "the initramfs");
	/* As systemd has it. */
	if (mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) < 0)
		complain("cannot share", "/");
}

static void mount_all(void)
{
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i].where, 0755);
		if (mount(mounts[i].type, mounts[i].where, mounts[i].type,
			  mounts[i].flags, mounts[i].options) < 0)
			complain("cannot mount", mounts[i].where);
	}
	(void)!symlink("/proc/self/fd", "/dev/fd");
	(void)!symlink("/proc/self/fd/0", "/dev/stdin");
	(void)!symlink("/proc/self/fd/1", "/dev/stdout");
	(void)!symlink("/proc/self/fd/2", "/dev/stderr");
}

static void loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		complain("cannot set up", "lo");
	if (fd >= 0)
		close(fd);
}

static void load_modules(void)
{
	char *const argv[] = { "modprobe", "-q", "-a", "virtio_pci",
			       "virtio_console", NULL };
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execv("/sbin/modprobe", argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
		complain("cannot load", "virtio modules");
}

static int open_port(const char *path)
{
	for (int waited = 0; waited < PORT_WAIT_MS; waited++) {
		int fd = open(path, O_RDWR | O_CLOEXEC);

		if (fd >= 0)
			return fd;
		usleep(1000);
	}
	complain("cannot open", path);
	return -1;
}

static void write_all(int fd, const void *data, size_t size)
{
	const char *at = data;

	while (size > 0) {
		ssize_t done = write(fd, at, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return;
		at += done;
		size -= (size_t)done;
	}
}

__attribute__((format(printf, 2, 3)))
static void report(int fd, const char *format, ...)
{
	char line[256];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	write_all(fd, line, strlen(line));
}

/* The strings of a file, each ended by a zero byte, as an argv. */
static char **read_strings(const char *path)
{
	static char buffer[1 << 20];
	static size_t used;
	char **strings = calloc(4096, sizeof(*strings));
	size_t count = 0, start = used;
	ssize_t got;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || !strings) {
		complain("cannot read", path);
		return strings;
	}
	while ((got = read(fd, buffer + used, sizeof(buffer) - used - 1)) > 0)
		used += (size_t)got;
	close(fd);
	buffer[used] = '\0';
	while (start < used && count < 4095) {
		strings[count++] = buffer + start;
		start += strlen(buffer + start) + 1;
	}
	return strings;
}

static void become_job(int out, int err, const sigset_t *signals)
{
	char **argv = read_strings("/job/argv");
	char **env = read_strings("/job/env");
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	sigprocmask(SIG_SETMASK, signals, NULL);
	setsid();
	dup2(null, 0);
	dup2(out, 1);
	dup2(err, 2);
	clearenv();
	setenv("PATH", PATH_VALUE, 1);
	setenv("HOME", "/root", 1);
	setenv("TERM", "dumb", 1);
	for (; env && *env; env++)
		putenv(*env);
	if (!argv || !argv[0])
		_exit(127);
	execvp(argv[0], argv);
	fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* Move what there is; false once the pipe is at its end or empty. */
static int pump(int from, int to)
{
	static char buffer[65536];
	ssize_t got = read(from, buffer, sizeof(buffer));

	if (got <= 0)
		return 0;
	write_all(to, buffer, (size_t)got);
	return 1;
}

/*
 * Until the command ends. Those it leaves behind may still hold its pipes
 * open: what is in them by then is moved, and no more is waited for.
 */
static int attend(pid_t job, const int pipes[2], const int ports[2], int wake)
{
	struct pollfd polled[] = { { pipes[0], POLLIN, 0 },
				   { pipes[1], POLLIN, 0 },
				   { wake, POLLIN, 0 } };
	struct signalfd_siginfo info;
	int status, result = -1;

	while (result < 0) {
		pid_t pid;

		if (poll(polled, 3, -1) < 0)
			continue;
		for (int i = 0; i < 2; i++) {
			if (polled[i].revents & POLLIN)
				pump(pipes[i], ports[i]);
			else if (polled[i].revents)
				polled[i].fd = -1;	/* closed: poll skips it */
		}
		(void)!read(wake, &info, sizeof(info));
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			if (pid == job)
				result = status;
	}
	for (int i = 0; i < 2; i++)
		while (pump(pipes[i], ports[i]))
			;
	return result;
}

static int run_job(const int ports[2])
{
	int out[2], err[2], wake;
	sigset_t children, before;
	pid_t job;

	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	sigprocmask(SIG_BLOCK, &children, &before);
	wake = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
	if (wake < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
		return 126 << 8;
	job = fork();
	if (job == 0)
		become_job(out[1], err[1], &before);
	if (job < 0)
		return 126 << 8;
	close(out[1]);
	close(err[1]);
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	fcntl(err[0], F_SETFL, O_NONBLOCK);
	return attend(job, (int[]){ out[0], err[0] }, ports, wake);
}

/* One ustar header. Names past its 100 bytes are not sent. */
static void tar_header(int fd, const char *name, const struct stat *st,
		       char type, off_t size)
{
	char block[512] = { 0 };
	unsigned int sum = 0;

	snprintf(block, 100, "%s", name);
	snprintf(block + 100, 8, "%07o", st->st_mode & 07777);
	snprintf(block + 108, 8, "%07o", 0);
	snprintf(block + 116, 8, "%07o", 0);
	snprintf(block + 124, 12, "%011llo", (unsigned long long)size);
	snprintf(block + 136, 12, "%011llo", (unsigned long long)st->st_mtime);
	memset(block + 148, ' ', 8);
	block[156] = type;
	memcpy(block + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(block); i++)
		sum += (unsigned char)block[i];
	snprintf(block + 148, 8, "%06o", sum);
	write_all(fd, block, sizeof(block));
}

/* Exactly the size the header said, whatever happens to the file meanwhile. */
static void tar_content(int fd, const char *path, off_t size)
{
	static char buffer[65536];
	static const char zeros[512];
	int from = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	off_t left = size;

	while (left > 0) {
		size_t want = sizeof(buffer);
		ssize_t got;

		if ((off_t)want > left)
			want = (size_t)left;
		got = from < 0 ? -1 : read(from, buffer, want);
		if (got <= 0) {
			memset(buffer, 0, want);
			got = (ssize_t)want;
		}
		write_all(fd, buffer, (size_t)got);
		left -= got;
	}
	write_all(fd, zeros, (size_t)(-size & 511));
	if (from >= 0)
		close(from);
}

/* The folders and plain files below path, which starts with "/out/". */
static void tar_folder(int fd, const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		char below[4096];
		const char *name;
		struct stat st;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
		name = below + strlen("/out/");
		if (strlen(name) > 99 || lstat(below, &st) < 0) {
			complain("cannot send", below);
		} else if (S_ISDIR(st.st_mode)) {
			tar_header(fd, name, &st, '5', 0);
			tar_folder(fd, below);
		} else if (S_ISREG(st.st_mode)) {
			tar_header(fd, name, &st, '0', st.st_size);
			tar_content(fd, below, st.st_size);
		}
	}
	if (folder)
		closedir(folder);
}

static void send_out(int fd)
{
	static const char end[1024];

	tar_folder(fd, "/out");
	write_all(fd, end, sizeof(end));
}

int main(void)
{
	struct utsname kernel;
	int ports[2], reports, out, status;

	umask(022);
	become_ordinary_root();
	mount_all();
	loopback_up();
	load_modules();
	sethostname("guest", 5);
	ports[0] = open_port(PORT_STDOUT);
	ports[1] = open_port(PORT_STDERR);
	reports = open_port(PORT_REPORT);
	out = open_port(PORT_OUT);
	uname(&kernel);
	report(reports, "release %s\n", kernel.release);
	status = run_job(ports);
	sync();
	send_out(out);
	if (WIFSIGNALED(status))
		report(reports, "signal %d\n", WTERMSIG(status));
	else
		report(reports, "exit %d\n", WEXITSTATUS(status));
	reboot(RB_POWER_OFF);
	return 1;
}
