/* SPDX-License-Identifier: GPL-2.0-only */
/* bpflock-load: bundles go into the kernel, all of them or none. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "bundle/version.h"
#include "loader/attach.h"
#include "loader/attest.h"
#include "loader/bind.h"
#include "loader/cleanup.h"
#include "loader/cmdline.h"
#include "loader/detail.h"
#include "loader/gate.h"
#include "loader/guard.h"
#include "loader/inspect.h"
#include "loader/options.h"
#include "loader/pin.h"
#include "loader/probe.h"
#include "loader/prove.h"
#include "loader/reasons.h"
#include "loader/replace.h"
#include "loader/report.h"
#include "loader/room.h"
#include "loader/run.h"
#include "loader/status.h"
#include "loader/subjects.h"
#include "loader/unload.h"
#include "loader/vault.h"
#include "loader/verify.h"

enum exit_status { EXIT_DONE, EXIT_REFUSED, EXIT_USAGE };

/* Up to the kernel's types, whatever is then done with the opened bundles.
 * Nothing of it touches anything, nor do the two after it. */
static const struct stage open_stages[] = {
	{ .name = "read", .bundle = read_bundle },
	{ .name = "verify", .bundle = verify_bundle },
	{ .bundle = inspect_sections },
	{ .name = "probe", .machine = probe_machine },
	{ .machine = open_home },
	{ .machine = look_at_vault },
	{ .name = "open", .bundle = open_object },
	{ .bundle = inspect_object },
	{ .name = "hooks", .machine = probe_kernel },
	{ 0 },
};

/* --check ends behind it. */
static const struct stage check_stages[] = {
	{ .bundle = probe_hooks },
	{ .bundle = probe_reasons },
	{ .bundle = probe_subjects },
	{ .name = "names", .bundle = replace_decide },
	{ .name = "room", .machine = probe_room },
	{ .machine = refuse_when_sealed },
	{ .machine = probe_vault },
	{ .machine = probe_guard },
	{ .machine = probe_foreign },
	{ 0 },
};

static const struct stage verify_stages[] = {
	{ .name = "bind", .machine = bind_boot_facts },
	{ .name = "attest", .machine = attest },
	{ 0 },
};

static const struct stage load_stages[] = {
	{ .machine = close_gate },
	{ .machine = make_vault },
	{ .machine = find_may_probe },
	{ .name = "bind", .machine = bind_boot_facts },
	{ .name = "load", .bundle = load_object },
	{ .name = "guard", .machine = load_guard },
	{ .machine = refuse_foreign },
	{ .machine = attach_guard },
	{ .bundle = guard_programs },
	{ .bundle = freeze_maps },
	{ .bundle = stage_policy },
	{ .bundle = attach_and_prove },
	{ .bundle = pin_links },
	{ .machine = end_loading },
	{ .bundle = put_in_place },
	{ .machine = seal_vault },
	{ .machine = retire_replaced },
	{ 0 },
};

/* The kinds of one sort that a policy names, as "2 protections enforced (a,
 * b)"; nothing where there are none. */
static void show_kinds(const struct table *table, bool trace, const char *kind,
		       const char *done)
{
	unsigned count = status_names(table, trace, NULL, NULL, NULL);

	if (!count)
		return;
	printf("%u %s%s %s", count, kind, count == 1 ? "" : "s", done);
	status_names(table, trace, " (", ", ", "");
	fputs("), ", stdout);
}

static void show_loaded(const struct load *load)
{
	const struct table *table = &load->bundle->note->table;

	printf("bpflock-load: %s version %" PRIu32 ": ", table->policy,
	       table->version);
	if (load->already) {
		puts("already loaded, nothing to do");
		return;
	}
	if (load->replaces)
		printf("replaces version %" PRIu32 ", ", load->old_version);
	show_kinds(table, false, "protection",
		   table->audit ? "audited" : "enforced");
	show_kinds(table, true, "trace", "on");
	printf("%zu hook%s, %zu proven, seal %s\n", load->link_count,
	       load->link_count == 1 ? "" : "s", load->proven,
	       table->locked ? "locked" : "open");
}

static void show_fit(const struct load *load)
{
	if (load->already)
		printf("bpflock-load: %s: is already loaded\n", load->path);
	else if (load->replaces)
		printf("bpflock-load: %s: can be loaded, and replaces version "
		       "%" PRIu32 "\n",
		       load->path, load->old_version);
	else
		printf("bpflock-load: %s: can be loaded\n", load->path);
}

static enum exit_status load(const struct options *options)
{
	CLEANUP(run_free) struct run run = RUN_NONE;
	bool checks = options->command == COMMAND_CHECK;
	int err;

	if (!checks && cmdline_is_off()) {
		report_note("BPFLOCK IS OFF: bpflock=off is on the kernel's "
			    "command line, NOTHING IS LOADED OR ENFORCED");
		return EXIT_DONE;
	}
	err = run_start(&run, options);
	if (!err)
		err = run_stages(&run, open_stages);
	if (!err)
		err = run_stages(&run, check_stages);
	if (!err && !checks)
		err = run_stages(&run, load_stages);
	for (size_t i = 0; i < run.count && !err; i++)
		(checks ? show_fit : show_loaded)(&run.loads[i]);
	return err ? EXIT_REFUSED : EXIT_DONE;
}

static enum exit_status verify(const struct options *options)
{
	CLEANUP(run_free) struct run run = RUN_NONE;
	int err = run_start(&run, options);

	if (!err)
		err = run_stages(&run, open_stages);
	if (!err)
		err = run_stages(&run, verify_stages);
	return err ? EXIT_REFUSED : EXIT_DONE;
}

static enum exit_status obey(const struct options *options)
{
	switch (options->command) {
	case COMMAND_LOAD:
	case COMMAND_CHECK:
		return load(options);
	case COMMAND_VERIFY:
		return verify(options);
	case COMMAND_STATUS:
		return status_show(options->json) ? EXIT_REFUSED : EXIT_DONE;
	case COMMAND_UNLOAD:
		return unload_policy(options->operands[0]) ? EXIT_REFUSED
							   : EXIT_DONE;
	case COMMAND_HELP:
		options_help();
		return EXIT_DONE;
	case COMMAND_VERSION:
		puts("bpflock-load " BPFLOCK_VERSION);
		return EXIT_DONE;
	}
	return EXIT_USAGE;
}

/* Whether what it prints is all that there is of it. */
static bool only_tells(enum command command)
{
	return command != COMMAND_LOAD && command != COMMAND_UNLOAD;
}

int main(int argc, char **argv)
{
	CLEANUP(options_free) struct options options = { 0 };
	enum exit_status status;
	int err;

	if (!stand_alone())
		return EXIT_REFUSED;
	err = options_parse(argc, argv, &options);
	if (err)
		return err == -EINVAL ? EXIT_USAGE : EXIT_REFUSED;
	detail_silence();
	status = obey(&options);
	if (only_tells(options.command) && report_end() && status == EXIT_DONE)
		status = EXIT_REFUSED;
	return (int)status;
}
