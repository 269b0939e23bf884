/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's strings.  bpf_probe_read_kernel_str() takes some three hundred
 * instructions for a name, and does not load under lockdown=confidentiality;
 * bpf_snprintf() takes eight hundred, and loads wherever it is.  The verifier
 * knows which of them is called, and does not look at the other: the facts are
 * frozen.
 */
#pragma once

#include "bpf/templates/include/boot.h"
#include "bpf/templates/include/kernel.h"
#include "bundle/policy.h"

static const char string_format[] SEC(POLICY_SECTION) = "%s";

/*
 * Reads the string at *@from: its address stays where it is, as bpf_snprintf()
 * takes that from memory, and some stacks have no room for it twice.  Returns
 * its length with the NUL, at least @size if it was cut, and not above 0 where
 * it cannot be read: what is at @to then says nothing.  By bpf_snprintf(), one
 * that cannot be read is an empty one.
 */
static __always_inline long string_read(char *to, uint32_t size,
					const void *const *from)
{
	if (kernel_has(snprintf) && !boot.may_probe)
		return bpf_snprintf(to, size, string_format, (void *)from,
				    sizeof(*from));
	return bpf_probe_read_kernel_str(to, size, *from);
}
