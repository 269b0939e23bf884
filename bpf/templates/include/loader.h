/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether current is the loader at work, by what it bound: its number alone may
 * be another's by now.
 */
#pragma once

#include "bpf/templates/include/boot.h"
#include "bpf/templates/include/kernel.h"

/* In nanoseconds since boot; 0 where it cannot be read.  A function of its own:
 * the address of a local that the compiler keeps on the stack would make the
 * folder take all of the program's stack for known to others. */
SHARED uint64_t loader_probe_start(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	uint64_t start;

	if (bpf_core_read(&start, sizeof(start), &task->start_boottime))
		return 0;
	return start;
}

static __always_inline bool loader_is_current(void)
{
	uint32_t pid = (uint32_t)bpf_get_current_pid_tgid();
	uint64_t start;

	if (!boot.loader_pid || pid != boot.loader_pid)
		return false;
	if (kernel_has(get_current_task_btf))
		start = bpf_get_current_task_btf()->start_boottime;
	else
		start = loader_probe_start();
	return start / (UINT64_C(1000000000) / BOOT_TICKS_PER_S) ==
	       boot.loader_start;
}
