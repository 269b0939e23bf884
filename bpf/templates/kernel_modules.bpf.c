/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kernel_modules: loading and unloading kernel modules, and making the kernel
 * ask for one.
 *
 *	operation			hook
 *	load_module			kernel_read_file (finit_module),
 *					kernel_load_data (init_module)
 *	autoload_module			kernel_module_request
 *	unsigned_module			locked_down (MODULE_SIGNATURE)
 *	unsafe_module_parameters	locked_down (MODULE_PARAMETERS)
 *	unload_module			capable (CAP_SYS_MODULE, in
 *					delete_module); hot
 *	foreign_module			as load_module
 *
 * A module is foreign unless it comes from a file on the root file system: the
 * super block of pid 1's root, when the bundle was loaded.  What init_module
 * loads from memory comes from no file and is foreign too, since nothing shows
 * where it was before.  So is every module where modprobe unpacks compressed
 * ones by itself: modprobe does that unless the kernel has
 * CONFIG_MODULE_DECOMPRESS.  That the root file system's device may be written
 * makes no module foreign: on most machines all of them would be.
 *
 * Maps: events, drops; .rodata.policy, .rodata.boot and, where the policy
 * names cgroups, .rodata.cgroups, frozen before loading.
 *
 * Which way it fails: a subject that cannot be told is a container, and in
 * whichever class is the strictest; a policy that was never written in denies
 * everything; a file whose super block cannot be read is foreign; a system
 * call that cannot be told unloads a module.  The hooks that are asked about
 * other things too deny for modules alone, by the name of the id or reason in
 * the running kernel: firmware, kexec images and the rest pass.  A kernel
 * without the names READING_MODULE or LOADING_MODULE, or the lockdown reason of
 * what the policy denies or logs, does not load this.
 *
 * An autoload is decided for the task that asks; the modprobe that the kernel
 * then starts is decided for itself, as host.  But what a cipher is made of is
 * asked for by a thread of the kernel, for whoever asked for the cipher, who
 * may have been refused it already: denied if anybody is denied it.  What such
 * threads ask for otherwise, for devices as a rule, the host does.
 */
#include "bpf/templates/include/kernel.h"
#include "bpf/templates/include/policy.h"
#include "bpf/templates/include/event.h"
#include "bpf/templates/include/lockdown.h"
#include "bpf/templates/include/syscall.h"

char LICENSE[] SEC("license") = "GPL";

#define MASK(operation) OPERATION_MASK(kernel_modules, operation)

POLICY(kernel_modules, MASK(load_module) | MASK(autoload_module) |
			       MASK(unsigned_module) |
			       MASK(unsafe_module_parameters) |
			       MASK(unload_module) | MASK(foreign_module));

static __always_inline bool is_foreign(struct file *file)
{
	struct inode *inode = file->f_inode;
	struct super_block *super_block;

	if (!inode)
		return true;
	super_block = inode->i_sb;
	return !super_block || !boot.root_dev ||
	       super_block->s_dev != boot.root_dev;
}

SEC("lsm/kernel_read_file")
int BPF_PROG(kernel_modules_read_file, struct file *file,
	     enum kernel_read_file_id id)
{
	uint64_t operations = MASK(load_module);

	if (id != bpf_core_enum_value(enum kernel_read_file_id,
				      READING_MODULE) &&
	    !kernel_id_is(id, enum kernel_read_file_id,
			  READING_MODULE_COMPRESSED))
		return 0;
	if (policy_cares(&policy_kernel_modules, MASK(foreign_module)) &&
	    is_foreign(file))
		operations |= MASK(foreign_module);
	return event_decide_file(&policy_kernel_modules, operations, file);
}

SEC("lsm/kernel_load_data")
int BPF_PROG(kernel_modules_load_data, enum kernel_load_data_id id)
{
	if (id != bpf_core_enum_value(enum kernel_load_data_id, LOADING_MODULE))
		return 0;
	return event_decide_nameless(&policy_kernel_modules,
				     MASK(load_module) | MASK(foreign_module));
}

#define CRYPTO "crypto-"

/* Whether the caller of the crypto API that current is a thread for asks for
 * that module.  So does one whose name cannot be read.  Not inlined: it and the
 * walk to a named cgroup have no room on one stack. */
SHARED bool kernel_modules_for_anyone(const void *name)
{
	union {
		char bytes[sizeof(CRYPTO)];
		uint64_t word;
	} begins = { 0 }, crypto = { CRYPTO };

	_Static_assert(sizeof(begins.bytes) == sizeof(begins.word), "a word");
	if (!subject_is_kernel())
		return false;
	return string_read(begins.bytes, sizeof(begins.bytes), &name) <= 0 ||
	       !begins.bytes[0] || begins.word == crypto.word;
}

SEC("lsm/kernel_module_request")
int BPF_PROG(kernel_modules_module_request, char *name)
{
	uint64_t operations = MASK(autoload_module);
	struct decision decision;
	struct event *event;

	if (policy_differs(&policy_kernel_modules) & operations &&
	    kernel_modules_for_anyone(name))
		decision = policy_decide_for_anyone(&policy_kernel_modules,
						    operations);
	else
		decision =
			policy_decide_any(&policy_kernel_modules, operations);
	if (decision.logged) {
		event = event_reserve(&decision);
		if (event) {
			event_object_string(event, name);
			event_submit(event);
		}
	}
	return policy_verdict(&decision);
}

SEC("lsm/locked_down")
int BPF_PROG(kernel_modules_locked_down, enum lockdown_reason what)
{
	return lockdown_decide(&policy_kernel_modules,
			       PROTECTION_kernel_modules, what);
}

SEC("lsm/capable")
int BPF_PROG(kernel_modules_capable, const struct cred *cred,
	     struct user_namespace *ns, int cap)
{
	if (cap != CAP_SYS_MODULE || !syscall_is_delete_module())
		return 0;
	return event_decide_nameless(&policy_kernel_modules,
				     MASK(unload_module));
}
