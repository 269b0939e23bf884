/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sysfs: each opens a file for writing, and then writes back what it read, or
 * nothing.  The folders `classy` and `d` are module/folders.c's.
 */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define SYSFS	   "/sys/"
#define KERNEL	   "kernel/rcu_expedited"
#define MODULE_USE "module/printk/parameters/time"
#define DRIVERS	   "bus/platform/drivers_autoprobe"
#define MASTERS	   "class/net/bonding_masters"
#define QUEUE	   "devices/virtual/net/lo/tx_queue_len"
#define QUEUE_LINK "class/net/lo/tx_queue_len"
#define DISK	   "fs/ext4/loop0/mb_stats"
#define SUSPEND	   "power/sync_on_suspend"
#define CLASSY	   "classy/file"
#define READ_ONLY  "kernel/notes"
#define DEEP	   140 /* folders, as module/folders.c has it */

static int held = -1; /* open for writing before any policy */

/* What the file that is open holds; its size, or -1. */
static ssize_t write_back(int fd)
{
	char text[256];
	ssize_t size = pread(fd, text, sizeof(text), 0);

	return size > 0 ? pwrite(fd, text, (size_t)size, 0) : size;
}

static int rewrite(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	int result = 0;

	if (fd < 0)
		return errno == ENOENT ? RESULT_SETUP : errno;
	if (write_back(fd) < 0)
		result = errno;
	close(fd);
	return result;
}

#define REWRITE(name, path)                            \
	static int name(const struct subject *subject) \
	{                                              \
		(void)subject;                         \
		return rewrite(path);                  \
	}
REWRITE(kernel, SYSFS KERNEL)
REWRITE(module, SYSFS MODULE_USE)
REWRITE(bus, SYSFS DRIVERS)
REWRITE(devices, SYSFS QUEUE)
REWRITE(by_link, SYSFS QUEUE_LINK)
REWRITE(fs, SYSFS DISK)
REWRITE(power, SYSFS SUSPEND)
REWRITE(other, SYSFS CLASSY)

#define TRY_OPEN(name, path, flags)                    \
	static int name(const struct subject *subject) \
	{                                              \
		(void)subject;                         \
		return try_open(path, flags);          \
	}
TRY_OPEN(class, SYSFS MASTERS, O_WRONLY)
TRY_OPEN(append, SYSFS MODULE_USE, O_WRONLY | O_APPEND)
TRY_OPEN(empty, SYSFS MODULE_USE, O_WRONLY | O_TRUNC | O_NONBLOCK)
/* The kernel itself lets nobody write these, once the hook was asked. */
TRY_OPEN(read_only, SYSFS READ_ONLY, O_WRONLY)

static int firmware(const struct subject *subject)
{
	int result = try_open(SYSFS "firmware/memmap/0/start", O_WRONLY);

	(void)subject;
	return result == RESULT_SETUP ? try_open(SYSFS "firmware/fdt", O_WRONLY)
				      : result;
}

/* Too far below /sys/classy/d/d/d/... for its folder to be looked for. */
static int deep(const struct subject *subject)
{
	char path[sizeof(SYSFS CLASSY) + 2 * DEEP] = SYSFS "classy";

	(void)subject;
	for (int i = 0; i < DEEP; i++)
		strcat(path, "/d");
	strcat(path, "/file");
	return rewrite(path);
}

static int reopen(const struct subject *subject)
{
	int fd = open(SYSFS KERNEL, O_PATH | O_CLOEXEC);
	char path[64];

	(void)subject;
	if (fd < 0)
		return RESULT_SETUP;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return rewrite(path);
}

/* For who has a network namespace of its own, another super block. */
static int second_mount(const struct subject *subject)
{
	char folder[64];

	if (own_mounts(subject, folder) ||
	    mount("sysfs", folder, "sysfs", 0, NULL))
		return RESULT_SETUP;
	strcat(folder, "/" KERNEL);
	return rewrite(folder);
}

static int bind_folder(const struct subject *subject)
{
	char folder[64];

	if (own_mounts(subject, folder) ||
	    mount(SYSFS "kernel", folder, NULL, MS_BIND, NULL))
		return RESULT_SETUP;
	strcat(folder, strchr(KERNEL, '/'));
	return rewrite(folder);
}

static int bind_file(const struct subject *subject)
{
	char path[80];
	int fd;

	if (own_mounts(subject, path))
		return RESULT_SETUP;
	strcat(path, "/file");
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	close(fd);
	if (fd < 0 || mount(SYSFS KERNEL, path, NULL, MS_BIND, NULL))
		return RESULT_SETUP;
	return rewrite(path);
}

/* The neighbours. */

TRY_OPEN(read_file, SYSFS KERNEL, O_RDONLY)
TRY_OPEN(path_alone, SYSFS KERNEL, O_PATH)
TRY_OPEN(neither, SYSFS KERNEL, O_ACCMODE)
TRY_OPEN(write_debugfs, "/sys/kernel/debug/clear_warn_once", O_WRONLY)
TRY_OPEN(write_tracefs, "/sys/kernel/tracing/trace_marker", O_WRONLY)
TRY_OPEN(write_cgroup, "/sys/fs/cgroup/cgroup.subtree_control", O_WRONLY)
TRY_OPEN(write_security, "/sys/kernel/security/lockdown", O_WRONLY)
TRY_OPEN(write_proc, "/proc/sys/kernel/domainname", O_WRONLY)
TRY_OPEN(write_null, "/dev/null", O_WRONLY)

static int write_file(const struct subject *subject)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/tmp/kernel-%s", subject->name);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	unlink(path);
	close(fd);
	return fd < 0 ? RESULT_SETUP : 0;
}

/* These ask for the permission to write, and write nothing: what a file of
 * sysfs holds comes from the kernel. */
static int truncate_it(const struct subject *subject)
{
	char before[64], after[64];
	int result, fd = open(SYSFS MODULE_USE, O_RDONLY | O_CLOEXEC);
	ssize_t size = pread(fd, before, sizeof(before), 0);

	(void)subject;
	if (size <= 0)
		return RESULT_SETUP;
	if (truncate(SYSFS MODULE_USE, 0))
		return errno;
	result = try_open(SYSFS MODULE_USE, O_RDONLY | O_TRUNC);
	if (!result && (pread(fd, after, sizeof(after), 0) != size ||
			memcmp(before, after, (size_t)size)))
		result = RESULT_STALE;
	close(fd);
	return result;
}

static int change_mode(const struct subject *subject)
{
	struct stat status;

	(void)subject;
	if (stat(SYSFS MODULE_USE, &status))
		return RESULT_SETUP;
	return chmod(SYSFS MODULE_USE, status.st_mode & 07777) ? errno : 0;
}

static int write_held(const struct subject *subject)
{
	(void)subject;
	if (held < 0)
		return RESULT_SETUP;
	return write_back(held) < 0 ? errno : 0;
}

void sysfs_prepare(void)
{
	held = open(SYSFS KERNEL, O_RDWR | O_CLOEXEC);
}

const struct probe sysfs_probes[] = {
	{ "sysfs_kernel", kernel },
	{ "sysfs_module", module },
	{ "sysfs_bus", bus },
	{ "sysfs_class", class },
	{ "sysfs_devices", devices },
	{ "sysfs_link", by_link },
	{ "sysfs_firmware", firmware },
	{ "sysfs_fs", fs },
	{ "sysfs_power", power },
	{ "sysfs_other", other },
	{ "sysfs_deep", deep },
	{ "sysfs_append", append },
	{ "sysfs_empty", empty },
	{ "sysfs_read_only", read_only },
	{ "sysfs_reopen", reopen },
	{ "sysfs_second_mount", second_mount },
	{ "sysfs_bind_folder", bind_folder },
	{ "sysfs_bind_file", bind_file },
	{ "sysfs_read", read_file },
	{ "sysfs_path", path_alone },
	{ "sysfs_neither", neither },
	{ "sysfs_debugfs", write_debugfs },
	{ "sysfs_tracefs", write_tracefs },
	{ "sysfs_cgroup", write_cgroup },
	{ "sysfs_security", write_security },
	{ "sysfs_proc", write_proc },
	{ "sysfs_null", write_null },
	{ "sysfs_file", write_file },
	{ "sysfs_truncate", truncate_it },
	{ "sysfs_chmod", change_mode },
	{ "sysfs_held", write_held },
	{ NULL, NULL },
};
