/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * operations.def is read several times over, once for each table.  All
 * operations stand in one array, and so do the families; a protection points
 * at its stretch of each.
 */
#include "bundle/operations.h"

#include <assert.h>
#include <string.h>

enum { COLD, HOT };

#define HOOK_PREFIX	"lsm/"
#define FUNCTION_PREFIX "fexit/"

#define ON(hook) (UINT64_C(1) << HOOK_##hook)
#define MEMBER(protection, operation) \
	(UINT64_C(1) << OP_BIT(protection, operation))

const struct hook hooks[HOOK_COUNT] = {
#define HOOK(name, heat)     { #name, HOOK_PREFIX #name, (heat) == HOT },
#define FUNCTION(name, heat) { #name, FUNCTION_PREFIX #name, (heat) == HOT },
#include "bpf/operations.def"
};

static const struct operation operations[OPERATION_COUNT] = {
#define OPERATION(protection, name, hooks, first_kernel, words) \
	[OP_##protection##_##name] = { #name, words, hooks, first_kernel },
#include "bpf/operations.def"
};

/* Counted as operations are, in bpf/operations.h. */
enum family_id {
#define PROTECTION(name, words) \
	FAMILY_FIRST_##name, FAMILY_BEFORE_##name = FAMILY_FIRST_##name - 1,
#define TRACE(name, words)		  PROTECTION(name, words)
#define FAMILY(protection, name, members) FAMILY_##protection##_##name,
#include "bpf/operations.def"
	FAMILY_COUNT
};

static const struct family families[FAMILY_COUNT] = {
#define FAMILY(protection, name, members) { #name, members },
#include "bpf/operations.def"
};

/* One row more than there are protections: a protection's stretch ends where
 * the next one's begins. */
const struct protection protections[PROTECTION_COUNT + 1] = {
#define ROW(number, label, text, is_trace)                   \
	[number] = {                                         \
		.id = number,                                \
		.name = #label,                              \
		.words = text,                               \
		.trace = is_trace,                           \
		.operations = operations + OP_FIRST_##label, \
		.families = families + FAMILY_FIRST_##label, \
	},
#define PROTECTION(name, words) ROW(PROTECTION_##name, name, words, false)
#define TRACE(name, words)	ROW(TRACE_##name, name, words, true)
#include "bpf/operations.def"
	[PROTECTION_COUNT] = {
		.operations = operations + OPERATION_COUNT,
		.families = families + FAMILY_COUNT,
	},
};

static const uint64_t no_subject[PROTECTION_COUNT] = {
#define NO_SUBJECT(protection, operation) \
	[PROTECTION_##protection] = MEMBER(protection, operation),
#include "bpf/operations.def"
};

static bool is_name(const char *candidate, const char *name, size_t len)
{
	return strlen(candidate) == len && !memcmp(candidate, name, len);
}

unsigned protection_operation_count(const struct protection *protection)
{
	const struct protection *row = &protections[protection->id];

	return (unsigned)(row[1].operations - row->operations) +
	       protection->destination_count;
}

unsigned protection_family_count(const struct protection *protection)
{
	const struct protection *row = &protections[protection->id];

	return (unsigned)(row[1].families - row->families);
}

uint64_t protection_all(const struct protection *protection)
{
	unsigned count = protection_operation_count(protection);

	assert(count >= 1 && count <= 64);
	return UINT64_MAX >> (64 - count);
}

uint64_t protection_destinations(const struct protection *protection)
{
	uint64_t all = protection_all(protection);

	return all & ~(all >> protection->destination_count);
}

uint64_t protection_no_subject(const struct protection *protection)
{
	return no_subject[protection->id];
}

const struct protection *protection_find(const char *name, size_t len)
{
	for (unsigned i = 0; i < PROTECTION_COUNT; i++)
		if (!protections[i].trace &&
		    is_name(protections[i].name, name, len))
			return &protections[i];
	return NULL;
}

uint64_t protection_mask(const struct protection *protection, const char *name,
			 size_t len)
{
	unsigned operation_count = protection_operation_count(protection);
	unsigned family_count = protection_family_count(protection);

	for (unsigned i = 0; i < operation_count; i++)
		if (is_name(protection->operations[i].name, name, len))
			return UINT64_C(1) << i;
	for (unsigned i = 0; i < family_count; i++)
		if (is_name(protection->families[i].name, name, len))
			return protection->families[i].members;
	return 0;
}

const char *hook_of_section(const char *section)
{
	static const char *const prefixes[] = { HOOK_PREFIX, FUNCTION_PREFIX };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (!strncmp(section, prefixes[i], strlen(prefixes[i])))
			return section + strlen(prefixes[i]);
	return NULL;
}

bool operation_is_hot(const struct operation *operation)
{
	for (unsigned i = 0; i < HOOK_COUNT; i++)
		if (operation->hooks >> i & 1 && hooks[i].hot)
			return true;
	return false;
}
