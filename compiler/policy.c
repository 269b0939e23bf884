/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/policy.h"

#include <stddef.h>
#include <string.h>

const struct word_value profile_words[] = {
	{ "allow", PROFILE_ALLOW },	  { "none", PROFILE_ALLOW },
	{ "privileged", PROFILE_ALLOW },  { "baseline", PROFILE_BASELINE },
	{ "restricted", PROFILE_RESTRICTED }, { NULL, 0 },
};

const struct word_value log_words[] = {
	{ "denied", LOG_DENIED },
	{ "all", LOG_ALL },
	{ "none", LOG_NONE },
	{ NULL, 0 },
};

const struct word_value mode_words[] = {
	{ "enforce", false },
	{ "audit", true },
	{ NULL, 0 },
};

const struct word_value seal_words[] = {
	{ "open", false },
	{ "locked", true },
	{ NULL, 0 },
};

int word_value(const struct word_value *table, const char *word)
{
	for (; table->word; table++)
		if (!strcmp(table->word, word))
			return table->value;
	return -1;
}

const struct setting *policy_profile_of(const struct policy *policy,
					uint32_t protection)
{
	const struct policy_protection *own = &policy->protections[protection];

	if (own->profiles.count)
		return &own->profiles.list[0];
	if (policy->default_profiles.count)
		return &policy->default_profiles.list[0];
	return NULL;
}

bool policy_attaches(const struct policy *policy, uint32_t protection)
{
	const struct policy_protection *own = &policy->protections[protection];

	if (own->protection->trace)
		return own->rule_count > 0;
	return own->named || policy->default_profiles.count > 0;
}

bool policy_is_audit(const struct policy *policy)
{
	return policy->modes.count &&
	       word_value(mode_words, policy->modes.list[0].word) == true;
}
