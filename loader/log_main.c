/* SPDX-License-Identifier: GPL-2.0-only */
/* bpflock-log: what the loaded policies denied, and what else they log. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "loader/cmdline.h"
#include "loader/detail.h"
#include "loader/log.h"
#include "loader/report.h"
#include "loader/version.h"

enum option_code { OPTION_HELP = 256, OPTION_VERSION };

static const struct option long_options[] = {
	{ "follow", no_argument, NULL, 'f' },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "json", no_argument, NULL, 'j' },
	{ "logfmt", no_argument, NULL, 'l' },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ 0 },
};

static void show_help(void)
{
	fputs("usage: bpflock-log [--json | --logfmt] [--follow]\n"
	      "\n"
	      "  --json      one JSON object a line\n"
	      "  --logfmt    key=value, quoted where it is a text\n"
	      "  --follow    go on with the events that come\n"
	      "  --help      this text\n"
	      "  --version   the version\n",
	      stdout);
}

int main(int argc, char **argv)
{
	enum format format = FORMAT_TEXT;
	bool follow = false;
	int code;

	if (!stand_alone())
		return 1;
	opterr = 0;
	while ((code = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (code) {
		case 'f':
			follow = true;
			break;
		case 'j':
			format = FORMAT_JSON;
			break;
		case 'l':
			format = FORMAT_LOGFMT;
			break;
		case OPTION_HELP:
			show_help();
			return 0;
		case OPTION_VERSION:
			puts("bpflock-log " VERSION);
			return 0;
		default:
			report_note("'%s' is no option; see bpflock-log --help",
				    argv[optind - 1]);
			return 2;
		}
	}
	if (optind < argc) {
		report_note("it takes no operand; see bpflock-log --help");
		return 2;
	}
	if (cmdline_is_off()) {
		report_note("BPFLOCK IS OFF: bpflock=off is on the kernel's "
			    "command line, NOTHING IS LOADED OR ENFORCED, and "
			    "there is nothing to log");
		return 0;
	}
	detail_silence();
	return log_show(stdout, format, follow) ? 1 : 0;
}
