/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the fileless_exec probes execute: its status says that it ran.  Without
 * libc, so that copying it into a memfd costs an emulated machine nothing.
 */
#include "probe.h"

#include <sys/syscall.h>

void _start(void);

void _start(void)
{
#ifdef __x86_64__
	__asm__ volatile("syscall" ::"a"(SYS_exit), "D"(PAYLOAD_RAN));
#else
	register long number __asm__("x8") = SYS_exit;
	register long status __asm__("x0") = PAYLOAD_RAN;

	__asm__ volatile("svc 0" ::"r"(number), "r"(status));
#endif
	__builtin_unreachable();
}
