/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy with every name looked up and every constant folded: what
 * resolve.c makes of the AST, what check.c checks and plan.c decides from.
 * Lists are in reading order, an include's items standing in its place.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bundle/operations.h"
#include "bundle/table.h"
#include "compiler/source.h"

enum subject_kind {
	SUBJECT_ALL,
	SUBJECT_HOST,
	SUBJECT_CONTAINER,
	SUBJECT_CGROUP
};

struct subject {
	enum subject_kind kind;
	const char *cgroup; /* a valid path; of SUBJECT_CGROUP only */
	struct loc loc;	    /* where it is used */
};

struct subjects {
	struct subject *list;
	uint32_t count;
};

enum rule_kind { RULE_BLOCK, RULE_ALLOW, RULE_TRACE };

struct rule {
	enum rule_kind kind;
	uint64_t operations; /* never 0 */
	struct subjects subjects; /* one SUBJECT_ALL where there is no `for` */
	bool has_for;
	struct loc loc;
	const char *reason; /* NULL without */
	uint32_t until;	    /* 20300630; 0 without */
	struct loc until_loc;
};

/* A statement with one word for a value, or a value of its own. */
struct setting {
	const char *word;
	struct loc loc;	     /* of the statement */
	struct loc word_loc; /* of the value */
	int64_t integer;     /* of a version or language */
	bool valid;	     /* the value could be read */
};

struct settings {
	struct setting *list;
	uint32_t count;
	size_t capacity;
};

/* One protection, or one kind of trace, all its blocks together. */
struct policy_protection {
	const struct protection *protection;
	bool named; /* in the policy, not only by `default profile` */
	struct loc loc; /* where it is named first */
	struct settings profiles;
	struct settings logs;
	struct settings devices;
	const struct destination *destinations; /* protection has how many */
	struct rule *rules;
	uint32_t rule_count;
};

struct policy_reference {
	const struct protection *protection;
	uint64_t operations;
	struct loc loc;
};

struct policy_assertion {
	struct loc loc;
	struct subjects subjects;
	bool can;
	struct policy_reference *references;
	uint32_t reference_count;
};

struct policy {
	const char *name;
	struct loc loc; /* of `policy NAME` */
	struct settings descriptions;
	struct settings versions;
	struct settings modes;
	struct settings default_profiles;
	struct settings seals;
	struct policy_protection protections[PROTECTION_COUNT];
	struct policy_assertion *assertions;
	uint32_t assertion_count;
};

/* A word that a statement takes, and what it stands for. */
struct word_value {
	const char *word; /* NULL ends a table */
	int value;
};

extern const struct word_value profile_words[]; /* enum profile */
extern const struct word_value log_words[];	/* enum log */
extern const struct word_value mode_words[];	/* true for audit */
extern const struct word_value seal_words[];	/* true for locked */

/* The word's value; -1 where the table does not have it. */
int word_value(const struct word_value *table, const char *word);

/*
 * What is in force, once the checks have passed: the profile that the
 * protection states or the default, NULL where there is neither, and whether
 * the protection is attached at all.
 */
const struct setting *policy_profile_of(const struct policy *policy,
					uint32_t protection);
bool policy_attaches(const struct policy *policy, uint32_t protection);
bool policy_is_audit(const struct policy *policy);
