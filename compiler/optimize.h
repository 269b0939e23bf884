/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The stage between linking and the bundle: folds each program of the linked
 * object, and takes away what then nothing needs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler/blob.h"
#include "compiler/cfg.h"

struct arena;

/* What became of a program, in the order of the object. */
struct optimized {
	const char *name;
	const char *section;
	size_t slots_before;
	size_t slots_after; /* 0: it came down to returning 0, or nothing calls
			     * it, and it went */
	bool folded;	    /* false: not understood, and left as it was */
	/* Of each slot that is left, the policy's bits that its constant is
	 * made of; NULL where it was not folded. */
	const struct source_bits (*sources)[SOURCES];
	/* What decided branches that went. */
	const struct decision *decisions;
	size_t decision_count;
};

struct optimize_report {
	struct optimized *programs;
	size_t count;
	size_t capacity;
};

/*
 * Folds @linked, which must stay.  Returns 0 with *@folded set, in the arena,
 * and *@report filled, or -errno with *@why set, in the arena or constant,
 * where the object is damaged.  The same object gives the same bytes.
 */
int optimize_object(struct arena *arena, const struct blob *linked,
		    struct blob *folded, struct optimize_report *report,
		    const char **why);
