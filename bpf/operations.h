/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The numbers of operations.def, for C and for BPF programs alike.
 *
 * OP_<protection>_<operation> counts through all protections; an operation's
 * bit, in every mask of a plan and of a template, counts from its protection's
 * first: OP_BIT(protection, operation).
 */
#pragma once

#define OP_BIT(protection, operation) \
	(OP_##protection##_##operation - OP_FIRST_##protection)

enum hook_id {
#define HOOK(name, heat) HOOK_##name,
#include "operations.def"
	HOOK_COUNT
};

enum protection_id {
#define PROTECTION(name, words) PROTECTION_##name,
#define TRACE(name, words) TRACE_##name,
#include "operations.def"
	PROTECTION_COUNT
};

/* A protection's first operation has the number that OP_FIRST_ stands for;
 * OP_BEFORE_ steps the count back, so that the name takes no number. */
enum operation_id {
#define PROTECTION(name, words) \
	OP_FIRST_##name, OP_BEFORE_##name = OP_FIRST_##name - 1,
#define TRACE(name, words) PROTECTION(name, words)
#define OPERATION(protection, name, hooks, first_kernel, words) \
	OP_##protection##_##name,
#include "operations.def"
	OPERATION_COUNT
};
