/* SPDX-License-Identifier: GPL-2.0-only */
#include "grammar/tokens.h"

#include <string.h>

#include "compiler/arena.h"
#include "grammar/parser.h"
#include "grammar/lexer.h"
#include "grammar/words.h"

struct tokens {
	bool skipping;	/* to the end of the statement */
	unsigned depth; /* of braces that are skipped */
	bool semicolon; /* comes next */
	bool again;	/* the token given last comes next, or after that */
	/* the token that was given last */
	int kind;
	union POLICY_STYPE value;
	struct loc loc;
	struct word current;
	struct word previous;
};

static int scan(struct parse *parse, union POLICY_STYPE *value, struct loc *loc,
		void *scanner)
{
	struct tokens *tokens = parse->tokens;

	parse->unclosed = false;
	tokens->kind = policy_scan(value, loc, scanner);
	if (tokens->kind == TOK_YYEOF) /* just behind the last word */
		*loc = (struct loc){ parse->source, parse->current.loc.end,
				     parse->current.loc.end };
	tokens->value = *value;
	tokens->loc = *loc;
	tokens->current = parse->current;
	tokens->previous = parse->previous;
	return tokens->kind;
}

/* A ';', the '}' that closes what is around the statement, or a ';' for a '}'
 * that closes what it opened. */
static int skip_statement(struct parse *parse, union POLICY_STYPE *value,
			  struct loc *loc, void *scanner)
{
	struct tokens *tokens = parse->tokens;

	for (;;) {
		int kind = scan(parse, value, loc, scanner);

		if (kind == TOK_YYEOF)
			return kind;
		if (kind == TOK_BEGIN)
			tokens->depth++;
		else if (tokens->depth == 0 &&
			 (kind == TOK_SEMICOLON || kind == TOK_END))
			return kind;
		else if (tokens->depth == 0 && parse->unclosed)
			return TOK_SEMICOLON;
		else if (kind == TOK_END && --tokens->depth == 0)
			return TOK_SEMICOLON;
	}
}

static int give_again(struct parse *parse, union POLICY_STYPE *value,
		      struct loc *loc)
{
	struct tokens *tokens = parse->tokens;

	tokens->again = false;
	*value = tokens->value;
	*loc = tokens->loc;
	parse->current = tokens->current;
	parse->previous = tokens->previous;
	return tokens->kind;
}

int policy_lex(union POLICY_STYPE *value, struct loc *loc, void *scanner)
{
	struct parse *parse = policy_get_extra(scanner);
	struct tokens *tokens = parse->tokens;
	int kind;

	if (!tokens) { /* the first tells the grammar what kind of text it is */
		parse->tokens = arena_alloc(parse->arena, sizeof(*tokens));
		*loc = (struct loc){ parse->source, 0, 0 };
		return word_start(parse->start);
	}
	if (tokens->semicolon) {
		tokens->semicolon = false;
		parse->parentheses = 0;
		return TOK_SEMICOLON;
	}
	if (tokens->again)
		return give_again(parse, value, loc);
	if (tokens->skipping) {
		tokens->skipping = false;
		return skip_statement(parse, value, loc, scanner);
	}
	kind = scan(parse, value, loc, scanner);
	if (kind == TOK_POLICY_error) {
		tokens->semicolon = parse->unclosed;
		tokens->skipping = !parse->unclosed;
		tokens->depth = 0;
	}
	return kind;
}

static bool begins_line(const struct parse *parse, struct loc loc)
{
	const char *bytes = parse->sources->list[loc.source].bytes;
	uint32_t i = loc.begin;

	while (i > 0 && strchr(" \t\r", bytes[i - 1]))
		i--;
	return i > 0 && bytes[i - 1] == '\n';
}

void tokens_recover(struct parse *parse, bool expects_semicolon)
{
	struct tokens *tokens = parse->tokens;

	if (tokens->kind == TOK_SEMICOLON || tokens->kind == TOK_END ||
	    tokens->kind == TOK_YYEOF)
		return;
	if (expects_semicolon && begins_line(parse, tokens->loc)) {
		tokens->semicolon = tokens->again = true;
		return;
	}
	tokens->skipping = true;
	tokens->depth = tokens->kind == TOK_BEGIN;
}
