/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cgroups stand in path order, so all below one of them follow it at once, and
 * a class number counts cgroups before places: what a subject covers is one
 * range of classes.  A rule is then a few ranges and a mask.
 */
#include "compiler/plan.h"

#include <stdlib.h>
#include <string.h>

#include "compiler/arena.h"
#include "compiler/diag.h"

struct planner {
	struct arena *arena;
	struct diag *diag;
	const struct sources *sources;
	struct plan *plan;
	size_t statement_capacity;
	size_t loc_capacity;
};

static uint32_t add_statement(struct planner *planner, struct loc loc,
			      const char *reason, uint32_t until)
{
	struct table *table = &planner->plan->table;
	struct place_in_source place =
		source_place(&planner->sources->list[loc.source], loc.begin);

	table->statements = arena_grow(planner->arena, table->statements,
				       table->statement_count,
				       &planner->statement_capacity,
				       sizeof(*table->statements));
	table->statements[table->statement_count] = (struct table_statement){
		.source = loc.source,
		.line = place.line,
		.column = place.column,
		.reason = reason,
		.until = until,
	};
	planner->plan->statement_locs =
		arena_grow(planner->arena, planner->plan->statement_locs,
			   table->statement_count, &planner->loc_capacity,
			   sizeof(*planner->plan->statement_locs));
	planner->plan->statement_locs[table->statement_count] = loc;
	if (until && (!table->until || until < table->until))
		table->until = until;
	return table->statement_count++;
}

/* ---- classes ---- */

static int compare_cgroups(const void *a, const void *b)
{
	return table_cgroup_compare(*(const char *const *)a,
				    *(const char *const *)b);
}

static void name_cgroups(struct planner *planner,
			 const struct policy_protection *from,
			 struct table_protection *out)
{
	size_t capacity = 0;
	uint32_t count = 0;

	for (uint32_t i = 0; i < from->rule_count; i++) {
		const struct subjects *subjects = &from->rules[i].subjects;

		for (uint32_t j = 0; j < subjects->count; j++) {
			if (subjects->list[j].kind != SUBJECT_CGROUP)
				continue;
			out->cgroups = arena_grow(planner->arena, out->cgroups,
						  count, &capacity,
						  sizeof(*out->cgroups));
			out->cgroups[count++] = subjects->list[j].cgroup;
		}
	}
	if (count)
		qsort(out->cgroups, count, sizeof(*out->cgroups),
		      compare_cgroups);
	for (uint32_t i = 0; i < count; i++)
		if (i == 0 || strcmp(out->cgroups[out->cgroup_count - 1],
				     out->cgroups[i]))
			out->cgroups[out->cgroup_count++] = out->cgroups[i];
}

/* The first cgroup that does not come before @path. */
static uint32_t lower_bound(const struct table_protection *protection,
			    const char *path)
{
	uint32_t first = 0, behind = protection->cgroup_count;

	while (first < behind) {
		uint32_t middle = first + (behind - first) / 2;

		if (table_cgroup_compare(protection->cgroups[middle], path) <
		    0)
			first = middle + 1;
		else
			behind = middle;
	}
	return first;
}

/* The classes of the named cgroups that @path covers. */
static struct plan_range covered(const struct table_protection *protection,
				 const char *path)
{
	uint32_t first = lower_bound(protection, path), behind = first;

	while (behind < protection->cgroup_count &&
	       table_cgroup_covers(path, protection->cgroups[behind]))
		behind++;
	return (struct plan_range){ PLACE_COUNT * (1 + first),
				    PLACE_COUNT * (1 + behind) };
}

static struct plan_range subject_range(const struct table_protection *to,
				       const struct subject *subject)
{
	switch (subject->kind) {
	case SUBJECT_HOST:
		return (struct plan_range){ PLACE_HOST, PLACE_HOST + 1 };
	case SUBJECT_CONTAINER:
		return (struct plan_range){ PLACE_CONTAINER,
					    PLACE_CONTAINER + 1 };
	case SUBJECT_CGROUP:
		return covered(to, subject->cgroup);
	case SUBJECT_ALL:
		break;
	}
	return (struct plan_range){ 0, table_class_count(to) };
}

static int compare_ranges(const void *a, const void *b)
{
	const struct plan_range *left = a, *right = b;

	if (left->first != right->first)
		return left->first < right->first ? -1 : 1;
	return left->behind < right->behind ? -1 :
					      left->behind > right->behind;
}

static void place_rule(struct planner *planner,
		       const struct table_protection *to,
		       struct plan_rule *rule)
{
	const struct subjects *subjects = &rule->rule->subjects;
	struct plan_range *ranges =
		arena_array(planner->arena, subjects->count, sizeof(*ranges));
	uint32_t kept = 0;

	for (uint32_t i = 0; i < subjects->count; i++)
		ranges[i] = subject_range(to, &subjects->list[i]);
	qsort(ranges, subjects->count, sizeof(*ranges), compare_ranges);
	for (uint32_t i = 0; i < subjects->count; i++) {
		if (kept && ranges[i].first <= ranges[kept - 1].behind) {
			if (ranges[i].behind > ranges[kept - 1].behind)
				ranges[kept - 1].behind = ranges[i].behind;
		} else {
			ranges[kept++] = ranges[i];
		}
	}
	rule->ranges = ranges;
	rule->range_count = kept;
}

/* ---- decisions ---- */

/* Which operations of each class some rule has decided so far. */
struct decisions {
	uint64_t *blocked;
	uint64_t *allowed; /* or, for a trace, logged */
};

/* The rule decides what no rule of its kind, nor a block, decided before. */
static void apply_rule(const struct plan_rule *rule,
		       struct table_protection *to, uint64_t *decided,
		       const uint64_t *unless)
{
	unsigned row = protection_operation_count(to->protection);

	for (uint32_t r = 0; r < rule->range_count; r++) {
		for (uint32_t class = rule->ranges[r].first;
		     class < rule->ranges[r].behind; class++) {
			uint64_t fresh = rule->rule->operations &
					 ~decided[class] & ~unless[class];

			decided[class] |= fresh;
			for (; fresh; fresh &= fresh - 1)
				to->decided_by[class * row +
					       (unsigned)__builtin_ctzll(
						       fresh)] =
					rule->statement;
		}
	}
}

static void apply_rules(const struct plan_protection *from, bool blocks,
			struct table_protection *to, uint64_t *decided,
			const uint64_t *unless)
{
	for (uint32_t i = 0; i < from->rule_count; i++)
		if ((from->rules[i].rule->kind == RULE_BLOCK) == blocks)
			apply_rule(&from->rules[i], to, decided, unless);
}

/* What the profile alone denies a class. */
static uint64_t profile_denies(const struct table_protection *to,
			       uint32_t class)
{
	switch (to->profile) {
	case PROFILE_ALLOW:
		return 0;
	case PROFILE_BASELINE:
		if (table_class_place(class) == PLACE_HOST)
			return protection_no_subject(to->protection);
		return protection_all(to->protection);
	case PROFILE_RESTRICTED:
		break;
	}
	return protection_all(to->protection);
}

static uint64_t log_mask(const struct table *table,
			 const struct table_protection *to, uint32_t class)
{
	uint64_t all = protection_all(to->protection);

	if (to->log == LOG_ALL)
		return all;
	return to->log == LOG_DENIED || table->audit ? to->denied[class] : 0;
}

static void decide(struct planner *planner, const struct plan_protection *from,
		   struct table_protection *to)
{
	uint32_t classes = table_class_count(to);
	unsigned row = protection_operation_count(to->protection);
	struct decisions decisions;

	decisions.blocked = arena_array(planner->arena, classes,
					sizeof(*decisions.blocked));
	decisions.allowed = arena_array(planner->arena, classes,
					sizeof(*decisions.allowed));
	to->denied = arena_array(planner->arena, classes, sizeof(*to->denied));
	to->logged = arena_array(planner->arena, classes, sizeof(*to->logged));
	to->decided_by = arena_array(planner->arena, (size_t)classes * row,
				     sizeof(*to->decided_by));
	for (size_t i = 0; i < (size_t)classes * row; i++)
		to->decided_by[i] = from->profile_statement;
	apply_rules(from, true, to, decisions.blocked, decisions.allowed);
	apply_rules(from, false, to, decisions.allowed, decisions.blocked);
	for (uint32_t class = 0; class < classes; class++) {
		if (to->protection->trace) {
			to->logged[class] = decisions.allowed[class];
			continue;
		}
		to->denied[class] =
			decisions.blocked[class] |
			(profile_denies(to, class) & ~decisions.allowed[class]);
		to->logged[class] = log_mask(&planner->plan->table, to, class);
	}
}

/* ---- the parts of a policy ---- */

static void plan_profile(struct planner *planner, uint32_t index,
			 struct plan_protection *from,
			 struct table_protection *to)
{
	const struct policy *policy = planner->plan->policy;
	const struct setting *profile = policy_profile_of(policy, index);
	const struct settings *logs = &policy->protections[index].logs;

	from->profile_statement = TABLE_NO_STATEMENT;
	if (to->protection->trace)
		return;
	from->profile_statement =
		add_statement(planner, profile->loc, NULL, 0);
	to->profile = (enum profile)word_value(profile_words, profile->word);
	to->log = to->profile == PROFILE_ALLOW ? LOG_ALL : LOG_DENIED;
	if (logs->count)
		to->log = (enum log)word_value(log_words, logs->list[0].word);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void plan_devices(struct planner *planner,
			 const struct settings *devices,
			 struct table_protection *to)
{
	to->device_count = devices->count;
	to->devices = arena_array(planner->arena, devices->count,
				  sizeof(*to->devices));
	for (uint32_t i = 0; i < devices->count; i++)
		to->devices[i] = devices->list[i].word;
	if (devices->count)
		qsort(to->devices, devices->count, sizeof(*to->devices),
		      compare_texts);
}

static bool plan_protection(struct planner *planner, uint32_t index,
			    struct plan_protection *out,
			    struct table_protection *to)
{
	const struct policy_protection *from =
		&planner->plan->policy->protections[index];

	out->from = from;
	to->protection = from->protection;
	name_cgroups(planner, from, to);
	if (table_class_count(to) > TABLE_MAX_CLASSES) {
		diag_report(planner->diag, CHECK_CLASSES, from->loc,
			    "%s names %u cgroups: with both places and none of them that is more than %d classes",
			    from->protection->name, to->cgroup_count,
			    TABLE_MAX_CLASSES);
		return false;
	}
	plan_profile(planner, index, out, to);
	plan_devices(planner, &from->devices, to);
	to->destinations = from->destinations;
	out->rule_count = from->rule_count;
	out->rules = arena_array(planner->arena, from->rule_count,
				 sizeof(*out->rules));
	for (uint32_t i = 0; i < from->rule_count; i++) {
		const struct rule *rule = &from->rules[i];

		out->rules[i].rule = rule;
		out->rules[i].statement = add_statement(
			planner, rule->loc, rule->reason, rule->until);
		place_rule(planner, to, &out->rules[i]);
	}
	decide(planner, out, to);
	return true;
}

static void plan_header(struct planner *planner)
{
	const struct policy *policy = planner->plan->policy;
	struct table *table = &planner->plan->table;

	table->policy = policy->name;
	table->language = 1;
	if (policy->descriptions.count)
		table->description = policy->descriptions.list[0].word;
	if (policy->versions.count)
		table->version = (uint32_t)policy->versions.list[0].integer;
	table->audit = policy_is_audit(policy);
	table->locked =
		word_value(seal_words, policy->seals.list[0].word) == true;
	table->sources = arena_array(planner->arena, planner->sources->count,
				     sizeof(*table->sources));
	for (size_t i = 0; i < planner->sources->count; i++)
		table->sources[i] = planner->sources->list[i].name;
	table->source_count = (uint32_t)planner->sources->count;
}

struct plan *plan_new(struct arena *arena, struct diag *diag,
		      const struct sources *sources,
		      const struct policy *policy)
{
	struct plan *plan = arena_alloc(arena, sizeof(*plan));
	struct planner planner = { .arena = arena,
				   .diag = diag,
				   .sources = sources,
				   .plan = plan };
	struct table *table = &plan->table;
	bool good = true;

	plan->policy = policy;
	plan_header(&planner);
	table->protections = arena_array(arena, PROTECTION_COUNT,
					 sizeof(*table->protections));
	plan->protections = arena_array(arena, PROTECTION_COUNT,
					sizeof(*plan->protections));
	for (uint32_t i = 0; i < PROTECTION_COUNT; i++) {
		if (!policy_attaches(policy, i))
			continue;
		good = plan_protection(
			       &planner, i,
			       &plan->protections[table->protection_count],
			       &table->protections[table->protection_count]) &&
		       good;
		table->protection_count++;
	}
	return good ? plan : NULL;
}

/* ---- queries ---- */

/*
 * The deepest cgroup at or above @path, counted from 1; 0 for none.  What is
 * above @path is above its neighbour in path order too, if that is not it: so
 * the search goes on with what the two share.
 */
static uint32_t deepest_above(struct arena *arena,
			      const struct table_protection *protection,
			      const char *path)
{
	char *above = arena_copy(arena, path, strlen(path));
	const char *neighbour;
	uint32_t index;
	size_t shared;

	while (*above) {
		index = lower_bound(protection, above);
		if (index < protection->cgroup_count &&
		    !strcmp(protection->cgroups[index], above))
			return index + 1;
		if (index == 0)
			return 0;
		neighbour = protection->cgroups[index - 1];
		shared = 0;
		while (above[shared] && above[shared] == neighbour[shared])
			shared++;
		while (shared && above[shared] != '/')
			shared--;
		above[shared] = '\0';
	}
	return 0;
}

uint32_t plan_subject_ranges(struct arena *arena,
			     const struct table_protection *protection,
			     const struct subject *subject,
			     struct plan_range ranges[2])
{
	uint32_t count = 0, deepest;

	ranges[1] = subject_range(protection, subject);
	if (subject->kind == SUBJECT_CGROUP) {
		deepest = deepest_above(arena, protection, subject->cgroup);
		if (PLACE_COUNT * deepest < ranges[1].first ||
		    ranges[1].first == ranges[1].behind)
			ranges[count++] = (struct plan_range){
				PLACE_COUNT * deepest,
				PLACE_COUNT * (deepest + 1)
			};
	}
	if (ranges[1].first < ranges[1].behind) {
		ranges[count] = ranges[1];
		count++;
	}
	return count;
}

const struct table_protection *plan_find(const struct table *table,
					 const struct protection *protection)
{
	for (uint32_t i = 0; i < table->protection_count; i++)
		if (table->protections[i].protection->id == protection->id)
			return &table->protections[i];
	return NULL;
}

/* ---- warnings ---- */

/* The operations of a class that a rule covers and no rule of its kind before
 * it does. */
struct first_cover {
	struct first_cover *next; /* of the same rule */
	uint32_t class;
	uint64_t operations;
	uint64_t others; /* covered by rules of the other kind before it */
};

struct covers {
	struct first_cover **firsts; /* of each rule */
	uint64_t *before[2]; /* blocks and others, by class: of rules before */
	uint64_t *behind[2]; /* of rules behind that do something */
};

static void cover_first(struct arena *arena, struct covers *covers,
			const struct plan_protection *from, uint32_t index)
{
	const struct plan_rule *rule = &from->rules[index];
	bool block = rule->rule->kind == RULE_BLOCK;
	struct first_cover *first;

	for (uint32_t r = 0; r < rule->range_count; r++) {
		for (uint32_t class = rule->ranges[r].first;
		     class < rule->ranges[r].behind; class++) {
			uint64_t fresh = rule->rule->operations &
					 ~covers->before[block][class];

			if (!fresh)
				continue;
			first = arena_alloc(arena, sizeof(*first));
			first->next = covers->firsts[index];
			first->class = class;
			first->operations = fresh;
			first->others = covers->before[!block][class];
			covers->firsts[index] = first;
			covers->before[block][class] |= fresh;
		}
	}
}

/* Whether a cell would be decided otherwise without the rule. */
static bool has_effect(const struct covers *covers, uint32_t index,
		       enum rule_kind kind, const struct table_protection *to)
{
	bool block = kind == RULE_BLOCK;

	for (const struct first_cover *first = covers->firsts[index]; first;
	     first = first->next) {
		uint32_t class = first->class;
		uint64_t others = first->others | covers->behind[!block][class];
		uint64_t alone =
			first->operations & ~covers->behind[block][class];
		uint64_t profile = kind == RULE_TRACE ?
					   UINT64_MAX :
					   profile_denies(to, class);

		if (alone & (block ? others | ~profile : profile & ~others))
			return true;
	}
	return false;
}

static void cover_behind(struct covers *covers, const struct plan_rule *rule)
{
	bool block = rule->rule->kind == RULE_BLOCK;

	for (uint32_t r = 0; r < rule->range_count; r++)
		for (uint32_t class = rule->ranges[r].first;
		     class < rule->ranges[r].behind; class++)
			covers->behind[block][class] |=
				rule->rule->operations;
}

/* From the last rule to the first: of two that do the same the later one is
 * the idle one, and once it is named the other counts. */
static void warn_no_effect(struct arena *arena, struct diag *diag,
			   const struct plan_protection *from,
			   const struct table_protection *to)
{
	uint32_t classes = table_class_count(to);
	struct covers covers = {
		.firsts = arena_array(arena, from->rule_count,
				      sizeof(*covers.firsts)),
	};

	for (size_t i = 0; i < 2; i++) {
		covers.before[i] =
			arena_array(arena, classes, sizeof(uint64_t));
		covers.behind[i] =
			arena_array(arena, classes, sizeof(uint64_t));
	}
	for (uint32_t i = 0; i < from->rule_count; i++)
		cover_first(arena, &covers, from, i);
	for (uint32_t i = from->rule_count; i-- > 0;) {
		const struct plan_rule *rule = &from->rules[i];

		if (has_effect(&covers, i, rule->rule->kind, to))
			cover_behind(&covers, rule);
		else
			diag_report(diag, CHECK_NO_EFFECT, rule->rule->loc,
				    "without this rule nothing would be decided otherwise");
	}
}

/* Services of systemd get namespaces of their own, and none starts without:
 * some cgroup must be let to, where the host as a whole is not. */
static void warn_no_services(struct diag *diag, const struct plan *plan)
{
	const struct table_protection *namespaces =
		plan_find(&plan->table, &protections[PROTECTION_namespaces]);

	if (namespaces && !plan->table.audit && !namespaces->cgroup_count &&
	    namespaces->denied[PLACE_HOST] >> OP_BIT(namespaces, mnt) & 1)
		diag_report(diag, CHECK_LOCK_OUT, plan->policy->loc,
			    "nobody on the host may create a mount namespace: no service with PrivateTmp= or ProtectSystem= will start");
}

static void warn_lock_out(struct diag *diag, const struct plan *plan)
{
	const struct table_protection *network =
		plan_find(&plan->table, &protections[PROTECTION_network]);
	uint64_t listen = UINT64_C(1) << OP_BIT(network, listen);
	uint64_t bind_low = UINT64_C(1) << OP_BIT(network, bind_low);

	if (!network || plan->table.audit)
		return;
	if (network->denied[PLACE_HOST] & (listen | bind_low))
		diag_report(diag, CHECK_LOCK_OUT, plan->policy->loc,
			    "the host may not listen on the network: once its sshd is started anew, nobody comes in that way");
}

void plan_warn(struct arena *arena, struct diag *diag, const struct plan *plan)
{
	for (uint32_t i = 0; i < plan->table.protection_count; i++)
		if (plan->protections[i].rule_count)
			warn_no_effect(arena, diag, &plan->protections[i],
				       &plan->table.protections[i]);
	warn_lock_out(diag, plan);
	warn_no_services(diag, plan);
}
