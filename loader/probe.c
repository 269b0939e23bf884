/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A table of checks.  All of them run, whatever the ones before found, so that
 * one look shows all there is to mend.
 */
#include "loader/probe.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "loader/cleanup.h"
#include "loader/cmdline.h"
#include "loader/kernel_links.h"
#include "loader/layout.h"
#include "loader/lsm.h"
#include "loader/mount.h"
#include "loader/read.h"
#include "loader/report.h"
#include "loader/status.h"

#define TEXT_MAX       4096
#define LSM_LIST       "/sys/kernel/security/lsm"
#define KERNEL_BTF     "/sys/kernel/btf/vmlinux"
#define FTRACE_ENABLED "/proc/sys/kernel/ftrace_enabled"
#define JIT_ENABLED    "/proc/sys/net/core/bpf_jit_enable"
#define OF_PID_1       "/proc/1/root"
#define MOUNTINFO      "/proc/self/mountinfo"
#define MOUNTINFO_MAX  (16 << 20)

/* The kernel's fixed inode numbers: include/linux/proc_ns.h. */
#define USER_NAMESPACE_INITIAL 0xEFFFFFFDU
#define PID_NAMESPACE_INITIAL  0xEFFFFFFCU

static const char step[] = "preflight";

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
	return refuse(-EPERM, MACHINE, step,
		      "run it as root, or from a systemd unit without "
		      "CapabilityBoundingSet=",
		      "this process has no CAP_SYS_ADMIN: it may not load "
		      "programs");
}

static int check_namespace(const char *path, const char *kind, ino_t initial)
{
	struct stat status;

	if (stat(path, &status))
		return refuse(-errno, MACHINE, step, "mount -t proc proc /proc",
			      "%s cannot be read:", path);
	if (status.st_ino == initial)
		return 0;
	return refuse(-EPERM, MACHINE, step,
		      "run it on the machine itself, in no container",
		      "this process is in a %s namespace of its own", kind);
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

	if (err)
		return refuse(err, MACHINE, step,
			      "mount -t securityfs securityfs "
			      "/sys/kernel/security",
			      LSM_LIST
			      " (is securityfs not mounted?) cannot be "
			      "read:");
	if (lsm_has(active, "bpf"))
		return 0;
	active[strcspn(active, "\n")] = '\0';
	err = read_text("/proc/cmdline", TEXT_MAX, &cmdline);
	if (!err)
		err = lsm_line(active, cmdline, &line);
	if (err == -EALREADY)
		return refuse(err, MACHINE, step,
			      "run a kernel with CONFIG_BPF_LSM=y",
			      "the kernel was told to use the security module "
			      "bpf, and has none (active: %s)",
			      active);
	refuse(-EOPNOTSUPP, MACHINE, step, NULL,
	       "bpf is not among the active security modules (%s), so no "
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
	return refuse(-ENOENT, MACHINE, step,
		      "run a kernel with CONFIG_DEBUG_INFO_BTF=y, /sys mounted",
		      KERNEL_BTF " cannot be read");
}

/* What is pinned in a file system that only this mount namespace has goes with
 * the namespace. */
static int check_bpffs(void)
{
	struct stat ours, machines;
	struct statfs system;

	if (statfs(LAYOUT_BPFFS, &system) ||
	    (uint32_t)system.f_type != BPF_FS_MAGIC)
		return refuse(-ENOENT, MACHINE, step,
			      "mount -t bpf bpf " LAYOUT_BPFFS,
			      "there is no bpf file system on " LAYOUT_BPFFS);
	if (!stat(LAYOUT_BPFFS, &ours) &&
	    !stat(OF_PID_1 LAYOUT_BPFFS, &machines) &&
	    ours.st_dev == machines.st_dev)
		return 0;
	return refuse(-EPERM, MACHINE, step,
		      "nsenter --target 1 --mount bpflock-load ...",
		      "this process is in a mount namespace with another bpf "
		      "file system on " LAYOUT_BPFFS
		      " than the machine's: what is pinned there ends with it");
}

static int check_switch(const char *path, const char *words, const char *mend)
{
	CLEANUP(free_memory) char *value = NULL;
	int err = read_text(path, TEXT_MAX, &value);

	/* Without the file, nobody can switch it. */
	if (err == -ENOENT || (!err && value[0] != '0'))
		return 0;
	return refuse(-EPERM, MACHINE, step, mend, "%s", words);
}

static int check_jit(void)
{
	return check_switch(JIT_ENABLED,
			    "net.core.bpf_jit_enable is 0, so no program can "
			    "be attached",
			    "sysctl net.core.bpf_jit_enable=1");
}

int probe_is_asked(void)
{
	return check_switch(FTRACE_ENABLED,
			    "kernel.ftrace_enabled is not 1, so no program "
			    "would be called",
			    "sysctl kernel.ftrace_enabled=1");
}

/* Of two file systems on the same folder, the later one hides the other. */
static int check_cover(void)
{
	CLEANUP(free_memory) char *text = NULL;
	struct stat status;
	int err = read_text(MOUNTINFO, MOUNTINFO_MAX, &text);

	if (!err && stat(LAYOUT_BPFFS, &status))
		err = -errno;
	if (err)
		return refuse(err, MACHINE, step, "mount -t proc proc /proc",
			      MOUNTINFO " cannot be read:");
	if (!mount_is_covered(text, LAYOUT_BPFFS, status.st_dev))
		return 0;
	return refuse(-EBUSY, MACHINE, step,
		      "see who mounted it, and umount " LAYOUT_BPFFS " once",
		      "there are two bpf file systems on " LAYOUT_BPFFS
		      ", and one hides what is pinned in the other");
}

static int (*const sight_checks[])(void) = {
	check_pid_namespace,
	check_bpffs,
	check_cover,
};

int probe_sight(const char *where)
{
	int err = 0;

	for (size_t i = 0;
	     !err && i < sizeof(sight_checks) / sizeof(*sight_checks); i++)
		err = sight_checks[i]();
	return err ? refuse(err, MACHINE, where, NULL,
			    "so it cannot be told what is loaded")
		   : 0;
}

static int (*const checks[])(void) = {
	check_capabilities,  check_user_namespace,
	check_pid_namespace, check_lsm,
	check_btf,	     check_bpffs,
	check_jit,	     probe_is_asked,
};

int probe_machine(struct run *run)
{
	int first = 0;

	(void)run;
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
		int err = checks[i]();

		first = first ? first : err;
	}
	return first;
}

/* The function prototype that a type of that kind and name is, or points to. */
static const struct btf_type *find_prototype(const struct btf *btf,
					     const char *name, uint32_t kind)
{
	int id = btf__find_by_name_kind(btf, name, kind);
	const struct btf_type *type = NULL;

	if (id > 0)
		type = btf__type_by_id(
			btf, btf__type_by_id(btf, (uint32_t)id)->type);
	while (type && (btf_is_mod(type) || btf_is_ptr(type)))
		type = btf__type_by_id(btf, type->type);
	return type && btf_is_func_proto(type) ? type : NULL;
}

/* What a parameter is: its kind, and the name of the enum or of what it points
 * to, "" without one. */
struct parameter {
	enum { SCALAR, POINTER, OTHER } kind;
	const char *name;
};

static const struct btf_type *resolve(const struct btf *btf, uint32_t id)
{
	int resolved = btf__resolve_type(btf, id);

	return btf__type_by_id(btf, resolved < 0 ? 0 : (uint32_t)resolved);
}

static struct parameter read_parameter(const struct btf *btf,
				       const struct btf_type *prototype,
				       unsigned index)
{
	struct parameter parameter = { .kind = SCALAR, .name = "" };
	const struct btf_type *type =
		resolve(btf, btf_params(prototype)[index].type);

	if (btf_is_ptr(type)) {
		parameter.kind = POINTER;
		type = resolve(btf, type->type);
		if (btf_is_composite(type) || btf_is_fwd(type))
			parameter.name =
				btf__name_by_offset(btf, type->name_off);
	} else if (btf_is_any_enum(type)) {
		parameter.name = btf__name_by_offset(btf, type->name_off);
	} else if (!btf_is_int(type)) {
		parameter.kind = OTHER;
	}
	return parameter;
}

/* CO-RE takes what stands behind "___" for a flavour of the same type. */
static bool is_same(const struct parameter *one, const struct parameter *other)
{
	size_t len = strlen(one->name);
	const char *flavour = strstr(one->name, "___");

	if (flavour)
		len = (size_t)(flavour - one->name);
	return one->kind == other->kind && one->kind != OTHER &&
	       (!*one->name || !*other->name ||
		(!strncmp(one->name, other->name, len) && !other->name[len]));
}

/* Whether the hook gives what the program was written for; what is left out at
 * the end, it does not read. */
static int check_prototype(const struct btf *kernel,
			   const struct btf_type *hook, const struct load *load,
			   const struct bpf_program *program)
{
	const struct btf *btf = bpf_object__btf(load->object);
	const struct btf_type *wanted;
	char name[128];

	snprintf(name, sizeof(name), "%s_prototype",
		 bpf_program__name(program));
	wanted = find_prototype(btf, name, BTF_KIND_VAR);
	if (!wanted)
		return refuse(-EBADMSG, load->path, "probe",
			      "compile the policy again, with the bpflockc of "
			      "this version",
			      "the program %s does not say what it reads from "
			      "its hook",
			      bpf_program__name(program));
	for (unsigned i = 0; i < btf_vlen(wanted); i++) {
		struct parameter ours, theirs;

		if (i < btf_vlen(hook)) {
			ours = read_parameter(btf, wanted, i);
			theirs = read_parameter(kernel, hook, i);
			if (is_same(&ours, &theirs))
				continue;
		}
		return refuse(-EOPNOTSUPP, load->path, "probe",
			      "this kernel is newer, or older, than what the "
			      "policy's programs know: use another one, or "
			      "another bpflockc",
			      "this kernel's hook %s has another parameter %u "
			      "than the one that %s reads",
			      strchr(bpf_program__section_name(program), '/') +
				      1,
			      i + 1, bpf_program__name(program));
	}
	return 0;
}

/* By the names of what needs it, where the policy says. */
static int refuse_hook(const struct load *load, const char *section)
{
	const struct table *table = &load->bundle->note->table;
	const char *hook = strchr(section, '/') + 1;
	unsigned id = 0;
	char why[128];
	int err = 0;

	while (id < HOOK_COUNT && strcmp(hooks[id].section, section))
		id++;
	snprintf(why, sizeof(why), "this kernel has no hook %s for", hook);
	for (uint32_t i = 0; i < table->protection_count && id < HOOK_COUNT;
	     i++) {
		const struct table_protection *row = &table->protections[i];

		err |= refuse_operations(
			load->path, "probe", row->protection,
			table_used_at(row, id),
			"run a newer kernel, or leave it out of what the "
			"policy denies and logs",
			why);
	}
	if (err)
		return err;
	return refuse(-EOPNOTSUPP, load->path, "probe",
		      "run a newer kernel, or compile the policy with "
		      "--target for this one to see what it cannot do",
		      "this kernel has no hook %s, which the policy needs",
		      hook);
}

static int probe_hook(const struct btf *kernel, const struct load *load,
		      const struct bpf_program *program)
{
	const char *section = bpf_program__section_name(program);
	const struct btf_type *prototype;
	char function[128];

	if (!kernel_function(section, function, sizeof(function)))
		return refuse(-EBADMSG, load->path, "probe", NULL,
			      "the program %s is for no hook",
			      bpf_program__name(program));
	prototype = find_prototype(kernel, function, BTF_KIND_FUNC);
	if (prototype)
		return check_prototype(kernel, prototype, load, program);
	if (bpf_program__type(program) != BPF_PROG_TYPE_LSM)
		return refuse(-EOPNOTSUPP, load->path, "probe",
			      "run another kernel, or leave out of the policy "
			      "what traces it",
			      "this kernel has no function %s that a program "
			      "can be told the end of, which the policy needs",
			      function);
	return refuse_hook(load, section);
}

/* From 5.12 on a program was not asked while the same processor was still in
 * it, for another task; since 6.2, and in later 6.1, it is. */
static bool skips_programs(const struct btf *kernel)
{
	int id = btf__find_by_name_kind(kernel, "bpf_prog_info",
					BTF_KIND_STRUCT);
	const struct btf_type *type =
		btf__type_by_id(kernel, id < 0 ? 0 : (uint32_t)id);

	for (unsigned i = 0; id > 0 && i < btf_vlen(type); i++)
		if (!strcmp(btf__name_by_offset(kernel,
						btf_members(type)[i].name_off),
			    "recursion_misses"))
			return btf__find_by_name_kind(kernel,
						      "__bpf_prog_enter_recur",
						      BTF_KIND_FUNC) < 0;
	return false;
}

int probe_kernel(struct run *run)
{
	run->kernel = btf__load_vmlinux_btf();
	if (!run->kernel)
		return refuse(-errno, MACHINE, "probe", NULL,
			      "the kernel's types cannot be read:");
	if (skips_programs(run->kernel))
		report_note("warning: this kernel may skip a program where it "
			    "is still being asked for another task on the same "
			    "processor; bpflock-load --status counts such "
			    "misses, and Linux 6.2 and later have none");
	return 0;
}

int probe_hooks(struct run *run, struct load *load)
{
	const struct table *table = &load->bundle->note->table;
	struct bpf_program *program;
	int first = 0;

	bpf_object__for_each_program(program, load->object)
	{
		int err = probe_hook(run->kernel, load, program);

		first = first ? first : err;
	}
	if (!first && status_is_past(table))
		report_note(
			"warning: %s: an exception was meant to end on " DATE_FORMAT
			"; compile the policy again",
			load->path, DATE_PARTS(table->until));
	return first;
}
