/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The destinations of a policy, as they are resolved: first their names, which
 * are operations wherever a rule is, then what is in each.
 */
#pragma once

#include "bundle/destination.h"
#include "compiler/ast.h"
#include "compiler/lets.h"

struct destinations;

struct destinations *destinations_new(struct arena *arena, struct lets *lets);

/* A `destination NAME { }` of the policy; a second of one name is reported. */
void destinations_add(struct destinations *destinations,
		      const struct statement *from);

/*
 * After the last destinations_add() and before lets_check(): checks the names
 * and makes them operations of lets->kinds[PROTECTION_network].  The array that
 * is returned has one element for each, which destinations_resolve() fills.
 */
const struct destination *destinations_name(struct destinations *destinations);

/* What is in the destination that @from is; what is wrong is reported. */
void destinations_resolve(struct destinations *destinations,
			  const struct statement *from);

/* After the last use: warns of those that had none. */
void destinations_report_unused(const struct destinations *destinations);
