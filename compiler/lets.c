/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/lets.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "compiler/arena.h"
#include "compiler/diag.h"
#include "bundle/suggest.h"
#include "grammar/words.h"

const struct word_value subject_words[] = {
	{ "all", SUBJECT_ALL },
	{ "host", SUBJECT_HOST },
	{ "container", SUBJECT_CONTAINER },
	{ NULL, 0 },
};

/* Words of statements that are not the lexer's keywords. */
static const struct word_value statement_words[] = {
	{ "exec", 0 },
	{ "privileged", 0 },
	{ "device", 0 },
	{ "destination", 0 },
	{ "prefixes", 0 },
	{ "ports", 0 },
	{ NULL, 0 },
};

struct lets lets_new(struct arena *arena, struct diag *diag)
{
	struct lets lets = { .arena = arena, .diag = diag };

	memcpy(lets.kinds, protections, sizeof(lets.kinds));
	return lets;
}

void lets_add(struct lets *lets, struct word name, struct expr *value)
{
	lets->list = arena_grow(lets->arena, lets->list, lets->count,
				&lets->capacity, sizeof(*lets->list));
	lets->list[lets->count] = (struct let){
		.name = name.text,
		.loc = name.loc,
		.value = value,
		.order = lets->count,
	};
	lets->count++;
}

static int compare_lets(const void *a, const void *b)
{
	const struct let *left = a, *right = b;
	int names = strcmp(left->name, right->name);

	if (names)
		return names;
	return left->order < right->order ? -1 : left->order > right->order;
}

struct let *lets_find(const struct lets *lets, const char *name)
{
	size_t first = 0, behind = lets->count;

	while (first < behind) { /* the first of that name */
		size_t middle = first + (behind - first) / 2;

		if (strcmp(lets->list[middle].name, name) < 0)
			first = middle + 1;
		else
			behind = middle;
	}
	if (first == lets->count || strcmp(lets->list[first].name, name))
		return NULL;
	return &lets->list[first];
}

/* The capability of that name, with or without "cap_", in any case. */
static uint64_t capability_mask(const char *name)
{
	const struct protection *privileged = &protections[TRACE_privileged];
	char lower[64] = "cap_";
	size_t len = strlen(name);

	if (len + sizeof("cap_") > sizeof(lower))
		return 0;
	for (size_t i = 0; i <= len; i++)
		lower[4 + i] = (char)tolower((unsigned char)name[i]);
	if (!strncmp(lower + 4, "cap_", 4))
		return protection_mask(privileged, lower + 4, len);
	return protection_mask(privileged, lower, len + 4);
}

static uint64_t operation_mask(const struct protection *protection,
			       const char *name)
{
	if (protection->id == TRACE_privileged)
		return capability_mask(name);
	return protection_mask(protection, name, strlen(name));
}

uint64_t lets_operation(struct lets *lets, const struct protection *protection,
			const char *name)
{
	uint64_t mask = operation_mask(protection, name);

	lets->destinations_used |= mask & protection_destinations(protection);
	return mask;
}

/* The first protection, other than @but, that has an operation of that name;
 * NULL where none has. */
static const struct protection *operation_owner(const struct lets *lets,
						const char *name,
						const struct protection *but)
{
	for (unsigned i = 0; i < PROTECTION_COUNT; i++)
		if (&lets->kinds[i] != but &&
		    operation_mask(&lets->kinds[i], name))
			return &lets->kinds[i];
	return NULL;
}

static bool is_word(const char *name)
{
	return word_is_keyword(name) || word_value(subject_words, name) >= 0 ||
	       word_value(profile_words, name) >= 0 ||
	       word_value(log_words, name) >= 0 ||
	       word_value(mode_words, name) >= 0 ||
	       word_value(seal_words, name) >= 0 ||
	       word_value(statement_words, name) >= 0;
}

const char *lets_name_taken_by(const struct lets *lets, const char *name)
{
	if (word_value(subject_words, name) >= 0)
		return "a subject";
	if (protection_find(name, strlen(name)))
		return "a protection";
	if (is_word(name))
		return "a keyword";
	if (operation_owner(lets, name, &lets->kinds[TRACE_privileged]))
		return "an operation";
	if (capability_mask(name))
		return "a capability";
	return NULL;
}

/* Whether a name in a let could stand for something, wherever it is used. */
static bool is_known(const struct lets *lets, const char *name)
{
	return lets_find(lets, name) || word_value(subject_words, name) >= 0 ||
	       operation_owner(lets, name, NULL);
}

/* `a-b` is one name; where both halves are known, a difference was meant. */
static bool note_difference(const struct lets *lets, struct diag_entry *entry,
			    const struct expr *name)
{
	for (const char *dash = strchr(name->text, '-'); dash;
	     dash = strchr(dash + 1, '-')) {
		const char *left =
			arena_copy(lets->arena, name->text,
				   (size_t)(dash - name->text));

		if (!is_known(lets, left) || !is_known(lets, dash + 1))
			continue;
		diag_note(lets->diag, entry, name->loc,
			  "for a difference write '%s - %s', with spaces", left,
			  dash + 1);
		return true;
	}
	return false;
}

/* A capability is offered as it is asked for, with or without "cap_". */
static void offer_operations(struct suggest *suggest,
			     const struct protection *protection)
{
	bool capabilities = protection->id == TRACE_privileged &&
			    strncasecmp(suggest->wanted, "cap_", 4) != 0;

	for (unsigned i = 0; i < protection_operation_count(protection); i++)
		suggest_offer(suggest, protection->operations[i].name +
					       (capabilities ? 4 : 0));
	for (unsigned i = 0; i < protection_family_count(protection); i++)
		suggest_offer(suggest, protection->families[i].name);
}

static void note_nearest(const struct lets *lets, struct diag_entry *entry,
			 const struct expr *name,
			 const struct protection *protection, bool anything)
{
	struct suggest suggest = suggest_new(name->text);

	if (diag_is_flooded(lets->diag))
		return;
	for (const struct word_value *word = subject_words; word->word; word++)
		suggest_offer(&suggest, word->word);
	for (size_t i = 0; i < lets->count; i++)
		suggest_offer(&suggest, lets->list[i].name);
	for (unsigned i = 0; i < PROTECTION_COUNT; i++)
		if (anything || &lets->kinds[i] == protection)
			offer_operations(&suggest, &lets->kinds[i]);
	if (suggest.nearest)
		diag_note(lets->diag, entry, name->loc, "did you mean '%s'?",
			  suggest.nearest);
}

void lets_report_unknown(const struct lets *lets, const struct expr *name,
			 const struct protection *protection,
			 const char *wanted)
{
	const struct protection *owner;
	struct diag_entry *entry;

	entry = diag_report(lets->diag, CHECK_UNKNOWN_NAME, name->loc,
			    "'%s' is not %s", name->text, wanted);
	if (!note_difference(lets, entry, name))
		note_nearest(lets, entry, name, protection, false);
	owner = operation_owner(lets, name->text, protection);
	if (protection && owner && !owner->trace)
		diag_note(lets->diag, entry, LOC_NONE,
			  "'%s' is an operation of %s", name->text,
			  owner->name);
}

/* The same for a name in a let, which may be of any kind. */
static void report_unknown_anywhere(const struct lets *lets,
				    const struct expr *name)
{
	struct diag_entry *entry = diag_report(
		lets->diag, CHECK_UNKNOWN_NAME, name->loc,
		"'%s' is not a let, a subject or an operation", name->text);

	if (!note_difference(lets, entry, name))
		note_nearest(lets, entry, name, NULL, true);
}

static unsigned let_depth(struct lets *lets, struct let *let, unsigned above);

/*
 * How deep @expr is with its lets put in, 0 where it is broken: a name that is
 * not known, a let that is made of itself, or too deep, @above counting what
 * is around it.
 */
static unsigned expr_depth(struct lets *lets, const struct expr *expr,
			   unsigned above)
{
	const struct expr *parts[] = { expr->left, expr->right };
	unsigned deepest = 0, depth;
	bool good = expr->kind != EXPR_ERROR;
	struct let *let;

	if (expr->kind == EXPR_NAME) {
		let = lets_find(lets, expr->text);
		if (let) {
			let->used = true;
			return let_depth(lets, let, above);
		}
		if (is_known(lets, expr->text))
			return 1;
		report_unknown_anywhere(lets, expr);
		return 0;
	}
	for (size_t i = 0; i < 2; i++) {
		if (!parts[i])
			continue;
		depth = expr_depth(lets, parts[i], above + 1);
		good = good && depth;
		deepest = depth > deepest ? depth : deepest;
	}
	for (const struct expr *element = expr->elements; element;
	     element = element->next) {
		depth = expr_depth(lets, element, above + 1);
		good = good && depth;
		deepest = depth > deepest ? depth : deepest;
	}
	return good ? deepest + 1 : 0;
}

/* A cycle is reported at the let that closes it; all on the way back to it are
 * broken then, and say nothing more. */
static unsigned let_depth(struct lets *lets, struct let *let, unsigned above)
{
	if (let->state == LET_ACTIVE) {
		diag_report(lets->diag, CHECK_LET_CYCLE, let->loc,
			    "'%s' is defined by itself", let->name);
		let->state = LET_BROKEN;
	}
	if (let->state == LET_NEW && above <= AST_MAX_DEPTH) {
		let->state = LET_ACTIVE;
		let->depth = expr_depth(lets, let->value, above + 1);
		if (!let->depth)
			let->state = LET_BROKEN;
		else if (let->state == LET_ACTIVE)
			let->state = LET_GOOD;
	}
	if (let->state == LET_BROKEN)
		return 0;
	if (let->state == LET_GOOD && above + let->depth <= AST_MAX_DEPTH)
		return let->depth + 1;
	diag_report(lets->diag, CHECK_NESTING, let->loc,
		    "with its lets put in, an expression is nested more than %d deep",
		    AST_MAX_DEPTH);
	let->state = LET_BROKEN;
	return 0;
}

static void check_name(struct lets *lets, const struct let *let)
{
	const char *taken_by = lets_name_taken_by(lets, let->name);

	if (taken_by)
		diag_report(lets->diag, CHECK_LET_NAME, let->loc,
			    "a let cannot be called '%s': that is %s",
			    let->name, taken_by);
}

/* Lets of one name stand together, in the order in which they were read. */
static void check_duplicate(struct lets *lets, size_t index)
{
	struct let *let = &lets->list[index];
	struct diag_entry *entry;

	if (index == 0 || strcmp(let[-1].name, let->name))
		return;
	entry = diag_report(lets->diag, CHECK_DUPLICATE_LET, let->loc,
			    "there is a let '%s' already", let->name);
	diag_note(lets->diag, entry, lets_find(lets, let->name)->loc,
		  "first set here");
	let->used = true; /* whatever uses the name means the first */
}

void lets_check(struct lets *lets)
{
	if (lets->count)
		qsort(lets->list, lets->count, sizeof(*lets->list),
		      compare_lets);
	for (size_t i = 0; i < lets->count; i++) {
		check_name(lets, &lets->list[i]);
		check_duplicate(lets, i);
	}
	for (size_t i = 0; i < lets->count; i++)
		let_depth(lets, &lets->list[i], 0);
}

bool lets_spend_bytes(struct lets *lets, struct loc loc, size_t bytes)
{
	bool before = lets->bytes > LETS_MAX_BYTES;

	lets->bytes += bytes;
	if (lets->bytes > LETS_MAX_BYTES && !before)
		diag_report(lets->diag, CHECK_LIMIT, loc,
			    "strings that are joined, or asserted of, come to more than %d MiB in all",
			    LETS_MAX_BYTES >> 20);
	return lets->bytes <= LETS_MAX_BYTES;
}

bool lets_spend_subjects(struct lets *lets, struct loc loc, size_t count)
{
	bool before = lets->subjects > LETS_MAX_SUBJECTS;

	lets->subjects += count;
	if (lets->subjects > LETS_MAX_SUBJECTS && !before)
		diag_report(lets->diag, CHECK_LIMIT, loc,
			    "sets, rules and assertions come to more than %d subjects in all",
			    LETS_MAX_SUBJECTS);
	return lets->subjects <= LETS_MAX_SUBJECTS;
}

void lets_report_unused(const struct lets *lets)
{
	for (size_t i = 0; i < lets->count; i++)
		if (!lets->list[i].used && lets->list[i].state == LET_GOOD)
			diag_report(lets->diag, CHECK_UNUSED_LET,
				    lets->list[i].loc, "nothing uses '%s'",
				    lets->list[i].name);
}
