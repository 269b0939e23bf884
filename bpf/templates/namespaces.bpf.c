/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * namespaces: creating them, and entering those of others.
 *
 *	operation	hook
 *	user		userns_create
 *	pid, net, mnt,	task_alloc for clone and clone3; capable
 *	uts, ipc,	(CAP_SYS_ADMIN, in unshare) for unshare; both hot
 *	cgroup, time
 *	mnt		capable also in open_tree and fsmount, which can make
 *			one that nobody is in yet
 *	enter		capable (CAP_SYS_ADMIN, in setns)
 *
 * unshare and setns have no hook of their own.  Both ask for CAP_SYS_ADMIN,
 * whatever they are to do and whoever calls, in a user namespace of its own
 * too.  For clone nobody is asked for a capability before the flags are copied
 * from user memory, so it has to be task_alloc, which gets the copy.
 *
 * An access that creates several is denied if one of them is.  Who asks is who
 * calls: the parent in clone.
 *
 * Maps: events, drops; .rodata.policy, .rodata.boot and, where the policy
 * names cgroups, .rodata.cgroups, frozen before loading.
 *
 * Which way it fails: a subject that cannot be told is a container; a policy
 * that was never written in denies everything; a task of user space whose
 * system call cannot be told does all of it when it uses CAP_SYS_ADMIN, and one
 * whose arguments cannot be read asks for every flag.  Threads of the kernel
 * make no system calls.  A kernel without the hook userns_create, before 6.1,
 * does not load what denies or logs `user`.
 *
 * What it does not see: a namespace that is made with the user namespace that
 * it belongs to is denied as `user` is, first; an idmapped mount uses a user
 * namespace and enters none.
 */
#include "bpf/templates/include/kernel.h"
#include "bpf/templates/include/policy.h"
#include "bpf/templates/include/event.h"
#include "bpf/templates/include/syscall.h"

char LICENSE[] SEC("license") = "GPL";

POLICY(namespaces, (OPERATION_MASK(namespaces, enter) << 1) - 1);

_Static_assert(OP_BIT(namespaces, user) == 0, "all operations are decided");

#define MASK(operation) OPERATION_MASK(namespaces, operation)

#define CREATED                                                      \
	(MASK(pid) | MASK(net) | MASK(mnt) | MASK(uts) | MASK(ipc) | \
	 MASK(cgroup) | MASK(time))

/* What flags of clone and of unshare create, but a user namespace. */
static __always_inline uint64_t created_by(uint64_t flags)
{
	uint64_t operations = 0;

	if (flags & CLONE_NEWPID)
		operations |= MASK(pid);
	if (flags & CLONE_NEWNET)
		operations |= MASK(net);
	if (flags & CLONE_NEWNS)
		operations |= MASK(mnt);
	if (flags & CLONE_NEWUTS)
		operations |= MASK(uts);
	if (flags & CLONE_NEWIPC)
		operations |= MASK(ipc);
	if (flags & CLONE_NEWCGROUP)
		operations |= MASK(cgroup);
	if (flags & CLONE_NEWTIME)
		operations |= MASK(time);
	return operations;
}

static __always_inline int decide(uint64_t operations)
{
	if (!operations)
		return 0;
	return event_decide_nameless(&policy_namespaces, operations);
}

SEC("lsm/userns_create")
int BPF_PROG(namespaces_userns_create, const struct cred *cred)
{
	return decide(MASK(user));
}

SEC("lsm/task_alloc")
int BPF_PROG(namespaces_task_alloc, struct task_struct *task,
	     unsigned long clone_flags)
{
	return decide(created_by(clone_flags));
}

/* What current does in the system call that it is in.  Not inlined: it and the
 * walk to a named cgroup have no room on one stack. */
SHARED uint64_t namespaces_in_syscall(void)
{
	bool i386 = syscall_is_i386();
	uint64_t flags;

	switch (syscall_namespace_call(i386)) {
	case NAMESPACE_UNKNOWN: /* threads of the kernel are in none */
		return subject_is_kernel() ? 0 : CREATED | MASK(enter);
	case NAMESPACE_ENTER:
		return MASK(enter);
	case NAMESPACE_UNSHARE:
		flags = syscall_first(i386);
		if (flags & UNSHARE_EMPTY_MNTNS)
			flags |= CLONE_NEWNS;
		return created_by(flags);
	case NAMESPACE_OPEN_TREE:
		return syscall_third() & OPEN_TREE_NAMESPACE ? MASK(mnt) : 0;
	case NAMESPACE_FSMOUNT:
		return syscall_second(i386) & FSMOUNT_NAMESPACE ? MASK(mnt) : 0;
	case NAMESPACE_NONE:
		break;
	}
	return 0;
}

SEC("lsm/capable")
int BPF_PROG(namespaces_capable, const struct cred *cred,
	     struct user_namespace *ns, int cap)
{
	if (cap != CAP_SYS_ADMIN ||
	    !policy_cares(&policy_namespaces, CREATED | MASK(enter)))
		return 0;
	return decide(namespaces_in_syscall());
}
