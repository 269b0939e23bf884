/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard is attached before the policies: a policy may deny bpf() to the
 * loader's like, and what guards has to be there first.  It knows objects by
 * their addresses, which only the kernel has: it looks up what an fd of the
 * loader stands for, while the loader asks it to.
 *
 * The program for kernel.ftrace_enabled hangs on the root of the cgroups, not
 * on a link: links of that kind can be detached by whoever has an fd of them.
 */
#include "loader/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/guard/guard.h"
#include "loader/attach.h"
#include "loader/bind.h"
#include "loader/cgroup_root.h"
#include "loader/cleanup.h"
#include "loader/detail.h"
#include "loader/fault.h"
#include "loader/layout.h"
#include "loader/mount.h"
#include "loader/pin.h"
#include "loader/process.h"
#include "loader/read.h"
#include "loader/report.h"
#include "loader/vault.h"
#include "loader/wait.h"

#define GUARD_NAME     "the guard" /* in messages, where a bundle's path is */
#define SYSCTL_SECTION "cgroup/sysctl"
#define SYSCTL_PROGRAM "guard_sysctl"
#define SYSCTL_MAX     64 /* as many as the kernel lets one cgroup have */
#define BPF_PROGRAM    "guard_bpf"

#define FILE_SYSTEMS	 "/proc/filesystems"
#define FILE_SYSTEMS_MAX 65536

extern const char guard_object[], guard_object_end[];

struct digest guard_digest(void)
{
	return digest_of(guard_object,
			 (size_t)(guard_object_end - guard_object));
}

int guard_register(const struct run *run, int fd, enum guard_use use)
{
	const struct {
		uint32_t fd, use;
	} what = { (uint32_t)fd, use };
	union bpf_attr attr;
	int err = fault("register");

	if (err || !run->guard.link_count)
		return err;
	memset(&attr, 0, sizeof(attr));
	memcpy(&attr, &what, sizeof(what));
	if (!syscall(SYS_bpf, BOOT_GUARD_COMMAND, &attr, sizeof(attr)) ||
	    errno != GUARD_REGISTERED)
		return -ENOSPC;
	return 0;
}

static struct bpf_program *sysctl_program(const struct load *guard)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, guard->object)
	{
		if (!strcmp(bpf_program__section_name(program), SYSCTL_SECTION))
			return program;
	}
	return NULL;
}

int open_guard(struct run *run, struct load *guard)
{
	LIBBPF_OPTS(bpf_object_open_opts, settings, .object_name = "guard");

	(void)run;
	guard->path = GUARD_NAME;
	guard->object = bpf_object__open_mem(
		guard_object, (size_t)(guard_object_end - guard_object),
		&settings);
	if (!guard->object)
		return refuse(-errno, MACHINE, "guard", NULL,
			      "libbpf does not take the guard:");
	bpf_program__set_autoattach(sysctl_program(guard), false);
	return 0;
}

int load_guard(struct run *run)
{
	struct load *guard = &run->guard;
	int err;

	if (run->sealed || run->vault < 0)
		return 0;
	err = open_guard(run, guard);
	if (err)
		return err;
	err = bind_object(guard, &run->facts);
	if (err)
		return refuse(err, MACHINE, "guard", NULL,
			      "the guard cannot be bound:");
	err = load_object(run, guard);
	return err ? err : freeze_maps(run, guard);
}

/* By a mount of our own only where none is in its place: it takes options off
 * from all mounts of the hierarchy (nsdelegate, memory_recursiveprot). */
static int open_root_cgroup(int *root)
{
	CLEANUP(close_fd) int mount = -1;
	const char *mounted;

	*root = cgroup_root_open(&mounted);
	if (*root >= 0)
		return 0;
	mount = mount_detached("cgroup2");
	if (mount < 0)
		return mount;
	*root = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *root < 0 ? -errno : 0;
}

static const char *mend_sysctl(int err)
{
	switch (err) {
	case -EXDEV:
		return "run it in no container";
	case -EPERM:
		return "a program that allows no other one is on the root "
		       "cgroup: see 'bpftool cgroup show'";
	case -E2BIG:
		return "the root cgroup has as many programs as it takes: see "
		       "'bpftool cgroup show'";
	}
	return "run a kernel with CONFIG_CGROUP_BPF=y and cgroup v2";
}

static int refuse_sysctl(int err)
{
	return refuse(err, MACHINE, "guard", mend_sysctl(err),
		      "kernel.ftrace_enabled cannot be guarded:");
}

/* Where it is mounted nowhere, the guard mounts it for itself. */
static int check_cgroup2(void)
{
	CLEANUP(free_memory) char *text = NULL;
	int err = read_text(FILE_SYSTEMS, FILE_SYSTEMS_MAX, &text);

	return err || strstr(text, "\tcgroup2\n") ? 0 : -ENODEV;
}

/* What the kernel cannot say, attaching finds out. */
static int check_root_cgroup(void)
{
	CLEANUP(close_fd) int root = -1;
	uint32_t flags = 0, count = 0;
	const char *mounted;

	root = cgroup_root_open(&mounted);
	if (root < 0)
		return check_cgroup2();
	if (bpf_prog_query(root, BPF_CGROUP_SYSCTL, 0, &flags, NULL, &count))
		return errno == EINVAL ? -EINVAL : 0;
	if (count >= SYSCTL_MAX)
		return -E2BIG;
	return count && !(flags & BPF_F_ALLOW_MULTI) ? -EPERM : 0;
}

int probe_guard(struct run *run)
{
	int err;

	if (run->sealed || !vault_is_wanted(run))
		return 0;
	err = process_check_cgroup_namespace();
	if (!err)
		err = check_root_cgroup();
	return err ? refuse_sysctl(err) : 0;
}

static int attach_sysctl(struct run *run)
{
	int program = bpf_program__fd(sysctl_program(&run->guard));
	CLEANUP(close_fd) int root = -1;
	int err = fault("sysctl");

	/* There the root would be another one. */
	if (!err)
		err = process_check_cgroup_namespace();
	if (!err)
		err = open_root_cgroup(&root);
	if (!err)
		err = bpf_prog_attach(program, root, BPF_CGROUP_SYSCTL,
				      BPF_F_ALLOW_MULTI);
	if (err)
		return refuse_sysctl(err);
	run->sysctl_cgroup = keep_fd(&root);
	return 0;
}

bool guard_is_on_root(uint32_t program)
{
	CLEANUP(close_fd) int root = -1;
	uint32_t ids[SYSCTL_MAX], count = SYSCTL_MAX;

	if (open_root_cgroup(&root) ||
	    bpf_prog_query(root, BPF_CGROUP_SYSCTL, 0, NULL, ids, &count))
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (ids[i] == program)
			return true;
	return false;
}

bool guard_hides(const char *map)
{
	return !strcmp(map, GUARD_STATE) || !strcmp(map, GUARD_OBJECTS);
}

static int register_programs(const struct run *run, const struct load *load)
{
	struct bpf_program *program;
	int err = 0;

	bpf_object__for_each_program(program, load->object)
	{
		if (!err)
			err = guard_register(run, bpf_program__fd(program),
					     GUARD_OPEN);
	}
	return err;
}

static int register_guard(const struct run *run)
{
	struct bpf_map *map;
	int err = register_programs(run, &run->guard);

	bpf_object__for_each_map(map, run->guard.object)
	{
		if (!err)
			err = guard_register(run, bpf_map__fd(map),
					     guard_hides(bpf_map__name(map))
						     ? GUARD_HIDDEN
						     : GUARD_OPEN);
	}
	return err;
}

static int refuse_register(int err, const struct load *load)
{
	return refuse(err, load->path, "guard", NULL,
		      "the guard does not take all of its objects:");
}

int attach_guard(struct run *run)
{
	struct load *guard = &run->guard;
	int err;

	if (!guard->object)
		return 0;
	err = attach_programs(run, guard);
	if (err)
		return err;
	err = register_guard(run);
	if (err)
		return refuse_register(err, guard);
	err = attach_sysctl(run);
	if (!err)
		err = stage_policy(run, guard);
	if (!err)
		err = pin_links(run, guard);
	return err ? err : put_in_place(run, guard);
}

int guard_programs(struct run *run, struct load *load)
{
	int err = run->guard.object ? register_programs(run, load) : 0;

	return err ? refuse_register(err, load) : 0;
}

/* ---- taking it off ---- */

static bool has_name(int program, const char *name)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);

	return !bpf_obj_get_info_by_fd(program, &info, &size) &&
	       !strcmp(info.name, name);
}

/* 1 where a guard is still loaded. */
static int count_guards(const void *context)
{
	(void)context;
	for (uint32_t id = 0; !bpf_prog_get_next_id(id, &id);) {
		CLEANUP(close_fd) int program = bpf_prog_get_fd_by_id(id);

		if (program >= 0 && has_name(program, BPF_PROGRAM))
			return 1;
	}
	return 0;
}

static int detach_sysctl(int root)
{
	uint32_t ids[SYSCTL_MAX], count = SYSCTL_MAX;
	int err = bpf_prog_query(root, BPF_CGROUP_SYSCTL, 0, NULL, ids, &count);

	for (uint32_t i = 0; i < count && !err; i++) {
		CLEANUP(close_fd) int program = bpf_prog_get_fd_by_id(ids[i]);

		if (program >= 0 && has_name(program, SYSCTL_PROGRAM))
			err = bpf_prog_detach2(program, root,
					       BPF_CGROUP_SYSCTL);
	}
	return err;
}

int wait_for_no_guard(void)
{
	CLEANUP(close_fd) int root = -1;
	int err = open_root_cgroup(&root);

	if (wait_for(count_guards, NULL))
		return -EBUSY;
	return err ? err : detach_sysctl(root);
}

/* 1 where a policy still denies it. */
static int count_undetached(const void *root)
{
	return detach_sysctl(*(const int *)root) == -EPERM;
}

void remove_guard(struct run *run)
{
	if (run->sysctl_cgroup >= 0 && !run->sealed)
		wait_for(count_undetached, &run->sysctl_cgroup);
	close_fd(&run->sysctl_cgroup);
	run->sysctl_cgroup = -1;
}
