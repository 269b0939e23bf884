/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a template gets baked in: for each protection one variable
 * `policy_<protection>` of type struct policy, in the section and map
 * ".rodata.policy".  The compiler writes all of it but .operations, which the
 * template states.  BPF includes this too.
 *
 * As a template comes from the compiler's own build everything is denied and
 * logged: an object that was never instantiated fails closed.
 *
 * How it grows when a policy names cgroups: these two classes stay, for tasks
 * in none of the named ones, and a task in a named one finds its class number
 * by its cgroup's id (a map that the loader fills, then freezes) and its masks
 * in a read-only array `classes_<protection>` with an element a class, sized
 * when the template is instantiated.  .class_count says which it is.
 */
#pragma once

#include <stdint.h>

#define POLICY_SECTION	     ".rodata.policy"
#define POLICY_SYMBOL_PREFIX "policy_"
#define POLICY_CLASSES	     2 /* host, container: enum place of bundle/table.h */

struct policy_class {
	uint64_t denied; /* bits are OP_BIT() */
	uint64_t logged;
};

struct policy {
	uint64_t operations; /* that this template decides */
	uint32_t protection; /* index into the bundle's table.protections */
	uint32_t audit;	     /* 1: a denial is logged and let through */
	uint32_t class_count;
	uint32_t reserved; /* 0 */
	struct policy_class classes[POLICY_CLASSES];
};

_Static_assert(sizeof(struct policy) == 56, "as every template has it");
