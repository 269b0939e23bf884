/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What was decided when the policy was compiled, and its verdict on current.
 * See bundle/policy.h for what is baked in and how it grows.
 */
#pragma once

#include "bpf/operations.h"
#include "bundle/policy.h"
#include "bpf/templates/include/kernel.h"
#include "bpf/templates/include/subject.h"

#define OPERATION_MASK(protection, operation) \
	(UINT64_C(1) << OP_BIT(protection, operation))

/* A protection's policy, closed until it is instantiated; @mask: all that the
 * template decides. */
#define POLICY(protection, mask)                              \
	const volatile struct policy policy_##protection SEC( \
		POLICY_SECTION) = {                           \
		.operations = (mask),                         \
		.class_count = POLICY_CLASSES,                \
		.classes = { { UINT64_MAX, UINT64_MAX },      \
			     { UINT64_MAX, UINT64_MAX } },    \
	}

struct decision {
	bool denied; /* whether or not it is enforced */
	bool audit;
	bool logged;
	uint8_t protection;
	uint8_t operation;
	uint32_t class;
};

static __always_inline struct decision policy_decide(
	const volatile struct policy *policy, uint8_t operation)
{
	struct decision decision = {
		.audit = policy->audit != 0,
		.protection = (uint8_t)policy->protection,
		.operation = operation,
		.class = subject_place(),
	};
	uint64_t host_denied = policy->classes[PLACE_HOST].denied;
	uint64_t host_logged = policy->classes[PLACE_HOST].logged;
	uint64_t container_denied = policy->classes[PLACE_CONTAINER].denied;
	uint64_t container_logged = policy->classes[PLACE_CONTAINER].logged;
	bool host = decision.class == PLACE_HOST;

	decision.denied =
		(host ? host_denied : container_denied) >> operation & 1;
	decision.logged =
		(host ? host_logged : container_logged) >> operation & 1;
	return decision;
}

/*
 * What the hook returns.  A plain `denied ? -EPERM : 0` becomes a negation,
 * whose range the verifier of 6.12 and later does not bound to [-4095, 0]; the
 * barrier keeps it two constants.
 */
static __always_inline int policy_verdict(const struct decision *decision)
{
	int verdict = -EPERM;

	barrier_var(verdict);
	if (decision->denied && !decision->audit)
		return verdict;
	return 0;
}
