/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kernel_image: changes to the running kernel's image.  It is decided in the
 * hook locked_down: the kernel's own integrity reasons, operation for operation
 * as bpf/lockdown_reasons.h says.
 *
 * And `kexec` besides in kernel_read_file, for kexec_file_load: lockdown is not
 * asked about a kernel whose signature is good, nor by kernels that are built
 * to check none.
 *
 * Maps: events, drops; .rodata.policy, .rodata.boot and, where the policy
 * names cgroups, .rodata.cgroups, frozen before loading.
 *
 * Which way it fails: a subject that cannot be told is a container, and in
 * whichever class is the strictest; a policy that was never written in denies
 * everything; a kernel without a reason that the policy denies or logs does not
 * load this.  Other reasons pass, those that the kernel gains later too: they
 * are no operations of the language.
 *
 * What it does not see: what the kernel does not ask lockdown about, as a
 * descriptor that was open before.
 */
#include "bpf/templates/include/lockdown.h"

char LICENSE[] SEC("license") = "GPL";

POLICY(kernel_image,
       (OPERATION_MASK(kernel_image, rtas_error_injection) << 1) - 1);

_Static_assert(OP_BIT(kernel_image, unsigned_module) == 0,
	       "all operations are decided");

SEC("lsm/locked_down")
int BPF_PROG(kernel_image_locked_down, enum lockdown_reason what)
{
	return lockdown_decide(&policy_kernel_image, PROTECTION_kernel_image,
			       what);
}

SEC("lsm/kernel_read_file")
int BPF_PROG(kernel_image_read_file, struct file *file,
	     enum kernel_read_file_id id)
{
	if (id != bpf_core_enum_value(enum kernel_read_file_id,
				      READING_KEXEC_IMAGE))
		return 0;
	return event_decide_file(&policy_kernel_image,
				 OPERATION_MASK(kernel_image, kexec), file);
}
