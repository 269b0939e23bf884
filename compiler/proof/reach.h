/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What accesses of accesses.def that connect or send are under a policy that
 * has destinations, and further accesses that try each of those.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "compiler/proof/access.h"

struct arena;

/* The destinations of @row with the address among their prefixes, and those with
 * the port, whatever else they say: masks. */
uint64_t reach_address(const struct table_protection *row,
		       const uint8_t address[DESTINATION_ADDRESS_SIZE]);
uint64_t reach_port(const struct table_protection *row, uint16_t port);

/* Those that are every port. */
uint64_t reach_any_port(const struct table_protection *row);

/* The address before (-1) or behind (1), around the end of all too; and the last
 * one of a prefix. */
void reach_step(uint8_t address[DESTINATION_ADDRESS_SIZE], int change);
void reach_last(const struct destination_prefix *prefix,
		uint8_t address[DESTINATION_ADDRESS_SIZE]);

/*
 * The operations of @row's protection that @access is, with boot facts bound or
 * not: those that it states, but destinations in the place of `connect` where
 * they have the address.
 */
uint64_t reach_operations(const struct table_protection *row,
			  const struct access *access, bool unbound);

/* All accesses for a policy: those of accesses.def, and to connect and to send to
 * the edges of destinations.  In the arena, or constant. */
const struct access *reach_accesses(struct arena *arena,
				    const struct table *table, size_t *count);
