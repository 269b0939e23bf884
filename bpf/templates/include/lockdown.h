/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the hook locked_down is asked about, by the reason's name in the running
 * kernel: bpf/lockdown_reasons.h.
 *
 * A reason that nobody is denied and that is not logged is not looked for.  A
 * kernel without one of the others does not load the program: its number is an
 * instruction that the verifier refuses.
 *
 * Before 5.14 a probe read may ask this hook again, for another reason: all but
 * ours have to be gone before the first one.
 */
#pragma once

#include "bpf/lockdown_reasons.h"
#include "bpf/templates/include/kernel.h"
#include "bpf/templates/include/event.h"
#include "bpf/templates/include/policy.h"

/* The number of a reason. */
#define LOCKDOWN_NUMBER(name) \
	bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_##name)

/* Of one that older kernels call @former.  Each number stands behind its test,
 * as in kernel_id_is(); a kernel that has neither gets one that it lacks. */
#define LOCKDOWN_RENAMED_NUMBER(name, former)                               \
	({                                                                  \
		uint64_t reason_number;                                     \
		if (bpf_core_enum_value_exists(enum lockdown_reason,        \
					       LOCKDOWN_##name)) {          \
			barrier();                                          \
			reason_number = LOCKDOWN_NUMBER(name);              \
			barrier();                                          \
		} else if (bpf_core_enum_value_exists(enum lockdown_reason, \
						      LOCKDOWN_##former)) { \
			barrier();                                          \
			reason_number = LOCKDOWN_NUMBER(former);            \
			barrier();                                          \
		} else {                                                    \
			barrier();                                          \
			reason_number = LOCKDOWN_NUMBER(name);              \
			barrier();                                          \
		}                                                           \
		reason_number;                                              \
	})

/* The operation of @protection that @what is, as a mask; 0 where it is none
 * that @policy, which is the protection's, denies or logs. */
static __always_inline uint64_t
lockdown_operation(const volatile struct policy *policy,
		   enum protection_id protection, enum lockdown_reason what)
{
	uint64_t used = policy_used(policy);

#define IS_NUMBER(of, operation, number)                              \
	if (protection == PROTECTION_##of &&                          \
	    used & OPERATION_MASK(of, operation) && what == (number)) \
		return OPERATION_MASK(of, operation);
#define IS_REASON(of, operation, name) \
	IS_NUMBER(of, operation, LOCKDOWN_NUMBER(name))
#define IS_RENAMED(of, operation, name, former) \
	IS_NUMBER(of, operation, LOCKDOWN_RENAMED_NUMBER(name, former))
	LOCKDOWN_REASONS(IS_REASON, IS_RENAMED)
	return 0;
}

/* What the hook returns. */
static __always_inline int lockdown_decide(const volatile struct policy *policy,
					   enum protection_id protection,
					   enum lockdown_reason what)
{
	uint64_t operations = lockdown_operation(policy, protection, what);

	return operations ? event_decide_nameless(policy, operations) : 0;
}
