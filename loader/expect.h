/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The instructions that a bundle comes to on this kernel, from its own bytes:
 * libbpf does all that it does before loading, CO-RE included, and is stopped
 * there.  It creates the maps for that, which go again at once.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "loader/run.h"

struct bpf_insn;
struct bpf_program;

struct expected_program {
	const struct bpf_program *program;
	struct bpf_insn *instructions; /* owned; a map's imm is its index */
	size_t count;
};

struct expected {
	struct expected_program *programs; /* owned; in the bundle's order */
	size_t count;
};

/* What is being taken; only for its place. */
struct capture {
	const struct bpf_object *object;
	struct expected *expected;
	int err; /* 1: not asked yet */
};

/* Call it once: from then on this process loads no program that it opens, and
 * *@capture has to be there.  Returns 0, or -errno after saying on stderr what
 * is wrong. */
int expect_begin(struct capture *capture);

/*
 * Opens @load's object anew with @open, binds @run's facts, and takes the
 * instructions.  @load->object stays open: programs and maps are its.  On
 * success *@expected is the caller's to expected_free().  Returns 0, or -errno
 * after saying on stderr what is wrong.
 */
int expect_programs(struct run *run, struct load *load,
		    int (*open)(struct run *run, struct load *load),
		    struct capture *capture, struct expected *expected);

/* For cleanup; all zeros is fine. */
void expected_free(struct expected *expected);
