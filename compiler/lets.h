/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lets of a policy, by name, with what each came to.  A let has no kind of
 * its own: it is evaluated as what its use wants, once for each kind (and once
 * for each protection that looks its operations up), so a policy costs what
 * its text costs, however lets refer to each other.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "compiler/ast.h"
#include "compiler/policy.h"

struct arena;
struct diag;

/* What came of evaluating a let; a failure was reported, and stays one. */
enum outcome { OUTCOME_NONE, OUTCOME_GOOD, OUTCOME_FAILED };

struct let_operations {
	enum outcome outcomes[PROTECTION_COUNT];
	uint64_t masks[PROTECTION_COUNT];
};

enum let_state {
	LET_NEW,
	LET_ACTIVE, /* being checked: meeting it again is a cycle */
	LET_GOOD,
	LET_BROKEN, /* reported: its uses fail and say nothing */
};

struct let {
	const char *name;
	struct loc loc; /* of the name */
	struct expr *value;
	size_t order; /* in which it was read */
	enum let_state state;
	unsigned depth; /* of the value, with its lets put in */
	bool used;
	enum outcome integer_outcome;
	int64_t integer;
	enum outcome string_outcome;
	const char *string;
	enum outcome subjects_outcome;
	struct subjects subjects; /* ascending, each once */
	struct let_operations *operations; /* NULL before it is used so */
};

/* What all expressions of a policy together may come to. */
#define LETS_MAX_BYTES (16 << 20) /* of joined strings */
#define LETS_MAX_SUBJECTS 262144  /* in sets; and times rule or assertion */

struct lets {
	struct arena *arena;
	struct diag *diag;
	/* protections[], with the destinations of this policy */
	struct protection kinds[PROTECTION_COUNT];
	uint64_t destinations_used; /* by name: a mask of network's */
	struct let *list; /* by name, once lets_check() has run */
	size_t count;
	size_t capacity;
	size_t bytes;	 /* spent */
	size_t subjects; /* spent */
};

/* An empty set of them, of a policy that has no destinations yet. */
struct lets lets_new(struct arena *arena, struct diag *diag);

void lets_add(struct lets *lets, struct word name, struct expr *value);

/* After the last lets_add(): checks their names, that no two are the same,
 * what they are made of, and that none is made of itself. */
void lets_check(struct lets *lets);

/* After the last use: warns of lets that had none. */
void lets_report_unused(const struct lets *lets);

/* Whether as much more is within the limit; passing it is reported, once. */
bool lets_spend_bytes(struct lets *lets, struct loc loc, size_t bytes);
bool lets_spend_subjects(struct lets *lets, struct loc loc, size_t count);

/* NULL where there is none of that name. */
struct let *lets_find(const struct lets *lets, const char *name);

/* What else is called so, in words; NULL where nothing is. */
const char *lets_name_taken_by(const struct lets *lets, const char *name);

/* The words that are subjects wherever a set is written. */
extern const struct word_value subject_words[]; /* enum subject_kind */

/* The operation, family, destination or, for `trace privileged`, capability of
 * that name in @protection, now used; 0 where there is none. */
uint64_t lets_operation(struct lets *lets, const struct protection *protection,
			const char *name);

/*
 * Reports that @name is not what was @wanted ("an operation of bpf"), with
 * what may have been meant.  @protection is whose operation it should be, NULL
 * where it need not be one.
 */
void lets_report_unknown(const struct lets *lets, const struct expr *name,
			 const struct protection *protection,
			 const char *wanted);
