/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which destinations an address and a port belong to, by a search in tables
 * that are in order: see bundle/policy.h.
 *
 * The searches compare without branches.  With one in each step the verifier
 * would go every way through a search, twice as many with each.
 */
#pragma once

#include "bundle/policy.h"
#include "bpf/templates/include/kernel.h"

/* One row each, until it is instantiated. */
const volatile struct destination_index destination_index
	SEC(POLICY_SECTION) = { .ranges = 1, .ports = 1 };
const volatile struct destination_range destination_ranges[1] SEC(
	DESTINATION_SECTION) = { { 0 } };
const volatile struct destination_port destination_ports[1] SEC(
	DESTINATION_SECTION) = { { 0 } };

/* 1 or 0. */
static __always_inline uint64_t is_less(uint64_t a, uint64_t b)
{
	return ((~a & b) | ((~a | b) & (a - b))) >> 63;
}

static __always_inline uint64_t is_other(uint64_t a, uint64_t b)
{
	uint64_t differ = a ^ b;

	return (differ | -differ) >> 63;
}

/* Those that have the address among their prefixes, whatever their ports. */
SHARED uint64_t destinations_of_address(uint64_t high, uint64_t low)
{
	const volatile struct destination_range *rows = destination_ranges;
	uint64_t count = destination_index.ranges, at = 0, less;

	barrier_var(rows); /* clang takes one row for all that there can be */
#pragma clang loop unroll(disable)
	for (uint64_t step = count >> 1; step; step >>= 1) {
		const volatile struct destination_range *row =
			&rows[(at + step) & (count - 1)];
		uint64_t row_high = row->high;

		less = is_less(high, row_high) |
		       (is_less(low, row->low) & ~is_other(high, row_high));
		at += step & (less - 1);
	}
	return rows[at & (count - 1)].destinations;
}

/* Those that have the port, whatever their prefixes. */
SHARED uint64_t destinations_of_port(uint64_t port)
{
	const volatile struct destination_port *rows = destination_ports;
	uint64_t count = destination_index.ports, at = 0;

	barrier_var(rows);
#pragma clang loop unroll(disable)
	for (uint64_t step = count >> 1; step; step >>= 1) {
		uint64_t less =
			is_less(port, rows[(at + step) & (count - 1)].first);

		at += step & (less - 1);
	}
	return rows[at & (count - 1)].destinations;
}
