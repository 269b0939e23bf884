/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a table says of one access by one subject, and whether what programs
 * did is that.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bundle/table.h"
#include "compiler/proof/access.h"
#include "compiler/proof/world.h"

struct arena;

/* Who does what. */
struct deed {
	const struct table *table;
	const struct access *access;
	const uint64_t *operations; /* that it is, two masks a protection of the
				     * table: with boot facts bound, without */
	const struct access_subject *subject;
	const char *cgroup;	 /* where the subject is */
	const uint32_t *classes; /* the subject's, as table->protections */
	bool lost;		 /* its cgroup cannot be told */
	bool anyone;		 /* nor who it asks for */
	bool exempt;		 /* it is the loader, which may do this */
};

/* What the programs of the hook did. */
struct outcome {
	bool denied;
	uint64_t dropped; /* events that found no room */
};

/* The class of a task of @place in the cgroup @path. */
uint32_t verdict_class(const struct table_protection *protection,
		       enum place place, const char *path);

/*
 * Compares.  Returns NULL where all is as the table says, else what is not,
 * in the arena.
 */
const char *verdict_compare(struct arena *arena, const struct deed *deed,
			    const struct world *world,
			    const struct outcome *outcome);

/* Words for a class, in the arena. */
const char *verdict_class_words(struct arena *arena,
				const struct table_protection *row,
				uint32_t class);

/* Words for who, what and where, behind what is wrong. */
const char *verdict_context(struct arena *arena, const struct deed *deed,
			    const struct world *world);
