/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who current is: host in the initial pid namespace and the initial network
 * namespace, container anywhere else.
 *
 * Whatever is unknown makes a container: a task without nsproxy or pid (it is
 * exiting), a read that failed, boot facts that were never bound.
 */
#pragma once

#include "bundle/table.h" /* enum place alone */
#include "bpf/templates/include/boot.h"
#include "bpf/templates/include/kernel.h"

static __always_inline enum place subject_in(unsigned int pid_level,
					     unsigned int net_inum)
{
	if (pid_level == 0 && net_inum != 0 && net_inum == boot.host_netns_inum)
		return PLACE_HOST;
	return PLACE_CONTAINER;
}

/* Typed reads: no helper, and fit for lockdown=confidentiality. */
static __always_inline enum place subject_read_typed(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pid *pid = task->thread_pid;
	struct nsproxy *nsproxy = task->nsproxy;
	struct net *net;

	if (!pid || !nsproxy)
		return PLACE_CONTAINER;
	net = nsproxy->net_ns;
	if (!net)
		return PLACE_CONTAINER;
	return subject_in(pid->level, net->ns.inum);
}

SHARED enum place subject_read_probed(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	unsigned int pid_level, net_inum;
	struct nsproxy *nsproxy;
	struct pid *pid;
	struct net *net;

	if (bpf_core_read(&pid, sizeof(pid), &task->thread_pid) ||
	    bpf_core_read(&nsproxy, sizeof(nsproxy), &task->nsproxy) ||
	    bpf_core_read(&net, sizeof(net), &nsproxy->net_ns) ||
	    bpf_core_read(&pid_level, sizeof(pid_level), &pid->level) ||
	    bpf_core_read(&net_inum, sizeof(net_inum), &net->ns.inum))
		return PLACE_CONTAINER;
	return subject_in(pid_level, net_inum);
}

static __always_inline enum place subject_place(void)
{
	if (kernel_has(get_current_task_btf))
		return subject_read_typed();
	return subject_read_probed();
}

/* Whether current is a thread of the kernel; no, where that cannot be read. */
static __always_inline bool subject_is_kernel(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	unsigned int flags;

	if (kernel_has(get_current_task_btf))
		return bpf_get_current_task_btf()->flags & PF_KTHREAD;
	return !bpf_core_read(&flags, sizeof(flags), &task->flags) &&
	       flags & PF_KTHREAD;
}
