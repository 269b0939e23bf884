/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From files to AST: reads the policy and all it includes.  The lexer
 * (grammar/policy.l) knows words, the grammar (grammar/policy.y) knows shape;
 * here are the files.
 */
#pragma once

#include <stddef.h>

#include "compiler/ast.h"
#include "compiler/source.h"

struct arena;
struct diag;

/* Where a parse begins: what kind of text it is given. */
enum parse_start {
	PARSE_FILE,	 /* a policy, or a file that one includes */
	PARSE_ASSERTION, /* of --prove: an assert without its word and ';' */
	PARSE_QUERY,	 /* of --why: subjects */
	PARSE_VALUE,	 /* of -D: a let's expression */
};

/* What the lexer, the grammar and the files share. */
struct parse {
	struct arena *arena;
	struct diag *diag;
	struct sources *sources;
	const char *const *include_folders;
	size_t include_folder_count;

	/* the text that is being parsed */
	uint32_t source;
	uint32_t offset;	/* of the next word */
	enum parse_start start; /* told to the grammar by the first token */
	struct tokens *tokens;	/* grammar/tokens.c; NULL before the first */
	bool unclosed;		/* the last token is a string without end */
	unsigned parentheses; /* open here */
	bool nesting_reported;
	struct word previous; /* the word before this one, for suggestions */
	struct word current;

	/* what it came to */
	struct items items;
	struct assertion *assertion;
	struct expr *value;
};

/*
 * Parses the file @path and what it includes, the included items in place of
 * each include.  What is wrong is reported to parse->diag; the items are then
 * those that could be read.
 */
struct item *parse_policy(struct parse *parse, const char *path);

/* The same of @text, which is no file; what it includes lies in the current
 * folder. */
struct item *parse_policy_text(struct parse *parse, const char *name,
			       const char *text, size_t size);

/* Parse @text, from the command line, where it is called @name; NULL where it
 * is wrong, which is reported. */
struct assertion *parse_assertion(struct parse *parse, const char *name,
				  const char *text);
struct expr *parse_value(struct parse *parse, enum parse_start start,
			 const char *name, const char *text);
