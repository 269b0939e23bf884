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

#define STACK_SIZE_X86 16384
#define USER32_CS      0x23
#define USER_DS	       0x2b
#define USER_CS	       0x33

/* Two machines that can be told apart by the registers that they save. */
#define syscall_on_x86() bpf_core_field_exists(struct pt_regs___x86, orig_ax)
#define syscall_on_arm64() \
	bpf_core_field_exists(struct pt_regs___arm64, syscallno)

/* The registers are at the end of a stack of 16 KiB, as it is unless the kernel
 * was built to check itself (KASAN); the segments that user space has show
 * whether it was they. */
static __always_inline long syscall_on_stack(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	unsigned long code, stack_segment;
	struct pt_regs___x86 *regs;
	long number;
	void *stack;

	if (bpf_core_read(&stack, sizeof(stack), &task->stack))
		return SYSCALL_UNKNOWN;
	regs = stack + STACK_SIZE_X86 -
	       bpf_core_type_size(struct pt_regs___x86);
	if (bpf_core_read(&number, sizeof(number), &regs->orig_ax) ||
	    bpf_core_read(&code, sizeof(code), &regs->cs) ||
	    bpf_core_read(&stack_segment, sizeof(stack_segment), &regs->ss) ||
	    (code != USER_CS && code != USER32_CS) || stack_segment != USER_DS)
		return SYSCALL_UNKNOWN;
	return number;
}

/* Its number on the machine and in the ABI that it is called on, or
 * SYSCALL_UNKNOWN. */
static __always_inline long syscall_number(void)
{
	long number = SYSCALL_UNKNOWN;
	void *regs;

	if (kernel_has(task_pt_regs)) {
		regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
		if (syscall_on_x86()) {
			barrier();
			number = (long)((struct pt_regs___x86 *)regs)->orig_ax;
			barrier();
		} else if (syscall_on_arm64()) {
			barrier();
			number = ((struct pt_regs___arm64 *)regs)->syscallno;
			barrier();
		}
	} else if (syscall_on_x86()) {
		number = syscall_on_stack();
	}
	return number;
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
