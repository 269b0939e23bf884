/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kernel_secrets: reading what the kernel keeps secret.  All of it is decided
 * in the hook locked_down: the kernel's own confidentiality reasons, operation
 * for operation as bpf/lockdown_reasons.h says.
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
 * bpf_read is asked when the verifier finds a helper that reads kernel memory,
 * and by some kernels up to 5.13 at each such read, of this program too.  The
 * loader refuses those: loader/reasons.c.
 */
#include "bpf/templates/include/lockdown.h"

char LICENSE[] SEC("license") = "GPL";

POLICY(kernel_secrets, (OPERATION_MASK(kernel_secrets, xfrm_secret) << 1) - 1);

_Static_assert(OP_BIT(kernel_secrets, kcore) == 0,
	       "all operations are decided");

SEC("lsm/locked_down")
int BPF_PROG(kernel_secrets_locked_down, enum lockdown_reason what)
{
	return lockdown_decide(&policy_kernel_secrets,
			       PROTECTION_kernel_secrets, what);
}
