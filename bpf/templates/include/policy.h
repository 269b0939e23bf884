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
	};                                                    \
	POLICY_CGROUP_TABLES(protection)

struct decision {
	bool denied; /* whether or not it is enforced */
	bool audit;
	bool logged;
	bool class_unknown; /* .class is the place alone */
	uint8_t protection;
	uint32_t class;
	uint64_t operations; /* an event names the first */
};

#ifdef POLICY_NAMES_CGROUPS

#include "bpf/templates/include/cgroup.h"

#define POLICY_KNOWS_CGROUPS true

/* One element of each table, until it is instantiated; the barriers keep clang
 * from taking that for all that there can be. */
#define POLICY_CGROUP_TABLES(protection)                                       \
	const volatile struct cgroup_index cgroups_##protection SEC(           \
		POLICY_SECTION) = {                                            \
		.words = 1,                                                    \
		.unknown = { { UINT64_MAX, UINT64_MAX },                       \
			     { UINT64_MAX, UINT64_MAX } },                     \
		.differ = UINT64_MAX,                                          \
	};                                                                     \
	const volatile struct cgroup_node cgroup_nodes_##protection[1] SEC(    \
		CGROUP_SECTION) = { { .parent = CGROUP_NO_PARENT } };          \
	const volatile uint64_t cgroup_names_##protection[1] SEC(              \
		CGROUP_SECTION) = { 0 };                                       \
	const volatile struct policy_class cgroup_classes_##protection[1] SEC( \
		CGROUP_SECTION) = { { UINT64_MAX, UINT64_MAX } };              \
	static __always_inline struct cgroup_tables policy_cgroups(void)       \
	{                                                                      \
		struct cgroup_tables tables = { &cgroups_##protection,         \
						cgroup_nodes_##protection,     \
						cgroup_names_##protection,     \
						cgroup_classes_##protection }; \
                                                                               \
		barrier_var(tables.nodes);                                     \
		barrier_var(tables.names);                                     \
		barrier_var(tables.classes);                                   \
		return tables;                                                 \
	}                                                                      \
	_Static_assert(true, "takes the semicolon")

/* Of the one protection of this template: POLICY() defines it. */
static struct cgroup_tables policy_cgroups(void);

/* The masks of current's class, which goes into @decision. */
static __always_inline struct policy_class policy_masks(
	const volatile struct policy *policy, struct decision *decision)
{
	struct cgroup_tables tables = policy_cgroups();
	uint32_t place = subject_place(),
		 cgroup = cgroup_find(tables.index, tables.nodes, tables.names);
	uint64_t class = place + PLACE_COUNT * (uint64_t)cgroup;
	uint64_t host_denied = tables.index->unknown[PLACE_HOST].denied;
	uint64_t host_logged = tables.index->unknown[PLACE_HOST].logged;
	uint64_t denied = tables.index->unknown[PLACE_CONTAINER].denied;
	uint64_t logged = tables.index->unknown[PLACE_CONTAINER].logged;

	if (class < policy->class_count) {
		decision->class = (uint32_t) class;
		return (struct policy_class){ tables.classes[class].denied,
					      tables.classes[class].logged };
	}
	decision->class = place;
	decision->class_unknown = true;
	if (place == PLACE_HOST)
		return (struct policy_class){ host_denied, host_logged };
	return (struct policy_class){ denied, logged };
}

/* Of one place, whatever is denied or logged in one of its classes. */
static __always_inline struct policy_class policy_of_place(
	const volatile struct policy *policy, enum place place)
{
	struct cgroup_tables tables = policy_cgroups();

	(void)policy;
	return (struct policy_class){ tables.index->unknown[place].denied,
				      tables.index->unknown[place].logged };
}

/* The operations that not all classes decide alike. */
static __always_inline uint64_t
policy_differs(const volatile struct policy *policy)
{
	(void)policy;
	return policy_cgroups().index->differ;
}

#else

#define POLICY_KNOWS_CGROUPS false

#define POLICY_CGROUP_TABLES(protection) \
	_Static_assert(true, "takes the semicolon")

static __always_inline struct policy_class policy_masks(
	const volatile struct policy *policy, struct decision *decision)
{
	uint64_t host_denied = policy->classes[PLACE_HOST].denied;
	uint64_t host_logged = policy->classes[PLACE_HOST].logged;
	uint64_t denied = policy->classes[PLACE_CONTAINER].denied;
	uint64_t logged = policy->classes[PLACE_CONTAINER].logged;

	decision->class = subject_place();
	if (decision->class == PLACE_HOST)
		return (struct policy_class){ host_denied, host_logged };
	return (struct policy_class){ denied, logged };
}

static __always_inline struct policy_class policy_of_place(
	const volatile struct policy *policy, enum place place)
{
	return (struct policy_class){ policy->classes[place].denied,
				      policy->classes[place].logged };
}

static __always_inline uint64_t
policy_differs(const volatile struct policy *policy)
{
	struct policy_class host = policy_of_place(policy, PLACE_HOST);
	struct policy_class container =
		policy_of_place(policy, PLACE_CONTAINER);

	return (host.denied ^ container.denied) |
	       (host.logged ^ container.logged);
}

#endif

/* The operations that somebody is denied, or that are logged. */
static __always_inline uint64_t
policy_used(const volatile struct policy *policy)
{
	struct policy_class host = policy_of_place(policy, PLACE_HOST);
	struct policy_class container =
		policy_of_place(policy, PLACE_CONTAINER);

	return host.denied | host.logged | container.denied | container.logged;
}

/*
 * Whether anybody is denied one of @operations, or it is logged.  Where not,
 * a hook need not find out whether an access is one of them: known when the
 * policy is compiled, so the question is no code in a bundle.
 */
static __always_inline bool policy_cares(const volatile struct policy *policy,
					 uint64_t operations)
{
	return policy_used(policy) & operations;
}

/* Fills in what @masks, a class's, say of an access. */
static __always_inline void policy_apply(struct policy_class masks,
					 uint64_t operations,
					 struct decision *decision)
{
	uint64_t denied = masks.denied & operations;

	decision->denied = denied != 0;
	decision->operations = masks.logged & (denied ? denied : operations);
	decision->logged = decision->operations != 0;
}

/*
 * The decision on an access that is all of @operations: denied if one of them
 * is, and then an event tells of those alone.  Who asks is found out only where
 * that makes a difference, to the decision or to an event.
 */
static __always_inline struct decision policy_decide_any(
	const volatile struct policy *policy, uint64_t operations)
{
	struct decision decision = {
		.audit = policy->audit != 0,
		.protection = (uint8_t)policy->protection,
	};
	struct policy_class masks = policy_of_place(policy, PLACE_CONTAINER);

	if ((policy_differs(policy) | masks.logged) & operations)
		masks = policy_masks(policy, &decision);
	policy_apply(masks, operations, &decision);
	return decision;
}

/*
 * The same where current asks for somebody else, and does not say for whom: the
 * host where that is denied it, in any of its cgroups, or else a container.
 */
static __always_inline struct decision policy_decide_for_anyone(
	const volatile struct policy *policy, uint64_t operations)
{
	struct decision decision = {
		.audit = policy->audit != 0,
		.protection = (uint8_t)policy->protection,
		.class = PLACE_HOST,
		.class_unknown = POLICY_KNOWS_CGROUPS,
	};
	struct policy_class masks = policy_of_place(policy, PLACE_HOST);
	struct policy_class container =
		policy_of_place(policy, PLACE_CONTAINER);

	if (!(masks.denied & operations) && container.denied & operations) {
		masks = container;
		decision.class = PLACE_CONTAINER;
	}
	policy_apply(masks, operations, &decision);
	return decision;
}

/* The decision on one operation, by its OP_BIT(). */
static __always_inline struct decision policy_decide(
	const volatile struct policy *policy, uint8_t operation)
{
	return policy_decide_any(policy, UINT64_C(1) << operation);
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
