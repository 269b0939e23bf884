/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kernel_modules: loading kernel modules, and making the kernel ask for one.
 *
 *	operation		hook
 *	load_module		kernel_read_file (finit_module),
 *				kernel_load_data (init_module)
 *	autoload_module		kernel_module_request
 *
 * Maps: events, drops; .rodata.policy and .rodata.boot, frozen before loading.
 *
 * Which way it fails: a subject that cannot be told is a container; a policy
 * that was never written in denies everything.  The two hooks that see files
 * and data of all kinds deny for modules alone, by the name of the id in the
 * running kernel: firmware, kexec images and the rest pass.  A kernel without
 * an id of the name READING_MODULE or LOADING_MODULE does not load this.  An
 * autoload is decided for the task that asks; the modprobe that the kernel
 * then starts is decided for itself, as host.
 */
#include "bpf/templates/include/kernel.h"
#include "bpf/templates/include/policy.h"
#include "bpf/templates/include/event.h"

char LICENSE[] SEC("license") = "GPL";

POLICY(kernel_modules, OPERATION_MASK(kernel_modules, load_module) |
			       OPERATION_MASK(kernel_modules, autoload_module));

SEC("lsm/kernel_read_file")
int BPF_PROG(kernel_modules_read_file, struct file *file,
	     enum kernel_read_file_id id)
{
	struct decision decision;
	struct event *event;

	if (id != bpf_core_enum_value(enum kernel_read_file_id,
				      READING_MODULE) &&
	    !kernel_id_is(id, enum kernel_read_file_id,
			  READING_MODULE_COMPRESSED))
		return 0;
	decision = policy_decide(&policy_kernel_modules,
				 OP_BIT(kernel_modules, load_module));
	if (decision.logged) {
		event = event_reserve(&decision);
		if (event) {
			event_object_file(event, file);
			event_submit(event);
		}
	}
	return policy_verdict(&decision);
}

SEC("lsm/kernel_load_data")
int BPF_PROG(kernel_modules_load_data, enum kernel_load_data_id id)
{
	struct decision decision;
	struct event *event;

	if (id != bpf_core_enum_value(enum kernel_load_data_id, LOADING_MODULE))
		return 0;
	decision = policy_decide(&policy_kernel_modules,
				 OP_BIT(kernel_modules, load_module));
	if (decision.logged) {
		event = event_reserve(&decision);
		if (event)
			event_submit(event);
	}
	return policy_verdict(&decision);
}

SEC("lsm/kernel_module_request")
int BPF_PROG(kernel_modules_module_request, char *name)
{
	struct decision decision =
		policy_decide(&policy_kernel_modules,
			      OP_BIT(kernel_modules, autoload_module));
	struct event *event;

	if (decision.logged) {
		event = event_reserve(&decision);
		if (event) {
			event_object_string(event, name);
			event_submit(event);
		}
	}
	return policy_verdict(&decision);
}
