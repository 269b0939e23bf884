/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/target.h"

#include "compiler/diag.h"
#include "compiler/template.h"

/* Where the policy says that it wants the protection. */
static struct loc protection_loc(const struct plan *plan, uint32_t index)
{
	const struct policy *policy = plan->policy;
	const struct policy_protection *from = plan->protections[index].from;

	return from->named ? from->loc : policy->default_profiles.list[0].loc;
}

void target_check_kernel(struct diag *diag, const struct plan *plan,
			 unsigned kernel)
{
	for (uint32_t i = 0; i < plan->table.protection_count; i++) {
		const struct table_protection *to =
			&plan->table.protections[i];

		for (uint64_t rest = table_used_operations(to); rest;
		     rest &= rest - 1) {
			const struct operation *operation =
				&to->protection
					 ->operations[__builtin_ctzll(rest)];

			if (operation->first_kernel <= kernel)
				continue;
			diag_report(diag, CHECK_TARGET,
				    protection_loc(plan, i),
				    "%s.%s can be decided from Linux %u.%u on, not on %u.%u",
				    to->protection->name, operation->name,
				    operation->first_kernel >> 8,
				    operation->first_kernel & 0xff,
				    kernel >> 8, kernel & 0xff);
		}
	}
}

/* The walk to a task's cgroup ends somewhere. */
static void check_depths(struct diag *diag,
			 const struct policy_protection *from)
{
	for (uint32_t i = 0; i < from->rule_count; i++) {
		const struct subjects *subjects = &from->rules[i].subjects;

		for (uint32_t j = 0; j < subjects->count; j++) {
			const struct subject *subject = &subjects->list[j];
			uint32_t depth;

			if (subject->kind != SUBJECT_CGROUP)
				continue;
			depth = template_depth(subject->cgroup);
			if (depth > TEMPLATE_MAX_DEPTH)
				diag_report(diag, CHECK_NO_TEMPLATE,
					    subject->loc,
					    "this cgroup is %u levels deep: one at most %d deep can be told from others",
					    depth, TEMPLATE_MAX_DEPTH);
		}
	}
}

/* They have to be in the bundle, for the policy to mean what it says. */
static void check_told_devices(struct diag *diag,
			       const struct policy_protection *from)
{
	if (!from->devices.count || template_tells_devices(from->protection))
		return;
	diag_report(diag, CHECK_NO_TEMPLATE, from->devices.list[0].loc,
		    "the template of %s does not tell devices yet: this bpflockc can explain them, and not compile them to a bundle",
		    from->protection->name);
}

/* A bundle of it would attach nothing, and look like protection. */
static void check_idle(struct diag *diag, const struct plan *plan)
{
	for (uint32_t i = 0; i < plan->table.protection_count; i++)
		if (table_used_operations(&plan->table.protections[i]))
			return;
	diag_report(diag, CHECK_EMPTY_POLICY, plan->policy->loc,
		    "the policy denies nothing and logs nothing: a bundle of it would hold no program");
}

void target_check_templates(struct diag *diag, const struct plan *plan)
{
	check_idle(diag, plan);
	for (uint32_t i = 0; i < plan->table.protection_count; i++) {
		const struct table_protection *to =
			&plan->table.protections[i];
		uint64_t missing = table_used_operations(to) &
				   ~template_operations(to->protection);
		struct loc loc = protection_loc(plan, i);

		if (!template_find(to->protection))
			diag_report(diag, CHECK_NO_TEMPLATE, loc,
				    "%s%s has no template yet: this bpflockc can explain it, and not compile it to a bundle",
				    to->protection->trace ? "trace " : "",
				    to->protection->name);
		else if (missing)
			diag_report(diag, CHECK_NO_TEMPLATE, loc,
				    "the template of %s does not decide %s yet",
				    to->protection->name,
				    to->protection
					    ->operations[__builtin_ctzll(
						    missing)]
					    .name);
		else {
			check_depths(diag, plan->protections[i].from);
			check_told_devices(diag, plan->protections[i].from);
		}
	}
}
