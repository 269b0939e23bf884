/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fileless_exec: running code out of memory, or of files without a name.
 *
 *	operation	hook
 *	memfd		bprm_creds_for_exec, bprm_check_security (interpreters)
 *	shm		the same
 *	unlinked	the same
 *	script		bprm_check_security
 *	map		mmap_file, file_mprotect
 *
 * What a file is, by its inode and super block:
 *
 *	memfd		on a mount of the kernel's own, of tmpfs or hugetlbfs
 *	shm		on any other tmpfs (devtmpfs too), ramfs or hugetlbfs,
 *			or on an overlay whose real file is on one, unless that
 *			is the root file system
 *	unlinked	without a link, on whatever file system: deleted, or
 *			O_TMPFILE and not linked since
 *
 * A memfd is that alone, for it never had a link; a deleted file on tmpfs is
 * shm and unlinked.  A script is the file that it is, and `script` besides.
 * What is not a regular file (/dev/zero) is nothing of all this.  Nor is
 * memory that is mapped without a file, as JITs do: shared or of huge pages it
 * has a file inside the kernel, and may be made executable as it is.  Opened by
 * its name in /proc, that file is a memfd.
 *
 * An exec maps its own file: that was decided as the exec, and is no `map`.
 * The dynamic loader that the kernel maps for it is.  What an interpreter is
 * told to read (`sh FILE`) is seen by no hook; with AT_EXECVE_CHECK (6.14) it
 * can ask, and gets the answer for an exec.
 *
 * A container whose own root file system is a tmpfs runs nothing but shm.
 *
 * Maps: events, drops; .rodata.policy and .rodata.boot, frozen before loading.
 *
 * Which way it fails: a subject that cannot be told is a container; a policy
 * that was never written in denies everything; with an unknown root file
 * system no tmpfs is it.  What cannot be read is 0, and so a file without a
 * link, and denied.  Only the real file of an overlay that cannot be read
 * passes, as the overlay's own.
 */
#include "bpf/templates/include/kernel.h"
#include "bpf/templates/include/cast.h"
#include "bpf/templates/include/policy.h"
#include "bpf/templates/include/event.h"

char LICENSE[] SEC("license") = "GPL";

#define MEMFD	 OPERATION_MASK(fileless_exec, memfd)
#define SHM	 OPERATION_MASK(fileless_exec, shm)
#define UNLINKED OPERATION_MASK(fileless_exec, unlinked)
#define SCRIPT	 OPERATION_MASK(fileless_exec, script)
#define MAP	 OPERATION_MASK(fileless_exec, map)

POLICY(fileless_exec, MEMFD | SHM | UNLINKED | SCRIPT | MAP);

static __always_inline bool magic_is_memory(unsigned long magic)
{
	return magic == TMPFS_MAGIC || magic == RAMFS_MAGIC ||
	       magic == HUGETLBFS_MAGIC;
}

static __always_inline bool is_root(uint32_t dev)
{
	return boot.root_dev && dev == boot.root_dev;
}

static __always_inline bool cast_is_memory(const struct file *real)
{
	const struct super_block *sb = real->f_inode->i_sb;

	return magic_is_memory(sb->s_magic) && !is_root(sb->s_dev);
}

static __always_inline bool probed_is_memory(const struct file *real)
{
	const struct super_block *sb = BPF_CORE_READ(real, f_inode, i_sb);

	return magic_is_memory(BPF_CORE_READ(sb, s_magic)) &&
	       !is_root(BPF_CORE_READ(sb, s_dev));
}

/*
 * Whether the real file behind an overlay's @file is in memory.  Its
 * private_data is, up to 6.12, the real file, and later a struct whose first
 * word that is.  Both are tried, for the wrong one finds no such magic number.
 * An overlay's layer may be on another overlay, and no deeper.
 *
 * Kernels before 6.2 refuse this, and the program with it, under
 * lockdown=confidentiality.
 */
static __always_inline bool overlay_is_memory(const struct file *file)
{
	if (can_cast()) {
		const struct file *direct = CAST(file->private_data, file);
		const struct list_head *word =
			CAST(file->private_data, list_head);
		const struct file *indirect = CAST(word->next, file);

		if (cast_is_memory(direct) || cast_is_memory(indirect))
			return true;
		direct = CAST(direct->private_data, file);
		word = CAST(indirect->private_data, list_head);
		indirect = CAST(word->next, file);
		return cast_is_memory(direct) || cast_is_memory(indirect);
	} else {
		const struct file *real = BPF_CORE_READ(file, private_data);

		if (probed_is_memory(real))
			return true;
		real = BPF_CORE_READ(real, private_data);
		return probed_is_memory(real);
	}
}

/*
 * Whether a file on a mount of the kernel's own is memory that was mapped
 * without one: it has one of two names, and both are short enough to be in
 * the dentry itself.  A memfd's name begins with "memfd:".  And the kernel made
 * it for writing, and never opened it: whoever does, by its name in /proc, has
 * it for reading or as one of its writers.
 */
static __always_inline bool file_is_anonymous(const struct file *file)
{
	const struct dentry *dentry = file->f_path.dentry;
	const struct dentry___shortname *later = (const void *)dentry;
	uint32_t len = dentry->d_name.len;
	unsigned char first;

	if (bpf_core_field_exists(later->d_shortname))
		first = later->d_shortname.string[0];
	else
		first = dentry->d_iname[0];
	return ((first == 'd' && len == sizeof("dev/zero") - 1) ||
		(first == 'a' && len == sizeof("anon_hugepage") - 1)) &&
	       (file->f_mode & (FMODE_WRITE | FMODE_WRITER)) == FMODE_WRITE;
}

/* What a file is whose inode or super block is not that of an ordinary one. */
SHARED uint64_t file_kinds_unusual(const struct file *file)
{
	struct inode *inode = file->f_inode;
	struct super_block *sb = inode->i_sb;
	uint64_t unlinked = inode->i_nlink ? 0 : UNLINKED;
	unsigned short type = inode->i_mode & S_IFMT;
	unsigned long magic = sb->s_magic;

	if (type && type != S_IFREG)
		return 0;
	if (is_root(sb->s_dev))
		return unlinked;
	if (magic == OVERLAYFS_MAGIC)
		return unlinked | (overlay_is_memory(file) ? SHM : 0);
	if (!magic_is_memory(magic))
		return unlinked;
	if (!(sb->s_flags & SB_KERNMOUNT))
		return unlinked | SHM;
	return file_is_anonymous(file) ? 0 : MEMFD;
}

/* What @file is: a mask of MEMFD, SHM and UNLINKED, 0 for all that is in
 * place.  Here every exec and executable mapping passes. */
static __always_inline uint64_t file_kinds(const struct file *file)
{
	struct inode *inode = file->f_inode;
	unsigned long magic = inode->i_sb->s_magic;

	if (inode->i_nlink && !magic_is_memory(magic) &&
	    magic != OVERLAYFS_MAGIC)
		return 0;
	return file_kinds_unusual(file);
}

/* Whether @file is the one whose exec current is in the middle of. */
static __always_inline bool is_exec_of(const struct file *file)
{
	struct task_struct *task;

	if (kernel_has(get_current_task_btf)) {
		task = bpf_get_current_task_btf();
		return BPF_CORE_READ_BITFIELD(task, in_execve) &&
		       task->mm->exe_file == file;
	}
	task = (void *)bpf_get_current_task();
	return BPF_CORE_READ_BITFIELD_PROBED(task, in_execve) &&
	       BPF_CORE_READ(task, mm, exe_file) == file;
}

/* bpf_d_path() is allowed in the hooks of an exec, and not in those of a
 * mapping: there, @whole is false. */
static __always_inline int decide(struct file *file, uint64_t matched,
				  bool whole)
{
	struct decision decision =
		policy_decide_any(&policy_fileless_exec, matched);
	struct event *event;

	if (decision.logged) {
		event = event_reserve(&decision);
		if (event) {
			if (whole)
				event_object_file(event, file);
			else
				event_object_base(event, file);
			event_submit(event);
		}
	}
	return policy_verdict(&decision);
}

SEC("lsm/bprm_creds_for_exec")
int BPF_PROG(fileless_exec_file, struct linux_binprm *bprm)
{
	uint64_t kinds = file_kinds(bprm->file);

	if (!kinds)
		return 0;
	return decide(bprm->file, kinds, true);
}

/* Asked again for each interpreter, the first time for the file itself, which
 * was decided above. */
SEC("lsm/bprm_check_security")
int BPF_PROG(fileless_exec_interpreter, struct linux_binprm *bprm)
{
	bool interpreter = bprm->interp != bprm->filename;
	bool script = bprm->buf[0] == '#' && bprm->buf[1] == '!';
	uint64_t kinds;

	if (!interpreter && !script)
		return 0;
	kinds = file_kinds(bprm->file);
	if (!kinds)
		return 0;
	return decide(bprm->file,
		      (interpreter ? kinds : 0) | (script ? SCRIPT : 0), true);
}

SEC("lsm/mmap_file")
int BPF_PROG(fileless_exec_mmap, struct file *file, unsigned long wanted,
	     unsigned long prot, unsigned long flags)
{
	if (!(prot & PROT_EXEC) || flags & MAP_ANONYMOUS || !file)
		return 0;
	if (!file_kinds(file) || is_exec_of(file))
		return 0;
	return decide(file, MAP, false);
}

SEC("lsm/file_mprotect")
int BPF_PROG(fileless_exec_mprotect, struct vm_area_struct *vma,
	     unsigned long wanted, unsigned long prot)
{
	struct file *file;

	if (!(prot & PROT_EXEC))
		return 0;
	file = vma->vm_file;
	if (!file || !file_kinds(file))
		return 0;
	return decide(file, MAP, false);
}
