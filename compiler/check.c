/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A table of checks, each a function that looks at the whole policy for one
 * kind of mistake and reports it under its own name.
 */
#include "compiler/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "compiler/arena.h"
#include "compiler/diag.h"

#define VERSION_MAX 2147483647

struct context {
	struct arena *arena;
	struct diag *diag;
	const struct policy *policy;
	uint32_t today;
	bool whole;
};

/* ---- said once ---- */

static void check_once(const struct context *context,
		       const struct settings *settings, const char *what)
{
	for (uint32_t i = 1; i < settings->count; i++) {
		struct diag_entry *entry = diag_report(
			context->diag, CHECK_DUPLICATE, settings->list[i].loc,
			"a second `%s`", what);

		diag_note(context->diag, entry, settings->list[0].loc,
			  "first set here");
	}
}

static void check_duplicates(const struct context *context)
{
	const struct policy *policy = context->policy;

	check_once(context, &policy->descriptions, "description");
	check_once(context, &policy->versions, "version");
	check_once(context, &policy->modes, "mode");
	check_once(context, &policy->default_profiles, "default profile");
	check_once(context, &policy->seals, "seal");
	for (unsigned i = 0; i < PROTECTION_COUNT; i++) {
		check_once(context, &policy->protections[i].profiles,
			   "profile");
		check_once(context, &policy->protections[i].logs, "log");
	}
}

/* Those of one word in the order in which they were read. */
static int compare_settings(const void *a, const void *b)
{
	const struct setting *left = *(const struct setting *const *)a;
	const struct setting *right = *(const struct setting *const *)b;
	int words = strcmp(left->word, right->word);

	if (words)
		return words;
	return left < right ? -1 : left > right;
}

static void check_devices(const struct context *context)
{
	const struct settings *devices =
		&context->policy->protections[PROTECTION_usb].devices;
	const struct setting **sorted, *first = NULL;
	struct diag_entry *entry;

	sorted = arena_array(context->arena, devices->count, sizeof(*sorted));
	for (uint32_t i = 0; i < devices->count; i++)
		sorted[i] = &devices->list[i];
	if (devices->count)
		qsort(sorted, devices->count, sizeof(*sorted),
		      compare_settings);
	for (uint32_t i = 0; i < devices->count; i++) {
		if (!first || strcmp(first->word, sorted[i]->word)) {
			first = sorted[i];
			continue;
		}
		entry = diag_report(context->diag, CHECK_DUPLICATE,
				    sorted[i]->word_loc,
				    "device %s is named twice", first->word);
		diag_note(context->diag, entry, first->word_loc,
			  "first set here");
	}
}

/* ---- the policy as a whole ---- */

static void check_version(const struct context *context)
{
	const struct policy *policy = context->policy;
	const struct settings *versions = &policy->versions;
	const struct settings *seals = &policy->seals;

	for (uint32_t i = 0; i < versions->count; i++)
		if (versions->list[i].valid &&
		    (versions->list[i].integer < 1 ||
		     versions->list[i].integer > VERSION_MAX))
			diag_report(context->diag, CHECK_VERSION,
				    versions->list[i].word_loc,
				    "a version is 1 to %d", VERSION_MAX);
	if (context->whole && versions->count == 0 && seals->count &&
	    word_value(seal_words, seals->list[0].word) == true)
		diag_report(context->diag, CHECK_VERSION, seals->list[0].loc,
			    "a locked policy needs a `version`, so that an older one cannot take its place");
}

static void check_seal(const struct context *context)
{
	const struct policy *policy = context->policy;

	if (context->whole && policy->name && policy->seals.count == 0)
		diag_report(context->diag, CHECK_NO_SEAL, policy->loc,
			    "the policy does not say `seal locked;` or `seal open;`");
}

static void check_empty(const struct context *context)
{
	const struct policy *policy = context->policy;

	for (unsigned i = 0; i < PROTECTION_COUNT; i++)
		if (policy_attaches(policy, i) ||
		    policy->protections[i].named)
			return;
	/* what it names may only be misspelt */
	if (!diag_failed(context->diag) && policy->name)
		diag_report(context->diag, CHECK_EMPTY_POLICY, policy->loc,
			    "the policy protects and traces nothing");
}

/* ---- protections and their rules ---- */

static void check_profiles(const struct context *context)
{
	const struct policy *policy = context->policy;

	for (unsigned i = 0; i < PROTECTION_COUNT; i++) {
		const struct policy_protection *own = &policy->protections[i];

		if (context->whole && own->named && !own->protection->trace &&
		    !policy_profile_of(policy, i))
			diag_report(context->diag, CHECK_NO_PROFILE, own->loc,
				    "%s has no profile, and there is no `default profile`",
				    own->protection->name);
	}
}

static void report_exception(const struct context *context,
			     const struct rule *rule,
			     const struct setting *profile, const char *words)
{
	struct diag_entry *entry = diag_report(
		context->diag, CHECK_EXCEPTION, rule->loc,
		"the profile %s takes no %s", profile->word, words);

	diag_note(context->diag, entry, profile->loc, "the profile is set here");
	if (rule->kind == RULE_ALLOW &&
	    word_value(profile_words, profile->word) == PROFILE_RESTRICTED)
		diag_note(context->diag, entry, LOC_NONE,
			  "for an exception x for a cgroup c write `profile baseline; block all for host; block all - x for c; allow x for c;`");
}

static void check_exceptions(const struct context *context)
{
	const struct policy *policy = context->policy;

	for (unsigned i = 0; i < PROTECTION_COUNT; i++) {
		const struct policy_protection *own = &policy->protections[i];
		const struct setting *profile = policy_profile_of(policy, i);
		int value = profile ? word_value(profile_words, profile->word) :
				      -1;

		for (uint32_t j = 0; j < own->rule_count; j++) {
			if (own->rules[j].kind == RULE_TRACE)
				break;
			if (value == PROFILE_RESTRICTED)
				report_exception(context, &own->rules[j],
						 profile, "rules");
			else if (value == PROFILE_ALLOW &&
				 own->rules[j].kind == RULE_ALLOW)
				report_exception(
					context, &own->rules[j], profile,
					"`allow`: it allows everything");
		}
	}
}

static void check_subjects(const struct context *context)
{
	for (unsigned i = 0; i < PROTECTION_COUNT; i++) {
		const struct policy_protection *own =
			&context->policy->protections[i];
		uint64_t without = protection_no_subject(own->protection);

		for (uint32_t j = 0; j < own->rule_count; j++) {
			const struct rule *rule = &own->rules[j];
			uint64_t wrong = rule->operations & without;

			if (rule->has_for && wrong)
				diag_report(
					context->diag, CHECK_NO_SUBJECT,
					rule->loc,
					"%s.%s happens without a subject, and takes no `for`",
					own->protection->name,
					own->protection
						->operations[__builtin_ctzll(
							wrong)]
						.name);
		}
	}
}

static void check_audit(const struct context *context)
{
	const struct policy *policy = context->policy;
	struct diag_entry *entry;

	if (!policy_is_audit(policy))
		return;
	for (unsigned i = 0; i < PROTECTION_COUNT; i++) {
		const struct settings *logs = &policy->protections[i].logs;

		for (uint32_t j = 0; j < logs->count; j++) {
			if (word_value(log_words, logs->list[j].word) !=
			    LOG_NONE)
				continue;
			entry = diag_report(
				context->diag, CHECK_AUDIT_UNLOGGED,
				logs->list[j].loc,
				"under `mode audit` logging is all that is done");
			diag_note(context->diag, entry,
				  policy->modes.list[0].loc,
				  "the mode is set here");
		}
	}
}

static void check_expired(const struct context *context)
{
	for (unsigned i = 0; i < PROTECTION_COUNT; i++) {
		const struct policy_protection *own =
			&context->policy->protections[i];

		for (uint32_t j = 0; j < own->rule_count; j++)
			if (own->rules[j].until &&
			    own->rules[j].until < context->today)
				diag_report(context->diag, CHECK_EXPIRED,
					    own->rules[j].until_loc,
					    "this exception ended on its day: renew it or remove it");
	}
}

/* ---- contradictions ---- */

/* A subject of a rule, to be sorted by subject. */
struct term {
	const struct subject *subject;
	uint32_t rule;
};

static int compare_terms(const void *a, const void *b)
{
	const struct term *left = a, *right = b;
	const struct subject *l = left->subject, *r = right->subject;
	int order = 0;

	if (l->kind != r->kind)
		return l->kind < r->kind ? -1 : 1;
	if (l->kind == SUBJECT_CGROUP)
		order = strcmp(l->cgroup, r->cgroup);
	if (order)
		return order;
	return left->rule < right->rule ? -1 : left->rule > right->rule;
}

static bool same_subject(const struct subject *a, const struct subject *b)
{
	return a->kind == b->kind && (a->kind != SUBJECT_CGROUP ||
				      !strcmp(a->cgroup, b->cgroup));
}

static const char *subject_words_of(struct arena *arena,
				    const struct subject *subject)
{
	static const char *const words[] = {
		[SUBJECT_ALL] = "all",
		[SUBJECT_HOST] = "host",
		[SUBJECT_CONTAINER] = "container",
	};

	if (subject->kind == SUBJECT_CGROUP)
		return arena_printf(arena, "cgroup \"%s\"", subject->cgroup);
	return words[subject->kind];
}

/*
 * The rules of one subject, @count terms from @terms: the first rule that
 * blocks, and the first that allows, each operation.
 */
static void check_one_subject(const struct context *context,
			      const struct policy_protection *own,
			      const struct term *terms, size_t count)
{
	const struct rule *first[2][64] = { { NULL } };
	struct diag_entry *entry;

	for (size_t i = 0; i < count; i++) {
		const struct rule *rule = &own->rules[terms[i].rule];
		const struct rule *other = NULL;
		unsigned op = 0;

		for (uint64_t rest = rule->operations; rest;
		     rest &= rest - 1) {
			unsigned bit = (unsigned)__builtin_ctzll(rest);

			if (!first[rule->kind][bit])
				first[rule->kind][bit] = rule;
			if (!other && first[!rule->kind][bit]) {
				other = first[!rule->kind][bit];
				op = bit;
			}
		}
		if (!other)
			continue;
		entry = diag_report(
			context->diag, CHECK_CONTRADICTION, rule->loc,
			"%s.%s for %s is both allowed and blocked",
			own->protection->name,
			own->protection->operations[op].name,
			subject_words_of(context->arena, terms[i].subject));
		diag_note(context->diag, entry, other->loc, "%s here",
			  other->kind == RULE_BLOCK ? "blocked" : "allowed");
	}
}

static void check_contradictions_of(const struct context *context,
				    const struct policy_protection *own)
{
	size_t count = 0, begin = 0;
	struct term *terms;

	for (uint32_t i = 0; i < own->rule_count; i++)
		count += own->rules[i].subjects.count;
	if (!count)
		return;
	terms = arena_array(context->arena, count, sizeof(*terms));
	count = 0;
	for (uint32_t i = 0; i < own->rule_count; i++)
		for (uint32_t j = 0; j < own->rules[i].subjects.count; j++)
			terms[count++] = (struct term){
				&own->rules[i].subjects.list[j], i
			};
	qsort(terms, count, sizeof(*terms), compare_terms);
	for (size_t i = 1; i <= count; i++) {
		if (i < count &&
		    same_subject(terms[i].subject, terms[begin].subject))
			continue;
		check_one_subject(context, own, terms + begin, i - begin);
		begin = i;
	}
}

static void check_contradictions(const struct context *context)
{
	for (unsigned i = 0; i < PROTECTION_COUNT; i++)
		if (!protections[i].trace)
			check_contradictions_of(
				context, &context->policy->protections[i]);
}

static void (*const checks[])(const struct context *context) = {
	check_duplicates, check_devices,   check_version,  check_seal,
	check_empty,	  check_profiles,  check_exceptions, check_subjects,
	check_audit,	  check_expired,   check_contradictions,
};

void check_policy(struct arena *arena, struct diag *diag,
		  const struct policy *policy, uint32_t today, bool whole)
{
	const struct context context = { arena, diag, policy, today, whole };

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		checks[i](&context);
}

uint32_t check_today(void)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	time_t seconds = time(NULL);
	struct tm day;
	char *end;

	if (epoch && *epoch) {
		/* strtoll() takes spaces and signs too */
		if (*epoch < '0' || *epoch > '9')
			return 0;
		errno = 0;
		seconds = (time_t)strtoll(epoch, &end, 10);
		if (errno || *end)
			return 0;
	}
	if (!gmtime_r(&seconds, &day))
		return 0;
	return (uint32_t)(day.tm_year + 1900) * 10000 +
	       (uint32_t)(day.tm_mon + 1) * 100 + (uint32_t)day.tm_mday;
}
