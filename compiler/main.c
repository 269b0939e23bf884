/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpflockc: from a policy to a sealed bundle.
 *
 *	parse ─ resolve ─ check ─ plan ─ prove ─▶ explain, or
 *	template ─ link ─ optimize ─ emit ─ evaluate ─▶ bundle
 *
 * The tables of stages below are that pipeline.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bundle/version.h"
#include "compiler/arena.h"
#include "compiler/check.h"
#include "compiler/diag.h"
#include "compiler/emit.h"
#include "compiler/explain.h"
#include "compiler/link.h"
#include "compiler/listing.h"
#include "compiler/optimize.h"
#include "compiler/options.h"
#include "compiler/parse.h"
#include "compiler/plan.h"
#include "compiler/proof/evaluate.h"
#include "compiler/prove.h"
#include "compiler/query.h"
#include "compiler/resolve.h"
#include "compiler/source.h"
#include "compiler/target.h"
#include "compiler/template.h"
#include "grammar/words.h"

/* What the stages are given, and what they leave for those behind them. */
struct run {
	struct arena *arena;
	struct options options;
	struct sources sources;
	struct diag *diag;
	struct parse parse;
	struct resolve *resolve;
	uint32_t today; /* as 20300630 */
	struct item *items;
	struct policy *policy;
	struct plan *plan;
	struct bundle *opened;	   /* that was named as input; owned */
	const struct table *table; /* the plan's, or the opened bundle's */
	struct policy_assertion assertion;
	struct subjects subjects;
	struct policy_reference reference;
	struct blob *objects; /* one a protection */
	struct blob programs; /* of all of them */
	struct optimize_report report;
	struct blob bundle;
};

struct stage {
	/* returns 0, or the exit status after a message or a report */
	int (*run)(struct run *run);
};

/* Stands between stages: those behind it begin only if nothing that was
 * reported is an error. */
static int gate(struct run *run)
{
	return diag_failed(run->diag);
}

/* Goes through @stages, up to one without a function, until one fails.  What
 * they reported is printed behind the last, all of it together. */
static int run_stages(struct run *run, const struct stage *stages)
{
	int status = 0;

	for (; !status && stages->run; stages++)
		status = stages->run(run);
	diag_print(run->diag, stderr);
	return status;
}

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "bpflockc: error: %s: %s\n", what, why);
	return 1;
}

/* As for a wrong command line. */
static int refuse(const char *what, const char *why)
{
	fail(what, why);
	return 2;
}

/* ---- from the text to the plan ---- */

static int read_day(struct run *run)
{
	run->today = check_today();
	if (run->today)
		return 0;
	return fail("SOURCE_DATE_EPOCH",
		    "this is no number of seconds since 1970");
}

/* -D NAME=EXPR, as a let that stands in no file. */
static void define(struct run *run, const char *text)
{
	const char *equals = strchr(text, '=');
	struct word name = { .loc = LOC_NONE };
	struct expr *value;

	name.text = arena_copy(run->arena, text, (size_t)(equals - text));
	value = parse_value(&run->parse, PARSE_VALUE,
			    arena_printf(run->arena, "-D %s", name.text),
			    equals + 1);
	if (!value)
		return;
	name.loc = value->loc;
	resolve_define(run->resolve, name, value);
}

static int parse(struct run *run)
{
	run->items = parse_policy(&run->parse, run->options.input);
	for (size_t i = 0; i < run->options.define_count; i++)
		define(run, run->options.defines[i]);
	return run->sources.count == 0; /* not even the policy could be read */
}

/* What is only missing may be in what could not be read. */
static int resolve(struct run *run)
{
	run->resolve->whole = !diag_failed(run->diag);
	run->policy = resolve_policy(run->resolve, run->items);
	return 0;
}

static int check(struct run *run)
{
	check_policy(run->arena, run->diag, run->policy, run->today,
		     run->resolve->whole);
	return 0;
}

static int plan(struct run *run)
{
	run->plan = plan_new(run->arena, run->diag, &run->sources, run->policy);
	if (!run->plan)
		return 1;
	run->table = &run->plan->table;
	return 0;
}

static int prove_assertions(struct run *run)
{
	prove_policy(run->arena, run->diag, run->plan);
	plan_warn(run->arena, run->diag, run->plan);
	return 0;
}

static int check_kernel(struct run *run)
{
	if (run->options.target)
		target_check_kernel(run->diag, run->plan, run->options.target);
	return 0;
}

/* ---- a bundle, in place of all that ---- */

static int open_bundle(struct run *run)
{
	const char *option = options_for_policies(&run->options);
	struct blob bytes;

	if (run->options.action != ACTION_EXPLAIN &&
	    run->options.action != ACTION_PROVE)
		return fail(run->options.input,
			    "this is a bundle, where a policy is wanted");
	if (option)
		return refuse(
			run->options.input,
			arena_printf(run->arena,
				     "this is a bundle, and %s is for policies",
				     option));
	run->opened = query_open_bundle(run->arena, run->diag,
					run->options.input, &bytes);
	if (!run->opened)
		return 1;
	run->table = &run->opened->note->table;
	return 0;
}

/* Whether the bundle's note, which may be anybody's, is what its code does.
 * What an operation is can become more from one bpflockc to the next. */
static int evaluate_note(struct run *run)
{
	struct digest templates = template_digest();
	const char *why;
	bool ours;

	if (!evaluate_object(run->arena, run->opened->elf,
			     run->opened->elf_size, run->table, NULL, &why))
		return 0;
	ours = !memcmp(&run->opened->note->compiler, &templates,
		       sizeof(templates));
	return fail(
		run->options.input,
		arena_printf(
			run->arena, "its note is not what its code does: %s%s",
			why,
			ours ? ""
			     : "\n  another bpflockc made it, its note says: compile the policy again"));
}

static int take_destinations(struct run *run)
{
	resolve_take_destinations(run->resolve, run->table);
	return 0;
}

/* ---- what a table answers ---- */

static int explain(struct run *run)
{
	explain_table(stdout, run->table, run->options.format);
	return 0;
}

static int explain_plan(struct run *run)
{
	explain_table(stdout, run->table, EXPLAIN_PLAN);
	return 0;
}

static int read_subjects(struct run *run)
{
	return !query_subjects(&run->parse, run->resolve, run->options.subject,
			       &run->subjects);
}

static int read_reference(struct run *run)
{
	return !query_reference(run->resolve, run->options.reference,
				&run->reference);
}

static int say_why(struct run *run)
{
	for (uint32_t i = 0; i < run->subjects.count; i++)
		explain_why(stdout, run->arena, run->plan,
			    &run->subjects.list[i], run->reference.protection,
			    run->reference.operations);
	return 0;
}

static int read_assertion(struct run *run)
{
	return !query_assertion(&run->parse, run->resolve,
				run->options.assertion, &run->assertion);
}

static int prove_one(struct run *run)
{
	return !query_prove(stdout, run->arena, run->table, &run->assertion);
}

/* ---- from the plan to the bundle ---- */

static int find_templates(struct run *run)
{
	target_check_templates(run->diag, run->plan);
	return 0;
}

static int instantiate(struct run *run)
{
	const struct table *table = run->table;
	const char *why = "";

	run->objects = arena_array(run->arena, table->protection_count,
				   sizeof(*run->objects));
	for (uint32_t i = 0; i < table->protection_count; i++)
		if (template_instantiate(run->arena, table, i, &run->objects[i],
					 &why))
			return fail(table->protections[i].protection->name,
				    why);
	return 0;
}

static int link_programs(struct run *run)
{
	const char *why = "";

	if (link_objects(run->arena, run->objects, run->table->protection_count,
			 &run->programs, &why))
		return fail("cannot link the templates", why);
	return 0;
}

static int optimize(struct run *run)
{
	struct blob linked = run->programs;
	const char *why = "";

	if (!run->options.unfolded &&
	    optimize_object(run->arena, &linked, &run->programs, &run->report,
			    &why))
		return fail("cannot fold the programs", why);
	return 0;
}

static int list(struct run *run)
{
	const char *why = "";

	if (listing_print(stdout, run->arena, &run->programs, run->table,
			  &run->report, &why))
		return fail("cannot list the programs", why);
	return 0;
}

/* The digest of all that was read, in the order in which it was. */
static struct digest digest_sources(struct run *run)
{
	struct digest *parts =
		arena_array(run->arena, run->sources.count, 2 * sizeof(*parts));

	for (size_t i = 0; i < run->sources.count; i++) {
		const struct source *source = &run->sources.list[i];

		parts[2 * i] = digest_of(source->name, strlen(source->name));
		parts[2 * i + 1] = digest_of(source->bytes, source->size);
	}
	return digest_of(parts, run->sources.count * 2 * sizeof(*parts));
}

static int emit(struct run *run)
{
	struct digest source = digest_sources(run);
	const char *why = "";

	if (emit_bundle(run->arena, &run->programs, run->table, &source,
			&run->bundle, &why))
		return fail("cannot make the bundle", why);
	return 0;
}

/* What is written was run: its code decides what the policy says. */
static int evaluate(struct run *run)
{
	const char *why;

	if (!evaluate_object(run->arena, run->bundle.bytes,
			     run->bundle.size - BUNDLE_TRAILER_SIZE, run->table,
			     NULL, &why))
		return 0;
	fprintf(stderr, "bpflockc: internal error: %s\n", why);
	return 1;
}

static int write_bundle(struct run *run)
{
	const char *why = "";

	if (source_is_read(&run->sources, run->options.output))
		return refuse(run->options.output,
			      "this is what the policy was read from");
	if (emit_write(run->arena, run->options.output, &run->bundle, &why))
		return fail(run->options.output, why);
	return 0;
}

/* ---- the pipeline ---- */

/* No gate before the first: one run reports all that is wrong. */
static const struct stage plan_stages[] = {
	{ .run = read_day },
	{ .run = parse },
	{ .run = resolve },
	{ .run = check },
	{ .run = gate },
	{ .run = plan },
	{ .run = prove_assertions },
	{ .run = check_kernel },
	{ .run = gate },
	{ 0 },
};

/* A bundle in place of a policy has a table already. */
static const struct stage open_stages[] = {
	{ .run = open_bundle },
	{ .run = evaluate_note },
	{ .run = take_destinations },
	{ 0 },
};

static const struct stage compile_stages[] = {
	{ .run = find_templates },
	{ .run = gate },
	{ .run = instantiate },
	{ .run = link_programs },
	{ .run = optimize },
	{ .run = emit },
	{ .run = evaluate },
	{ .run = write_bundle },
	{ 0 },
};

static const struct stage list_stages[] = {
	{ .run = find_templates },
	{ .run = gate },
	{ .run = instantiate },
	{ .run = link_programs },
	{ .run = optimize },
	{ .run = list },
	{ 0 },
};

static const struct stage explain_stages[] = {
	{ .run = explain },
	{ 0 },
};

static const struct stage explain_plan_stages[] = {
	{ .run = explain_plan },
	{ 0 },
};

static const struct stage why_stages[] = {
	{ .run = read_subjects },
	{ .run = read_reference },
	{ .run = say_why },
	{ 0 },
};

static const struct stage prove_stages[] = {
	{ .run = read_assertion },
	{ .run = prove_one },
	{ 0 },
};

/* Nothing is left to do. */
static const struct stage check_stages[] = {
	{ 0 },
};

/* What is done with a plan, or an opened bundle. */
static const struct stage *const action_stages[] = {
	[ACTION_COMPILE] = compile_stages,
	[ACTION_CHECK] = check_stages,
	[ACTION_EXPLAIN] = explain_stages,
	[ACTION_WHY] = why_stages,
	[ACTION_PROVE] = prove_stages,
	[ACTION_EMIT_PLAN] = explain_plan_stages,
	[ACTION_EMIT_ASM] = list_stages,
};

static int set_up(struct run *run)
{
	const struct options *options = &run->options;

	run->sources.arena = run->arena;
	run->diag = diag_new(run->arena, &run->sources);
	run->resolve = resolve_new(run->arena, run->diag);
	run->parse = (struct parse){
		.arena = run->arena,
		.diag = run->diag,
		.sources = &run->sources,
		.include_folders = options->include_folders,
		.include_folder_count = options->include_folder_count,
	};
	for (size_t i = 0; i < options->warning_count; i++) {
		if (diag_option(run->diag, options->warnings[i]))
			continue;
		fprintf(stderr,
			"bpflockc: there is no warning for -W%s; see docs/language.md\n",
			options->warnings[i]);
		return 2;
	}
	return 0;
}

static int obey(struct run *run)
{
	int status;

	if (run->options.action == ACTION_HELP) {
		fputs(options_help, stdout);
		return 0;
	}
	if (run->options.action == ACTION_VERSION) {
		puts("bpflockc " BPFLOCK_VERSION);
		return 0;
	}
	status = run_stages(run, query_is_bundle(run->options.input)
					 ? open_stages
					 : plan_stages);
	return status ? status
		      : run_stages(run, action_stages[run->options.action]);
}

static int tear_down(struct run *run, int status)
{
	bundle_close(run->opened);
	arena_free(run->arena);
	if (fflush(stdout) || ferror(stdout))
		return fail("standard output", strerror(errno));
	return status;
}

int main(int argc, char **argv)
{
	struct run run = { .arena = arena_new() };
	int status = options_parse(run.arena, argc, argv, &run.options);

	if (!status)
		status = set_up(&run);
	if (!status)
		status = obey(&run);
	return tear_down(&run, status);
}
