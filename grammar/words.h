/* SPDX-License-Identifier: GPL-2.0-only */
/* What the lexer does with a word, and the parser with one that is wrong. */
#pragma once

#include <stddef.h>

#include "compiler/ast.h"
#include "compiler/parse.h"

/* The token that tells the grammar what kind of text this is. */
int word_start(enum parse_start start);

/* Notes the place of the word that was just read, white space included. */
void word_place(struct parse *parse, struct loc *loc, const char *text,
		size_t len);

struct word word_new(struct parse *parse, struct loc loc, const char *text,
		     size_t len);

/* The keyword's token, or TOK_NAME. */
int word_keyword(const char *text, size_t len);

/* Whether it is spelled as a name or a keyword is. */
bool word_is_name(const char *text, size_t len);

bool word_is_keyword(const char *text);

/* The keyword nearest to @text in spelling; NULL where none is near. */
const char *word_nearest_keyword(const char *text);

/* Their values; EXPR_ERROR, reported, where they have none. */
struct expr *word_integer(struct parse *parse, struct loc loc,
			  const char *text);
struct expr *word_string(struct parse *parse, struct loc loc,
			 const char *text, size_t len);

/* Reports, once a file, that an expression is nested too deep. */
void word_too_deep(struct parse *parse, struct loc loc);

/* @expr, or EXPR_ERROR, reported, where it is nested too deep. */
struct expr *word_bounded(struct parse *parse, struct expr *expr);
