/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The denial alone proves little: another policy, another security module or a
 * setting of the kernel may deny the same.  The control, before the policy is
 * attached, shows whether the operation comes as far as to the hook.  Programs
 * that are attached later are asked earlier, so that what denies it already
 * does not keep ours from being asked.
 */
#include "loader/canary.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/event.h"
#include "loader/cleanup.h"
#include "loader/process.h"
#include "loader/read.h"
#include "loader/trial.h"

#define CGROUPS	    "/proc/self/cgroup"
#define TEXT_MAX    65536
#define TRIES	    3 /* kernels of 5.12 to 6.1 may leave out a program once */
#define NO_CLASS    UINT32_MAX
#define STRENGTHS   3
#define CHOICES_MAX (TRIALS_MAX * PLACE_COUNT)

/* ---- what is to be ---- */

/* Where a trial connects or sends, the address is one that cannot be told: all
 * destinations at once. */
static uint64_t operations_of(const struct trial *trial,
			      const struct protection *kind)
{
	if (trial->protection == PROTECTION_network &&
	    trial->operations >> OP_BIT(network, connect) & 1)
		return trial->operations | protection_destinations(kind);
	return trial->operations;
}

unsigned canary_expect(const struct table *table, uint32_t protection,
		       size_t number, uint32_t class,
		       struct expectation *expected)
{
	const struct table_protection *decides =
		&table->protections[protection];
	const struct trial *trial = &trials[number];
	uint64_t operations = operations_of(trial, decides->protection);
	uint64_t denied = decides->denied[class] & operations;
	uint64_t logged =
		decides->logged[class] & (denied ? denied : operations);
	uint64_t shown = logged ? logged : denied;

	*expected = (struct expectation){
		.trial = number,
		.place = table_class_place(class),
		.class = class,
		.operations = operations,
		.operation = (uint8_t)(shown ? __builtin_ctzll(shown) : 0),
		.denied = denied && !table->audit,
		.logged = logged != 0,
		.verdict = !denied	  ? EVENT_ALLOW
			   : table->audit ? EVENT_WOULD_DENY
					  : EVENT_DENY,
		.blocked =
			!table->audit && decides->denied[class] & trial->before,
	};
	if (expected->blocked)
		return 0;
	if (logged)
		return denied ? 3 : 1;
	return expected->denied && trial_tells(trial) ? 2 : 0;
}

enum proof canary_judge(const struct expectation *expected, int control,
			int result, enum sight sight, bool alone,
			enum doubt *doubt)
{
	const struct trial *trial = &trials[expected->trial];
	bool past = trial_is_past(trial, result);
	bool reached = control == NO_CONTROL
			       ? past && (trial_tells(trial) || alone)
			       : trial_is_past(trial, control);

	*doubt = DOUBT_CANNOT;
	if (result < 0)
		return control == NO_CONTROL || !trial_tells(trial)
			       ? PROOF_NONE
			       : PROOF_REFUTED;
	if (expected->logged && sight == SIGHT_SEEN)
		return expected->denied && result != trial->denied
			       ? PROOF_REFUTED
			       : PROOF_EVENT;
	*doubt = DOUBT_ANOTHER;
	if (expected->logged && sight == SIGHT_NONE)
		return reached ? PROOF_REFUTED : PROOF_NONE;
	if (!expected->denied || !trial_tells(trial)) {
		*doubt = expected->logged ? DOUBT_LOST : DOUBT_SILENT;
		return PROOF_NONE;
	}
	if (control == NO_CONTROL)
		return result == trial->denied ? PROOF_ERROR
		       : past		       ? PROOF_REFUTED
					       : PROOF_NONE;
	if (!reached)
		return PROOF_NONE;
	return result == trial->denied ? PROOF_ERROR : PROOF_REFUTED;
}

/* ---- one canary a hook ---- */

int canaries_of(const struct table *table, struct canaries *canaries)
{
	size_t count = 0;
	struct canary *all = calloc(
		(size_t)table->protection_count * HOOK_COUNT + 1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	for (uint32_t i = 0; i < table->protection_count; i++)
		for (unsigned hook = 0; hook < HOOK_COUNT; hook++)
			if (table_used_at(&table->protections[i], hook))
				all[count++] = (struct canary){
					.protection = i,
					.hook = hook,
					.control = NO_CONTROL,
				};
	*canaries = (struct canaries){ table, all, count };
	return 0;
}

void canaries_free(struct canaries *canaries)
{
	free(canaries->all);
	*canaries = (struct canaries){ 0 };
}

/* This process's in the v2 hierarchy, which the stand-ins share; "/" where
 * there is none.  NULL: it cannot be told, as in a cgroup namespace of its own,
 * where the path begins elsewhere. */
static char *own_cgroup(void)
{
	CLEANUP(free_memory) char *text = NULL;
	const char *line;

	if (process_check_cgroup_namespace() ||
	    read_text(CGROUPS, TEXT_MAX, &text))
		return NULL;
	line = strncmp(text, "0::", 3) ? strstr(text, "\n0::") : text;
	if (!line)
		return strdup("/");
	line += *line == '\n' ? 4 : 3;
	return strndup(line, strcspn(line, "\n"));
}

static uint32_t class_of(const struct table_protection *decides,
			 const char *cgroup, enum place place)
{
	uint32_t class = place;

	if (!decides->cgroup_count)
		return class;
	if (!cgroup)
		return NO_CLASS;
	for (uint32_t i = 0; i < decides->cgroup_count; i++)
		if (table_cgroup_covers(decides->cgroups[i], cgroup))
			class = place + PLACE_COUNT * (i + 1);
	return class;
}

static bool is_of(const struct trial *trial,
		  const struct table_protection *decides, enum hook_id hook)
{
	return trial->protection == decides->protection->id &&
	       trial->hook == hook &&
	       operations_of(trial, decides->protection) &
		       table_used_at(decides, hook);
}

/* Why nothing would be shown. */
static enum doubt doubt_of(const struct expectation *expected)
{
	if (expected->blocked)
		return DOUBT_BEFORE;
	return expected->denied ? DOUBT_SILENT : DOUBT_CLASSES;
}

/* Those of one strength; @cgroup as own_cgroup() gave it. */
static size_t add_choices(const struct canaries *canaries,
			  struct canary *canary, const char *cgroup,
			  unsigned wanted, struct expectation *choices)
{
	const struct table_protection *decides =
		&canaries->table->protections[canary->protection];
	size_t count = 0;

	for (size_t i = 0; i < trial_count * PLACE_COUNT; i++) {
		struct expectation expected = { 0 };
		/* a container first: most is denied there */
		enum place place =
			i % PLACE_COUNT ? PLACE_HOST : PLACE_CONTAINER;
		uint32_t class = class_of(decides, cgroup, place);
		unsigned strength = 0;

		if (!is_of(&trials[i / PLACE_COUNT], decides, canary->hook))
			continue;
		if (class != NO_CLASS)
			strength = canary_expect(
				canaries->table, canary->protection,
				i / PLACE_COUNT, class, &expected);
		if (strength == wanted)
			choices[count++] = expected;
		if (!strength && canary->doubt < doubt_of(&expected))
			canary->doubt = doubt_of(&expected);
	}
	return count;
}

/* What a canary may try, best first; at most CHOICES_MAX. */
static size_t list_choices(const struct canaries *canaries,
			   struct canary *canary, const char *cgroup,
			   struct expectation *choices)
{
	size_t count = 0;

	canary->doubt = DOUBT_NO_TRIAL;
	for (unsigned wanted = STRENGTHS; wanted; wanted--)
		count += add_choices(canaries, canary, cgroup, wanted,
				     choices + count);
	return count;
}

/* ---- trying ---- */

struct wanted {
	const struct canary *canary;
	uint32_t pid;
};

static bool is_wanted(const struct event *event, const void *context)
{
	const struct wanted *wanted = context;
	const struct expectation *expected = &wanted->canary->expected;

	/* A trial may leave it to a child: the event is the child's. */
	return (event->tgid == wanted->pid || event->ppid == wanted->pid) &&
	       event->protection == wanted->canary->protection &&
	       event->operation < 64 &&
	       expected->operations >> event->operation & 1 &&
	       table_class_place(event->class) == expected->place &&
	       (event->verdict == expected->verdict ||
		event->flags & EVENT_CLASS_UNKNOWN);
}

static void try_once(struct canary *canary, const struct stand_ins *all,
		     const struct ring *ring)
{
	const struct stand_in *one = &all->of[canary->expected.place];
	struct wanted wanted = { canary, (uint32_t)one->pid };
	bool lost = ring->consumer && ring_is_full(ring);
	uint64_t position = ring->consumer ? ring_position(ring) : 0;

	canary->result = stand_in_try(one, canary->expected.trial);
	canary->sight = SIGHT_NONE;
	if (ring->consumer &&
	    ring_find(ring, position, is_wanted, &wanted, &lost))
		canary->sight = SIGHT_SEEN;
	else if (lost)
		canary->sight = SIGHT_LOST;
}

static void try_choice(struct canary *canary, const struct stand_ins *all,
		       const struct ring *ring, bool alone)
{
	for (unsigned i = 0; i < TRIES; i++) {
		try_once(canary, all, ring);
		canary->proof = canary_judge(&canary->expected, canary->control,
					     canary->result, canary->sight,
					     alone, &canary->doubt);
		if (canary->proof != PROOF_REFUTED)
			break;
	}
}

/* Whether it is worth trying again once the policy is attached: it reaches the
 * hook or, as far as can be told, is denied by what is asked after ours. */
static bool is_worth(const struct expectation *choice, int control)
{
	const struct trial *trial = &trials[choice->trial];

	return trial_is_past(trial, control) ||
	       (choice->logged && control == trial->denied);
}

/* One that ends alike either way need not be tried: an autoload runs modprobe
 * where nobody denies it. */
static int control_of(const struct expectation *choice,
		      const struct stand_ins *all)
{
	const struct stand_in *one = &all->of[choice->place];
	const struct trial *trial = &trials[choice->trial];

	return one->pid && !trial_tells(trial)
		       ? trial->denied
		       : stand_in_try(one, choice->trial);
}

void canaries_control(struct canaries *canaries, const struct stand_ins *all)
{
	CLEANUP(free_memory) char *cgroup = own_cgroup();
	struct expectation choices[CHOICES_MAX];

	for (size_t i = 0; i < canaries->count; i++) {
		struct canary *canary = &canaries->all[i];
		size_t count = list_choices(canaries, canary, cgroup, choices);

		for (size_t j = 0; j < count && canary->control == NO_CONTROL;
		     j++) {
			canary->expected = choices[j];
			canary->result = control_of(&choices[j], all);
			canary->doubt = canary->result < 0 ? DOUBT_CANNOT
							   : DOUBT_ANOTHER;
			if (is_worth(&choices[j], canary->result))
				canary->control = canary->result;
		}
	}
}

void canaries_try(struct canaries *canaries, const struct stand_ins *all,
		  const struct ring *ring)
{
	for (size_t i = 0; i < canaries->count; i++)
		if (canaries->all[i].control != NO_CONTROL)
			try_choice(&canaries->all[i], all, ring, false);
}

void canaries_try_live(struct canaries *canaries, const struct stand_ins *all,
		       const struct ring *ring, bool alone)
{
	CLEANUP(free_memory) char *cgroup = own_cgroup();
	struct expectation choices[CHOICES_MAX];

	for (size_t i = 0; i < canaries->count; i++) {
		struct canary *canary = &canaries->all[i];
		size_t count = list_choices(canaries, canary, cgroup, choices);

		for (size_t j = 0; j < count && canary->proof == PROOF_NONE;
		     j++) {
			canary->expected = choices[j];
			try_choice(canary, all, ring, alone);
		}
	}
}

size_t canaries_proven(const struct canaries *canaries, uint32_t protection)
{
	size_t count = 0;

	for (size_t i = 0; i < canaries->count; i++) {
		const struct canary *canary = &canaries->all[i];

		if (protection == UINT32_MAX ||
		    canary->protection == protection)
			count += canary->proof == PROOF_EVENT ||
				 canary->proof == PROOF_ERROR;
	}
	return count;
}

/* ---- words ---- */

const char *canary_operation(const struct canaries *canaries,
			     const struct canary *canary)
{
	return canaries->table->protections[canary->protection]
		.protection->operations[canary->expected.operation]
		.name;
}

static const char *words_of(int result)
{
	if (result < 0)
		return strerror(-result);
	return result ? strerror(result) : "success";
}

static char *words_of_doubt(const struct canary *canary)
{
	const struct trial *trial = &trials[canary->expected.trial];
	char *words = NULL;
	int len = -1;

	switch (canary->doubt) {
	case DOUBT_NO_TRIAL:
		return strdup("nothing that does no harm asks this hook");
	case DOUBT_CLASSES:
		return strdup("it decides for named cgroups alone");
	case DOUBT_BEFORE:
		return strdup("what it decides is denied by a hook that is "
			      "asked before");
	case DOUBT_SILENT:
		return strdup("only an event would show it, and the policy "
			      "logs none");
	case DOUBT_LOST:
		return strdup("its events fill the ring");
	case DOUBT_CANNOT:
		len = asprintf(&words, "%s cannot be tried here: %s",
			       trial->call, words_of(canary->result));
		break;
	case DOUBT_ANOTHER:
		len = asprintf(&words,
			       "%s ends in \"%s\", whether or not it is asked",
			       trial->call, words_of(canary->result));
		break;
	}
	return len < 0 ? NULL : words;
}

static char *words_of_refutation(const struct canary *canary)
{
	const struct expectation *expected = &canary->expected;
	char *words;
	int len = asprintf(&words, "%s in a %s %s \"%s\"%s",
			   trials[expected->trial].call,
			   table_place_name(expected->place),
			   canary->result < 0 ? "gave no answer:" : "ended in",
			   words_of(canary->result),
			   expected->logged && canary->sight == SIGHT_NONE
				   ? ", without the event that it should give"
				   : "");

	return len < 0 ? NULL : words;
}

char *canary_words(const struct canary *canary)
{
	return canary->proof == PROOF_REFUTED ? words_of_refutation(canary)
					      : words_of_doubt(canary);
}
