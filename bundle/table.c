/* SPDX-License-Identifier: GPL-2.0-only */
#include "bundle/table.h"

#include <string.h>

uint64_t table_denied_operations(const struct table_protection *protection)
{
	uint64_t denied = 0;

	for (uint32_t i = 0; i < table_class_count(protection); i++)
		denied |= protection->denied[i];
	return denied;
}

uint64_t table_used_operations(const struct table_protection *protection)
{
	uint64_t used = table_denied_operations(protection);

	for (uint32_t i = 0; i < table_class_count(protection); i++)
		used |= protection->logged[i];
	return used;
}

uint64_t table_used_at(const struct table_protection *protection,
		       enum hook_id hook)
{
	const struct operation *operations = protection->protection->operations;
	uint64_t at = 0;

	for (uint64_t rest = table_used_operations(protection); rest;
	     rest &= rest - 1)
		if (operations[__builtin_ctzll(rest)].hooks & UINT64_C(1)
								      << hook)
			at |= rest & -rest;
	return at;
}

const char *table_class_cgroup(const struct table_protection *protection,
			       uint32_t class)
{
	uint32_t cgroup = class / PLACE_COUNT;

	return cgroup ? protection->cgroups[cgroup - 1] : NULL;
}

const struct table_statement *table_decided_by(
	const struct table *table, const struct table_protection *protection,
	uint32_t class, unsigned operation)
{
	unsigned row = protection_operation_count(protection->protection);
	uint32_t statement = protection->decided_by[class * row + operation];

	return statement == TABLE_NO_STATEMENT ? NULL
					       : &table->statements[statement];
}

const char *table_verdict(const struct table *table,
			  const struct table_protection *protection,
			  uint32_t class, unsigned operation)
{
	if (!(protection->denied[class] >> operation & 1))
		return "allow";
	return table->audit ? "would-deny" : "deny";
}

/* '/' sorts below every other byte, so that all below a cgroup follows it. */
static unsigned path_byte(char c)
{
	return c == '/' ? 1 : c ? (unsigned char)c + 1U : 0;
}

int table_cgroup_compare(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return (int)path_byte(*a) - (int)path_byte(*b);
}

bool table_cgroup_covers(const char *outer, const char *inner)
{
	size_t len = strlen(outer);

	return !strncmp(outer, inner, len) &&
	       (inner[len] == '\0' || inner[len] == '/');
}

const char *table_place_name(enum place place)
{
	static const char *const names[] = { "host", "container" };

	return names[place];
}

const char *table_profile_name(enum profile profile)
{
	static const char *const names[] = { "allow", "baseline",
					     "restricted" };

	return names[profile];
}

const char *table_log_name(enum log log)
{
	static const char *const names[] = { "denied", "all", "none" };

	return names[log];
}
