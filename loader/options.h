/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line of bpflock-load. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "bundle/digest.h"

enum command {
	COMMAND_LOAD,
	COMMAND_CHECK,
	COMMAND_STATUS,
	COMMAND_UNLOAD,
	COMMAND_VERIFY,
	COMMAND_HELP,
	COMMAND_VERSION,
};

struct options {
	enum command command;
	bool json;
	char **operands; /* bundles, or the one policy to unload; argv's */
	size_t operand_count;
	struct digest *digests; /* of --digest, owned */
	size_t digest_count;
};

/* For cleanup. */
void options_free(struct options *options);

/*
 * Returns 0, or -ENOMEM or -EINVAL after a hint on stderr; *@options, which has
 * to be zeroed before, is the caller's to free in each case.
 */
int options_parse(int argc, char **argv, struct options *options);

void options_help(void);
