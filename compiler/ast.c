/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/ast.h"

#include "compiler/arena.h"

const char *item_kind_name(enum item_kind kind)
{
	static const char *const names[ITEM_KIND_COUNT] = {
		[ITEM_LANGUAGE] = "language",
		[ITEM_INCLUDE] = "include",
		[ITEM_LET] = "let",
		[ITEM_POLICY] = "policy",
		[ITEM_DESCRIPTION] = "description",
		[ITEM_VERSION] = "version",
		[ITEM_MODE] = "mode",
		[ITEM_DEFAULT_PROFILE] = "default profile",
		[ITEM_SEAL] = "seal",
		[ITEM_PROTECTION] = "protection",
		[ITEM_TRACE] = "trace",
		[ITEM_ASSERT] = "assert",
	};

	return names[kind];
}

struct loc loc_span(struct loc first, struct loc last)
{
	return (struct loc){ first.source, first.begin, last.end };
}

void items_append(struct items *items, struct item *item)
{
	if (items->last)
		items->last->next = item;
	else
		items->first = item;
	items->last = item;
}

void statements_append(struct statements *statements,
		       struct statement *statement)
{
	if (statements->last)
		statements->last->next = statement;
	else
		statements->first = statement;
	statements->last = statement;
}

struct expr *expr_new(struct arena *arena, enum expr_kind kind, struct loc loc)
{
	struct expr *expr = arena_alloc(arena, sizeof(*expr));

	expr->kind = kind;
	expr->loc = loc;
	expr->depth = 1;
	return expr;
}

struct expr *expr_text(struct arena *arena, enum expr_kind kind,
		       struct loc loc, const char *text)
{
	struct expr *expr = expr_new(arena, kind, loc);

	expr->text = text;
	return expr;
}

struct expr *expr_unary(struct arena *arena, struct loc loc,
			enum operator op, struct expr *operand)
{
	struct expr *expr = expr_new(arena, EXPR_UNARY, loc);

	expr->op = op;
	expr->left = operand;
	expr->depth = operand->depth + 1;
	return expr;
}

struct expr *expr_binary(struct arena *arena, struct expr *left,
			 enum operator op, struct expr *right)
{
	struct expr *expr =
		expr_new(arena, EXPR_BINARY, loc_span(left->loc, right->loc));

	expr->op = op;
	expr->left = left;
	expr->right = right;
	expr->depth = (left->depth > right->depth ? left : right)->depth + 1;
	return expr;
}

struct expr *expr_append(struct arena *arena, struct expr *list,
			 struct expr *element)
{
	struct expr *first = list;

	if (!list)
		return element;
	if (list->kind != EXPR_LIST) {
		list = expr_new(arena, EXPR_LIST, first->loc);
		list->depth = first->depth + 1;
		list->elements = list->last = first;
	}
	list->last->next = element;
	list->last = element;
	list->loc = loc_span(list->loc, element->loc);
	if (element->depth + 1 > list->depth)
		list->depth = element->depth + 1;
	return list;
}
