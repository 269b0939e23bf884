/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A table of checks.  All of them run, whatever the ones before found, so that
 * one look shows all there is to mend.
 */
#include "loader/probe.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "loader/cleanup.h"
#include "loader/cmdline.h"
#include "loader/fault.h"
#include "loader/layout.h"
#include "loader/lsm.h"
#include "loader/read.h"
#include "loader/report.h"

#define TEXT_MAX       4096
#define LSM_LIST       "/sys/kernel/security/lsm"
#define KERNEL_BTF     "/sys/kernel/btf/vmlinux"
#define FTRACE_ENABLED "/proc/sys/kernel/ftrace_enabled"

/* The kernel's fixed inode numbers: include/linux/proc_ns.h. */
#define USER_NAMESPACE_INITIAL 0xEFFFFFFDU
#define PID_NAMESPACE_INITIAL  0xEFFFFFFCU

static const char machine[] = "this machine";

__attribute__((format(printf, 1, 2))) static void refuse(const char *format,
							 ...)
{
	char words[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	report_refusal(machine, "preflight", "%s", words);
}

bool probe_is_off(void)
{
	CLEANUP(free_memory) char *cmdline = NULL;

	return !read_text("/proc/cmdline", TEXT_MAX, &cmdline) &&
	       cmdline_has_word(cmdline, "bpflock=off");
}

static int check_fault(void)
{
	int err = fault("probe");

	if (err)
		refuse("failed on purpose");
	return err;
}

static int check_capabilities(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (!syscall(SYS_capget, &header, data) &&
	    data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective &
		    CAP_TO_MASK(CAP_SYS_ADMIN))
		return 0;
	refuse("this process has no CAP_SYS_ADMIN: it may not load programs");
	report_mend("run it as root, or from a systemd unit without "
		    "CapabilityBoundingSet=");
	return -EPERM;
}

static int check_namespace(const char *path, const char *kind, ino_t initial)
{
	struct stat status;

	if (stat(path, &status)) {
		refuse("%s cannot be read: %s", path, error_words(-errno));
		report_mend("mount -t proc proc /proc");
		return -ENOENT;
	}
	if (status.st_ino == initial)
		return 0;
	refuse("this process is in a %s namespace of its own", kind);
	report_mend("run it on the machine itself, in no container");
	return -EPERM;
}

static int check_user_namespace(void)
{
	return check_namespace("/proc/self/ns/user", "user",
			       USER_NAMESPACE_INITIAL);
}

static int check_pid_namespace(void)
{
	return check_namespace("/proc/self/ns/pid", "pid",
			       PID_NAMESPACE_INITIAL);
}

static int check_lsm(void)
{
	CLEANUP(free_memory) char *active = NULL;
	CLEANUP(free_memory) char *cmdline = NULL;
	CLEANUP(free_memory) char *line = NULL;
	int err = read_text(LSM_LIST, TEXT_MAX, &active);

	if (err) {
		refuse("%s cannot be read: %s; is securityfs not mounted?",
		       LSM_LIST, error_words(err));
		report_mend("mount -t securityfs securityfs "
			    "/sys/kernel/security");
		return err;
	}
	if (lsm_has(active, "bpf"))
		return 0;
	active[strcspn(active, "\n")] = '\0';
	err = read_text("/proc/cmdline", TEXT_MAX, &cmdline);
	if (!err)
		err = lsm_line(active, cmdline, &line);
	if (err == -EALREADY) {
		refuse("the kernel was told to use the security module bpf, "
		       "and has none (active: %s)",
		       active);
		report_mend("run a kernel with CONFIG_BPF_LSM=y");
		return err;
	}
	refuse("bpf is not among the active security modules (%s), so no "
	       "program would ever be asked",
	       active);
	if (err)
		return err;
	report_mend("boot with %s", line);
	report_mend("add it to GRUB_CMDLINE_LINUX in /etc/default/grub, then "
		    "update-grub and reboot");
	return -EOPNOTSUPP;
}

static int check_btf(void)
{
	if (!access(KERNEL_BTF, R_OK))
		return 0;
	refuse("%s cannot be read: %s", KERNEL_BTF, error_words(-errno));
	report_mend("run a kernel with CONFIG_DEBUG_INFO_BTF=y, /sys mounted");
	return -ENOENT;
}

static int check_bpffs(void)
{
	struct statfs status;

	if (!statfs(LAYOUT_BPFFS, &status) &&
	    status.f_type == (__typeof__(status.f_type))BPF_FS_MAGIC)
		return 0;
	refuse("there is no bpf file system on " LAYOUT_BPFFS);
	report_mend("mount -t bpf bpf " LAYOUT_BPFFS);
	return -ENOENT;
}

/* Switched off, no attached program is called; without the file, nobody can
 * switch it. */
static int check_ftrace(void)
{
	CLEANUP(free_memory) char *value = NULL;
	int err = read_text(FTRACE_ENABLED, TEXT_MAX, &value);

	if (err == -ENOENT || (!err && value[0] == '1'))
		return 0;
	refuse("kernel.ftrace_enabled is not 1, so no program would be called");
	report_mend("sysctl kernel.ftrace_enabled=1");
	return -EPERM;
}

static int (*const checks[])(void) = {
	check_fault,	     check_capabilities, check_user_namespace,
	check_pid_namespace, check_lsm,		 check_btf,
	check_bpffs,	     check_ftrace,
};

int probe_machine(struct run *run)
{
	int first = 0;

	(void)run;
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
		int err = checks[i]();

		if (!first)
			first = err;
	}
	return first;
}

static int probe_hook(const struct btf *kernel, const char *path,
		      const struct bpf_program *program)
{
	const char *section = bpf_program__section_name(program);
	char function[128];

	if (bpf_program__type(program) != BPF_PROG_TYPE_LSM ||
	    strncmp(section, "lsm/", 4)) {
		report_refusal(path, "probe",
			       "the program %s is for '%s': this loader "
			       "attaches to lsm/ only",
			       bpf_program__name(program), section);
		return -EOPNOTSUPP;
	}
	snprintf(function, sizeof(function), "bpf_lsm_%s", section + 4);
	if (btf__find_by_name_kind(kernel, function, BTF_KIND_FUNC) > 0)
		return 0;
	report_refusal(path, "probe",
		       "this kernel has no hook %s, which the policy needs",
		       section + 4);
	report_mend("run a newer kernel, or compile the policy with --target "
		    "for this one to see what it cannot do");
	return -EOPNOTSUPP;
}

int probe_hooks(struct run *run)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	int first = fault("hooks");

	if (first || !kernel) {
		first = first ? first : -errno;
		report_refusal(machine, "probe",
			       "the kernel's types cannot be read: %s",
			       error_words(first));
		btf__free(kernel);
		return first;
	}
	for (size_t i = 0; i < run->count; i++) {
		const struct load *load = &run->loads[i];
		struct bpf_program *program;

		bpf_object__for_each_program(program, load->object)
		{
			int err = probe_hook(kernel, load->path, program);

			if (!first)
				first = err;
		}
	}
	btf__free(kernel);
	return first;
}

int probe_names(struct run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		const struct load *load = &run->loads[i];
		const char *name = load->bundle->note->table.policy;
		char path[LAYOUT_PATH_SIZE];
		int err = layout_path(path, false, name, NULL, NULL);

		if (!err && !access(path, F_OK))
			err = -EEXIST;
		if (err) {
			report_refusal(load->path, "probe",
				       "the policy %s is loaded already", name);
			report_mend("bpflock-load --unload %s", name);
			return err;
		}
	}
	return 0;
}
