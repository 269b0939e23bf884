/* SPDX-License-Identifier: GPL-2.0-only */
/* The guard's BPF object, as configure.py built it. */
	.section .rodata
	.balign 8
	.globl guard_object
	.type guard_object, %object
guard_object:
	.incbin "bpf/guard.bpf.o"
	.size guard_object, . - guard_object
	.globl guard_object_end
guard_object_end:
	.section .note.GNU-stack, "", %progbits
