/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/proof/tables.h"

#include <string.h>

#include "bundle/policy.h"
#include "bundle/reader.h"
#include "compiler/arena.h"
#include "compiler/proof/reach.h"

#define ADDRESS_SIZE DESTINATION_ADDRESS_SIZE
#define PORT_COUNT   65536

struct tables {
	struct arena *arena;
	const struct table_protection *row;
	const uint8_t *ranges; /* struct destination_range, as it lies there */
	const uint8_t *ports;
	uint32_t range_count;
	uint32_t port_count;
	uint64_t any_port;
	const char *why;
};

static bool differs(struct tables *tables, const char *what)
{
	tables->why = arena_printf(
		tables->arena,
		"the tables of its destinations are not those of the policy: %s",
		what);
	return false;
}

/* A variable of that section, with rows of @size bytes; NULL where there is
 * none, or not as many as it should have. */
static const uint8_t *find_rows(const struct object *object, const char *symbol,
				uint32_t count, size_t size)
{
	uint64_t found;
	const uint8_t *rows = object_find_variable(object, symbol,
						   DESTINATION_SECTION, &found);

	return rows && found == (uint64_t)count * size ? rows : NULL;
}

static uint64_t word_at(const uint8_t *bytes)
{
	struct reader reader = reader_of(bytes, sizeof(uint64_t));

	return reader_u64(&reader);
}

/* ---- addresses ---- */

static void put_word(uint8_t *bytes, uint64_t word)
{
	for (size_t i = sizeof(word); i--; word >>= 8)
		bytes[i] = (uint8_t)word;
}

/* Where a row begins, in network order. */
static void address_of(const struct tables *tables, uint32_t number,
		       uint8_t address[ADDRESS_SIZE])
{
	const uint8_t *row =
		tables->ranges + number * sizeof(struct destination_range);

	put_word(address, word_at(row));
	put_word(address + 8, word_at(row + 8));
}

static uint64_t destinations_of_range(const struct tables *tables,
				      uint32_t number)
{
	return word_at(tables->ranges +
		       number * sizeof(struct destination_range) + 16);
}

/* The last row that does not begin behind the address. */
static uint32_t find_range(const struct tables *tables,
			   const uint8_t address[ADDRESS_SIZE])
{
	uint32_t first = 0, behind = tables->range_count;
	uint8_t begins[ADDRESS_SIZE];

	while (behind - first > 1) {
		uint32_t middle = first + (behind - first) / 2;

		address_of(tables, middle, begins);
		if (memcmp(begins, address, ADDRESS_SIZE) > 0)
			behind = middle;
		else
			first = middle;
	}
	return first;
}

static bool check_address(struct tables *tables,
			  const uint8_t address[ADDRESS_SIZE])
{
	struct destination_prefix whole = { .bits = DESTINATION_ADDRESS_BITS };
	char text[DESTINATION_PREFIX_TEXT];

	if (destinations_of_range(tables, find_range(tables, address)) ==
	    reach_address(tables->row, address))
		return true;
	memcpy(whole.address, address, ADDRESS_SIZE);
	destination_prefix_text(&whole, text);
	return differs(tables, arena_printf(tables->arena, "%s", text));
}

/* The addresses at, before and behind an edge. */
static bool check_around(struct tables *tables,
			 const uint8_t address[ADDRESS_SIZE])
{
	uint8_t other[ADDRESS_SIZE];

	memcpy(other, address, ADDRESS_SIZE);
	reach_step(other, -1);
	if (!check_address(tables, address) || !check_address(tables, other))
		return false;
	memcpy(other, address, ADDRESS_SIZE);
	reach_step(other, 1);
	return check_address(tables, other);
}

static bool check_ranges(struct tables *tables)
{
	uint8_t begins[ADDRESS_SIZE] = { 0 }, next[ADDRESS_SIZE];

	address_of(tables, 0, next);
	if (memcmp(begins, next, ADDRESS_SIZE))
		return differs(tables, "the first row");
	for (uint32_t i = 0; i < tables->range_count; i++) {
		address_of(tables, i, next);
		if (memcmp(begins, next, ADDRESS_SIZE) > 0)
			return differs(tables, "rows out of order");
		if (i && !memcmp(begins, next, ADDRESS_SIZE))
			continue; /* the last one again */
		memcpy(begins, next, ADDRESS_SIZE);
		if (!check_around(tables, begins))
			return false;
	}
	memset(next, 0xff, ADDRESS_SIZE);
	return check_address(tables, next);
}

static bool check_prefixes(struct tables *tables,
			   const struct destination *destination)
{
	uint8_t last[ADDRESS_SIZE];

	for (uint32_t i = 0; i < destination->prefix_count; i++) {
		reach_last(&destination->prefixes[i], last);
		if (!check_around(tables, destination->prefixes[i].address) ||
		    !check_around(tables, last))
			return false;
	}
	return true;
}

/* Where IPv6 prefixes end and begin again. */
static bool check_v4_edges(struct tables *tables)
{
	static const struct destination_prefix v4 = {
		{ [10] = 0xff, [11] = 0xff }, DESTINATION_V4_BITS
	};
	uint8_t last[ADDRESS_SIZE];

	reach_last(&v4, last);
	return check_around(tables, v4.address) && check_around(tables, last);
}

/* ---- ports ---- */

/* Each of them: they are few. */
static bool check_ports(struct tables *tables)
{
	const uint8_t *row = tables->ports;
	const uint8_t *end =
		row + tables->port_count * sizeof(struct destination_port);

	if (word_at(row))
		return differs(tables, "the first port");
	for (uint32_t port = 0; port < PORT_COUNT; port++) {
		while (row + sizeof(struct destination_port) < end &&
		       word_at(row + sizeof(struct destination_port)) <= port)
			row += sizeof(struct destination_port);
		if (word_at(row) > port ||
		    word_at(row + 8) != reach_port(tables->row, (uint16_t)port))
			return differs(tables, arena_printf(tables->arena,
							    "port %u", port));
	}
	for (row = tables->ports + sizeof(struct destination_port); row < end;
	     row += sizeof(struct destination_port))
		if (word_at(row) <
		    word_at(row - sizeof(struct destination_port)))
			return differs(tables, "ports out of order");
	return true;
}

/* ---- all of it ---- */

static bool check_all(struct tables *tables)
{
	const struct table_protection *row = tables->row;

	if (tables->any_port != reach_any_port(row))
		return differs(tables, "every port");
	if (!check_ranges(tables) || !check_v4_edges(tables) ||
	    !check_ports(tables))
		return false;
	for (unsigned i = 0; i < row->protection->destination_count; i++)
		if (!check_prefixes(tables, &row->destinations[i]))
			return false;
	return true;
}

/* Whether some access is decided by where it goes.  Where not, a program need
 * not search, and an index of zeros says so. */
static bool is_searched(const struct table_protection *row)
{
	uint64_t destinations = protection_destinations(row->protection);

	return destinations &&
	       table_used_operations(row) &
		       (destinations | UINT64_C(1) << OP_BIT(network, connect));
}

bool tables_agree(struct arena *arena, const struct object *object,
		  const struct table_protection *row, const char **why)
{
	struct tables tables = { .arena = arena, .row = row };
	const uint8_t *index;
	struct reader reader;
	uint64_t size, all;
	bool good = false;

	index = object_find_variable(object, DESTINATION_INDEX, POLICY_SECTION,
				     &size);
	if (!index || size != sizeof(struct destination_index)) {
		differs(&tables, "there is no index of them");
		*why = tables.why;
		return false;
	}
	reader = reader_of(index, size);
	all = reader_u64(&reader);
	tables.any_port = reader_u64(&reader);
	tables.range_count = reader_u32(&reader);
	tables.port_count = reader_u32(&reader);
	if (!all && !is_searched(row))
		return true;
	tables.ranges =
		find_rows(object, DESTINATION_RANGES, tables.range_count,
			  sizeof(struct destination_range));
	tables.ports = find_rows(object, DESTINATION_PORTS, tables.port_count,
				 sizeof(struct destination_port));
	if (all != protection_destinations(row->protection) || !tables.ranges ||
	    !tables.ports || !tables.range_count || !tables.port_count ||
	    tables.range_count & (tables.range_count - 1) ||
	    tables.port_count & (tables.port_count - 1))
		differs(&tables, "their size");
	else
		good = check_all(&tables);
	*why = tables.why;
	return good;
}
