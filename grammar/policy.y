/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shape of a policy.  No meaning: which words a `mode` takes, where an
 * item may stand and what a name stands for is for the checks to say, in
 * better words than "syntax error".
 *
 * A keyword is an ordinary name wherever that leaves no doubt (an operation of
 * sysfs is called block).  After an error the parse goes on at ';' or '}'.
 */
%require "3.8"
%define api.pure full
%define api.prefix {policy_}
%define api.token.prefix {TOK_}
%define api.token.raw
%define api.location.type {struct loc}
%define parse.error custom
%define parse.lac full
%locations
%expect 0
%param { void *scanner }
%parse-param { struct parse *parse }

%code requires {
#include "compiler/ast.h"
#include "compiler/parse.h"
}

/* flex declares the lexer with names that know no prefix. */
%code provides {
#define YYSTYPE POLICY_STYPE
#define YYLTYPE POLICY_LTYPE
}

%code {
#include <stdio.h>
#include <string.h>

#include "compiler/arena.h"
#include "compiler/diag.h"
#include "grammar/parser.h"
#include "grammar/lexer.h"
#include "grammar/tokens.h"
#include "grammar/words.h"

#define YYLLOC_DEFAULT(current, rhs, count)                                \
	((current) = (count) ? loc_span(YYRHSLOC(rhs, 1),                   \
					YYRHSLOC(rhs, count)) :             \
			       (struct loc){ YYRHSLOC(rhs, 0).source,       \
					     YYRHSLOC(rhs, 0).end,          \
					     YYRHSLOC(rhs, 0).end })

static void policy_error(const struct loc *loc, void *scanner,
			 struct parse *parse, const char *message)
{
	(void)scanner;
	(void)message; /* only ever that the stack is full */
	word_too_deep(parse, *loc);
}

static struct item *item_new(struct parse *parse, enum item_kind kind,
			     struct loc loc)
{
	struct item *item = arena_alloc(parse->arena, sizeof(*item));

	item->kind = kind;
	item->loc = loc;
	return item;
}

static struct item *item_word(struct parse *parse, enum item_kind kind,
			      struct loc loc, struct word word)
{
	struct item *item = item_new(parse, kind, loc);

	item->word = word;
	return item;
}

static struct item *item_value(struct parse *parse, enum item_kind kind,
			       struct loc loc, struct expr *value)
{
	struct item *item = item_new(parse, kind, loc);

	item->value = value;
	return item;
}

static struct item *item_statements(struct parse *parse, enum item_kind kind,
				    struct loc loc, struct word word,
				    struct statements statements)
{
	struct item *item = item_word(parse, kind, loc, word);

	item->statements = statements.first;
	return item;
}

static struct statement *statement_new(struct parse *parse,
				       enum statement_kind kind,
				       struct loc loc)
{
	struct statement *statement =
		arena_alloc(parse->arena, sizeof(*statement));

	statement->kind = kind;
	statement->loc = loc;
	return statement;
}

static struct statement *statement_word(struct parse *parse,
					enum statement_kind kind,
					struct loc loc, struct word word)
{
	struct statement *statement = statement_new(parse, kind, loc);

	statement->word = word;
	return statement;
}

static struct statement *statement_rule(struct parse *parse,
					enum statement_kind kind,
					struct loc loc, struct expr *values,
					struct expr *subjects,
					struct expr *reason)
{
	struct statement *statement = statement_new(parse, kind, loc);

	statement->values = values;
	statement->subjects = subjects;
	statement->reason = reason;
	return statement;
}

/* `destination` is the only one that there is. */
static struct statement *statement_block(struct parse *parse, struct loc loc,
					 struct word kind, struct word name,
					 struct statements settings)
{
	struct statement *statement =
		statement_word(parse, STATEMENT_DESTINATION, loc, name);

	if (strcmp(kind.text, "destination"))
		diag_report(parse->diag, CHECK_SYNTAX, kind.loc,
			    "'%s' has no braces: only a `destination` has",
			    kind.text);
	statement->settings = settings.first;
	return statement;
}

static struct expr *binary(struct parse *parse, struct expr *left,
			   enum operator op, struct expr *right)
{
	return word_bounded(parse,
			    expr_binary(parse->arena, left, op, right));
}
}

%union {
	struct word word;
	struct expr *expr;
	struct item *item;
	struct items items;
	struct statement *statement;
	struct statements statements;
	struct assertion *assertion;
	struct operation_reference *reference;
	bool can;
}

%token START_FILE START_ASSERTION START_QUERY START_VALUE
%token <word> LANGUAGE "language" INCLUDE "include" LET "let"
%token <word> POLICY "policy" DESCRIPTION "description" VERSION "version"
%token <word> MODE "mode" DEFAULT "default" PROFILE "profile" SEAL "seal"
%token <word> BLOCK "block" ALLOW "allow" LOG "log" TRACE "trace"
%token <word> FOR "for" BECAUSE "because" UNTIL "until"
%token <word> ASSERT "assert" CAN "can" CANNOT "cannot" CGROUP "cgroup"
%token <word> NAME "a name" DATE "a date"
%token <expr> INTEGER "an integer" STRING "a string"
%token SEMICOLON "';'" BEGIN "'{'" END "'}'" OPEN "'('" CLOSE "')'"
%token EQUALS "'='" COMMA "','" DOT "'.'" PLUS "'+'" MINUS "'-'" STAR "'*'"
%token SLASH "'/'" PERCENT "'%'" AMPERSAND "'&'" BAR "'|'" TILDE "'~'"
%token SHIFT_LEFT "'<<'" SHIFT_RIGHT "'>>'"
%token YYEOF 0 "the end of the text"

%type <word> word operand_word
%type <item> item
%type <items> file items
%type <statement> statement
%type <statements> statements
%type <expr> list element joined joined_atom expr primary subjects reason
%type <expr> value strings
%type <assertion> assertion references
%type <reference> reference
%type <can> can

%left BAR
%left AMPERSAND
%left SHIFT_LEFT SHIFT_RIGHT
%left PLUS MINUS
%left STAR SLASH PERCENT
%precedence UNARY

%start text

%%

text
	: START_FILE file		{ parse->items = $file; }
	| START_ASSERTION assertion	{ parse->assertion = $assertion; }
	| START_QUERY list		{ parse->value = $list; }
	| START_VALUE list		{ parse->value = $list; }
	;

/* Like items, but a '}' here closes nothing: it ends what could not be read. */
file
	: %empty			{ $$ = (struct items){ 0 }; }
	| file[before] item		{
		$$ = $before;
		items_append(&$$, $item);
	}
	| file[before] error SEMICOLON	{ $$ = $before; yyerrok; }
	| file[before] error END	{ $$ = $before; yyerrok; }
	;

items
	: %empty			{ $$ = (struct items){ 0 }; }
	| items[before] item		{
		$$ = $before;
		items_append(&$$, $item);
	}
	| items[before] error SEMICOLON	{ $$ = $before; yyerrok; }
	;

item
	: LANGUAGE INTEGER SEMICOLON	{
		$$ = item_value(parse, ITEM_LANGUAGE, @$, $INTEGER);
	}
	| INCLUDE STRING SEMICOLON	{
		$$ = item_value(parse, ITEM_INCLUDE, loc_span(@1, @2), $STRING);
	}
	| LET word EQUALS list SEMICOLON {
		$$ = item_word(parse, ITEM_LET, loc_span(@1, @list), $word);
		$$->value = $list;
	}
	| LET word EQUALS error SEMICOLON { /* its uses need no error too */
		$$ = item_word(parse, ITEM_LET, loc_span(@1, @2), $word);
		$$->value = expr_new(parse->arena, EXPR_ERROR, @2);
		yyerrok;
	}
	| POLICY word BEGIN items END	{
		$$ = item_word(parse, ITEM_POLICY, loc_span(@1, @2), $word);
		$$->items = $items.first;
	}
	| POLICY word BEGIN items error END {
		$$ = item_word(parse, ITEM_POLICY, loc_span(@1, @2), $word);
		$$->items = $items.first;
		yyerrok;
	}
	| DESCRIPTION list SEMICOLON	{
		$$ = item_value(parse, ITEM_DESCRIPTION, loc_span(@1, @2),
				$list);
	}
	| VERSION list SEMICOLON	{
		$$ = item_value(parse, ITEM_VERSION, loc_span(@1, @2), $list);
	}
	| MODE word SEMICOLON		{
		$$ = item_word(parse, ITEM_MODE, loc_span(@1, @2), $word);
	}
	| DEFAULT PROFILE word SEMICOLON {
		$$ = item_word(parse, ITEM_DEFAULT_PROFILE, loc_span(@1, @3),
			       $word);
	}
	| SEAL word SEMICOLON		{
		$$ = item_word(parse, ITEM_SEAL, loc_span(@1, @2), $word);
	}
	| NAME BEGIN statements END	{
		$$ = item_statements(parse, ITEM_PROTECTION, @NAME, $NAME,
				     $statements);
	}
	| NAME BEGIN statements error END {
		$$ = item_statements(parse, ITEM_PROTECTION, @NAME, $NAME,
				     $statements);
		yyerrok;
	}
	| TRACE BEGIN statements error END {
		$$ = item_statements(parse, ITEM_TRACE, @TRACE, $TRACE,
				     $statements);
		yyerrok;
	}
	| TRACE BEGIN statements END	{
		$$ = item_statements(parse, ITEM_TRACE, @TRACE, $TRACE,
				     $statements);
	}
	| ASSERT assertion SEMICOLON	{
		$$ = item_new(parse, ITEM_ASSERT, loc_span(@1, @2));
		$$->assertion = $assertion;
	}
	;

statements
	: %empty			{ $$ = (struct statements){ 0 }; }
	| statements[before] statement	{
		$$ = $before;
		statements_append(&$$, $statement);
	}
	| statements[before] error SEMICOLON { $$ = $before; yyerrok; }
	;

statement
	: PROFILE word SEMICOLON	{
		$$ = statement_word(parse, STATEMENT_PROFILE,
				    loc_span(@1, @2), $word);
	}
	| LOG word SEMICOLON		{
		$$ = statement_word(parse, STATEMENT_LOG, loc_span(@1, @2),
				    $word);
	}
	| BLOCK list subjects reason SEMICOLON {
		$$ = statement_rule(parse, STATEMENT_BLOCK, loc_span(@1, @4),
				    $list, $subjects, $reason);
	}
	| ALLOW list subjects reason SEMICOLON {
		$$ = statement_rule(parse, STATEMENT_ALLOW, loc_span(@1, @4),
				    $list, $subjects, $reason);
	}
	| ALLOW list subjects reason UNTIL DATE SEMICOLON {
		$$ = statement_rule(parse, STATEMENT_ALLOW, loc_span(@1, @6),
				    $list, $subjects, $reason);
		$$->until = $DATE;
	}
	| NAME value subjects SEMICOLON	{
		$$ = statement_rule(parse, STATEMENT_SETTING,
				    loc_span(@1, @3), $value, $subjects, NULL);
		$$->word = $NAME;
	}
	| NAME word BEGIN statements END {
		$$ = statement_block(parse, loc_span(@1, @2), $NAME, $word,
				     $statements);
	}
	| NAME word BEGIN statements error END {
		$$ = statement_block(parse, loc_span(@1, @2), $NAME, $word,
				     $statements);
		yyerrok;
	}
	;

value
	: list
	| strings
	;

/* A setting's strings need no commas. */
strings
	: STRING[first] STRING[second]	{
		$$ = expr_append(parse->arena, $first, $second);
	}
	| strings[before] STRING	{
		$$ = expr_append(parse->arena, $before, $STRING);
	}
	;

subjects
	: %empty			{ $$ = NULL; }
	| FOR list			{ $$ = $list; }
	;

reason
	: %empty			{ $$ = NULL; }
	| BECAUSE joined		{ $$ = $joined; }
	;

assertion
	: list can references		{
		$$ = $references;
		$$->subjects = $list;
		$$->can = $can;
	}
	;

can
	: CAN				{ $$ = true; }
	| CANNOT			{ $$ = false; }
	;

references
	: reference			{
		$$ = arena_alloc(parse->arena, sizeof(*$$));
		$$->references = $$->last = $reference;
	}
	| references[before] COMMA reference {
		$$ = $before;
		$$->last->next = $reference;
		$$->last = $reference;
	}
	;

reference
	: word[protection] DOT word[operation] {
		$$ = arena_alloc(parse->arena, sizeof(*$$));
		$$->protection = $protection;
		$$->operation = $operation;
	}
	| word[protection] DOT STAR	{
		$$ = arena_alloc(parse->arena, sizeof(*$$));
		$$->protection = $protection;
		$$->operation = (struct word){ "*", @STAR };
	}
	;

/* Elements joined by commas: a set, or a value that is a list of one. */
list
	: element
	| list[before] COMMA element	{
		$$ = word_bounded(parse, expr_append(parse->arena, $before,
						     $element));
	}
	;

element
	: expr
	| CGROUP joined			{
		$$ = expr_new(parse->arena, EXPR_CGROUP, @$);
		$$->left = $joined;
		$$->depth = $joined->depth + 1;
	}
	;

/* A sum of strings: what `cgroup` and `because` take. */
joined
	: joined_atom
	| joined[left] PLUS joined_atom[right] {
		$$ = binary(parse, $left, OP_ADD, $right);
	}
	;

joined_atom
	: STRING
	| NAME				{
		$$ = expr_text(parse->arena, EXPR_NAME, @$, $NAME.text);
	}
	| OPEN list CLOSE		{
		$$ = expr_new(parse->arena, EXPR_GROUP, @$);
		$$->left = $list;
		$$->depth = $list->depth + 1;
	}
	;

expr
	: primary
	| expr[left] PLUS expr[right]	{
		$$ = binary(parse, $left, OP_ADD, $right);
	}
	| expr[left] MINUS expr[right]	{
		$$ = binary(parse, $left, OP_SUBTRACT, $right);
	}
	| expr[left] STAR expr[right]	{
		$$ = binary(parse, $left, OP_MULTIPLY, $right);
	}
	| expr[left] SLASH expr[right]	{
		$$ = binary(parse, $left, OP_DIVIDE, $right);
	}
	| expr[left] PERCENT expr[right] {
		$$ = binary(parse, $left, OP_REMAINDER, $right);
	}
	| expr[left] AMPERSAND expr[right] {
		$$ = binary(parse, $left, OP_AND, $right);
	}
	| expr[left] BAR expr[right]	{
		$$ = binary(parse, $left, OP_OR, $right);
	}
	| expr[left] SHIFT_LEFT expr[right] {
		$$ = binary(parse, $left, OP_SHIFT_LEFT, $right);
	}
	| expr[left] SHIFT_RIGHT expr[right] {
		$$ = binary(parse, $left, OP_SHIFT_RIGHT, $right);
	}
	| MINUS expr[operand] %prec UNARY {
		$$ = word_bounded(parse, expr_unary(parse->arena, @$,
						    OP_SUBTRACT, $operand));
	}
	| TILDE expr[operand] %prec UNARY {
		$$ = word_bounded(parse, expr_unary(parse->arena, @$,
						    OP_COMPLEMENT, $operand));
	}
	;

primary
	: INTEGER
	| STRING
	| operand_word			{
		$$ = expr_text(parse->arena, EXPR_NAME, @$, $1.text);
	}
	| OPEN list CLOSE		{
		$$ = expr_new(parse->arena, EXPR_GROUP, @$);
		$$->left = $list;
		$$->depth = $list->depth + 1;
	}
	;

/* Keywords that are names where a value is wanted. */
operand_word
	: NAME | LANGUAGE | INCLUDE | LET | POLICY | DESCRIPTION | VERSION
	| MODE | DEFAULT | PROFILE | SEAL | BLOCK | ALLOW | LOG | TRACE
	| ASSERT | CAN | CGROUP
	;

/* Any word at all, where nothing but a word can stand. */
word
	: operand_word | FOR | BECAUSE | UNTIL | CANNOT
	;

%%

/*
 * "unexpected X, expected Y": keywords are left out where any name would do,
 * operators where there is anything else, and a list too long to help whole.
 */
#define MAX_EXPECTED 6

struct expected {
	yysymbol_kind_t all[YYNTOKENS];
	int count;
};

static bool is_expected(const struct expected *expected, yysymbol_kind_t kind)
{
	for (int i = 0; i < expected->count; i++)
		if (expected->all[i] == kind)
			return true;
	return false;
}

static bool is_keyword(yysymbol_kind_t kind)
{
	return kind >= YYSYMBOL_LANGUAGE && kind <= YYSYMBOL_CGROUP;
}

static bool is_operator(yysymbol_kind_t kind)
{
	return (kind >= YYSYMBOL_PLUS && kind <= YYSYMBOL_MINUS) ||
	       (kind >= YYSYMBOL_SLASH && kind <= YYSYMBOL_SHIFT_RIGHT);
}

static int select_expected(const struct expected *expected,
			   yysymbol_kind_t *kept)
{
	bool any_name = is_expected(expected, YYSYMBOL_NAME);
	bool any_operator = is_expected(expected, YYSYMBOL_SLASH);
	int count = 0;

	for (int i = 0; i < expected->count; i++) {
		yysymbol_kind_t kind = expected->all[i];

		if ((any_name && is_keyword(kind)) || is_operator(kind) ||
		    (any_operator && kind == YYSYMBOL_STAR))
			continue;
		if (count == MAX_EXPECTED)
			return 0;
		kept[count++] = kind;
	}
	return count;
}

/* "a name" and "the end" as what was found: "unexpected name". */
static const char *describe_found(const struct parse *parse,
				  yysymbol_kind_t token)
{
	static const char *const articles[] = { "a ", "an ", "the " };
	const char *name = yysymbol_name(token);

	if (parse->current.text && token != YYSYMBOL_YYEOF)
		return arena_printf(parse->arena, "'%s'", parse->current.text);
	for (size_t i = 0; i < sizeof(articles) / sizeof(articles[0]); i++)
		if (!strncmp(name, articles[i], strlen(articles[i])))
			return name + strlen(articles[i]);
	return name;
}

static void suggest_keyword(struct parse *parse, struct diag_entry *entry,
			    const struct word *word,
			    const struct expected *expected, bool any)
{
	const char *near;
	int token;

	if (!word->text || word_is_keyword(word->text))
		return;
	near = word_nearest_keyword(word->text);
	if (!near)
		return;
	token = word_keyword(near, strlen(near));
	if (any || is_expected(expected, YYTRANSLATE(token)))
		diag_note(parse->diag, entry, word->loc, "did you mean '%s'?",
			  near);
}

static int yyreport_syntax_error(const yypcontext_t *context, void *scanner,
				 struct parse *parse)
{
	yysymbol_kind_t found = yypcontext_token(context);
	yysymbol_kind_t kept[MAX_EXPECTED];
	struct expected expected;
	struct diag_entry *entry;
	char list[256] = "";
	size_t used = 0;
	int count;

	(void)scanner;
	expected.count =
		yypcontext_expected_tokens(context, expected.all, YYNTOKENS);
	count = select_expected(&expected, kept);
	for (int i = 0; i < count; i++) {
		const char *joint = i == 0	   ? ", expected " :
				    i == count - 1 ? " or " :
						     ", ";
		const char *quote = is_keyword(kept[i]) ? "'" : "";

		used += (size_t)snprintf(list + used, sizeof(list) - used,
					 "%s%s%s%s", joint, quote,
					 yysymbol_name(kept[i]), quote);
	}
	entry = diag_report(parse->diag, CHECK_SYNTAX,
			    *yypcontext_location(context), "unexpected %s%s",
			    describe_found(parse, found), list);
	suggest_keyword(parse, entry, &parse->current, &expected, false);
	/* a name where only '{' can follow: it may be a statement's word */
	if (expected.count == 1 && expected.all[0] == YYSYMBOL_BEGIN)
		suggest_keyword(parse, entry, &parse->previous, &expected,
				true);
	tokens_recover(parse, is_expected(&expected, YYSYMBOL_SEMICOLON));
	return 0;
}
