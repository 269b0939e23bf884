/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kernel_image: each call comes to the kernel's question of lockdown, and then
 * changes nothing, or writes back what it read.
 */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/serial.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define PCI_CONFIG   "/sys/bus/pci/devices/0000:00:01.0/config"
#define PCI_COMMAND  4 /* offset of a register of 2 bytes */
#define ASKER	     "/sys/module/asker/parameters/ask"
#define MSR	     "/dev/cpu/0/msr"
#define SYSENTER_CS  0x174 /* MSR_IA32_SYSENTER_CS */
#define SERIAL	     "/dev/ttyS1"
#define SERIAL_ARM64 "/dev/ttyAMA0" /* where ttyS1 is no port at all */
#define DEBUGFS_FILE "/sys/kernel/debug/fault_around_bytes"
#define DEBUGFS_READ "/sys/kernel/debug/wakeup_sources" /* r--r--r-- */

int open_dev_mem(const struct subject *subject)
{
	(void)subject;
	return try_open("/dev/mem", O_RDONLY);
}

/* The same device by another name. */
static int dev_mem_node(const struct subject *subject)
{
	char path[64];
	int result;

	snprintf(path, sizeof(path), "/dev/mem-%s", subject->name);
	if (mknod(path, S_IFCHR | 0600, makedev(1, 1)))
		return RESULT_SETUP;
	result = try_open(path, O_RDWR);
	unlink(path);
	return result;
}

/* Chooses how to hibernate, and hibernates not. */
static int hibernate(const struct subject *subject)
{
	int fd = open("/sys/power/disk", O_WRONLY | O_CLOEXEC);
	int result;

	(void)subject;
	if (fd < 0)
		return errno == ENOENT ? RESULT_SETUP : errno;
	result = write(fd, "shutdown", 8) == 8 ? 0 : errno;
	close(fd);
	return result;
}

/* Writes what is there; what was not read is not written. */
static int rewrite(const char *path, off_t at, size_t size, bool writes)
{
	int fd = open(path, (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	uint64_t value;
	int result = 0;

	if (fd < 0)
		return errno == ENOENT ? RESULT_SETUP : errno;
	if (pread(fd, &value, size, at) != (ssize_t)size ||
	    (writes && pwrite(fd, &value, size, at) != (ssize_t)size))
		result = errno;
	close(fd);
	return result;
}

static int pci_config(const struct subject *subject)
{
	(void)subject;
	return rewrite(PCI_CONFIG, PCI_COMMAND, 2, true);
}

static int pci_config_read(const struct subject *subject)
{
	(void)subject;
	return rewrite(PCI_CONFIG, PCI_COMMAND, 2, false);
}

/* Only x86 has these two calls, and model specific registers. */
static int set_ioperm(const struct subject *subject)
{
	(void)subject;
#ifdef SYS_ioperm
	return syscall(SYS_ioperm, 0x80L, 1L, 1) ? errno : 0;
#else
	return RESULT_SETUP;
#endif
}

static int set_iopl(const struct subject *subject)
{
	(void)subject;
#ifdef SYS_iopl
	return syscall(SYS_iopl, 3) ? errno : 0;
#else
	return RESULT_SETUP;
#endif
}

static int msr_write(const struct subject *subject)
{
	(void)subject;
	return rewrite(MSR, SYSENTER_CS, 8, true);
}

static int msr_read(const struct subject *subject)
{
	(void)subject;
	return rewrite(MSR, SYSENTER_CS, 8, false);
}

/* The number of no interrupt, which the driver refuses once lockdown is asked.
 */
static int serial(bool sets)
{
	int flags = O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = open(SERIAL_ARM64, flags);
	struct serial_struct port = { 0 };
	int result = 0;

	if (fd < 0)
		fd = open(SERIAL, flags);
	if (fd < 0)
		return errno == ENOENT ? RESULT_SETUP : errno;
	if (ioctl(fd, TIOCGSERIAL, &port))
		result = errno;
	port.irq = -1;
	if (!result && sets && ioctl(fd, TIOCSSERIAL, &port))
		result = errno;
	close(fd);
	return result;
}

static int serial_set(const struct subject *subject)
{
	(void)subject;
	return serial(true);
}

static int serial_get(const struct subject *subject)
{
	(void)subject;
	return serial(false);
}

static int debugfs_open(const struct subject *subject)
{
	(void)subject;
	return try_open(DEBUGFS_FILE, O_RDONLY);
}

static int debugfs_chmod(const struct subject *subject)
{
	struct stat status;

	(void)subject;
	if (stat(DEBUGFS_FILE, &status))
		return RESULT_SETUP;
	return chmod(DEBUGFS_FILE, status.st_mode & 07777) ? errno : 0;
}

static int debugfs_read(const struct subject *subject)
{
	(void)subject;
	return try_open(DEBUGFS_READ, O_RDONLY);
}

int ask_lockdown(const char *reason)
{
	FILE *reasons = fopen(REASONS, "re");
	char name[64], number[16];
	int fd, result = RESULT_SETUP;

	while (reasons && fscanf(reasons, "%63s %15s", name, number) == 2)
		if (!strcmp(name, reason)) {
			fd = open(ASKER, O_WRONLY | O_CLOEXEC);
			if (fd >= 0)
				result = write(fd, number, strlen(number)) < 0
						 ? errno
						 : 0;
			close(fd);
			break;
		}
	if (reasons)
		fclose(reasons);
	return result;
}

/* What no machine of ours has, and on arm64 what only x86 has. */
#define ASK(name, reason)                              \
	static int name(const struct subject *subject) \
	{                                              \
		(void)subject;                         \
		return ask_lockdown(reason);           \
	}
ASK(ask_efi_test, "EFI_TEST")
ASK(ask_ioport, "IOPORT")
ASK(ask_msr, "MSR")
ASK(ask_acpi_tables, "ACPI_TABLES")
ASK(ask_device_tree, "DEVICE_TREE")
ASK(ask_pcmcia_cis, "PCMCIA_CIS")
ASK(ask_mmiotrace, "MMIOTRACE")
ASK(ask_xmon_wr, "XMON_WR")
ASK(ask_dbg_write, "DBG_WRITE_KERNEL")
ASK(ask_rtas, "RTAS_ERROR_INJECTION")
ASK(image_xen, "XEN_USER_ACTIONS")

const struct probe image_probes[] = {
	{ "image_unsigned", finit_unsigned },
	{ "dev_mem", open_dev_mem },
	{ "dev_mem_node", dev_mem_node },
	{ "kexec_load", kexec_data },
	{ "kexec_file_load", kexec_file },
	{ "hibernate", hibernate },
	{ "pci_config", pci_config },
	{ "ioperm", set_ioperm },
	{ "iopl", set_iopl },
	{ "msr_write", msr_write },
	{ "serial_set", serial_set },
	{ "image_parameter", unsafe_parameter },
	{ "debugfs_open", debugfs_open },
	{ "debugfs_chmod", debugfs_chmod },
	{ "image_bpf_write", bpf_write },
	{ "ask_efi_test", ask_efi_test },
	{ "ask_ioport", ask_ioport },
	{ "ask_msr", ask_msr },
	{ "ask_acpi_tables", ask_acpi_tables },
	{ "ask_device_tree", ask_device_tree },
	{ "ask_pcmcia_cis", ask_pcmcia_cis },
	{ "ask_mmiotrace", ask_mmiotrace },
	{ "ask_xmon_wr", ask_xmon_wr },
	{ "ask_dbg_write", ask_dbg_write },
	{ "ask_rtas", ask_rtas },
	{ "image_xen", image_xen },
	{ "pci_config_read", pci_config_read },
	{ "msr_read", msr_read },
	{ "serial_get", serial_get },
	{ "debugfs_read", debugfs_read },
	{ "image_kcore", open_kcore },
	{ "image_bpf_read", bpf_read },
	{ NULL, NULL },
};
