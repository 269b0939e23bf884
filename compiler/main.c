/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpflockc: from a policy to a sealed bundle.
 *
 *	parse ─ resolve ─ check ─ plan ─ prove ─▶ explain, or
 *	template ─ link ─ optimize ─ emit ─ evaluate ─▶ bundle
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

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

#ifndef BPFLOCK_VERSION
#define BPFLOCK_VERSION "development"
#endif

/* What every stage is given. */
struct run {
	struct arena *arena;
	struct options options;
	struct sources sources;
	struct diag *diag;
	struct parse parse;
	struct resolve *resolve;
};

/* The gate behind a stage: prints what it found, and says whether to stop. */
static bool gate(struct run *run)
{
	diag_print(run->diag, stderr);
	return diag_failed(run->diag);
}

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

/* -D NAME=EXPR, as a let that stands in no file. */
static void define(struct run *run, const char *text)
{
	const char *equals = strchr(text, '=');
	struct word name = { .loc = LOC_NONE };
	struct expr *value;

	if (!equals || !word_is_name(text, (size_t)(equals - text))) {
		diag_report(run->diag, CHECK_SYNTAX, LOC_NONE,
			    "-D takes NAME=EXPR, not '%s'", text);
		return;
	}
	name.text = arena_copy(run->arena, text, (size_t)(equals - text));
	value = parse_value(&run->parse, PARSE_VALUE,
			    arena_printf(run->arena, "-D %s", name.text),
			    equals + 1);
	if (!value)
		return;
	name.loc = value->loc;
	resolve_define(run->resolve, name, value);
}

/* From the text to the plan; NULL where something is wrong with it. */
static struct plan *plan_policy(struct run *run, uint32_t today)
{
	struct policy *policy;
	struct item *items;
	struct plan *plan;

	items = parse_policy(&run->parse, run->options.input);
	for (size_t i = 0; i < run->options.define_count; i++)
		define(run, run->options.defines[i]);
	if (run->sources.count == 0) /* not even the policy could be read */
		return NULL;
	run->resolve->whole = !diag_failed(run->diag);
	policy = resolve_policy(run->resolve, items);
	check_policy(run->arena, run->diag, policy, today,
		     run->resolve->whole);
	if (diag_failed(run->diag))
		return NULL;
	plan = plan_new(run->arena, run->diag, &run->sources, policy);
	if (!plan)
		return NULL;
	prove_policy(run->arena, run->diag, plan);
	plan_warn(run->arena, run->diag, plan);
	if (run->options.target)
		target_check_kernel(run->diag, plan, run->options.target);
	return plan;
}

/* ---- what is done with a plan ---- */

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "bpflockc: error: %s: %s\n", what, why);
	return 1;
}

/* The digest of all that was read, in the order in which it was. */
static struct digest digest_sources(struct run *run)
{
	struct digest *parts = arena_array(run->arena, run->sources.count,
					   2 * sizeof(*parts));

	for (size_t i = 0; i < run->sources.count; i++) {
		const struct source *source = &run->sources.list[i];

		parts[2 * i] = digest_of(source->name, strlen(source->name));
		parts[2 * i + 1] = digest_of(source->bytes, source->size);
	}
	return digest_of(parts, run->sources.count * 2 * sizeof(*parts));
}

/* The programs of all protections as one object; 1 after a message. */
static int make_programs(struct run *run, const struct plan *plan,
			 struct blob *programs, struct optimize_report *report)
{
	const struct table *table = &plan->table;
	struct blob *objects = arena_array(
		run->arena, table->protection_count, sizeof(*objects));
	const char *why = "";
	struct blob linked;

	target_check_templates(run->diag, plan);
	if (gate(run))
		return 1;
	for (uint32_t i = 0; i < table->protection_count; i++)
		if (template_instantiate(run->arena, table, i, &objects[i],
					 &why))
			return fail(table->protections[i].protection->name,
				    why);
	if (link_objects(run->arena, objects, table->protection_count,
			 &linked, &why))
		return fail("cannot link the templates", why);
	*programs = linked;
	if (!run->options.unfolded &&
	    optimize_object(run->arena, &linked, programs, report, &why))
		return fail("cannot fold the programs", why);
	return 0;
}

/* What is written was run: its code decides what the policy says. */
static int check_bundle(struct run *run, const struct plan *plan,
			const struct blob *bundle)
{
	const char *why;

	if (!evaluate_object(run->arena, bundle->bytes,
			     bundle->size - BUNDLE_TRAILER_SIZE, &plan->table,
			     NULL, &why))
		return 0;
	fprintf(stderr, "bpflockc: internal error: %s\n", why);
	return 1;
}

static int compile(struct run *run, const struct plan *plan)
{
	const char *output = run->options.output, *why = "";
	struct digest source = digest_sources(run);
	struct optimize_report report = { 0 };
	struct blob programs, bundle;

	if (make_programs(run, plan, &programs, &report))
		return 1;
	if (emit_bundle(run->arena, &programs, &plan->table, &source, &bundle,
			&why))
		return fail("cannot make the bundle", why);
	if (check_bundle(run, plan, &bundle))
		return 1;
	if (emit_write(run->arena, output, &bundle, &why))
		return fail(output, why);
	return 0;
}

static int list(struct run *run, const struct plan *plan)
{
	struct optimize_report report = { 0 };
	const char *why = "";
	struct blob programs;

	if (make_programs(run, plan, &programs, &report))
		return 1;
	if (listing_print(stdout, run->arena, &programs, &plan->table, &report,
			  &why))
		return fail("cannot list the programs", why);
	return 0;
}

static int why(struct run *run, const struct plan *plan)
{
	struct policy_reference reference;
	struct subjects subjects;

	if (!query_subjects(&run->parse, run->resolve, run->options.subject,
			    &subjects) ||
	    !query_reference(run->resolve, run->options.reference, &reference))
		return gate(run);
	for (uint32_t i = 0; i < subjects.count; i++)
		explain_why(stdout, run->arena, plan, &subjects.list[i],
			    reference.protection, reference.operations);
	return 0;
}

static int prove_assertion(struct run *run, const struct table *table)
{
	struct policy_assertion assertion;

	if (!query_assertion(&run->parse, run->resolve,
			     run->options.assertion, &assertion))
		return gate(run);
	return !query_prove(stdout, run->arena, table, &assertion);
}

static int act(struct run *run, const struct plan *plan)
{
	switch (run->options.action) {
	case ACTION_COMPILE:
		return compile(run, plan);
	case ACTION_EXPLAIN:
		explain_table(stdout, &plan->table, run->options.format);
		return 0;
	case ACTION_EMIT_PLAN:
		explain_table(stdout, &plan->table, EXPLAIN_PLAN);
		return 0;
	case ACTION_EMIT_ASM:
		return list(run, plan);
	case ACTION_WHY:
		return why(run, plan);
	case ACTION_PROVE:
		return prove_assertion(run, &plan->table);
	default: /* --check has done all of it */
		return 0;
	}
}

static int run_policy(struct run *run)
{
	uint32_t today = check_today();
	struct plan *plan;

	if (!today)
		return fail("SOURCE_DATE_EPOCH",
			    "this is no number of seconds since 1970");
	plan = plan_policy(run, today);
	if (gate(run))
		return 1;
	return act(run, plan);
}

/* Whether the bundle's note, which may be anybody's, is what its code does. */
static int check_note(struct run *run, const struct bundle *bundle)
{
	const char *why;

	if (!evaluate_object(run->arena, bundle->elf, bundle->elf_size,
			     &bundle->note->table, NULL, &why))
		return 0;
	return fail(run->options.input,
		    arena_printf(run->arena,
				 "its note is not what its code does: %s",
				 why));
}

/* A bundle answers from its note, once that was found to be true. */
static int run_bundle(struct run *run)
{
	struct bundle *bundle;
	struct blob bytes;
	int status;

	if (run->options.action != ACTION_EXPLAIN &&
	    run->options.action != ACTION_PROVE)
		return fail(run->options.input,
			    "this is a bundle, where a policy is wanted");
	bundle = query_open_bundle(run->arena, run->diag, run->options.input,
				   &bytes);
	if (!bundle)
		return gate(run);
	resolve_take_destinations(run->resolve, &bundle->note->table);
	status = check_note(run, bundle);
	if (!status && run->options.action == ACTION_EXPLAIN)
		explain_table(stdout, &bundle->note->table,
			      run->options.format);
	else if (!status)
		status = prove_assertion(run, &bundle->note->table);
	bundle_close(bundle);
	return status;
}

static int run_options(struct run *run)
{
	int status = set_up(run);

	if (status)
		return status;
	if (run->options.action == ACTION_HELP)
		fputs(options_help, stdout);
	else if (run->options.action == ACTION_VERSION)
		puts("bpflockc " BPFLOCK_VERSION);
	else if (query_is_bundle(run->options.input))
		status = run_bundle(run);
	else
		status = run_policy(run);
	if (fflush(stdout) || ferror(stdout))
		return fail("standard output", strerror(errno));
	return status;
}

int main(int argc, char **argv)
{
	struct run run = { .arena = arena_new() };
	int status = options_parse(run.arena, argc, argv, &run.options);

	if (!status)
		status = run_options(&run);
	arena_free(run.arena);
	return status;
}
