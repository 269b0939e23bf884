/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/operations.h"
#include "compiler/arena.h"
#include "grammar/words.h"

const char options_help[] =
	"usage: bpflockc [OPTION]... POLICY -o BUNDLE\n"
	"       bpflockc --check [OPTION]... POLICY\n"
	"       bpflockc --explain [--format=text|markdown|json] POLICY-or-BUNDLE\n"
	"       bpflockc --why SUBJECT PROTECTION.OPERATION POLICY\n"
	"       bpflockc --prove 'ASSERTION' POLICY-or-BUNDLE\n"
	"       bpflockc --emit=plan|asm POLICY\n"
	"\n"
	"Compiles a policy to a bundle that bpflock-load attaches, or says what the\n"
	"policy decides.\n"
	"\n"
	"  -o FILE            write the bundle to FILE\n"
	"  -I DIR             look for included files in DIR too\n"
	"  -D NAME=EXPR       a let from the command line\n"
	"  -O0                leave the templates as they are, constants unfolded\n"
	"  -Werror[=NAME]     make warnings, or those of one name, errors\n"
	"  -WNAME             make them warnings again, as -Wno-error[=NAME] does\n"
	"  -Wno-NAME          turn the warnings of one name off\n"
	"  --target KERNEL    refuse what that kernel (as 6.1) cannot decide\n"
	"  --check            diagnose only\n"
	"  --explain          print the decision table, a column a class\n"
	"  --why              print the statements that decide, the deciding one marked\n"
	"  --prove            hold an assertion against the policy: exit 0 where it holds\n"
	"  --emit=plan        print what the back end is given\n"
	"  --emit=asm         print the programs, and what the policy decided in them\n"
	"  --help, --version\n"
	"\n"
	"Exit status: 0 done, 1 refused, 2 wrong usage.\n";

enum long_option {
	OPTION_CHECK = 256,
	OPTION_EXPLAIN,
	OPTION_WHY,
	OPTION_PROVE,
	OPTION_EMIT,
	OPTION_FORMAT,
	OPTION_TARGET,
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_LATER,
};

static const struct option long_options[] = {
	{ "check", no_argument, NULL, OPTION_CHECK },
	{ "explain", no_argument, NULL, OPTION_EXPLAIN },
	{ "why", required_argument, NULL, OPTION_WHY },
	{ "prove", required_argument, NULL, OPTION_PROVE },
	{ "emit", required_argument, NULL, OPTION_EMIT },
	{ "format", optional_argument, NULL, OPTION_FORMAT },
	{ "target", required_argument, NULL, OPTION_TARGET },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	/* of the language's command lines, and not written yet */
	{ "sign", required_argument, NULL, OPTION_LATER },
	{ "diff", no_argument, NULL, OPTION_LATER },
	{ "check-format", no_argument, NULL, OPTION_LATER },
	{ "verify-source", no_argument, NULL, OPTION_LATER },
	{ "replay", required_argument, NULL, OPTION_LATER },
	{ "import", required_argument, NULL, OPTION_LATER },
	{ "keygen", required_argument, NULL, OPTION_LATER },
	{ "lsp", no_argument, NULL, OPTION_LATER },
	{ NULL, 0, NULL, 0 },
};

static int usage(const char *message, const char *argument)
{
	fprintf(stderr, "bpflockc: %s%s%s; see bpflockc --help\n", message,
		argument ? " " : "", argument ? argument : "");
	return 2;
}

static int later(const char *name)
{
	fprintf(stderr, "bpflockc: --%s is not there yet in this version\n",
		name);
	return 2;
}

static int set_action(struct options *options, enum action action)
{
	if (options->action != ACTION_COMPILE && options->action != action)
		return usage("two different things are asked for", NULL);
	options->action = action;
	return 0;
}

static bool find_format(const char *name, enum explain_format *format)
{
	static const struct {
		const char *name;
		enum explain_format format;
	} formats[] = {
		{ "text", EXPLAIN_TEXT },
		{ "markdown", EXPLAIN_MARKDOWN },
		{ "json", EXPLAIN_JSON },
	};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcmp(formats[i].name, name))
			continue;
		*format = formats[i].format;
		return true;
	}
	return false;
}

/* @next is the word behind it, or NULL: no value, as without one --format is
 * another command of the language. */
static int set_format(struct options *options, const char *name,
		      const char *next)
{
	enum explain_format format;

	if (name && find_format(name, &options->format))
		return 0;
	if (name)
		return usage("--format is text, markdown or json, not", name);
	if (!next || !find_format(next, &format))
		return later("format");
	fprintf(stderr, "bpflockc: write --format=%s; see bpflockc --help\n",
		next);
	return 2;
}

static int set_emit(struct options *options, const char *name)
{
	if (!strcmp(name, "asm"))
		return set_action(options, ACTION_EMIT_ASM);
	if (strcmp(name, "plan"))
		return usage("--emit is plan or asm, not", name);
	return set_action(options, ACTION_EMIT_PLAN);
}

static int add_define(struct options *options, const char *text)
{
	const char *equals = strchr(text, '=');

	if (!equals || !word_is_name(text, (size_t)(equals - text)))
		return usage("-D takes NAME=EXPR, not", text);
	options->defines[options->define_count++] = text;
	return 0;
}

/* A number up to 255 in decimal; what is behind it, or NULL. */
static const char *read_number(const char *text, unsigned *number)
{
	*number = 0;
	if (*text < '0' || *text > '9')
		return NULL;
	for (; *text >= '0' && *text <= '9'; text++) {
		*number = *number * 10 + (unsigned)(*text - '0');
		if (*number > 255)
			return NULL;
	}
	return text;
}

static int set_target(struct options *options, const char *name)
{
	unsigned major, minor;
	const char *rest = read_number(name, &major);

	if (rest && *rest == '.')
		rest = read_number(rest + 1, &minor);
	else
		rest = NULL;
	if (!rest || *rest)
		return usage("--target is a kernel like 6.1, not", name);
	options->target = KERNEL(major, minor);
	return 0;
}

/* One option; what getopt_long() found wrong comes as '?' or ':'. */
static int set_option(struct options *options, int option, int index,
		      char **argv)
{
	switch (option) {
	case 'o':
		options->output = optarg;
		return 0;
	case 'I':
		options->include_folders[options->include_folder_count++] =
			optarg;
		return 0;
	case 'D':
		return add_define(options, optarg);
	case 'W':
		options->warnings[options->warning_count++] = optarg;
		return 0;
	case 'O':
		if (strcmp(optarg, "0"))
			return usage("-O takes 0, and not", optarg);
		options->unfolded = true;
		return 0;
	case OPTION_CHECK:
		return set_action(options, ACTION_CHECK);
	case OPTION_EXPLAIN:
		return set_action(options, ACTION_EXPLAIN);
	case OPTION_WHY:
		options->subject = optarg;
		return set_action(options, ACTION_WHY);
	case OPTION_PROVE:
		options->assertion = optarg;
		return set_action(options, ACTION_PROVE);
	case OPTION_EMIT:
		return set_emit(options, optarg);
	case OPTION_FORMAT:
		return set_format(options, optarg, argv[optind]);
	case OPTION_TARGET:
		return set_target(options, optarg);
	case OPTION_HELP:
		return set_action(options, ACTION_HELP);
	case OPTION_VERSION:
		return set_action(options, ACTION_VERSION);
	case OPTION_LATER:
		return later(long_options[index].name);
	case ':':
		return usage("an argument is missing behind", argv[optind - 1]);
	default:
		return usage("there is no option", argv[optind - 1]);
	}
}

static int set_operands(struct options *options, int count, char **operands)
{
	int wanted = options->action == ACTION_WHY ? 2 : 1;

	if (options->action == ACTION_HELP ||
	    options->action == ACTION_VERSION)
		return 0;
	if (count < wanted)
		return usage(options->action == ACTION_WHY ?
				     "--why takes SUBJECT PROTECTION.OPERATION POLICY" :
				     "no policy is named",
			     NULL);
	if (count > wanted)
		return usage("one policy at a time; unexpected",
			     operands[wanted]);
	if (options->action == ACTION_WHY)
		options->reference = operands[0];
	options->input = operands[count - 1];
	if (options->action == ACTION_COMPILE &&
	    (!options->output || !options->output[0]))
		return usage("no output is named: -o BUNDLE", NULL);
	if (options->action == ACTION_COMPILE && !strcmp(options->output, "-"))
		return usage("-o - is not standard output: that is -o /dev/stdout, and the file -o ./-",
			     NULL);
	if (options->action != ACTION_COMPILE && options->output)
		return usage("-o goes with compiling only", NULL);
	return 0;
}

int options_parse(struct arena *arena, int argc, char **argv,
		  struct options *options)
{
	int option, err, index = 0;

	*options = (struct options){
		.include_folders = arena_array(arena, (size_t)argc,
					       sizeof(const char *)),
		.defines = arena_array(arena, (size_t)argc,
				       sizeof(const char *)),
		.warnings = arena_array(arena, (size_t)argc,
					sizeof(const char *)),
	};
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":o:I:D:W:O:", long_options,
				     &index)) != -1) {
		err = set_option(options, option, index, argv);
		if (err)
			return err;
	}
	return set_operands(options, argc - optind, argv + optind);
}

const char *options_for_policies(const struct options *options)
{
	return options->include_folder_count ? "-I"
	       : options->define_count	     ? "-D"
	       : options->warning_count	     ? "-W"
	       : options->unfolded	     ? "-O0"
	       : options->target	     ? "--target"
					     : NULL;
}
