/* SPDX-License-Identifier: GPL-2.0-only */
#include "grammar/words.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/utf8.h"
#include "compiler/arena.h"
#include "compiler/diag.h"
#include "bundle/suggest.h"
#include "grammar/parser.h"

static const struct {
	const char *text;
	int token;
} keywords[] = {
	{ "language", TOK_LANGUAGE },	{ "include", TOK_INCLUDE },
	{ "let", TOK_LET },		{ "policy", TOK_POLICY },
	{ "description", TOK_DESCRIPTION }, { "version", TOK_VERSION },
	{ "mode", TOK_MODE },		{ "default", TOK_DEFAULT },
	{ "profile", TOK_PROFILE },	{ "seal", TOK_SEAL },
	{ "block", TOK_BLOCK },		{ "allow", TOK_ALLOW },
	{ "log", TOK_LOG },		{ "trace", TOK_TRACE },
	{ "for", TOK_FOR },		{ "because", TOK_BECAUSE },
	{ "until", TOK_UNTIL },		{ "assert", TOK_ASSERT },
	{ "can", TOK_CAN },		{ "cannot", TOK_CANNOT },
	{ "cgroup", TOK_CGROUP },
};

#define KEYWORD_COUNT (sizeof(keywords) / sizeof(keywords[0]))

int word_start(enum parse_start start)
{
	static const int tokens[] = {
		[PARSE_FILE] = TOK_START_FILE,
		[PARSE_ASSERTION] = TOK_START_ASSERTION,
		[PARSE_QUERY] = TOK_START_QUERY,
		[PARSE_VALUE] = TOK_START_VALUE,
	};

	return tokens[start];
}

void word_place(struct parse *parse, struct loc *loc, const char *text,
		size_t len)
{
	loc->source = parse->source;
	loc->begin = parse->offset;
	parse->offset += (uint32_t)len;
	loc->end = parse->offset;
	if (strchr(" \t\r\n#", text[0]))
		return;
	parse->previous = parse->current;
	parse->current = (struct word){ .loc = *loc };
}

struct word word_new(struct parse *parse, struct loc loc, const char *text,
		     size_t len)
{
	parse->current =
		(struct word){ arena_copy(parse->arena, text, len), loc };
	return parse->current;
}

int word_keyword(const char *text, size_t len)
{
	for (size_t i = 0; i < KEYWORD_COUNT; i++)
		if (strlen(keywords[i].text) == len &&
		    !memcmp(keywords[i].text, text, len))
			return keywords[i].token;
	return TOK_NAME;
}

bool word_is_name(const char *text, size_t len)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"
				      "abcdefghijklmnopqrstuvwxyz";
	bool part_begins = true; /* a '-' joins two parts that are not empty */

	if (len == 0 || !text[0] || !strchr(letters, text[0]))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '-' && !part_begins) {
			part_begins = true;
			continue;
		}
		if (!text[i] || (!strchr(letters, text[i]) &&
				 !strchr("0123456789", text[i])))
			return false;
		part_begins = false;
	}
	return !part_begins;
}

bool word_is_keyword(const char *text)
{
	return word_keyword(text, strlen(text)) != TOK_NAME;
}

const char *word_nearest_keyword(const char *text)
{
	struct suggest suggest = suggest_new(text);

	for (size_t i = 0; i < KEYWORD_COUNT; i++)
		suggest_offer(&suggest, keywords[i].text);
	return suggest.nearest;
}

void word_too_deep(struct parse *parse, struct loc loc)
{
	if (parse->nesting_reported)
		return;
	parse->nesting_reported = true;
	diag_report(parse->diag, CHECK_NESTING, loc,
		    "an expression may be nested %d deep, and no deeper",
		    AST_MAX_DEPTH);
}

struct expr *word_bounded(struct parse *parse, struct expr *expr)
{
	if (expr->depth <= AST_MAX_DEPTH)
		return expr;
	word_too_deep(parse, expr->loc);
	return expr_new(parse->arena, EXPR_ERROR, expr->loc);
}

static const char *integer_error(const char *text, int64_t *value)
{
	bool hexadecimal = text[0] == '0' && text[1] == 'x';
	char *end;

	if (!hexadecimal && text[0] == '0' && isdigit((unsigned char)text[1]))
		return "an integer has no leading zero";
	errno = 0;
	*value = strtoll(text, &end, hexadecimal ? 16 : 10);
	if (*end || (hexadecimal && end == text + 1) || !text[2 * hexadecimal])
		return "an integer is decimal, or hexadecimal with 0x";
	if (errno == ERANGE)
		return "the integer does not fit 64 bits with sign";
	return NULL;
}

struct expr *word_integer(struct parse *parse, struct loc loc,
			  const char *text)
{
	struct expr *expr = expr_new(parse->arena, EXPR_INTEGER, loc);
	const char *error = integer_error(text, &expr->integer);

	if (error) {
		diag_report(parse->diag, CHECK_INTEGER, loc, "%s", error);
		expr->kind = EXPR_ERROR;
	}
	return expr;
}

/* -1 where @c is no hexadecimal digit. */
static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, c | 0x20) : NULL;

	if (c >= '0' && c <= '9')
		return c - '0';
	return found && (c | 0x20) >= 'a' ? (int)(found - digits) : -1;
}

struct escape {
	size_t len; /* of its text; 0 where it is wrong */
	char byte;
};

static struct escape read_escape(const char *text)
{
	int high, low;

	switch (text[1]) {
	case '"':
	case '\\':
		return (struct escape){ 2, text[1] };
	case 'n':
		return (struct escape){ 2, '\n' };
	case 't':
		return (struct escape){ 2, '\t' };
	case 'x':
		high = hex_digit(text[2]);
		low = high < 0 ? -1 : hex_digit(text[3]);
		if (low < 0 || (high == 0 && low == 0))
			break;
		return (struct escape){ 4, (char)(high << 4 | low) };
	}
	return (struct escape){ 0 };
}

static bool has_bidirectional(const char *bytes, size_t size)
{
	uint32_t codepoint;

	for (size_t i = 0, len; i < size; i += len) {
		len = utf8_decode(bytes + i, size - i, &codepoint);
		if (!len)
			return false;
		if (utf8_is_bidirectional(codepoint))
			return true;
	}
	return false;
}

struct expr *word_string(struct parse *parse, struct loc loc,
			 const char *text, size_t len)
{
	struct expr *expr = expr_new(parse->arena, EXPR_STRING, loc);
	char *value = arena_alloc(parse->arena, len);
	size_t used = 0;

	expr->text = value;
	for (size_t i = 1; i + 1 < len;) {
		struct escape escape = { 1, text[i] };

		if (text[i] == '\\')
			escape = read_escape(text + i);
		if (!escape.len) {
			struct loc at = { loc.source, loc.begin + (uint32_t)i,
					  loc.begin + (uint32_t)i + 2 };

			diag_report(parse->diag, CHECK_STRING, at,
				    "an escape is \\\" \\\\ \\n \\t or \\xHH, and never NUL");
			expr->kind = EXPR_ERROR;
			return expr;
		}
		value[used++] = escape.byte;
		i += escape.len;
	}
	if (has_bidirectional(value, used)) {
		diag_report(parse->diag, CHECK_CONTROL, loc,
			    "the string holds a control that changes the direction of text");
		expr->kind = EXPR_ERROR;
	}
	if (!utf8_valid(value, used)) {
		diag_report(parse->diag, CHECK_STRING, loc,
			    "with its escapes the string is not valid UTF-8");
		expr->kind = EXPR_ERROR;
	}
	return expr;
}
