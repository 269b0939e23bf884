/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sysfs: opening a file of sysfs for writing.  Which operation it is, the
 * folder says that it is below in the root of sysfs: /sys/kernel and so on.
 *
 *	operation	hook
 *	all		file_open
 *
 * That folder is where the file really is.  Links were followed before, so all
 * that /sys/class and /sys/block lead to is `devices`.  It is found from the
 * super block's own root down, so that another mount, a part that is mounted
 * elsewhere, and the sysfs of another network namespace are the same.  Other
 * file systems that are mounted there (cgroup2, debugfs) are not sysfs.
 *
 * Every open of a file comes here.  Most leave where it is not for writing;
 * the others but sysfs's own, at the super block's number.
 *
 * Maps: events, drops; .rodata.policy, .rodata.boot and, where the policy
 * names cgroups, .rodata.cgroups, frozen before loading.
 *
 * Which way it fails: where the folder cannot be told, as when it is too far
 * above, the file is all operations at once, and denied where one of them is;
 * a subject that cannot be told is a container; a policy that was never
 * written in denies everything.  A super block without a number passes.
 *
 * What it does not see: a descriptor that was open before; chmod, chown and
 * the like.
 */
#include "bpf/templates/include/kernel.h"
#include "bpf/templates/include/policy.h"
#include "bpf/templates/include/event.h"

char LICENSE[] SEC("license") = "GPL";

#define MASK(name) OPERATION_MASK(sysfs, name)
#define ALL	   ((MASK(other) << 1) - 1)

_Static_assert(OP_BIT(sysfs, kernel) == 0, "all operations are decided");

POLICY(sysfs, ALL);

/* Folders that a file may be below: three times as many as devices make. */
#define DEPTH_MAX 128

/* What @dentry is below in the root of its file system, or is itself; NULL
 * where that cannot be told. */
static __always_inline const struct dentry *find_top(
	const struct dentry *dentry, const struct dentry *root)
{
	const struct dentry *parent;

	if (!root)
		return NULL;
#pragma clang loop unroll(disable)
	for (uint32_t i = 0; i < DEPTH_MAX; i++) {
		parent = dentry->d_parent;
		if (parent == root)
			return dentry;
		dentry = parent;
	}
	return NULL;
}

static __always_inline uint64_t read_word(const void *at)
{
	return *(const uint64_t *)at;
}

#define LONG_NAME UINT64_C(1) /* no name's word, for none has a NUL */

/*
 * A name of up to eight letters in the upper bytes of a word, and zeros below:
 * no two names have the same.  LONG_NAME for a longer one; 0 where it cannot be
 * read.  One that is not longer is in the dentry itself.
 */
static __always_inline uint64_t read_name(const struct dentry *dentry)
{
	const struct dentry___shortname *later = (const void *)dentry;
	uint32_t len = dentry->d_name.len;
	uint64_t bytes;

	if (len > sizeof(bytes))
		return LONG_NAME;
	if (!len)
		return 0;
	if (bpf_core_field_exists(later->d_shortname))
		bytes = read_word(later->d_shortname.string);
	else
		bytes = read_word(dentry->d_iname);
	return bytes << (8 * (sizeof(bytes) - len));
}

/* That word of a literal. */
#define LETTER(text, at)                                                    \
	((at) < sizeof(text) - 1 ? (uint64_t)(text)[(at) % sizeof(text)]    \
					   << 8 * ((at) + 9 - sizeof(text)) \
				 : 0)
#define NAME(text)                                             \
	(LETTER(text, 0) | LETTER(text, 1) | LETTER(text, 2) | \
	 LETTER(text, 3) | LETTER(text, 4) | LETTER(text, 5) | \
	 LETTER(text, 6) | LETTER(text, 7))

/* What writing to a file of sysfs is. */
static __always_inline uint64_t find_operation(const struct file *file)
{
	const struct dentry *top =
		find_top(file->f_path.dentry, file->f_inode->i_sb->s_root);
	uint64_t name;

	if (!top)
		return ALL;
	name = read_name(top);
	if (!name)
		return ALL;
		/* What is none of these is `other`: where nobody cares about
		 * that, what nobody cares about need not be told from it. */
#define RETURN_IF(folder)                                              \
	if (policy_cares(&policy_sysfs, MASK(folder) | MASK(other)) && \
	    name == NAME(#folder))                                     \
		return MASK(folder);
	RETURN_IF(kernel)
	RETURN_IF(module)
	RETURN_IF(bus)
	RETURN_IF(block)
	RETURN_IF(class)
	RETURN_IF(devices)
	RETURN_IF(firmware)
	RETURN_IF(fs)
	RETURN_IF(power)
	return MASK(other);
}

SEC("lsm/file_open")
int BPF_PROG(sysfs_file_open, struct file *file)
{
	if (!(file->f_mode & FMODE_WRITE) ||
	    file->f_inode->i_sb->s_magic != SYSFS_MAGIC)
		return 0;
	return event_decide_file(&policy_sysfs, find_operation(file), file);
}
