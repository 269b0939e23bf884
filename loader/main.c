/* SPDX-License-Identifier: GPL-2.0-only */
/* bpflock-load: bundles go into the kernel, all of them or none. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "loader/attach.h"
#include "loader/bind.h"
#include "loader/cleanup.h"
#include "loader/detail.h"
#include "loader/options.h"
#include "loader/pin.h"
#include "loader/probe.h"
#include "loader/report.h"
#include "loader/run.h"
#include "loader/status.h"
#include "loader/subjects.h"
#include "loader/unload.h"
#include "loader/verify.h"
#include "loader/version.h"

enum exit_status { EXIT_DONE, EXIT_REFUSED, EXIT_USAGE };

/* The kinds of one sort that a policy names, as "2 protections enforced (a,
 * b)"; nothing where there are none. */
static void show_kinds(const struct table *table, bool trace, const char *kind,
		       const char *done)
{
	const char *comma = " (";
	unsigned count = 0;

	for (uint32_t i = 0; i < table->protection_count; i++)
		count += table->protections[i].protection->trace == trace;
	if (!count)
		return;
	printf("%u %s%s %s", count, kind, count == 1 ? "" : "s", done);
	for (uint32_t i = 0; i < table->protection_count; i++) {
		const struct protection *protection =
			table->protections[i].protection;

		if (protection->trace != trace)
			continue;
		printf("%s%s", comma, protection->name);
		comma = ", ";
	}
	fputs("), ", stdout);
}

static void show_loaded(const struct run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		const struct load *load = &run->loads[i];
		const struct table *table = &load->bundle->note->table;

		printf("bpflock-load: %s version %" PRIu32 ": ", table->policy,
		       table->version);
		show_kinds(table, false, "protection",
			   table->audit ? "audited" : "enforced");
		show_kinds(table, true, "trace", "on");
		printf("%zu hook%s, seal %s\n", load->link_count,
		       load->link_count == 1 ? "" : "s",
		       table->locked ? "locked" : "open");
	}
}

static void show_fit(const struct run *run)
{
	for (size_t i = 0; i < run->count; i++)
		printf("bpflock-load: %s: can be loaded\n", run->loads[i].path);
}

static enum exit_status check(const struct options *options)
{
	CLEANUP(run_free) struct run run = { .home = -1 };
	int err = run_start(&run, options);

	if (!err)
		err = read_bundles(&run);
	if (!err)
		err = verify_bundles(&run);
	if (!err)
		err = probe_machine(&run);
	if (!err)
		err = probe_names(&run);
	if (!err)
		err = open_objects(&run);
	if (!err)
		err = probe_hooks(&run);
	if (!err)
		err = probe_subjects(&run);
	if (err)
		return EXIT_REFUSED;
	show_fit(&run);
	return EXIT_DONE;
}

static enum exit_status load(const struct options *options)
{
	CLEANUP(run_free) struct run run = { .home = -1 };
	int err;

	if (probe_is_off()) {
		report_note("BPFLOCK IS OFF: bpflock=off is on the kernel's "
			    "command line, NOTHING IS LOADED OR ENFORCED");
		return EXIT_DONE;
	}
	err = run_start(&run, options);
	if (!err)
		err = read_bundles(&run);
	if (!err)
		err = verify_bundles(&run);
	if (!err)
		err = probe_machine(&run);
	if (!err)
		err = open_home(&run);
	if (!err)
		err = probe_names(&run);
	if (!err)
		err = open_objects(&run);
	if (!err)
		err = probe_hooks(&run);
	if (!err)
		err = probe_subjects(&run);
	if (!err)
		err = bind_boot_facts(&run);
	if (!err)
		err = load_objects(&run);
	if (!err)
		err = freeze_maps(&run);
	if (!err)
		err = stage_policies(&run);
	if (!err)
		err = attach_programs(&run);
	if (!err)
		err = pin_policies(&run);
	if (err)
		return EXIT_REFUSED;
	show_loaded(&run);
	return EXIT_DONE;
}

static enum exit_status obey(const struct options *options)
{
	switch (options->command) {
	case COMMAND_LOAD:
		return load(options);
	case COMMAND_CHECK:
		return check(options);
	case COMMAND_STATUS:
		return status_show(options->json) ? EXIT_REFUSED : EXIT_DONE;
	case COMMAND_UNLOAD:
		return unload_policy(options->operands[0]) ? EXIT_REFUSED
							   : EXIT_DONE;
	case COMMAND_HELP:
		options_help();
		return EXIT_DONE;
	case COMMAND_VERSION:
		puts("bpflock-load " VERSION);
		return EXIT_DONE;
	}
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	CLEANUP(options_free) struct options options = { 0 };
	int err = options_parse(argc, argv, &options);

	if (err)
		return err == -EINVAL ? EXIT_USAGE : EXIT_REFUSED;
	detail_silence();
	return (int)obey(&options);
}
