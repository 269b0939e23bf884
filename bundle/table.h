/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The decision table: all that a policy decides, for every operation and every
 * class of subjects, with the statement that decided it.  The compiler makes
 * it (compiler/plan.h), the bundle's note carries it (bundle/note.h), and
 * whoever explains a policy or a bundle reads it.
 *
 * Strings are UTF-8, end in NUL and are never NULL unless it says so.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/destination.h"
#include "bundle/operations.h"

#define TABLE_NO_STATEMENT UINT32_MAX
#define TABLE_MAX_CLASSES 4096 /* a protection */

enum place {
	PLACE_HOST,	 /* initial pid and initial network namespace */
	PLACE_CONTAINER, /* anything else */
	PLACE_COUNT
};

enum profile { PROFILE_ALLOW, PROFILE_BASELINE, PROFILE_RESTRICTED };

enum log { LOG_DENIED, LOG_ALL, LOG_NONE };

/* A statement that decides something: a profile, a rule or a trace. */
struct table_statement {
	uint32_t source; /* index into table.sources */
	uint32_t line;	 /* from 1 */
	uint32_t column; /* from 1, in characters */
	const char *reason; /* of `because`; NULL without */
	uint32_t until;	    /* 20300630 for 2030-06-30; 0 without */
};

/*
 * One protection, or one kind of trace.
 *
 * Its classes are numbered place + PLACE_COUNT * cgroup, where cgroup 0 is
 * "in none of the named ones" and cgroup i + 1 is cgroups[i], for a task whose
 * deepest named cgroup that is.  Bits in masks are OP_BIT().
 */
struct table_protection {
	const struct protection *protection;
	enum profile profile; /* not for a trace */
	enum log log;	      /* not for a trace */
	const char **cgroups; /* absolute paths, in path order: a cgroup is
			       * followed by all below it, siblings by byte */
	uint32_t cgroup_count;
	uint64_t *denied; /* a mask a class */
	uint64_t *logged; /* a mask a class */
	uint32_t *decided_by; /* index into table.statements, or
			       * TABLE_NO_STATEMENT; a row of all operations
			       * for each class */
	const char **devices; /* of usb: "0951:1666", ascending */
	uint32_t device_count;
	const struct destination *destinations; /* of network: as many as
				* protection->destination_count says, in the
				* order of their operations */
};

struct table {
	const char *policy;
	const char *description; /* NULL without */
	uint32_t language;
	uint32_t version; /* 0 without */
	bool audit;	  /* a denial is logged and let through */
	bool locked;	  /* by the seal */
	uint32_t until;	  /* the earliest of the statements'; 0 without */
	const char **sources; /* names of the files, the policy's own first */
	uint32_t source_count;
	struct table_statement *statements;
	uint32_t statement_count;
	struct table_protection *protections; /* as in operations.def */
	uint32_t protection_count;
};

static inline uint32_t
table_class_count(const struct table_protection *protection)
{
	return PLACE_COUNT * (1 + protection->cgroup_count);
}

static inline enum place table_class_place(uint32_t class)
{
	return class % PLACE_COUNT;
}

/* The operations that some class is denied, as a mask; and those that some
 * class is denied or that are logged for one. */
uint64_t table_denied_operations(const struct table_protection *protection);
uint64_t table_used_operations(const struct table_protection *protection);

/* Of the latter, those that @hook is asked about. */
uint64_t table_used_at(const struct table_protection *protection,
		       enum hook_id hook);

/* The class's cgroup, NULL for "in none of the named ones". */
const char *table_class_cgroup(const struct table_protection *protection,
			       uint32_t class);

/* The statement that decided, NULL where there is none. */
const struct table_statement *
table_decided_by(const struct table *table,
		 const struct table_protection *protection, uint32_t class,
		 unsigned operation);

/* What --explain, --why and events say: "allow", "deny" or, under audit,
 * "would-deny". */
const char *table_verdict(const struct table *table,
			  const struct table_protection *protection,
			  uint32_t class, unsigned operation);

/* Path order, as cgroups[] has it: like strcmp() with '/' before all else. */
int table_cgroup_compare(const char *a, const char *b);

/* Whether the cgroup @inner is @outer or lies below it. */
bool table_cgroup_covers(const char *outer, const char *inner);

const char *table_place_name(enum place place);
const char *table_profile_name(enum profile profile);
const char *table_log_name(enum log log);
