/* SPDX-License-Identifier: GPL-2.0-only */
/* bpflockc's command line. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "compiler/explain.h"

struct arena;

enum action {
	ACTION_COMPILE,
	ACTION_CHECK,
	ACTION_EXPLAIN,
	ACTION_WHY,
	ACTION_PROVE,
	ACTION_EMIT_PLAN,
	ACTION_EMIT_ASM,
	ACTION_HELP,
	ACTION_VERSION,
};

struct options {
	enum action action;
	enum explain_format format;
	const char *input; /* the policy, or for some actions the bundle */
	const char *output; /* of -o */
	const char **include_folders;
	size_t include_folder_count;
	const char **defines; /* "NAME=EXPR", NAME being one */
	size_t define_count;
	const char **warnings; /* what stands behind -W */
	size_t warning_count;
	unsigned target; /* KERNEL(major, minor); 0 without */
	bool unfolded;	 /* -O0 */
	const char *subject;   /* of --why */
	const char *reference; /* of --why */
	const char *assertion; /* of --prove */
};

/*
 * Returns 0 with *@options set; 2 after a message on stderr where the command
 * line is wrong, or asks for what is not there yet.
 */
int options_parse(struct arena *arena, int argc, char **argv,
		  struct options *options);

/* One of the options given that change how a policy is read or compiled, and say
 * nothing to a bundle; NULL where there are none. */
const char *options_for_policies(const struct options *options);

/* What --help prints. */
extern const char options_help[];
