/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy as it is written: shape, no meaning.  The grammar builds it in
 * the arena; resolve.c reads it, and nothing behind that knows it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "compiler/source.h"

struct arena;

#define AST_MAX_DEPTH 256 /* of an expression */

/* A word of the source. */
struct word {
	const char *text; /* NUL-terminated, in the arena */
	struct loc loc;
};

enum expr_kind {
	EXPR_ERROR, /* reported already: whatever meets it stays silent */
	EXPR_INTEGER,
	EXPR_STRING,
	EXPR_NAME,
	EXPR_UNARY,
	EXPR_BINARY,
	EXPR_CGROUP, /* cgroup <left> */
	EXPR_LIST,   /* two elements or more */
	EXPR_GROUP,  /* ( <left> ) */
};

enum operator { OP_ADD = '+', OP_SUBTRACT = '-', OP_MULTIPLY = '*',
		OP_DIVIDE = '/', OP_REMAINDER = '%', OP_AND = '&', OP_OR = '|',
		OP_COMPLEMENT = '~', OP_SHIFT_LEFT = 256, OP_SHIFT_RIGHT };

struct expr {
	enum expr_kind kind;
	enum operator op; /* of EXPR_UNARY and EXPR_BINARY */
	unsigned depth;
	struct loc loc;
	int64_t integer;
	const char *text; /* of a string or a name */
	struct expr *left; /* the only operand, where there is one */
	struct expr *right;
	struct expr *elements; /* of a list, linked by next */
	struct expr *last;
	struct expr *next;
};

enum statement_kind {
	STATEMENT_PROFILE,
	STATEMENT_BLOCK,
	STATEMENT_ALLOW,
	STATEMENT_LOG,
	STATEMENT_SETTING, /* of one protection, or a trace's `exec all` */
	STATEMENT_DESTINATION,
};

struct statement {
	struct statement *next;
	enum statement_kind kind;
	struct loc loc; /* of all of it, without the ';' */
	struct word word; /* profile, log: its value; setting, destination: its
			   * name */
	struct expr *values; /* the operations, or a setting's values */
	struct expr *subjects; /* NULL without `for` */
	struct expr *reason;   /* NULL without `because` */
	struct word until;     /* .text is NULL without */
	struct statement *settings; /* of a destination */
};

/* PROTECTION.OPERATION of an assertion; operation "*" means all. */
struct operation_reference {
	struct operation_reference *next;
	struct word protection;
	struct word operation;
};

struct assertion {
	struct expr *subjects;
	bool can;
	struct operation_reference *references;
	struct operation_reference *last;
};

enum item_kind {
	ITEM_LANGUAGE,
	ITEM_INCLUDE,
	ITEM_LET,
	ITEM_POLICY,
	ITEM_DESCRIPTION,
	ITEM_VERSION,
	ITEM_MODE,
	ITEM_DEFAULT_PROFILE,
	ITEM_SEAL,
	ITEM_PROTECTION,
	ITEM_TRACE,
	ITEM_ASSERT,
	ITEM_KIND_COUNT
};

struct item {
	struct item *next;
	enum item_kind kind;
	struct loc loc; /* of its first word to its last */
	struct word word; /* a name, or the word that is its value */
	struct expr *value; /* of a let, language, description, version */
	struct item *items; /* of a policy, or of the included file; NULL
			     * where that counted before */
	struct statement *statements; /* of a protection or a trace */
	struct assertion *assertion;
};

/* A list that grows at its end. */
struct items {
	struct item *first;
	struct item *last;
};

struct statements {
	struct statement *first;
	struct statement *last;
};

/* What an item is called in messages: "`seal`". */
const char *item_kind_name(enum item_kind kind);

/* From the beginning of @first to the end of @last, of one source. */
struct loc loc_span(struct loc first, struct loc last);

void items_append(struct items *items, struct item *item);
void statements_append(struct statements *statements,
		       struct statement *statement);

struct expr *expr_new(struct arena *arena, enum expr_kind kind,
		      struct loc loc);
struct expr *expr_text(struct arena *arena, enum expr_kind kind,
		       struct loc loc, const char *text);
struct expr *expr_unary(struct arena *arena, struct loc loc,
			enum operator op, struct expr *operand);
struct expr *expr_binary(struct arena *arena, struct expr *left,
			 enum operator op, struct expr *right);

/* @list with one element more: an EXPR_LIST unless @list is NULL. */
struct expr *expr_append(struct arena *arena, struct expr *list,
			 struct expr *element);
