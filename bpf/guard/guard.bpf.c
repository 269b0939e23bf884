/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard of a sealed machine: keeps root from taking policies away.
 *
 *	hook			denies
 *	bpf			loading and attaching what could sit in front
 *				of us (LSM, fmod_ret, EXT, cgroup/sysctl), and
 *				any use of our objects but looking at them
 *	bpf_map			fds that write our maps, and all of the
 *				guard's own state
 *	sb_umount		unmounting the vault, whatever is in its mount
 *				namespace and, while an attacker has made a
 *				mount above it share its mounts, everything
 *	sb_mount, move_mount,	changing anything in the vault's namespace
 *	sb_pivotroot
 *	sb_remount		making the vault writable
 *	cgroup/sysctl		writing kernel.ftrace_enabled, which would
 *				have the kernel call no program any more
 *
 * None of them is asked by open, read, write, stat, a path walk, fork or exec.
 *
 * Maps: guard_state and guard_objects, which user space can neither write (they
 * are frozen) nor, once sealed, even open: with an fd of them a program could
 * be loaded that writes them.  guard_counts, which nothing depends on.
 *
 * Which way it fails: state that cannot be read, a file or mount that cannot
 * be looked at, is a denial once sealed.  Before that everything is let
 * through that does not concern other people's programs: the loader undoes it.
 */
#include "bpf/guard/guard.h"
#include "bpf/templates/include/kernel.h"
#include "bpf/templates/include/cast.h"
#include "bpf/templates/include/loader.h"

char LICENSE[] SEC("license") = "GPL";

#define BPF_CGROUP_SYSCTL 18
#define BPF_MODIFY_RETURN 26
#define BPF_LSM_MAC	  27
#define BPF_TRACE_ITER	  28
#define BPF_LSM_CGROUP	  43
#define BPF_ANY		  0
#define NO_FD		  UINT32_MAX
#define MOUNTS_ABOVE	  8 /* kdevtmpfs has two */

#pragma clang attribute push(__attribute__((preserve_access_index)), \
			     apply_to = record)

/* As each command reads it; the views overlap. */
union bpf_attr___guard {
	struct { /* BPF_PROG_LOAD */
		__u32 prog_type;
		__u32 expected_attach_type;
		__u32 attach_prog_fd;
	};
	struct { /* BPF_MAP_*_ELEM, BPF_MAP_FREEZE */
		__u32 map_fd;
	};
	struct { /* BPF_OBJ_PIN */
		__u32 bpf_fd;
	};
	struct { /* BPF_PROG_ATTACH, BPF_PROG_DETACH */
		__u32 target_fd;
		__u32 attach_bpf_fd;
		__u32 attach_type;
	};
	struct {
		__u32 prog_fd;
	} test;
	struct {
		__u32 prog_fd;
	} raw_tracepoint;
	struct {
		__u32 prog_fd;
		__u32 attach_type;
	} link_create;
	struct {
		__u32 link_fd;
	} link_update;
	struct {
		__u32 prog_fd;
	} prog_bind_map;
};

struct vfsmount {
	struct super_block *mnt_sb;
};

struct mount {
	struct mount *mnt_parent;
	struct vfsmount mnt;
	struct mount *mnt_master; /* of a slave */
	void *mnt_ns;
	int mnt_group_id; /* of a shared one, otherwise 0 */
};

struct path___guard {
	struct vfsmount *mnt;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct task_struct___guard {
	struct files_struct *files;
};

#pragma clang attribute pop

struct bpf_map;

/* User space API: the program's context. */
struct bpf_sysctl {
	uint32_t write;
	uint32_t file_pos;
};

struct guard_state {
	uint64_t sealed;    /* 1; never 0 again */
	uint64_t mount;	    /* the vault's, by their addresses */
	uint64_t namespace; /* that it is in */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct guard_state);
} guard_state SEC(".maps");

/* Our programs, links and maps, by their addresses in the kernel. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GUARD_MAX_OBJECTS);
	__type(key, uint64_t);
	__type(value, uint64_t); /* enum guard_use */
} guard_objects SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GUARD_COUNT);
	__type(key, uint32_t);
	__type(value, uint64_t);
} guard_counts SEC(".maps");

static __always_inline struct guard_state *find_state(void)
{
	uint32_t key = 0;

	return bpf_map_lookup_elem(&guard_state, &key);
}

/* What a hook returns for a denial, once it was counted. */
static __always_inline int deny(enum guard_count what)
{
	uint32_t key = what;
	uint64_t *count = bpf_map_lookup_elem(&guard_counts, &key);
	int verdict = -EPERM;

	if (count)
		__sync_fetch_and_add(count, 1);
	barrier_var(verdict);
	return verdict;
}

/* ---- objects of ours ---- */

static __always_inline uint64_t use_of(uint64_t address)
{
	uint64_t *use = bpf_map_lookup_elem(&guard_objects, &address);

	return use ? *use : GUARD_NONE;
}

/* What current's file descriptor stands for, by its address; 0 where it is
 * none.  Other files have something else there, which is no address of ours. */
static __always_inline uint64_t object_of(uint32_t fd)
{
	struct task_struct___guard *task = (void *)bpf_get_current_task();
	const struct list_head *slot;
	const struct file *file;
	struct fdtable *table;
	uint64_t slots, address;

	if (can_cast()) {
		task = (void *)bpf_get_current_task_btf();
		table = task->files->fdt;
		slots = (uint64_t)table->fd;
		if (fd >= table->max_fds)
			return 0;
		slot = CAST((void *)(slots + 8 * (uint64_t)fd), list_head);
		file = CAST(slot->next, file);
		return (uint64_t)file->private_data;
	}
	table = BPF_CORE_READ(task, files, fdt);
	if (fd >= BPF_CORE_READ(table, max_fds))
		return 0;
	slots = (uint64_t)BPF_CORE_READ(table, fd);
	if (bpf_probe_read_kernel(&address, sizeof(address),
				  (void *)(slots + 8 * (uint64_t)fd)))
		return 0;
	file = (void *)address;
	return (uint64_t)BPF_CORE_READ(file, private_data);
}

/* ---- bpf() ---- */

/* Attached, it could have our programs not be called; or, an iterator over the
 * elements of a map, it writes them, frozen or not. */
static __always_inline bool is_harmful(uint32_t attach_type)
{
	return attach_type == BPF_LSM_MAC || attach_type == BPF_LSM_CGROUP ||
	       attach_type == BPF_MODIFY_RETURN ||
	       attach_type == BPF_CGROUP_SYSCTL ||
	       attach_type == BPF_TRACE_ITER;
}

static __always_inline bool load_is_denied(const union bpf_attr___guard *attr)
{
	switch (attr->prog_type) {
	case BPF_PROG_TYPE_LSM:
	case BPF_PROG_TYPE_EXT:
	case BPF_PROG_TYPE_CGROUP_SYSCTL:
		return true;
	case BPF_PROG_TYPE_TRACING:
		return attr->expected_attach_type == BPF_MODIFY_RETURN;
	}
	return false;
}

static __always_inline bool attach_is_denied(uint32_t command,
					     const union bpf_attr___guard *attr)
{
	switch (command) {
	case BPF_PROG_LOAD:
		return load_is_denied(attr);
	case BPF_PROG_ATTACH:
	case BPF_PROG_DETACH:
		return is_harmful(attr->attach_type);
	case BPF_LINK_CREATE:
		return is_harmful(attr->link_create.attach_type);
	case BPF_ITER_CREATE:
		return true;
	}
	return false;
}

/* The fd of what @command would change, attach, or hand to others; those that
 * only look are not here.  NO_FD where there is none. */
static __always_inline uint32_t used_fd(uint32_t command,
					const union bpf_attr___guard *attr)
{
	switch (command) {
	case BPF_PROG_LOAD:
		return attr->attach_prog_fd ? attr->attach_prog_fd : NO_FD;
	case BPF_PROG_ATTACH:
	case BPF_PROG_DETACH:
		return attr->attach_bpf_fd;
	case BPF_LINK_CREATE:
		return attr->link_create.prog_fd;
	case BPF_LINK_UPDATE:
	case BPF_LINK_DETACH:
		return attr->link_update.link_fd;
	case BPF_RAW_TRACEPOINT_OPEN:
		return attr->raw_tracepoint.prog_fd;
	case BPF_PROG_TEST_RUN:
		return attr->test.prog_fd;
	case BPF_PROG_BIND_MAP:
		return attr->prog_bind_map.prog_fd;
	case BPF_OBJ_PIN:
		return attr->bpf_fd;
	case BPF_MAP_UPDATE_ELEM:
	case BPF_MAP_DELETE_ELEM:
	case BPF_MAP_LOOKUP_AND_DELETE_ELEM:
	case BPF_MAP_UPDATE_BATCH:
	case BPF_MAP_DELETE_BATCH:
	case BPF_MAP_LOOKUP_AND_DELETE_BATCH:
	case BPF_MAP_FREEZE:
		return attr->map_fd;
	}
	return NO_FD;
}

/* The loader's, before it seals: { fd, use }. */
static __always_inline int register_object(const union bpf_attr___guard *attr)
{
	uint64_t address = object_of(attr->target_fd);
	uint64_t use = attr->attach_bpf_fd;
	int registered = -GUARD_REGISTERED;

	if (!address ||
	    bpf_map_update_elem(&guard_objects, &address, &use, BPF_ANY))
		return 0;
	barrier_var(registered);
	return registered;
}

SEC("lsm/bpf")
int BPF_PROG(guard_bpf, int cmd, union bpf_attr *attr)
{
	const union bpf_attr___guard *view = (void *)attr;
	uint32_t command = (uint32_t)cmd & 0xffff;
	struct guard_state *state = find_state();
	uint32_t fd;

	if (state && !state->sealed && loader_is_current())
		return command == BOOT_GUARD_COMMAND ? register_object(view)
						     : 0;
	fd = used_fd(command, view);
	if (attach_is_denied(command, view) ||
	    (fd != NO_FD && use_of(object_of(fd)) != GUARD_NONE))
		return deny(GUARD_DENIED_BPF);
	return 0;
}

SEC("lsm/bpf_map")
int BPF_PROG(guard_map, struct bpf_map *map, unsigned int mode)
{
	struct guard_state *state = find_state();
	uint64_t use = use_of((uint64_t)map);

	if (use == GUARD_NONE || (state && !state->sealed))
		return 0;
	if (use == GUARD_HIDDEN || (use == GUARD_OPEN && mode & FMODE_WRITE))
		return deny(GUARD_DENIED_BPF);
	return 0;
}

/* ---- the vault ---- */

/* The kernel's own struct around what hooks are given. */
static __always_inline uint64_t mount_of(const struct vfsmount *vfsmount)
{
	return (uint64_t)vfsmount - bpf_core_field_offset(struct mount, mnt);
}

#define READ_MOUNT(address, field)                                             \
	(can_cast() ? (uint64_t)CAST((void *)(address), mount)->field          \
		    : (uint64_t)BPF_CORE_READ((const struct mount *)(address), \
					      field))

static __always_inline bool is_vault(const struct super_block *sb)
{
	return boot.vault_dev && sb->s_dev == boot.vault_dev;
}

static __always_inline bool is_inside(const struct guard_state *state,
				      const struct vfsmount *vfsmount)
{
	uint64_t mount = mount_of(vfsmount);

	return is_vault(vfsmount->mnt_sb) ||
	       READ_MOUNT(mount, mnt_ns) == state->namespace;
}

/*
 * Whether what is unmounted elsewhere could be unmounted above the vault too:
 * the kernel does that to a mount whose parent shares its mounts, or gets
 * those of another one, without asking for it.
 */
static __always_inline bool is_shared(const struct guard_state *state)
{
	uint64_t mount = state->mount;

	for (int i = 0; i < MOUNTS_ABOVE; i++) {
		uint64_t parent = READ_MOUNT(mount, mnt_parent);

		if (READ_MOUNT(mount, mnt_group_id) ||
		    READ_MOUNT(mount, mnt_master))
			return true;
		if (parent == mount)
			return false;
		mount = parent;
	}
	return true;
}

/* 0: it is not to be had. */
static __always_inline int seal(struct guard_state *state,
				const struct vfsmount *vfsmount)
{
	uint64_t mount = mount_of(vfsmount);
	uint64_t namespace = READ_MOUNT(mount, mnt_ns);
	int sealed = -GUARD_SEALED;

	if (!namespace)
		return 0; /* somebody unmounted it */
	state->mount = mount;
	state->namespace = namespace;
	state->sealed = 1;
	barrier_var(sealed);
	return sealed;
}

SEC("lsm/sb_umount")
int BPF_PROG(guard_umount, struct vfsmount *vfsmount, int flags)
{
	struct guard_state *state = find_state();

	if (!state)
		return deny(GUARD_DENIED_MOUNT);
	if (!state->sealed)
		return 0;
	if (is_inside(state, vfsmount) || is_shared(state))
		return deny(GUARD_DENIED_MOUNT);
	return 0;
}

static __always_inline int decide_mount(const struct path___guard *path)
{
	struct guard_state *state = find_state();

	if (state && (!state->sealed || !is_inside(state, path->mnt)))
		return 0;
	return deny(GUARD_DENIED_MOUNT);
}

static __always_inline int decide_move(const struct path *from,
				       const struct path *to)
{
	int verdict = decide_mount((const void *)from);

	return verdict ? verdict : decide_mount((const void *)to);
}

SEC("lsm/sb_mount")
int BPF_PROG(guard_mount, const char *device, const struct path *path)
{
	const struct path___guard *view = (const void *)path;
	struct guard_state *state = find_state();

	if (state && !state->sealed && is_vault(view->mnt->mnt_sb) &&
	    loader_is_current())
		return seal(state, view->mnt);
	return decide_mount(view);
}

SEC("lsm/move_mount")
int BPF_PROG(guard_move_mount, const struct path *from, const struct path *to)
{
	return decide_move(from, to);
}

SEC("lsm/sb_pivotroot")
int BPF_PROG(guard_pivotroot, const struct path *old, const struct path *new)
{
	return decide_move(old, new);
}

SEC("lsm/sb_remount")
int BPF_PROG(guard_remount, struct super_block *sb)
{
	struct guard_state *state = find_state();

	if (state && (!state->sealed || !is_vault(sb)))
		return 0;
	return deny(GUARD_DENIED_MOUNT);
}

/* ---- the switch that has the kernel call no program ---- */

static const volatile char ftrace_enabled[] SEC(".rodata.guard") =
	"kernel/ftrace_enabled";

SEC("cgroup/sysctl")
int guard_sysctl(struct bpf_sysctl *ctx)
{
	struct guard_state *state = find_state();
	char name[sizeof(ftrace_enabled)] = {};

	if (!ctx->write || (state && !state->sealed))
		return 1;
	/* A longer one is cut. */
	bpf_sysctl_get_name((void *)ctx, name, sizeof(name), 0);
	for (unsigned i = 0; i < sizeof(name); i++)
		if (name[i] != ftrace_enabled[i])
			return 1;
	deny(GUARD_DENIED_SYSCTL);
	return 0;
}
