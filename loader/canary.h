/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Canaries: whether what a policy decides is really decided.  For each hook of
 * each of its protections a stand-in (loader/stand_in.h) tries one operation
 * that the policy denies or logs for its place (loader/trial.h).
 *
 * An event in the policy's own ring proves that this policy's program was
 * asked. Where it logs nothing, an error that was another one without it proves
 * that somebody denies since, and nobody else came.  Where neither can be had,
 * nothing is claimed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/table.h"
#include "loader/ring.h"
#include "loader/stand_in.h"

enum proof {
	PROOF_NONE, /* .doubt says why */
	PROOF_EVENT,
	PROOF_ERROR,
	PROOF_REFUTED, /* it is not enforced */
};

/* The first four ascend by how much they say. */
enum doubt {
	DOUBT_NO_TRIAL, /* there is none that does no harm */
	DOUBT_CLASSES,	/* no stand-in is of a class that it decides for */
	DOUBT_BEFORE,	/* it is denied at a hook that is asked before */
	DOUBT_SILENT,	/* nothing but an event would show it: none is logged */
	DOUBT_CANNOT,	/* .result is why it cannot be tried here: -errno */
	DOUBT_ANOTHER,	/* .result, and our hook may not have been asked */
	DOUBT_LOST,	/* the ring was full */
};

enum sight { SIGHT_NONE, SIGHT_SEEN, SIGHT_LOST };

/* What a trial has to come to, for one place. */
struct expectation {
	size_t trial;
	enum place place;
	uint32_t class;
	uint64_t operations; /* all that the trial is under this policy */
	uint8_t operation;   /* that the policy decides, for people */
	bool denied;	     /* really: not under audit */
	bool logged;
	uint8_t verdict; /* the event's: enum event_verdict */
	bool blocked;	 /* denied at a hook before */
};

struct canary {
	uint32_t protection; /* index into table.protections */
	enum hook_id hook;
	struct expectation expected;
	int control; /* what it came to without the policy, or NO_CONTROL */
	int result;  /* with it; or -errno: it could not be tried */
	enum sight sight;
	enum proof proof;
	enum doubt doubt;
};

#define NO_CONTROL INT32_MIN

struct canaries {
	const struct table *table;
	struct canary *all; /* owned */
	size_t count;
};

/* What trials[trial] has to come to for that class.  Returns how much it would
 * show: 0 for nothing, otherwise more is better. */
unsigned canary_expect(const struct table *table, uint32_t protection,
		       size_t trial, uint32_t class,
		       struct expectation *expected);

/*
 * What it proves that a trial came to @result; @control as in struct canary.
 * Without a control, @alone tells that no other policy can have denied it
 * before.  Where it is PROOF_NONE, *@doubt is set.
 */
enum proof canary_judge(const struct expectation *expected, int control,
			int result, enum sight sight, bool alone,
			enum doubt *doubt);

/* One canary for each hook that the policy needs.  On success *@canaries is the
 * caller's to canaries_free(); @table has to outlive it.  Returns 0 or -ENOMEM.
 */
int canaries_of(const struct table *table, struct canaries *canaries);

/* Before the policy is attached: chooses what each tries, by trying it. */
void canaries_control(struct canaries *canaries, const struct stand_ins *all);

/* Once it is attached, newest of all; @ring may be closed. */
void canaries_try(struct canaries *canaries, const struct stand_ins *all,
		  const struct ring *ring);

/* The same at any time later, without controls. */
void canaries_try_live(struct canaries *canaries, const struct stand_ins *all,
		       const struct ring *ring, bool alone);

/* For cleanup; all zeros is fine. */
void canaries_free(struct canaries *canaries);

/* How many are proven, of that protection or, with UINT32_MAX, of all. */
size_t canaries_proven(const struct canaries *canaries, uint32_t protection);

/* The name of the operation that it tried. */
const char *canary_operation(const struct canaries *canaries,
			     const struct canary *canary);

/* Why it proves nothing, or what refutes it, in words.  They are the caller's
 * to free(); NULL without memory. */
char *canary_words(const struct canary *canary);
