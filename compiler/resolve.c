/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two walks over the items, includes in their place.  The first collects the
 * lets and the names of destinations, which may stand before or after their
 * use; the second resolves every statement.  Where an item may stand is decided
 * here, as only the walk knows whether it is in a file or in the braces of the
 * policy.
 */
#include "compiler/resolve.h"

#include <string.h>

#include "compiler/arena.h"
#include "compiler/destinations.h"
#include "compiler/diag.h"
#include "compiler/eval.h"
#include "bundle/suggest.h"

/* The only language number there is. */
#define LANGUAGE 1

struct walk {
	struct resolve *resolve;
	struct policy *policy;
	const struct item *language; /* the first of each, for "first set here" */
	const struct item *policy_item;
	size_t assertion_capacity;
	size_t rule_capacities[PROTECTION_COUNT];
};

struct resolve *resolve_new(struct arena *arena, struct diag *diag)
{
	struct resolve *resolve = arena_alloc(arena, sizeof(*resolve));

	resolve->arena = arena;
	resolve->diag = diag;
	resolve->lets = lets_new(arena, diag);
	resolve->destinations = destinations_new(arena, &resolve->lets);
	return resolve;
}

void resolve_take_destinations(struct resolve *resolve,
			       const struct table *table)
{
	for (uint32_t i = 0; i < table->protection_count; i++) {
		const struct protection *kind = table->protections[i].protection;

		resolve->lets.kinds[kind->id] = *kind;
	}
}

void resolve_define(struct resolve *resolve, struct word name,
		    struct expr *value)
{
	lets_add(&resolve->lets, name, value);
}

static void collect_destinations(struct resolve *resolve,
				 const struct item *protection)
{
	for (const struct statement *from = protection->statements; from;
	     from = from->next)
		if (from->kind == STATEMENT_DESTINATION)
			destinations_add(resolve->destinations, from);
}

/* The names that the policy gives to things. */
static void collect_names(struct resolve *resolve, const struct item *items)
{
	const char *network = protections[PROTECTION_network].name;

	for (const struct item *item = items; item; item = item->next) {
		if (item->kind == ITEM_LET)
			lets_add(&resolve->lets, item->word, item->value);
		else if (item->kind == ITEM_PROTECTION &&
			 !strcmp(item->word.text, network))
			collect_destinations(resolve, item);
		else
			collect_names(resolve, item->items);
	}
}

/* ---- statements with one word or value ---- */

static struct setting *add_setting(struct walk *walk,
				   struct settings *settings, struct loc loc,
				   struct loc word_loc)
{
	settings->list = arena_grow(walk->resolve->arena, settings->list,
				    settings->count, &settings->capacity,
				    sizeof(*settings->list));
	settings->list[settings->count] =
		(struct setting){ .loc = loc, .word_loc = word_loc };
	return &settings->list[settings->count++];
}

static void report_word(struct resolve *resolve, const struct word *word,
			const char *what, const struct word_value *table)
{
	struct suggest suggest = suggest_new(word->text);
	const char *list = "";
	struct diag_entry *entry;

	for (const struct word_value *row = table; row->word; row++) {
		suggest_offer(&suggest, row->word);
		list = arena_printf(resolve->arena, "%s%s'%s'", list,
				    row == table   ? "" :
				    row[1].word    ? ", " :
						     " or ",
				    row->word);
	}
	entry = diag_report(resolve->diag, CHECK_UNKNOWN_WORD, word->loc,
			    "'%s' is no %s: that is %s", word->text, what,
			    list);
	if (suggest.nearest)
		diag_note(resolve->diag, entry, word->loc,
			  "did you mean '%s'?", suggest.nearest);
}

static void resolve_word(struct walk *walk, struct settings *settings,
			 struct loc loc, const struct word *word,
			 const char *what, const struct word_value *table)
{
	struct setting *setting = add_setting(walk, settings, loc, word->loc);

	setting->word = word->text;
	setting->valid = word_value(table, word->text) >= 0;
	if (!setting->valid)
		report_word(walk->resolve, word, what, table);
}

static void resolve_version(struct walk *walk, const struct item *item)
{
	struct setting *setting = add_setting(walk, &walk->policy->versions,
					      item->loc, item->value->loc);

	setting->valid = eval_integer(&walk->resolve->lets, item->value,
				      &setting->integer);
}

static void resolve_description(struct walk *walk, const struct item *item)
{
	struct setting *setting =
		add_setting(walk, &walk->policy->descriptions, item->loc,
			    item->value->loc);

	setting->valid = eval_string(&walk->resolve->lets, item->value,
				     &setting->word);
}

/* ---- rules ---- */

static bool resolve_subjects(struct walk *walk, const struct statement *from,
			     struct rule *rule)
{
	struct subject *all;

	rule->has_for = from->subjects;
	if (from->subjects)
		return eval_subjects(&walk->resolve->lets, from->subjects,
				     &rule->subjects);
	all = arena_alloc(walk->resolve->arena, sizeof(*all));
	*all = (struct subject){ SUBJECT_ALL, NULL, from->loc };
	rule->subjects = (struct subjects){ all, 1 };
	return true;
}

static uint32_t days_in_month(uint32_t year, uint32_t month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30,
					31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap ? 1U : 0U);
}

/* @word is dddd-dd-dd, as the lexer made sure. */
static bool resolve_date(struct resolve *resolve, const struct word *word,
			 uint32_t *date)
{
	const char *t = word->text;
	uint32_t digits[10], year, month, day;

	for (size_t i = 0; i < 10; i++)
		digits[i] = (uint32_t)(t[i] - '0');
	year = digits[0] * 1000 + digits[1] * 100 + digits[2] * 10 + digits[3];
	month = digits[5] * 10 + digits[6];
	day = digits[8] * 10 + digits[9];
	if (!year || !month || month > 12 || !day ||
	    day > days_in_month(year, month)) {
		diag_report(resolve->diag, CHECK_DATE, word->loc,
			    "no calendar has the day %s", t);
		return false;
	}
	*date = year * 10000 + month * 100 + day;
	return true;
}

static void add_rule(struct walk *walk, uint32_t index,
		     const struct rule *rule)
{
	struct policy_protection *into = &walk->policy->protections[index];

	into->rules = arena_grow(walk->resolve->arena, into->rules,
				 into->rule_count,
				 &walk->rule_capacities[index],
				 sizeof(*into->rules));
	into->rules[into->rule_count++] = *rule;
}

static void resolve_rule(struct walk *walk, uint32_t index,
			 enum rule_kind kind, const struct statement *from)
{
	struct lets *lets = &walk->resolve->lets;
	struct rule rule = { .kind = kind,
			     .loc = from->loc,
			     .until_loc = from->until.loc };
	bool good;

	good = eval_operations(lets, &lets->kinds[index], from->values,
			       &rule.operations);
	good = resolve_subjects(walk, from, &rule) && good;
	if (from->reason)
		good = eval_string(lets, from->reason, &rule.reason) && good;
	if (from->until.text)
		good = resolve_date(walk->resolve, &from->until,
				    &rule.until) &&
		       good;
	if (good && lets_spend_subjects(lets, from->loc, rule.subjects.count))
		add_rule(walk, index, &rule);
}

/* ---- settings ---- */

static bool is_usb_id(const char *text)
{
	if (strlen(text) != 9 || text[4] != ':')
		return false;
	for (size_t i = 0; i < 9; i++)
		if (i != 4 && !strchr("0123456789abcdefABCDEF", text[i]))
			return false;
	return true;
}

static void resolve_device(struct walk *walk, struct settings *devices,
			   const struct statement *from,
			   const struct expr *value)
{
	struct setting *setting;
	const char *id;
	char *lower;

	if (!eval_string(&walk->resolve->lets, value, &id))
		return;
	if (!is_usb_id(id)) {
		diag_report(walk->resolve->diag, CHECK_SETTING, value->loc,
			    "a device is \"vendor:product\", four hexadecimal digits each, like \"0951:1666\"");
		return;
	}
	lower = arena_copy(walk->resolve->arena, id, strlen(id));
	for (char *c = lower; *c; c++)
		if (*c >= 'A' && *c <= 'F')
			*c |= 0x20;
	setting = add_setting(walk, devices, from->loc, value->loc);
	setting->word = lower;
	setting->valid = true;
}

static bool is_of_destination(const struct word *word)
{
	return !strcmp(word->text, "ports") || !strcmp(word->text, "prefixes");
}

static void resolve_setting(struct walk *walk, uint32_t index,
			    const struct statement *from)
{
	static const char *const statements[] = { "profile", "block", "allow",
						  "log", "device",
						  "destination" };
	struct policy_protection *into = &walk->policy->protections[index];
	struct suggest suggest = suggest_new(from->word.text);
	const struct expr *value = from->values;
	struct diag_entry *entry;

	if (from->subjects)
		diag_report(walk->resolve->diag, CHECK_SETTING,
			    from->subjects->loc, "a setting has no `for`");
	if (index == PROTECTION_usb && !strcmp(from->word.text, "device")) {
		if (value->kind != EXPR_LIST)
			resolve_device(walk, &into->devices, from, value);
		else
			for (value = value->elements; value;
			     value = value->next)
				resolve_device(walk, &into->devices, from,
					       value);
		return;
	}
	entry = diag_report(walk->resolve->diag, CHECK_SETTING, from->word.loc,
			    "%s has no setting '%s'", protections[index].name,
			    from->word.text);
	if (index == PROTECTION_network && is_of_destination(&from->word)) {
		diag_note(walk->resolve->diag, entry, from->word.loc,
			  "that is part of a destination: `destination NAME { %s ...; }`",
			  from->word.text);
		return;
	}
	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++)
		suggest_offer(&suggest, statements[i]);
	if (suggest.nearest)
		diag_note(walk->resolve->diag, entry, from->word.loc,
			  "did you mean '%s'?", suggest.nearest);
}

static void resolve_destination(struct walk *walk, uint32_t index,
				const struct statement *from)
{
	if (index == PROTECTION_network)
		destinations_resolve(walk->resolve->destinations, from);
	else
		diag_report(walk->resolve->diag, CHECK_SETTING, from->loc,
			    "%s has no destinations: only `network` has",
			    protections[index].name);
}

/* ---- protections and traces ---- */

/* The protection of that name; NULL, reported, where there is none. */
static const struct protection *find_protection(struct resolve *resolve,
						const struct word *name)
{
	const struct protection *protection =
		protection_find(name->text, strlen(name->text));
	struct suggest suggest = suggest_new(name->text);
	struct diag_entry *entry;

	if (protection)
		return &resolve->lets.kinds[protection->id];
	entry = diag_report(resolve->diag, CHECK_UNKNOWN_NAME, name->loc,
			    "there is no protection '%s'", name->text);
	for (unsigned i = 0; i < PROTECTION_COUNT; i++)
		if (!protections[i].trace)
			suggest_offer(&suggest, protections[i].name);
	if (suggest.nearest)
		diag_note(resolve->diag, entry, name->loc,
			  "did you mean '%s'?", suggest.nearest);
	return NULL;
}

static void resolve_protection(struct walk *walk, const struct item *item)
{
	const struct protection *protection =
		find_protection(walk->resolve, &item->word);
	struct policy_protection *into;
	uint32_t index;

	if (!protection)
		return;
	index = protection->id;
	into = &walk->policy->protections[index];
	if (!into->named)
		into->loc = item->loc;
	into->named = true;
	for (const struct statement *from = item->statements; from;
	     from = from->next) {
		switch (from->kind) {
		case STATEMENT_PROFILE:
			resolve_word(walk, &into->profiles, from->loc,
				     &from->word, "profile", profile_words);
			break;
		case STATEMENT_LOG:
			resolve_word(walk, &into->logs, from->loc,
				     &from->word, "log", log_words);
			break;
		case STATEMENT_BLOCK:
			resolve_rule(walk, index, RULE_BLOCK, from);
			break;
		case STATEMENT_ALLOW:
			resolve_rule(walk, index, RULE_ALLOW, from);
			break;
		case STATEMENT_SETTING:
			resolve_setting(walk, index, from);
			break;
		case STATEMENT_DESTINATION:
			resolve_destination(walk, index, from);
			break;
		}
	}
}

static void resolve_trace_statement(struct walk *walk,
				    const struct statement *from)
{
	static const struct word_value traces[] = {
		{ "exec", TRACE_exec },
		{ "privileged", TRACE_privileged },
		{ NULL, 0 },
	};
	struct policy_protection *into;
	int index;

	if (from->kind != STATEMENT_SETTING) {
		diag_report(walk->resolve->diag, CHECK_MISPLACED, from->loc,
			    "a trace only logs: it takes `exec all` and `privileged` with capabilities");
		return;
	}
	index = word_value(traces, from->word.text);
	if (index < 0) {
		report_word(walk->resolve, &from->word, "trace", traces);
		return;
	}
	into = &walk->policy->protections[index];
	if (!into->named)
		into->loc = from->loc;
	into->named = true;
	if (index == TRACE_exec && (from->values->kind != EXPR_NAME ||
				    strcmp(from->values->text, "all"))) {
		diag_report(walk->resolve->diag, CHECK_UNKNOWN_WORD,
			    from->values->loc,
			    "`exec` is traced whole: write `exec all`");
		return;
	}
	resolve_rule(walk, (uint32_t)index, RULE_TRACE, from);
}

static void resolve_trace(struct walk *walk, const struct item *item)
{
	for (const struct statement *from = item->statements; from;
	     from = from->next)
		resolve_trace_statement(walk, from);
}

/* ---- assertions ---- */

bool resolve_reference(struct resolve *resolve,
		       const struct operation_reference *from,
		       struct policy_reference *out)
{
	struct expr operation = { .kind = EXPR_NAME,
				  .loc = from->operation.loc,
				  .text = from->operation.text };

	out->loc = from->protection.loc;
	out->protection = find_protection(resolve, &from->protection);
	if (!out->protection)
		return false;
	if (!strcmp(operation.text, "*")) {
		out->operations = protection_all(out->protection);
		return true;
	}
	out->operations = lets_operation(&resolve->lets, out->protection,
					 operation.text);
	if (out->operations)
		return true;
	lets_report_unknown(&resolve->lets, &operation, out->protection,
			    arena_printf(resolve->arena, "an operation of %s",
					 out->protection->name));
	return false;
}

/* Each subject is looked for in each protection that is asked for. */
static bool spend_assertion(struct lets *lets, struct loc loc,
			    const struct policy_assertion *assertion)
{
	size_t times = assertion->reference_count, bytes = 0;

	for (uint32_t i = 0; i < assertion->subjects.count; i++)
		if (assertion->subjects.list[i].kind == SUBJECT_CGROUP)
			bytes += strlen(assertion->subjects.list[i].cgroup);
	return lets_spend_subjects(lets, loc,
				   assertion->subjects.count * times) &&
	       lets_spend_bytes(lets, loc, bytes * times);
}

bool resolve_assertion(struct resolve *resolve,
		       const struct assertion *assertion, struct loc loc,
		       struct policy_assertion *out)
{
	const struct operation_reference *from;
	uint32_t count = 0;
	bool good;

	for (from = assertion->references; from; from = from->next)
		count++;
	*out = (struct policy_assertion){
		.loc = loc,
		.can = assertion->can,
		.references = arena_array(resolve->arena, count,
					  sizeof(*out->references)),
		.reference_count = count,
	};
	good = eval_subjects(&resolve->lets, assertion->subjects,
			     &out->subjects);
	count = 0;
	for (from = assertion->references; from; from = from->next)
		good = resolve_reference(resolve, from,
					 &out->references[count++]) &&
		       good;
	return good && spend_assertion(&resolve->lets, loc, out);
}

static void resolve_assert(struct walk *walk, const struct item *item)
{
	struct policy *policy = walk->policy;
	struct policy_assertion assertion;

	if (!resolve_assertion(walk->resolve, item->assertion, item->loc,
			       &assertion))
		return;
	policy->assertions = arena_grow(walk->resolve->arena,
					policy->assertions,
					policy->assertion_count,
					&walk->assertion_capacity,
					sizeof(*policy->assertions));
	policy->assertions[policy->assertion_count++] = assertion;
}

/* ---- items ---- */

static void resolve_item(struct walk *walk, const struct item *item);

static void resolve_items(struct walk *walk, const struct item *items)
{
	for (const struct item *item = items; item; item = item->next)
		resolve_item(walk, item);
}

/* An item between the braces of the policy, or in a file included there. */
static void resolve_item(struct walk *walk, const struct item *item)
{
	struct policy *policy = walk->policy;

	switch (item->kind) {
	case ITEM_LET:
		break;
	case ITEM_INCLUDE:
		resolve_items(walk, item->items);
		break;
	case ITEM_DESCRIPTION:
		resolve_description(walk, item);
		break;
	case ITEM_VERSION:
		resolve_version(walk, item);
		break;
	case ITEM_MODE:
		resolve_word(walk, &policy->modes, item->loc, &item->word,
			     "mode", mode_words);
		break;
	case ITEM_DEFAULT_PROFILE:
		resolve_word(walk, &policy->default_profiles, item->loc,
			     &item->word, "profile", profile_words);
		break;
	case ITEM_SEAL:
		resolve_word(walk, &policy->seals, item->loc, &item->word,
			     "seal", seal_words);
		break;
	case ITEM_PROTECTION:
		resolve_protection(walk, item);
		break;
	case ITEM_TRACE:
		resolve_trace(walk, item);
		break;
	case ITEM_ASSERT:
		resolve_assert(walk, item);
		break;
	case ITEM_LANGUAGE:
	case ITEM_POLICY:
		diag_report(walk->resolve->diag, CHECK_MISPLACED, item->loc,
			    "`%s` stands in the policy's own file, outside its braces",
			    item_kind_name(item->kind));
		break;
	case ITEM_KIND_COUNT:
		break;
	}
}

static void resolve_language(struct walk *walk, const struct item *item,
			     bool first)
{
	struct diag *diag = walk->resolve->diag;
	struct diag_entry *entry;

	if (walk->language) {
		entry = diag_report(diag, CHECK_LANGUAGE, item->loc,
				    "the language is stated once");
		diag_note(diag, entry, walk->language->loc, "first set here");
		return;
	}
	walk->language = item;
	if (!first)
		diag_report(diag, CHECK_LANGUAGE, item->loc,
			    "`language` is the first statement of a policy");
	if (item->value->kind == EXPR_INTEGER &&
	    item->value->integer != LANGUAGE)
		diag_report(diag, CHECK_LANGUAGE, item->value->loc,
			    "this bpflockc knows language %d, and no other",
			    LANGUAGE);
}

static void resolve_policy_item(struct walk *walk, const struct item *item)
{
	struct diag *diag = walk->resolve->diag;
	struct diag_entry *entry;

	if (walk->policy_item) {
		entry = diag_report(diag, CHECK_ONE_POLICY, item->loc,
				    "a file holds one policy");
		diag_note(diag, entry, walk->policy_item->loc, "first one here");
		return;
	}
	walk->policy_item = item;
	walk->policy->name = item->word.text;
	walk->policy->loc = item->loc;
	resolve_items(walk, item->items);
}

/* What it begins with, as messages quote it. */
static const char *item_name(const struct item *item)
{
	return item->kind == ITEM_PROTECTION ? item->word.text :
					       item_kind_name(item->kind);
}

/* Outside the braces: in an included file, only lets. */
static void resolve_file(struct walk *walk, const struct item *items,
			 bool included)
{
	struct diag *diag = walk->resolve->diag;

	for (const struct item *item = items; item; item = item->next) {
		if (walk->policy_item && !included &&
		    item->kind != ITEM_POLICY)
			diag_report(diag, CHECK_ONE_POLICY, item->loc,
				    "the policy is the last of its file");
		if (item->kind == ITEM_INCLUDE)
			resolve_file(walk, item->items, true);
		else if (item->kind == ITEM_LANGUAGE && !included)
			resolve_language(walk, item, item == items);
		else if (item->kind == ITEM_POLICY && !included)
			resolve_policy_item(walk, item);
		else if (item->kind != ITEM_LET)
			diag_report(diag, CHECK_MISPLACED, item->loc,
				    included ? "outside the braces of a policy an included file holds lets, and no `%s`" :
					       "`%s` stands between the braces of the policy",
				    item_name(item));
	}
}

static void check_file(struct walk *walk, const struct item *items)
{
	struct diag *diag = walk->resolve->diag;
	struct loc begin = { 0, 0, 0 };

	if (!walk->resolve->whole)
		return;
	if (items && !walk->language)
		diag_report(diag, CHECK_LANGUAGE, begin,
			    "a policy begins with `language %d;`", LANGUAGE);
	if (!walk->policy_item)
		diag_report(diag, CHECK_ONE_POLICY, begin,
			    "there is no policy in this file");
}

struct policy *resolve_policy(struct resolve *resolve,
			      const struct item *items)
{
	struct policy *policy = arena_alloc(resolve->arena, sizeof(*policy));
	struct walk walk = { .resolve = resolve, .policy = policy };

	for (unsigned i = 0; i < PROTECTION_COUNT; i++)
		policy->protections[i].protection = &resolve->lets.kinds[i];
	collect_names(resolve, items);
	policy->protections[PROTECTION_network].destinations =
		destinations_name(resolve->destinations);
	lets_check(&resolve->lets);
	eval_lets(&resolve->lets);
	resolve_file(&walk, items, false);
	check_file(&walk, items);
	/* what went wrong before may have kept a let from being used */
	if (diag_failed(resolve->diag))
		return policy;
	lets_report_unused(&resolve->lets);
	destinations_report_unused(resolve->destinations);
	return policy;
}
