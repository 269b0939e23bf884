/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/diag.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/text.h"
#include "compiler/arena.h"

enum severity { IGNORED, NOTE, WARNING, ERROR };

static const char *const severity_words[] = { "", "note", "warning", "error" };

static const struct check_row {
	const char *name;
	enum severity severity;
} checks[CHECK_COUNT] = {
#define CHECK(id, name, severity, words) { name, severity },
#include "compiler/checks.def"
#undef CHECK
};

struct message {
	struct message *next; /* a note to the same entry */
	struct loc loc;
	const char *text;
};

struct diag_entry {
	enum check_id check;
	enum severity severity;
	size_t order; /* in which it came */
	struct message message;
	struct message *last_note;
};

struct diag {
	struct arena *arena;
	const struct sources *sources;
	enum severity severities[CHECK_COUNT]; /* after -W options */
	struct diag_entry **entries;
	size_t count;
	size_t capacity;
	size_t printed; /* of entries[] */
	size_t counts[ERROR + 1]; /* of each severity */
	size_t shown[ERROR + 1];
	size_t told[ERROR + 1];	   /* that were not shown, and said to be so */
	struct diag_entry dropped; /* stands for those that are not kept */
};

struct diag *diag_new(struct arena *arena, const struct sources *sources)
{
	struct diag *diag = arena_alloc(arena, sizeof(*diag));

	diag->arena = arena;
	diag->sources = sources;
	for (size_t i = 0; i < CHECK_COUNT; i++)
		diag->severities[i] = checks[i].severity;
	return diag;
}

const char *diag_check_name(enum check_id check)
{
	return checks[check].name;
}

static const char *skip_prefix(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) ? NULL : text + len;
}

/* Sets the severity of that warning, of all of them for NULL. */
static bool set_severity(struct diag *diag, const char *name,
			 enum severity severity)
{
	bool found = false;

	for (size_t i = 0; i < CHECK_COUNT; i++) {
		if (checks[i].severity != WARNING)
			continue;
		if (name && strcmp(checks[i].name, name))
			continue;
		/* -Werror does not bring back what -Wno- turned off */
		if (name || diag->severities[i] != IGNORED)
			diag->severities[i] = severity;
		found = true;
	}
	return found;
}

bool diag_option(struct diag *diag, const char *option)
{
	const char *name;

	if (set_severity(diag, option, WARNING)) /* no-effect begins with no- */
		return true;
	if (!strcmp(option, "error"))
		return set_severity(diag, NULL, ERROR);
	if (!strcmp(option, "no-error"))
		return set_severity(diag, NULL, WARNING);
	if ((name = skip_prefix(option, "error=")))
		return set_severity(diag, name, ERROR);
	if ((name = skip_prefix(option, "no-error=")))
		return set_severity(diag, name, WARNING);
	name = skip_prefix(option, "no-");
	return name && set_severity(diag, name, IGNORED);
}

static const char *format_text(struct diag *diag, const char *format,
			       va_list args)
{
	va_list again;
	char *text;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	assert(len >= 0);
	text = arena_alloc(diag->arena, (size_t)len + 1);
	vsnprintf(text, (size_t)len + 1, format, args);
	return text;
}

struct diag_entry *diag_report(struct diag *diag, enum check_id check,
			       struct loc loc, const char *format, ...)
{
	enum severity severity = diag->severities[check];
	struct diag_entry *entry;
	va_list args;

	diag->counts[severity]++;
	if (severity == IGNORED || diag->counts[severity] > DIAG_MAX_KEPT)
		return &diag->dropped;
	entry = arena_alloc(diag->arena, sizeof(*entry));
	entry->check = check;
	entry->severity = severity;
	entry->message.loc = loc;
	va_start(args, format);
	entry->message.text = format_text(diag, format, args);
	va_end(args);
	diag->entries = arena_grow(diag->arena, diag->entries, diag->count,
				   &diag->capacity, sizeof(struct diag_entry *));
	entry->order = diag->count;
	diag->entries[diag->count++] = entry;
	return entry;
}

void diag_note(struct diag *diag, struct diag_entry *entry, struct loc loc,
	       const char *format, ...)
{
	struct message *note;
	va_list args;

	if (entry == &diag->dropped)
		return;
	note = arena_alloc(diag->arena, sizeof(*note));
	note->loc = loc;
	va_start(args, format);
	note->text = format_text(diag, format, args);
	va_end(args);
	if (entry->last_note)
		entry->last_note->next = note;
	else
		entry->message.next = note;
	entry->last_note = note;
}

bool diag_failed(const struct diag *diag)
{
	return diag->counts[ERROR] > 0;
}

bool diag_is_flooded(const struct diag *diag)
{
	return diag->counts[ERROR] > 2 * DIAG_MAX_SHOWN;
}

static int compare_entries(const void *a, const void *b)
{
	const struct diag_entry *left = *(struct diag_entry *const *)a;
	const struct diag_entry *right = *(struct diag_entry *const *)b;
	const struct loc *l = &left->message.loc, *r = &right->message.loc;

	if (l->source != r->source)
		return l->source < r->source ? -1 : 1;
	if (l->begin != r->begin)
		return l->begin < r->begin ? -1 : 1;
	return left->order < right->order ? -1 : left->order > right->order;
}

static size_t count_characters(const char *text, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += ((unsigned char)text[i] & 0xc0) != 0x80;
	return count;
}

#define QUOTE_MAX 160 /* bytes of a line that are worth showing */

static void print_quote(FILE *out, const struct place_in_source *place,
			const struct loc *loc)
{
	/* text of the policy never reaches a terminal raw */
	size_t len = place->text_len, width;
	const char *text = place->text, *end = text + len;
	uint32_t column = 1;

	if (len == 0 || len > QUOTE_MAX)
		return;
	fputs("    ", out);
	text_shown(out, place->text, len);
	fputs("\n    ", out);
	for (; column < place->column; column++) {
		putc(text < end && *text == '\t' ? '\t' : ' ', out);
		text++;
		while (text < end && ((unsigned char)*text & 0xc0) == 0x80)
			text++;
	}
	putc('^', out);
	if (text >= end) /* just behind the line */
		width = 0;
	else if (loc->end - loc->begin < (size_t)(end - text))
		width = count_characters(text, loc->end - loc->begin);
	else /* a mark goes no further than its line */
		width = count_characters(text, (size_t)(end - text));
	for (size_t i = 1; i < width; i++)
		putc('~', out);
	putc('\n', out);
}

#define TEXT_MAX 1000 /* bytes of a message */

static void print_text(FILE *out, const char *text)
{
	size_t len = strlen(text), shown = len;

	if (len > TEXT_MAX)
		for (shown = TEXT_MAX; ((unsigned char)text[shown] & 0xc0) == 0x80;)
			shown--;
	text_shown(out, text, shown);
	if (shown < len)
		fputs("...", out);
}

static void print_message(struct diag *diag, FILE *out,
			  const struct message *message,
			  enum severity severity, const char *check)
{
	const struct source *source = NULL;
	struct place_in_source place = { 0 };

	if (message->loc.source != SOURCE_NONE) {
		source = &diag->sources->list[message->loc.source];
		place = source_place(source, message->loc.begin);
		text_shown(out, source->path, strlen(source->path));
		fprintf(out, ":%u:%u: ", place.line, place.column);
	} else {
		fputs("bpflockc: ", out);
	}
	fprintf(out, "%s: ", severity_words[severity]);
	print_text(out, message->text);
	if (check)
		fprintf(out, " [%s]", check);
	putc('\n', out);
	if (source)
		print_quote(out, &place, &message->loc);
}

static void print_includes(struct diag *diag, FILE *out, struct loc loc)
{
	while (loc.source != SOURCE_NONE) {
		struct message note = { .text = "included from here" };

		loc = diag->sources->list[loc.source].included_from;
		if (loc.source == SOURCE_NONE)
			break;
		note.loc = loc;
		print_message(diag, out, &note, NOTE, NULL);
	}
}

static void print_entry(struct diag *diag, FILE *out,
			const struct diag_entry *entry)
{
	print_message(diag, out, &entry->message, entry->severity,
		      checks[entry->check].name);
	for (const struct message *note = entry->message.next; note;
	     note = note->next)
		print_message(diag, out, note, NOTE, NULL);
	print_includes(diag, out, entry->message.loc);
}

static void print_hidden(struct diag *diag, FILE *out, enum severity severity)
{
	size_t hidden = diag->counts[severity] - diag->shown[severity] -
			diag->told[severity];

	if (hidden)
		fprintf(out, "bpflockc: %zu more %s%s not shown\n", hidden,
			severity_words[severity],
			hidden == 1 ? " is" : "s are");
	diag->told[severity] += hidden;
}

void diag_print(struct diag *diag, FILE *out)
{
	if (diag->count > diag->printed)
		qsort(diag->entries + diag->printed,
		      diag->count - diag->printed, sizeof(*diag->entries),
		      compare_entries);
	for (; diag->printed < diag->count; diag->printed++) {
		const struct diag_entry *entry = diag->entries[diag->printed];

		if (diag->shown[entry->severity] == DIAG_MAX_SHOWN)
			continue;
		diag->shown[entry->severity]++;
		print_entry(diag, out, entry);
	}
	print_hidden(diag, out, ERROR);
	print_hidden(diag, out, WARNING);
}
