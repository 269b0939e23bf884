/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/suggest.h"
#include "loader/report.h"

struct filter_word {
	enum filter_kind kind;
	const char *text; /* a policy, or a path */
	const struct protection *protection;
	uint64_t operations;	 /* a mask */
	const char *destination; /* of network, in the place of operations */
	unsigned verdict;	 /* VERDICT_TRACED, or enum event_verdict */
};

/* What bpflock-log calls an event of a trace, whatever its number. */
#define VERDICT_TRACED 3U

static const struct {
	const char *word;
	unsigned verdict;
} verdicts[] = {
	{ "denied", EVENT_DENY },
	{ "would-deny", EVENT_WOULD_DENY },
	{ "allowed", EVENT_ALLOW },
	{ "traced", VERDICT_TRACED },
};
#define VERDICTS (sizeof(verdicts) / sizeof(*verdicts))

/* ---- what words mean ---- */

static int refuse_memory(void)
{
	return refuse(-ENOMEM, MACHINE, "filter", NULL, "out of memory");
}

static int refuse_word(const struct suggest *suggest, const char *is_no)
{
	if (suggest->nearest)
		report_note("'%s' is no %s; did you mean '%s'?",
			    suggest->wanted, is_no, suggest->nearest);
	else
		report_note("'%s' is no %s", suggest->wanted, is_no);
	return -EINVAL;
}

static int read_verdict(const char *text, struct filter_word *word)
{
	struct suggest suggest = suggest_new(text);

	for (size_t i = 0; i < VERDICTS; i++) {
		word->verdict = verdicts[i].verdict;
		if (!strcmp(verdicts[i].word, text))
			return 0;
		suggest_offer(&suggest, verdicts[i].word);
	}
	return refuse_word(&suggest, "verdict");
}

static const struct protection *find_protection(const char *name, size_t len)
{
	for (unsigned i = 0; i < PROTECTION_COUNT; i++)
		if (strlen(protections[i].name) == len &&
		    !strncmp(protections[i].name, name, len))
			return &protections[i];
	return NULL;
}

static int refuse_protection(const char *text, size_t len)
{
	char *name = strndup(text, len);
	struct suggest suggest;

	if (!name)
		return refuse_memory();
	suggest = suggest_new(name);
	for (unsigned i = 0; i < PROTECTION_COUNT; i++)
		suggest_offer(&suggest, protections[i].name);
	refuse_word(&suggest, "protection");
	free(name);
	return -EINVAL;
}

static void offer_operations(struct suggest *suggest,
			     const struct protection *protection)
{
	unsigned operation_count = protection_operation_count(protection);
	unsigned family_count = protection_family_count(protection);

	for (unsigned i = 0; i < operation_count; i++)
		suggest_offer(suggest, protection->operations[i].name);
	for (unsigned i = 0; i < family_count; i++)
		suggest_offer(suggest, protection->families[i].name);
}

static int refuse_operation(const struct protection *protection,
			    const char *name)
{
	struct suggest suggest = suggest_new(name);

	offer_operations(&suggest, protection);
	refuse_word(&suggest, "operation of that protection");
	return -EINVAL;
}

static int read_protection(const char *text, struct filter_word *word)
{
	size_t len = strcspn(text, ".");

	word->protection = find_protection(text, len);
	if (!word->protection)
		return refuse_protection(text, len);
	word->operations = protection_all(word->protection);
	if (!text[len])
		return 0;
	text += len + 1;
	word->operations =
		protection_mask(word->protection, text, strlen(text));
	if (word->operations)
		return 0;
	if (word->protection->id != PROTECTION_network)
		return refuse_operation(word->protection, text);
	word->destination = text; /* of which policy is seen later */
	return 0;
}

/* Of a path that was found wrong, no cgroup would ever be. */
static int check_path(const char *path)
{
	if (!strcmp(path, "/"))
		return 0;
	for (const char *at = path; *at; at += strcspn(at, "/")) {
		size_t len;

		if (*at++ != '/')
			break;
		len = strcspn(at, "/");
		if (!len || (len == 1 && !strncmp(at, ".", 1)) ||
		    (len == 2 && !strncmp(at, "..", 2)))
			break;
		if (!at[len])
			return 0;
	}
	report_note("'%s' is no path of a cgroup: it begins with / at the root "
		    "of cgroup v2, as in /proc/PID/cgroup behind 0::, and "
		    "ends in a name",
		    path);
	return -EINVAL;
}

static int read_word(struct filter_word *word)
{
	switch (word->kind) {
	case FILTER_PROTECTION:
		return read_protection(word->text, word);
	case FILTER_VERDICT:
		return read_verdict(word->text, word);
	case FILTER_CGROUP:
		return check_path(word->text);
	default:
		return 0;
	}
}

int filter_add(struct filter *filter, enum filter_kind kind, const char *word)
{
	struct filter_word added = { .kind = kind, .text = word };
	struct filter_word *words;
	int err = read_word(&added);

	if (err)
		return err;
	words = reallocarray(filter->words, filter->count + 1, sizeof(*words));
	if (!words)
		return refuse_memory();
	words[filter->count++] = added;
	filter->words = words;
	return 0;
}

void filter_free(struct filter *filter)
{
	free(filter->words);
	*filter = (struct filter){ 0 };
}

/* ---- which events ---- */

static enum filter_answer answer_of(bool yes)
{
	return yes ? FILTER_YES : FILTER_NO;
}

/* Whether the cgroup @inner is @outer or below it. */
static bool is_below(const char *outer, const char *inner)
{
	return !strcmp(outer, "/") || table_cgroup_covers(outer, inner);
}

/* Where the task's cgroup is not known, the one that the policy names is, and
 * the task is somewhere in that. */
static enum filter_answer ask_named(const char *path, const char *named)
{
	if (!strcmp(path, "/") || (named && is_below(path, named)))
		return FILTER_YES;
	return named && !is_below(named, path) ? FILTER_NO : FILTER_UNKNOWN;
}

struct question {
	const struct table *table;
	const struct protection *protection;
	const struct event *event;
	const char *cgroup; /* NULL: not known */
	const char *named;  /* that the policy names and it is in, or NULL */
};

static bool is_operation(const struct filter_word *word,
			 const struct question *question)
{
	const struct protection *kind = question->protection;
	unsigned operation = question->event->operation;

	if (word->protection->id != kind->id)
		return false;
	if (word->destination)
		return !strcmp(kind->operations[operation].name,
			       word->destination);
	/* all of them, a policy's own too, or those that are named */
	return word->operations == protection_all(word->protection) ||
	       word->operations >> operation & 1;
}

static enum filter_answer ask_word(const struct filter_word *word,
				   const struct question *question)
{
	const struct event *event = question->event;
	bool traced = question->protection->trace;

	switch (word->kind) {
	case FILTER_POLICY:
		return answer_of(!strcmp(word->text, question->table->policy));
	case FILTER_PROTECTION:
		return answer_of(is_operation(word, question));
	case FILTER_VERDICT:
		return answer_of(word->verdict ==
				 (traced ? VERDICT_TRACED : event->verdict));
	default:
		if (question->cgroup)
			return answer_of(
				is_below(word->text, question->cgroup));
		return ask_named(word->text, question->named);
	}
}

/* The best answer of its words; yes where there are none. */
static enum filter_answer ask_kind(const struct filter *filter,
				   enum filter_kind kind,
				   const struct question *question)
{
	enum filter_answer best = FILTER_NO;
	bool asked = false;

	for (size_t i = 0; i < filter->count; i++) {
		enum filter_answer answer;

		if (filter->words[i].kind != kind)
			continue;
		asked = true;
		answer = ask_word(&filter->words[i], question);
		if (answer == FILTER_YES)
			return FILTER_YES;
		if (answer == FILTER_UNKNOWN)
			best = FILTER_UNKNOWN;
	}
	return asked ? best : FILTER_YES;
}

enum filter_answer filter_ask(const struct filter *filter,
			      const struct table *table,
			      const struct event *event, const char *cgroup)
{
	const struct table_protection *protection =
		&table->protections[event->protection];
	const struct question question = {
		.table = table,
		.protection = protection->protection,
		.event = event,
		.cgroup = cgroup,
		.named = event->flags & EVENT_CLASS_UNKNOWN
				 ? NULL
				 : table_class_cgroup(protection, event->class),
	};
	enum filter_answer all = FILTER_YES;

	for (enum filter_kind kind = 0; kind < FILTER_KINDS; kind++) {
		enum filter_answer answer = ask_kind(filter, kind, &question);

		if (answer == FILTER_NO)
			return FILTER_NO;
		if (answer == FILTER_UNKNOWN)
			all = FILTER_UNKNOWN;
	}
	return all;
}

/* ---- policies ---- */

bool filter_shows_policy(const struct filter *filter, const char *policy)
{
	bool asked = false;

	for (size_t i = 0; i < filter->count; i++) {
		if (filter->words[i].kind != FILTER_POLICY)
			continue;
		if (!strcmp(filter->words[i].text, policy))
			return true;
		asked = true;
	}
	return !asked;
}

static int check_policy(const char *wanted, const struct table *const *tables,
			size_t count)
{
	struct suggest suggest = suggest_new(wanted);

	for (size_t i = 0; i < count; i++) {
		if (!strcmp(tables[i]->policy, wanted))
			return 0;
		suggest_offer(&suggest, tables[i]->policy);
	}
	refuse_word(&suggest, "policy that is loaded");
	return -ENOENT;
}

/* Of the destinations and all other operations, as it may have been meant for
 * one of these. */
static int check_destination(const struct filter_word *word,
			     const struct table *const *tables, size_t count)
{
	struct suggest suggest = suggest_new(word->destination);

	for (size_t i = 0; i < count; i++) {
		const struct table *table = tables[i];

		for (uint32_t j = 0; j < table->protection_count; j++) {
			const struct protection *kind =
				table->protections[j].protection;

			if (kind->id != word->protection->id)
				continue;
			if (protection_mask(kind, word->destination,
					    strlen(word->destination)))
				return 0;
			offer_operations(&suggest, kind);
		}
	}
	offer_operations(&suggest, word->protection);
	refuse_word(
		&suggest,
		"operation of that protection, nor a destination of a policy that is loaded");
	return -ENOENT;
}

int filter_check(const struct filter *filter, const struct table *const *tables,
		 size_t count)
{
	for (size_t i = 0; i < filter->count; i++) {
		const struct filter_word *word = &filter->words[i];
		int err = 0;

		if (word->kind == FILTER_POLICY)
			err = check_policy(word->text, tables, count);
		else if (word->destination)
			err = check_destination(word, tables, count);
		if (err)
			return err;
	}
	return 0;
}

void filter_warn(const struct filter *filter, const struct table *const *tables,
		 size_t count)
{
	for (size_t i = 0; i < filter->count; i++)
		if (filter->words[i].destination)
			check_destination(&filter->words[i], tables, count);
}
