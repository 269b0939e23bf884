/* SPDX-License-Identifier: GPL-2.0-only */
/* bpflock-log: what the loaded policies denied, and what else they log. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "bundle/version.h"
#include "loader/cleanup.h"
#include "loader/cmdline.h"
#include "loader/detail.h"
#include "loader/log.h"
#include "loader/report.h"

enum option_code {
	OPTION_FOLLOW = REPORT_CODES,
	OPTION_HELP,
	OPTION_JOURNAL,
	OPTION_JSON,
	OPTION_LOGFMT,
	OPTION_VERSION,
	OPTION_FILTER,
};

static const struct option long_options[] = {
	{ "cgroup", required_argument, NULL, OPTION_FILTER + FILTER_CGROUP },
	{ "follow", no_argument, NULL, OPTION_FOLLOW },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "journal", no_argument, NULL, OPTION_JOURNAL },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "logfmt", no_argument, NULL, OPTION_LOGFMT },
	{ "policy", required_argument, NULL, OPTION_FILTER + FILTER_POLICY },
	{ "protection", required_argument, NULL,
	  OPTION_FILTER + FILTER_PROTECTION },
	{ "verdict", required_argument, NULL, OPTION_FILTER + FILTER_VERDICT },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ 0 },
};

static void show_help(void)
{
	fputs("usage: bpflock-log [--json | --logfmt | --journal] [--follow]\n"
	      "                   [filter]...\n"
	      "\n"
	      "  --json      one JSON object a line\n"
	      "  --logfmt    key=value, quoted where it is a text\n"
	      "  --journal   send them to the journal of systemd instead\n"
	      "  --follow    go on with the events that come\n"
	      "  --help      this text\n"
	      "  --version   the version\n"
	      "\n"
	      "Filters; each may be repeated, and then one of them has to "
	      "match:\n"
	      "\n"
	      "  --policy NAME\n"
	      "  --protection NAME[.OPERATION]\n"
	      "  --verdict denied | would-deny | allowed | traced\n"
	      "  --cgroup PATH    it, and all below it\n",
	      stdout);
}

/* One form alone.  Returns 0, or -EINVAL after saying so. */
static int set_format(struct log_options *options, bool *set,
		      enum format format)
{
	if (*set && options->format != format) {
		report_note("--json, --logfmt and --journal exclude each "
			    "other");
		return -EINVAL;
	}
	*set = true;
	options->format = format;
	return 0;
}

/* Returns 0; 1 where there is nothing more to do; or -errno after saying what
 * is wrong. */
static int read_options(int argc, char **argv, struct log_options *options)
{
	bool set = false;
	int code, err = 0;

	opterr = 0;
	while (!err && (code = getopt_long(argc, argv, ":", long_options,
					   NULL)) != -1) {
		switch (code) {
		case OPTION_FOLLOW:
			options->follow = true;
			break;
		case OPTION_JSON:
			err = set_format(options, &set, FORMAT_JSON);
			break;
		case OPTION_LOGFMT:
			err = set_format(options, &set, FORMAT_LOGFMT);
			break;
		case OPTION_JOURNAL:
			err = set_format(options, &set, FORMAT_JOURNAL);
			break;
		case OPTION_HELP:
			show_help();
			return 1;
		case OPTION_VERSION:
			puts("bpflock-log " BPFLOCK_VERSION);
			return 1;
		case OPTION_FILTER ... OPTION_FILTER + FILTER_KINDS - 1:
			err = filter_add(
				&options->filter,
				(enum filter_kind)(code - OPTION_FILTER),
				optarg);
			break;
		default:
			err = report_option(code, argv);
		}
	}
	if (!err && optind < argc) {
		report_note("it takes no operand; see bpflock-log --help");
		err = -EINVAL;
	}
	return err;
}

static void free_options(struct log_options *options)
{
	filter_free(&options->filter);
}

int main(int argc, char **argv)
{
	CLEANUP(free_options) struct log_options options = { 0 };
	int read;

	if (!stand_alone())
		return 1;
	read = read_options(argc, argv, &options);
	if (read < 0)
		return read == -EINVAL ? 2 : 1;
	if (read)
		return report_end() ? 1 : 0;
	if (cmdline_is_off()) {
		report_note("BPFLOCK IS OFF: bpflock=off is on the kernel's "
			    "command line, NOTHING IS LOADED OR ENFORCED, and "
			    "there is nothing to log");
		return 0;
	}
	detail_silence();
	return log_show(stdout, &options) ? 1 : 0;
}
