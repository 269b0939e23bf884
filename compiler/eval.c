/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/eval.h"

#include <stdlib.h>
#include <string.h>

#include "compiler/arena.h"
#include "compiler/diag.h"

/* What an expression can be seen to be, wherever it is used. */
enum kind {
	KIND_UNKNOWN,
	KIND_INTEGER,
	KIND_STRING,
	KIND_SUBJECTS,
	KIND_OPERATIONS,
	KIND_SET
};

static const char *const kind_words[] = {
	[KIND_UNKNOWN] = "something else",
	[KIND_INTEGER] = "an integer",
	[KIND_STRING] = "a string",
	[KIND_SUBJECTS] = "a set of subjects",
	[KIND_OPERATIONS] = "a set of operations",
	[KIND_SET] = "a set",
};

static enum kind expr_kind(struct lets *lets, const struct expr *expr);

/* Of subjects or operations as soon as one element is. */
static enum kind list_kind(struct lets *lets, const struct expr *list)
{
	enum kind kind;

	for (const struct expr *element = list->elements; element;
	     element = element->next) {
		kind = expr_kind(lets, element);
		if (kind == KIND_SUBJECTS || kind == KIND_OPERATIONS)
			return kind;
	}
	return KIND_SET;
}

/* Lets are acyclic and bounded in depth by the time this is asked. */
static enum kind expr_kind(struct lets *lets, const struct expr *expr)
{
	const struct let *let;
	enum kind left;

	switch (expr->kind) {
	case EXPR_ERROR:
		return KIND_UNKNOWN;
	case EXPR_INTEGER:
	case EXPR_UNARY:
		return KIND_INTEGER;
	case EXPR_STRING:
		return KIND_STRING;
	case EXPR_CGROUP:
		return KIND_SUBJECTS;
	case EXPR_LIST:
		return list_kind(lets, expr);
	case EXPR_GROUP:
		return expr_kind(lets, expr->left);
	case EXPR_BINARY:
		left = expr_kind(lets, expr->left);
		if (expr->op == OP_ADD)
			return left == KIND_STRING ? left : KIND_INTEGER;
		return left == KIND_INTEGER || expr->op != OP_SUBTRACT ?
			       KIND_INTEGER :
			       KIND_OPERATIONS;
	case EXPR_NAME:
		let = lets_find(lets, expr->text);
		if (let)
			return let->state == LET_GOOD ?
				       expr_kind(lets, let->value) :
				       KIND_UNKNOWN;
		if (!strcmp(expr->text, "all"))
			return KIND_SET;
		return word_value(subject_words, expr->text) >= 0 ?
			       KIND_SUBJECTS :
			       KIND_OPERATIONS;
	}
	return KIND_UNKNOWN;
}

static bool report_kind(struct lets *lets, const struct expr *expr,
			enum kind wanted)
{
	if (expr->kind != EXPR_ERROR)
		diag_report(lets->diag, CHECK_KIND, expr->loc,
			    "this is %s, where %s is wanted",
			    kind_words[expr_kind(lets, expr)],
			    kind_words[wanted]);
	return false;
}

/* The let that @name stands for, now used; NULL where it is no let's. */
static struct let *use_let(struct lets *lets, const struct expr *name)
{
	struct let *let = lets_find(lets, name->text);

	if (let)
		let->used = true;
	return let;
}

/* Whether what @name's let can be seen to be is what is wanted.  Reported at
 * its use: the let itself may be right for another. */
static bool let_fits(struct lets *lets, const struct expr *name,
		     const struct let *let, enum kind wanted)
{
	enum kind kind = let->state == LET_GOOD ?
				 expr_kind(lets, let->value) :
				 KIND_UNKNOWN;
	struct diag_entry *entry;

	if (kind == wanted || kind == KIND_UNKNOWN ||
	    (kind == KIND_SET &&
	     (wanted == KIND_SUBJECTS || wanted == KIND_OPERATIONS)))
		return true;
	entry = diag_report(lets->diag, CHECK_KIND, name->loc,
			    "'%s' is %s, where %s is wanted", name->text,
			    kind_words[kind], kind_words[wanted]);
	diag_note(lets->diag, entry, let->loc, "set here");
	return false;
}

/* ---- integers ---- */

static bool report_overflow(struct lets *lets, const struct expr *expr)
{
	diag_report(lets->diag, CHECK_OVERFLOW, expr->loc,
		    "the result does not fit 64 bits with sign");
	return false;
}

static bool divide(struct lets *lets, const struct expr *expr, int64_t left,
		   int64_t right, int64_t *value)
{
	if (right == 0) {
		diag_report(lets->diag, CHECK_DIVISION, expr->right->loc,
			    "this is zero, and divides");
		return false;
	}
	if (left == INT64_MIN && right == -1)
		return report_overflow(lets, expr);
	*value = expr->op == OP_DIVIDE ? left / right : left % right;
	return true;
}

static bool shift(struct lets *lets, const struct expr *expr, int64_t left,
		  int64_t right, int64_t *value)
{
	if (right < 0 || right > 63) {
		diag_report(lets->diag, CHECK_SHIFT, expr->right->loc,
			    "a shift is by 0 to 63, not by %lld",
			    (long long)right);
		return false;
	}
	if (expr->op == OP_SHIFT_RIGHT) {
		*value = left >> right;
		return true;
	}
	*value = (int64_t)((uint64_t)left << right);
	return *value >> right == left || report_overflow(lets, expr);
}

static bool fold_binary(struct lets *lets, const struct expr *expr,
			int64_t left, int64_t right, int64_t *value)
{
	bool overflows = false;

	switch (expr->op) {
	case OP_ADD:
		overflows = __builtin_add_overflow(left, right, value);
		break;
	case OP_SUBTRACT:
		overflows = __builtin_sub_overflow(left, right, value);
		break;
	case OP_MULTIPLY:
		overflows = __builtin_mul_overflow(left, right, value);
		break;
	case OP_DIVIDE:
	case OP_REMAINDER:
		return divide(lets, expr, left, right, value);
	case OP_SHIFT_LEFT:
	case OP_SHIFT_RIGHT:
		return shift(lets, expr, left, right, value);
	case OP_AND:
		*value = left & right;
		break;
	case OP_OR:
		*value = left | right;
		break;
	case OP_COMPLEMENT:
		return false;
	}
	return !overflows || report_overflow(lets, expr);
}

static bool integer_of_let(struct lets *lets, struct let *let, int64_t *value)
{
	if (let->state == LET_BROKEN)
		return false;
	if (let->integer_outcome == OUTCOME_NONE)
		let->integer_outcome =
			eval_integer(lets, let->value, &let->integer) ?
				OUTCOME_GOOD :
				OUTCOME_FAILED;
	*value = let->integer;
	return let->integer_outcome == OUTCOME_GOOD;
}

bool eval_integer(struct lets *lets, const struct expr *expr, int64_t *value)
{
	int64_t left, right;
	struct let *let;

	switch (expr->kind) {
	case EXPR_INTEGER:
		*value = expr->integer;
		return true;
	case EXPR_GROUP:
		return eval_integer(lets, expr->left, value);
	case EXPR_UNARY:
		if (!eval_integer(lets, expr->left, &right))
			return false;
		if (expr->op == OP_COMPLEMENT)
			*value = ~right;
		else if (__builtin_sub_overflow(0, right, value))
			return report_overflow(lets, expr);
		return true;
	case EXPR_BINARY:
		if (!eval_integer(lets, expr->left, &left) ||
		    !eval_integer(lets, expr->right, &right))
			return false;
		return fold_binary(lets, expr, left, right, value);
	case EXPR_NAME:
		let = use_let(lets, expr);
		if (let)
			return let_fits(lets, expr, let, KIND_INTEGER) &&
			       integer_of_let(lets, let, value);
		lets_report_unknown(lets, expr, NULL, "an integer or a let");
		return false;
	default:
		return report_kind(lets, expr, KIND_INTEGER);
	}
}

/* ---- strings ---- */

static bool string_of_let(struct lets *lets, struct let *let,
			  const char **value)
{
	if (let->state == LET_BROKEN)
		return false;
	if (let->string_outcome == OUTCOME_NONE)
		let->string_outcome =
			eval_string(lets, let->value, &let->string) ?
				OUTCOME_GOOD :
				OUTCOME_FAILED;
	*value = let->string;
	return let->string_outcome == OUTCOME_GOOD;
}

static bool join(struct lets *lets, const struct expr *expr,
		 const char **value)
{
	const char *left, *right;

	if (!eval_string(lets, expr->left, &left) ||
	    !eval_string(lets, expr->right, &right))
		return false;
	if (strlen(left) + strlen(right) > EVAL_MAX_STRING) {
		diag_report(lets->diag, CHECK_OVERFLOW, expr->loc,
			    "the string is longer than %d bytes",
			    EVAL_MAX_STRING);
		return false;
	}
	if (!lets_spend_bytes(lets, expr->loc, strlen(left) + strlen(right)))
		return false;
	*value = arena_printf(lets->arena, "%s%s", left, right);
	return true;
}

bool eval_string(struct lets *lets, const struct expr *expr,
		 const char **value)
{
	struct let *let;

	switch (expr->kind) {
	case EXPR_STRING:
		*value = expr->text;
		return true;
	case EXPR_GROUP:
		return eval_string(lets, expr->left, value);
	case EXPR_BINARY:
		if (expr->op != OP_ADD)
			return report_kind(lets, expr, KIND_STRING);
		return join(lets, expr, value);
	case EXPR_NAME:
		let = use_let(lets, expr);
		if (let)
			return let_fits(lets, expr, let, KIND_STRING) &&
			       string_of_let(lets, let, value);
		lets_report_unknown(lets, expr, NULL, "a string or a let");
		return false;
	default:
		return report_kind(lets, expr, KIND_STRING);
	}
}

/* ---- sets of operations ---- */

static bool operations(struct lets *lets, const struct protection *protection,
		       const struct expr *expr, uint64_t *mask);

static bool operations_of_let(struct lets *lets,
			      const struct protection *protection,
			      struct let *let, uint64_t *mask)
{
	size_t index = protection->id;
	enum outcome *outcome;
	uint64_t found = 0;

	if (let->state == LET_BROKEN)
		return false;
	if (!let->operations)
		let->operations =
			arena_alloc(lets->arena, sizeof(*let->operations));
	outcome = &let->operations->outcomes[index];
	if (*outcome == OUTCOME_NONE) {
		*outcome = operations(lets, protection, let->value, &found) ?
				   OUTCOME_GOOD :
				   OUTCOME_FAILED;
		let->operations->masks[index] = found;
	}
	*mask = let->operations->masks[index];
	return *outcome == OUTCOME_GOOD;
}

static bool operations_of_name(struct lets *lets,
			       const struct protection *protection,
			       const struct expr *expr, uint64_t *mask)
{
	struct let *let;

	if (!strcmp(expr->text, "all")) {
		*mask = protection_all(protection);
		return true;
	}
	*mask = lets_operation(lets, protection, expr->text);
	if (*mask)
		return true;
	let = use_let(lets, expr);
	if (let)
		return let_fits(lets, expr, let, KIND_OPERATIONS) &&
		       operations_of_let(lets, protection, let, mask);
	lets_report_unknown(lets, expr, protection,
			    protection->trace ?
				    "a capability" :
				    arena_printf(lets->arena,
						 "an operation of %s",
						 protection->name));
	return false;
}

static bool difference(struct lets *lets, const struct protection *protection,
		       const struct expr *expr, uint64_t *mask)
{
	uint64_t left, right;

	if (!operations(lets, protection, expr->left, &left) ||
	    !operations(lets, protection, expr->right, &right))
		return false;
	*mask = left & ~right;
	if (*mask)
		return true;
	diag_report(lets->diag, CHECK_EMPTY_SET, expr->loc,
		    "nothing is left of this set");
	return false;
}

static bool is_difference(const struct expr *expr)
{
	return expr->kind == EXPR_BINARY && expr->op == OP_SUBTRACT;
}

static bool report_difference(struct lets *lets, const struct expr *element)
{
	diag_report(lets->diag, CHECK_DIFFERENCE, element->loc,
		    "a difference in a list is ambiguous: write 'all - (a, b)', or put it in parentheses");
	return false;
}

static bool operations_of_list(struct lets *lets,
			       const struct protection *protection,
			       const struct expr *expr, uint64_t *mask)
{
	uint64_t all = 0, one;
	bool good = true;

	for (const struct expr *element = expr->elements; element;
	     element = element->next) {
		if (is_difference(element)) {
			good = report_difference(lets, element);
		} else if (operations(lets, protection, element, &one)) {
			all |= one;
		} else {
			good = false;
		}
	}
	*mask = all;
	return good;
}

static bool operations(struct lets *lets, const struct protection *protection,
		       const struct expr *expr, uint64_t *mask)
{
	switch (expr->kind) {
	case EXPR_NAME:
		return operations_of_name(lets, protection, expr, mask);
	case EXPR_GROUP:
		return operations(lets, protection, expr->left, mask);
	case EXPR_LIST:
		return operations_of_list(lets, protection, expr, mask);
	case EXPR_BINARY:
		if (expr->op == OP_SUBTRACT)
			return difference(lets, protection, expr, mask);
		/* fallthrough */
	default:
		return report_kind(lets, expr, KIND_OPERATIONS);
	}
}

bool eval_operations(struct lets *lets, const struct protection *protection,
		     const struct expr *expr, uint64_t *mask)
{
	return operations(lets, protection, expr, mask);
}

/* ---- sets of subjects ---- */

/* What is wrong with it as a path below the root of cgroup v2; or NULL. */
static const char *cgroup_path_error(const char *path)
{
	const char *slash;
	size_t len;

	if (path[0] != '/')
		return "it does not begin with '/': paths are absolute, from the root of cgroup v2";
	if (!path[1])
		return "the root covers everything: say `all`";
	for (; *path; path = slash) {
		slash = strchrnul(++path, '/');
		len = (size_t)(slash - path);
		if (len == 0)
			return *slash ? "it has an empty component" :
					"it ends in '/'";
		if (len > 255)
			return "a component is longer than 255 bytes";
		if (!strncmp(path, "..", len) && len <= 2)
			return "'.' and '..' are no names of cgroups";
	}
	return NULL;
}

struct growing {
	struct subjects set;
	size_t capacity;
};

static bool add_subject(struct lets *lets, struct growing *growing,
			struct subject subject)
{
	if (!lets_spend_subjects(lets, subject.loc, 1))
		return false;
	growing->set.list = arena_grow(lets->arena, growing->set.list,
				       growing->set.count, &growing->capacity,
				       sizeof(*growing->set.list));
	growing->set.list[growing->set.count++] = subject;
	return true;
}

static bool add_cgroup(struct lets *lets, const struct expr *expr,
		       struct growing *growing)
{
	struct subject subject = { SUBJECT_CGROUP, NULL, expr->loc };
	const char *error;

	if (!eval_string(lets, expr->left, &subject.cgroup))
		return false;
	error = cgroup_path_error(subject.cgroup);
	if (error) {
		diag_report(lets->diag, CHECK_CGROUP_PATH, expr->loc,
			    "'%s' is no path of a cgroup: %s", subject.cgroup,
			    error);
		return false;
	}
	return add_subject(lets, growing, subject);
}

static int compare_subjects(const void *a, const void *b)
{
	const struct subject *left = a, *right = b;

	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	if (left->kind != SUBJECT_CGROUP)
		return 0;
	return strcmp(left->cgroup, right->cgroup);
}

/* Each once, so that lets made of lets do not grow without bound. */
static void keep_each_once(struct subjects *set)
{
	uint32_t kept = 0;

	if (set->count)
		qsort(set->list, set->count, sizeof(*set->list),
		      compare_subjects);
	for (uint32_t i = 0; i < set->count; i++)
		if (kept == 0 ||
		    compare_subjects(&set->list[kept - 1], &set->list[i]))
			set->list[kept++] = set->list[i];
	set->count = kept;
}

static bool add_subjects(struct lets *lets, const struct expr *expr,
			 struct growing *growing);

static bool subjects_of_let(struct lets *lets, struct let *let,
			    struct subjects *set)
{
	struct growing growing = { 0 };
	bool good;

	if (let->state == LET_BROKEN)
		return false;
	if (let->subjects_outcome == OUTCOME_NONE) {
		good = add_subjects(lets, let->value, &growing);
		keep_each_once(&growing.set);
		let->subjects = growing.set;
		let->subjects_outcome = good ? OUTCOME_GOOD : OUTCOME_FAILED;
	}
	*set = let->subjects;
	return let->subjects_outcome == OUTCOME_GOOD;
}

static bool add_name(struct lets *lets, const struct expr *expr,
		     struct growing *growing)
{
	int kind = word_value(subject_words, expr->text);
	struct subjects set;
	struct let *let;

	if (kind >= 0) {
		return add_subject(lets, growing,
				   (struct subject){ (enum subject_kind)kind,
						     NULL, expr->loc });
	}
	let = use_let(lets, expr);
	if (!let) {
		lets_report_unknown(lets, expr, NULL,
				    "a subject: all, host, container, cgroup \"...\" or a let");
		return false;
	}
	if (!let_fits(lets, expr, let, KIND_SUBJECTS) ||
	    !subjects_of_let(lets, let, &set))
		return false;
	for (uint32_t i = 0; i < set.count; i++)
		if (!add_subject(lets, growing, set.list[i]))
			return false;
	return true;
}

static bool add_subjects(struct lets *lets, const struct expr *expr,
			 struct growing *growing)
{
	bool good = true;

	switch (expr->kind) {
	case EXPR_NAME:
		return add_name(lets, expr, growing);
	case EXPR_CGROUP:
		return add_cgroup(lets, expr, growing);
	case EXPR_GROUP:
		return add_subjects(lets, expr->left, growing);
	case EXPR_LIST:
		for (const struct expr *element = expr->elements; element;
		     element = element->next)
			good = add_subjects(lets, element, growing) && good;
		return good;
	default:
		return report_kind(lets, expr, KIND_SUBJECTS);
	}
}

bool eval_subjects(struct lets *lets, const struct expr *expr,
		   struct subjects *subjects)
{
	struct growing growing = { 0 };
	struct let *let = NULL;

	/* a let alone, as most are used, is shared and not copied */
	if (expr->kind == EXPR_NAME &&
	    word_value(subject_words, expr->text) < 0)
		let = use_let(lets, expr);
	if (let)
		return let_fits(lets, expr, let, KIND_SUBJECTS) &&
		       subjects_of_let(lets, let, subjects);
	if (!add_subjects(lets, expr, &growing))
		return false;
	keep_each_once(&growing.set);
	*subjects = growing.set;
	return true;
}

/* What can be said of a set of operations before it is known whose they are:
 * its lists hold sets, and no open differences. */
static bool check_set(struct lets *lets, const struct expr *expr)
{
	enum kind kind = expr_kind(lets, expr);
	bool good = true;

	if (kind == KIND_INTEGER || kind == KIND_STRING)
		return report_kind(lets, expr, KIND_SET);
	if (kind == KIND_SUBJECTS)
		return report_kind(lets, expr, KIND_OPERATIONS);
	if (expr->kind == EXPR_GROUP)
		return check_set(lets, expr->left);
	if (expr->kind == EXPR_BINARY) {
		good = check_set(lets, expr->left);
		return check_set(lets, expr->right) && good;
	}
	for (const struct expr *element = expr->elements; element;
	     element = element->next) {
		good = check_set(lets, element) && good;
		if (is_difference(element))
			good = report_difference(lets, element);
	}
	return good;
}

bool eval_is_string(struct lets *lets, const struct expr *expr)
{
	return expr_kind(lets, expr) == KIND_STRING;
}

void eval_lets(struct lets *lets)
{
	struct subjects subjects;
	const char *string;
	int64_t integer;

	for (size_t i = 0; i < lets->count; i++) {
		struct let *let = &lets->list[i];

		if (let->state != LET_GOOD)
			continue;
		switch (expr_kind(lets, let->value)) {
		case KIND_INTEGER:
			integer_of_let(lets, let, &integer);
			break;
		case KIND_STRING:
			string_of_let(lets, let, &string);
			break;
		case KIND_SUBJECTS:
			subjects_of_let(lets, let, &subjects);
			break;
		default: /* operations are looked up where they are used */
			if (!check_set(lets, let->value))
				let->state = LET_BROKEN;
			break;
		}
	}
}
