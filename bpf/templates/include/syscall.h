/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which system call current is in, for hooks that several of them come to.
 *
 * The number is what the kernel itself saved on entry.  Kernels without
 * bpf_task_pt_regs(), older than 5.15, have it at the end of the task's stack,
 * as bpf_task_pt_regs() would find it there.
 */
#pragma once

#include "bpf/templates/include/kernel.h"

#define SYSCALL_UNKNOWN (-1L)
#define SYSCALL_X32	0x40000000L /* in the number, for that ABI */

/* The numbers of delete_module. */
#define SYSCALL_DELETE_MODULE_X86_64 176L
#define SYSCALL_DELETE_MODULE_ARM64  106L
#define SYSCALL_DELETE_MODULE_32     129L /* i386 and arm both */

/* What makes or enters namespaces.  The last three have one number everywhere.
 */
#define SYSCALL_UNSHARE_X86_64 272L
#define SYSCALL_UNSHARE_I386   310L
#define SYSCALL_UNSHARE_ARM64  97L
#define SYSCALL_UNSHARE_ARM    337L
#define SYSCALL_SETNS_X86_64   308L
#define SYSCALL_SETNS_I386     346L
#define SYSCALL_SETNS_ARM64    268L
#define SYSCALL_SETNS_ARM      375L
#define SYSCALL_OPEN_TREE      428L
#define SYSCALL_FSMOUNT	       432L
#define SYSCALL_OPEN_TREE_ATTR 467L

#define STACK_SIZE_X86 16384
#define USER32_CS      0x23
#define USER_DS	       0x2b
#define USER_CS	       0x33

/* A system call of 32 bits on x86: however it was made, the kernel notes it. */
#define TS_COMPAT 0x2

/* Two machines that can be told apart by the registers that they save. */
#define syscall_on_x86() bpf_core_field_exists(struct pt_regs___x86, orig_ax)
#define syscall_on_arm64() \
	bpf_core_field_exists(struct pt_regs___arm64, syscallno)

/* The registers are at the end of a stack of 16 KiB, as it is unless the kernel
 * was built to check itself (KASAN); the segments that user space has show
 * whether it was they.  Their address, or 0 where not. */
SHARED uint64_t syscall_on_stack(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	const struct pt_regs___x86 *regs;
	unsigned long code, stack_segment;
	void *stack;

	if (bpf_core_read(&stack, sizeof(stack), &task->stack))
		return 0;
	regs = stack + STACK_SIZE_X86 -
	       bpf_core_type_size(struct pt_regs___x86);
	if (bpf_core_read(&code, sizeof(code), &regs->cs) ||
	    bpf_core_read(&stack_segment, sizeof(stack_segment), &regs->ss) ||
	    (code != USER_CS && code != USER32_CS) || stack_segment != USER_DS)
		return 0;
	return (uint64_t)regs;
}

/* The register of one of the two machines, or SYSCALL_UNKNOWN. */
#define SYSCALL_REGISTER(x86, arm64)                                           \
	({                                                                     \
		unsigned long held = (unsigned long)SYSCALL_UNKNOWN;           \
		const struct pt_regs___x86 *on_stack;                          \
		void *regs;                                                    \
                                                                               \
		if (kernel_has(task_pt_regs)) {                                \
			regs = (void *)bpf_task_pt_regs(                       \
				bpf_get_current_task_btf());                   \
			if (syscall_on_x86()) {                                \
				barrier();                                     \
				held = ((struct pt_regs___x86 *)regs)->x86;    \
				barrier();                                     \
			} else if (syscall_on_arm64()) {                       \
				barrier();                                     \
				held = (unsigned long)((struct pt_regs___arm64 \
								*)regs)        \
					       ->arm64;                        \
				barrier();                                     \
			}                                                      \
		} else if (syscall_on_x86()) {                                 \
			on_stack = (const void *)syscall_on_stack();           \
			if (!on_stack || bpf_core_read(&held, sizeof(held),    \
						       &on_stack->x86))        \
				held = (unsigned long)SYSCALL_UNKNOWN;         \
		}                                                              \
		held;                                                          \
	})

/* Its number on the machine and in the ABI that it is called on, or
 * SYSCALL_UNKNOWN.  The kernel goes by 32 bits of the register, and saves what
 * the caller had in the others. */
static __always_inline long syscall_number(void)
{
	return (int)SYSCALL_REGISTER(orig_ax, syscallno);
}

/* Whether the number is what the kernel saved, and not a guess. */
static __always_inline bool syscall_is_saved(void)
{
	return kernel_has(task_pt_regs) &&
	       (syscall_on_x86() || syscall_on_arm64());
}

/* Whether the system call is one of i386.  arm64's have their arguments where
 * those of 32 bits have theirs. */
static __always_inline bool syscall_is_i386(void)
{
	struct task_struct___x86 *task;
	uint32_t status = 0;

	if (!syscall_on_x86())
		return false;
	if (kernel_has(task_pt_regs)) {
		task = (void *)bpf_get_current_task_btf();
		barrier();
		status = task->thread_info.status;
		barrier();
	} else {
		task = (void *)bpf_get_current_task();
		bpf_core_read(&status, sizeof(status),
			      &task->thread_info.status);
	}
	return status & TS_COMPAT;
}

/* Its first three arguments; all ones where they cannot be read. */
static __always_inline unsigned long syscall_first(bool i386)
{
	if (i386)
		return SYSCALL_REGISTER(bx, orig_x0);
	return SYSCALL_REGISTER(di, orig_x0);
}

static __always_inline unsigned long syscall_second(bool i386)
{
	if (i386)
		return SYSCALL_REGISTER(cx, regs[1]);
	return SYSCALL_REGISTER(si, regs[1]);
}

static __always_inline unsigned long syscall_third(void)
{
	return SYSCALL_REGISTER(dx, regs[2]);
}

/*
 * Whether current is in delete_module, for where CAP_SYS_MODULE is asked for:
 * no other system call that has one of its numbers in another ABI asks for
 * that.  True where the system call is unknown.
 */
static __always_inline bool syscall_is_delete_module(void)
{
	long number = syscall_number();

	if (number == SYSCALL_UNKNOWN || number == SYSCALL_DELETE_MODULE_32)
		return true;
	if (syscall_on_x86())
		return (number & ~SYSCALL_X32) == SYSCALL_DELETE_MODULE_X86_64;
	return number == SYSCALL_DELETE_MODULE_ARM64;
}

enum namespace_call {
	NAMESPACE_UNKNOWN,
	NAMESPACE_NONE,
	NAMESPACE_UNSHARE,
	NAMESPACE_ENTER,
	NAMESPACE_OPEN_TREE,
	NAMESPACE_FSMOUNT,
};

/*
 * Which of these current is in, for where CAP_SYS_ADMIN is asked for.  On arm64
 * the numbers of both ABIs count: what else has them, setpriority and tgkill of
 * 32 bits, does not ask for that.
 */
static __always_inline enum namespace_call syscall_namespace_call(bool i386)
{
	long number = syscall_number();

	if (number == SYSCALL_UNKNOWN) /* as saved also where there is none */
		return syscall_is_saved() ? NAMESPACE_NONE : NAMESPACE_UNKNOWN;
	if (syscall_on_x86() && !i386)
		number &= ~SYSCALL_X32;
	switch (number) {
	case SYSCALL_OPEN_TREE:
	case SYSCALL_OPEN_TREE_ATTR:
		return NAMESPACE_OPEN_TREE;
	case SYSCALL_FSMOUNT:
		return NAMESPACE_FSMOUNT;
	}
	if (!syscall_on_x86())
		return number == SYSCALL_UNSHARE_ARM64 ||
				       number == SYSCALL_UNSHARE_ARM
			       ? NAMESPACE_UNSHARE
		       : number == SYSCALL_SETNS_ARM64 ||
				       number == SYSCALL_SETNS_ARM
			       ? NAMESPACE_ENTER
			       : NAMESPACE_NONE;
	if (number == (i386 ? SYSCALL_UNSHARE_I386 : SYSCALL_UNSHARE_X86_64))
		return NAMESPACE_UNSHARE;
	if (number == (i386 ? SYSCALL_SETNS_I386 : SYSCALL_SETNS_X86_64))
		return NAMESPACE_ENTER;
	return NAMESPACE_NONE;
}
