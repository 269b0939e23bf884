/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file is read, its bytes are checked, and it is parsed; then each include
 * in it is replaced by the items of its file, which is done the same way.  So
 * the parser itself never nests, and reading order is the order of the items.
 */
#include "compiler/parse.h"

#include <errno.h>
#include <string.h>

#include "bundle/utf8.h"
#include "compiler/arena.h"
#include "compiler/diag.h"
#include "grammar/parser.h"
#include "grammar/lexer.h"

/* What a file turned out to hold, once it is parsed. */
enum shape { SHAPE_LETS, SHAPE_ITEMS };

static struct item *include_all(struct parse *parse, struct item *items);

/* What is wrong with the character at @bytes; NULL where nothing is. */
static const char *character_error(const char *bytes, size_t left,
				   size_t *len, enum check_id *check)
{
	uint32_t codepoint;

	*check = CHECK_ENCODING;
	*len = utf8_decode(bytes, left, &codepoint);
	if (!*len) {
		*len = 1;
		return "this is not valid UTF-8";
	}
	if (codepoint == 0)
		return "a NUL stands here, which no text has";
	*check = CHECK_CONTROL;
	if (utf8_is_bidirectional(codepoint))
		return "a control stands here that changes the direction of text: what is read would not be what is there";
	if (codepoint == '\r' && !(left > 1 && bytes[1] == '\n'))
		return "a carriage return stands here, and no line feed behind it";
	if ((codepoint < 0x20 && !strchr("\t\r\n", (int)codepoint)) ||
	    (codepoint >= 0x7f && codepoint < 0xa0))
		return "a control character stands here, which no text has";
	return NULL;
}

/* Only the first: text that is damaged is seldom so in one place. */
static bool check_text(struct parse *parse, uint32_t index)
{
	const struct source *source = &parse->sources->list[index];
	const char *error;
	enum check_id check;

	for (size_t i = 0, len; i < source->size; i += len) {
		struct loc loc = { index, (uint32_t)i, (uint32_t)i + 1 };

		error = character_error(source->bytes + i, source->size - i,
					&len, &check);
		if (!error)
			continue;
		diag_report(parse->diag, check, loc, "%s", error);
		return false;
	}
	return true;
}

static void parse_source(struct parse *parse, uint32_t index,
			 enum parse_start start)
{
	const struct source *source = &parse->sources->list[index];
	YY_BUFFER_STATE buffer;
	yyscan_t scanner;

	parse->items = (struct items){ 0 };
	parse->assertion = NULL;
	parse->value = NULL;
	if (!check_text(parse, index))
		return;
	parse->source = index;
	parse->offset = 0;
	parse->start = start;
	parse->tokens = NULL;
	parse->parentheses = 0;
	parse->nesting_reported = false;
	parse->previous = parse->current =
		(struct word){ .loc = { index, 0, 0 } };
	if (policy_lex_init_extra(parse, &scanner)) {
		diag_report(parse->diag, CHECK_UNREADABLE, LOC_NONE,
			    "out of memory");
		return;
	}
	buffer = policy__scan_bytes(source->bytes, (int)source->size, scanner);
	policy_parse(scanner, parse);
	policy__delete_buffer(buffer, scanner);
	policy_lex_destroy(scanner);
}

static void report_unreadable(struct parse *parse, const char *path,
			      struct loc from, int err)
{
	if (err == -EFBIG)
		diag_report(parse->diag, CHECK_TOO_LARGE, from,
			    "'%s' makes the policy larger than 1 MiB", path);
	else if (err == -EISDIR)
		diag_report(parse->diag, CHECK_UNREADABLE, from,
			    "'%s' is a folder, not a file", path);
	else
		diag_report(parse->diag, CHECK_UNREADABLE, from,
			    "cannot read '%s': %s", path, strerror(-err));
}

static bool is_cycle(const struct parse *parse, uint32_t index,
		     struct loc from)
{
	while (from.source != SOURCE_NONE) {
		if (from.source == index)
			return true;
		from = parse->sources->list[from.source].included_from;
	}
	return false;
}

struct found_file {
	const char *path; /* to open; NULL where there is none */
	const char *name; /* for the bundle */
};

/* Beside the including file first, then in each -I folder. */
static struct found_file find_include(struct parse *parse,
				      const struct item *include)
{
	const struct source *from =
		&parse->sources->list[include->loc.source];
	const char *wanted = include->value->text;
	struct found_file found;

	found.path = arena_printf(parse->arena, "%s%s",
				  source_folder(parse->arena, from->path),
				  wanted);
	found.name = arena_printf(parse->arena, "%s%s",
				  source_folder(parse->arena, from->name),
				  wanted);
	if (source_exists(found.path))
		return found;
	found.name = wanted;
	for (size_t i = 0; i < parse->include_folder_count; i++) {
		found.path = arena_printf(parse->arena, "%s/%s",
					  parse->include_folders[i], wanted);
		if (source_exists(found.path))
			return found;
	}
	return (struct found_file){ 0 };
}

/* Reports and returns false where the include must not be followed. */
static bool may_include(struct parse *parse, const struct item *include)
{
	const char *wanted = include->value->text;

	if (include->value->kind == EXPR_ERROR)
		return false;
	if (!wanted[0] || wanted[0] == '/') {
		diag_report(parse->diag, CHECK_INCLUDE_PATH,
			    include->value->loc,
			    "an include is named relative to its file or to an -I folder");
		return false;
	}
	if (parse->sources->list[include->loc.source].depth >=
	    SOURCE_MAX_DEPTH) {
		diag_report(parse->diag, CHECK_INCLUDE_DEPTH, include->loc,
			    "includes may be nested %d deep, and no deeper",
			    SOURCE_MAX_DEPTH);
		return false;
	}
	return true;
}

static enum shape items_shape(const struct item *items)
{
	for (const struct item *item = items; item; item = item->next)
		if (item->kind != ITEM_LET && item->kind != ITEM_INCLUDE)
			return SHAPE_ITEMS;
		else if (item->kind == ITEM_INCLUDE &&
			 items_shape(item->items) == SHAPE_ITEMS)
			return SHAPE_ITEMS;
	return SHAPE_LETS;
}

/* The items of the file that was read before as @index, for this include. */
static void include_again(struct parse *parse, struct item *include,
			  uint32_t index)
{
	const struct source *source = &parse->sources->list[index];
	struct diag_entry *entry;

	if (is_cycle(parse, index, include->loc)) {
		entry = diag_report(parse->diag, CHECK_INCLUDE_CYCLE,
				    include->loc, "'%s' includes itself",
				    source->path);
	} else if (source->holds_items) {
		entry = diag_report(parse->diag, CHECK_INCLUDE_TWICE,
				    include->loc,
				    "'%s' holds items, which count once",
				    source->path);
	} else {
		return; /* lets count once, and did */
	}
	if (source->included_from.source != SOURCE_NONE)
		diag_note(parse->diag, entry, source->included_from,
			  "first included here");
}

static void include_file(struct parse *parse, struct item *include)
{
	struct found_file found;
	uint32_t index;
	int err;

	if (!may_include(parse, include))
		return;
	found = find_include(parse, include);
	if (!found.path) {
		diag_report(parse->diag, CHECK_UNREADABLE,
			    include->value->loc,
			    "there is no '%s' beside this file or in an -I folder",
			    include->value->text);
		return;
	}
	index = source_find(parse->sources, found.path);
	if (index != SOURCE_NONE) {
		include_again(parse, include, index);
		return;
	}
	err = source_read(parse->sources, found.path, found.name, include->loc,
			  &index);
	if (err) {
		report_unreadable(parse, found.path, include->value->loc, err);
		return;
	}
	parse_source(parse, index, PARSE_FILE);
	include->items = include_all(parse, parse->items.first);
	parse->sources->list[index].holds_items =
		items_shape(include->items) == SHAPE_ITEMS;
}

/* Fills in the items of every include of @items, which it returns. */
static struct item *include_all(struct parse *parse, struct item *items)
{
	for (struct item *item = items; item; item = item->next) {
		if (item->kind == ITEM_INCLUDE)
			include_file(parse, item);
		else if (item->kind == ITEM_POLICY)
			include_all(parse, item->items);
	}
	return items;
}

struct item *parse_policy(struct parse *parse, const char *path)
{
	const char *slash = strrchr(path, '/');
	uint32_t index;
	int err;

	err = source_read(parse->sources, path, slash ? slash + 1 : path,
			  LOC_NONE, &index);
	if (err) {
		report_unreadable(parse, path, LOC_NONE, err);
		return NULL;
	}
	parse_source(parse, index, PARSE_FILE);
	return include_all(parse, parse->items.first);
}

struct item *parse_policy_text(struct parse *parse, const char *name,
			       const char *text, size_t size)
{
	uint32_t index;
	int err;

	err = source_add(parse->sources, name, text, size, &index);
	if (err) {
		report_unreadable(parse, name, LOC_NONE, err);
		return NULL;
	}
	parse_source(parse, index, PARSE_FILE);
	return include_all(parse, parse->items.first);
}

static void parse_text(struct parse *parse, enum parse_start start,
		       const char *name, const char *text)
{
	uint32_t index;

	if (source_add(parse->sources, name, text, strlen(text), &index)) {
		diag_report(parse->diag, CHECK_TOO_LARGE, LOC_NONE,
			    "%s is longer than 1 MiB", name);
		parse->assertion = NULL;
		parse->value = NULL;
		return;
	}
	parse_source(parse, index, start);
}

struct assertion *parse_assertion(struct parse *parse, const char *name,
				  const char *text)
{
	parse_text(parse, PARSE_ASSERTION, name, text);
	return parse->assertion;
}

struct expr *parse_value(struct parse *parse, enum parse_start start,
			 const char *name, const char *text)
{
	parse_text(parse, start, name, text);
	return parse->value;
}
