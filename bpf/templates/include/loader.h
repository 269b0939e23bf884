/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether current is the loader at work, by what it bound: its number alone may
 * be another's by now.
 */
#pragma once

#include "bpf/templates/include/boot.h"
#include "bpf/templates/include/kernel.h"

static __always_inline bool loader_is_current(void)
{
	uint32_t pid = (uint32_t)bpf_get_current_pid_tgid();
	struct task_struct *task;
	uint64_t start;

	if (!boot.loader_pid || pid != boot.loader_pid)
		return false;
	if (kernel_has(get_current_task_btf)) {
		task = bpf_get_current_task_btf();
		start = task->start_boottime;
	} else {
		task = (void *)bpf_get_current_task();
		if (bpf_core_read(&start, sizeof(start), &task->start_boottime))
			return false;
	}
	return start / (UINT64_C(1000000000) / BOOT_TICKS_PER_S) ==
	       boot.loader_start;
}
