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

struct subject_namespaces {
	unsigned int pid_level;
	unsigned int net_inum;
};

/* Typed reads: no helper, and fit for lockdown=confidentiality. */
static __always_inline bool subject_read_typed(
	struct subject_namespaces *namespaces)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pid *pid = task->thread_pid;
	struct nsproxy *nsproxy = task->nsproxy;
	struct net *net;

	if (!pid || !nsproxy)
		return false;
	net = nsproxy->net_ns;
	if (!net)
		return false;
	namespaces->pid_level = pid->level;
	namespaces->net_inum = net->ns.inum;
	return true;
}

static __always_inline bool subject_read_probed(
	struct subject_namespaces *namespaces)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct nsproxy *nsproxy;
	struct pid *pid;
	struct net *net;

	return !bpf_core_read(&pid, sizeof(pid), &task->thread_pid) &&
	       !bpf_core_read(&nsproxy, sizeof(nsproxy), &task->nsproxy) &&
	       !bpf_core_read(&net, sizeof(net), &nsproxy->net_ns) &&
	       !bpf_core_read(&namespaces->pid_level,
			      sizeof(namespaces->pid_level), &pid->level) &&
	       !bpf_core_read(&namespaces->net_inum,
			      sizeof(namespaces->net_inum), &net->ns.inum);
}

static __always_inline enum place subject_place(void)
{
	struct subject_namespaces namespaces = {};
	bool known;

	if (kernel_has(get_current_task_btf))
		known = subject_read_typed(&namespaces);
	else
		known = subject_read_probed(&namespaces);
	if (known && namespaces.pid_level == 0 && namespaces.net_inum != 0 &&
	    namespaces.net_inum == boot.host_netns_inum)
		return PLACE_HOST;
	return PLACE_CONTAINER;
}
