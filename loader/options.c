/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/options.h"

#include <errno.h>
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/report.h"

/* Commands are their own codes. */
#define CODE(command) (REPORT_CODES + (command))
#define OPTION_JSON   CODE(COMMAND_VERSION + 1)
#define OPTION_DIGEST CODE(COMMAND_VERSION + 2)

static const struct option long_options[] = {
	{ "check", no_argument, NULL, CODE(COMMAND_CHECK) },
	{ "digest", required_argument, NULL, OPTION_DIGEST },
	{ "help", no_argument, NULL, CODE(COMMAND_HELP) },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "status", no_argument, NULL, CODE(COMMAND_STATUS) },
	{ "unload", no_argument, NULL, CODE(COMMAND_UNLOAD) },
	{ "verify", no_argument, NULL, CODE(COMMAND_VERIFY) },
	{ "version", no_argument, NULL, CODE(COMMAND_VERSION) },
	{ 0 },
};

void options_help(void)
{
	fputs("usage: bpflock-load [--digest HEX] BUNDLE...\n"
	      "       bpflock-load --check [--digest HEX] BUNDLE...\n"
	      "       bpflock-load --verify [--json] [--digest HEX] BUNDLE...\n"
	      "       bpflock-load --status [--json]\n"
	      "       bpflock-load --unload NAME\n"
	      "\n"
	      "  --check       say whether it would load, touching nothing\n"
	      "  --digest HEX  take no bundle but one with this SHA-256; may\n"
	      "                be given once for each bundle\n"
	      "  --verify      whether the kernel enforces exactly this\n"
	      "  --status      what is enforced now\n"
	      "  --json        the same for programs\n"
	      "  --unload      remove the policy of that name\n"
	      "  --help        this text\n"
	      "  --version     the version\n",
	      stdout);
}

void options_free(struct options *options)
{
	free(options->digests);
}

static int usage(const char *words)
{
	report_note("%s; see bpflock-load --help", words);
	return -EINVAL;
}

static int add_digest(struct options *options, const char *hex)
{
	struct digest *grown;
	struct digest digest;
	size_t size;

	if (strlen(hex) != DIGEST_HEX_SIZE - 1 ||
	    sodium_hex2bin(digest.bytes, DIGEST_SIZE, hex, strlen(hex), NULL,
			   &size, NULL) ||
	    size != DIGEST_SIZE)
		return usage("--digest takes the 64 digits of sha256sum");
	grown = reallocarray(options->digests, options->digest_count + 1,
			     sizeof(*grown));
	if (!grown)
		return refuse(-ENOMEM, MACHINE, "start", NULL, "out of memory");
	grown[options->digest_count++] = digest;
	options->digests = grown;
	return 0;
}

/* A command once, and with what it takes. */
static int check_usage(const struct options *options, unsigned commands)
{
	size_t count = options->operand_count;

	if (commands > 1)
		return usage(
			"one of --check, --verify, --status, --unload at a time");
	if (options->json && options->command != COMMAND_STATUS &&
	    options->command != COMMAND_VERIFY)
		return usage("--json belongs to --status and --verify");
	if (options->digest_count && (options->command == COMMAND_STATUS ||
				      options->command == COMMAND_UNLOAD))
		return usage("--digest is for bundles, and none is read here");
	switch (options->command) {
	case COMMAND_LOAD:
	case COMMAND_CHECK:
	case COMMAND_VERIFY:
		return count ? 0 : usage("no bundle was named");
	case COMMAND_STATUS:
		return count ? usage("--status takes no operand") : 0;
	case COMMAND_UNLOAD:
		return count == 1 ? 0 : usage("--unload takes one policy");
	case COMMAND_HELP:
	case COMMAND_VERSION:
		break;
	}
	return 0;
}

int options_parse(int argc, char **argv, struct options *options)
{
	unsigned commands = 0;
	int code, err = 0;

	opterr = 0;
	while ((code = getopt_long(argc, argv, ":", long_options, NULL)) !=
	       -1) {
		if (code == OPTION_JSON) {
			options->json = true;
		} else if (code == OPTION_DIGEST) {
			err = add_digest(options, optarg);
		} else if (code >= CODE(0)) {
			options->command = (enum command)(code - CODE(0));
			commands++;
		} else {
			err = report_option(code, argv);
		}
		if (err || options->command == COMMAND_HELP ||
		    options->command == COMMAND_VERSION)
			return err;
	}
	options->operands = argv + optind;
	options->operand_count = (size_t)(argc - optind);
	return check_usage(options, commands);
}
