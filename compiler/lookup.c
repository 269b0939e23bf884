/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prefixes and ports become edges on a line: where some destination begins, or
 * is over.  From one edge to the next the same destinations are there.
 */
#include "compiler/lookup.h"

#include <stdlib.h>
#include <string.h>

#include "compiler/arena.h"

__extension__ typedef unsigned __int128 number;

#define V4_FIRST ((number)0xffff << 32)
#define V4_LAST	 (V4_FIRST | UINT32_MAX)

struct edge {
	number at;
	unsigned destination;
	int change; /* 1 where it begins, -1 behind its end */
};

struct edges {
	struct edge *list;
	size_t count;
};

/* From an edge on, up to before the next span. */
struct span {
	number first;
	uint64_t destinations;
};

struct spans {
	struct span *list;
	uint32_t count; /* a power of two: the last one stands there again */
};

static void add_edges(struct edges *edges, unsigned destination, number first,
		      number last)
{
	edges->list[edges->count++] = (struct edge){ first, destination, 1 };
	if (last + 1) /* the last of all addresses has none behind it */
		edges->list[edges->count++] =
			(struct edge){ last + 1, destination, -1 };
}

static number number_of(const uint8_t address[DESTINATION_ADDRESS_SIZE])
{
	number all = 0;

	for (size_t i = 0; i < DESTINATION_ADDRESS_SIZE; i++)
		all = all << 8 | address[i];
	return all;
}

/* IPv6 prefixes do not cover what is in the middle of them IPv4's. */
static void add_prefix(struct edges *edges, unsigned destination,
		       const struct destination_prefix *prefix)
{
	number first = number_of(prefix->address);
	number size_less_one = prefix->bits
				       ? ((number)1 << (128 - prefix->bits)) - 1
				       : ~(number)0;
	number last = first + size_less_one;

	if (prefix->bits >= DESTINATION_V4_BITS || first > V4_FIRST ||
	    last < V4_LAST) {
		add_edges(edges, destination, first, last);
		return;
	}
	add_edges(edges, destination, first, V4_FIRST - 1);
	add_edges(edges, destination, V4_LAST + 1, last);
}

static int compare_edges(const void *a, const void *b)
{
	const struct edge *one = a, *other = b;

	return one->at < other->at ? -1 : one->at > other->at;
}

static void add_span(struct spans *spans, number first, uint64_t destinations)
{
	struct span *span = &spans->list[spans->count];

	if (spans->count && span[-1].destinations == destinations)
		return;
	if (spans->count && span[-1].first == first)
		span--;
	else
		spans->count++;
	*span = (struct span){ first, destinations };
}

/* Destinations that have no edges, @everywhere, are in every span. */
static struct spans make_spans(struct arena *arena, struct edges *edges,
			       uint64_t everywhere, uint64_t first_bit)
{
	uint32_t depth[64] = { 0 };
	struct spans spans = {
		arena_array(arena, 2 * edges->count + 2, sizeof(*spans.list)), 0
	};
	uint64_t destinations = everywhere;
	struct span last;

	if (edges->count)
		qsort(edges->list, edges->count, sizeof(*edges->list),
		      compare_edges);
	add_span(&spans, 0, destinations);
	for (size_t i = 0; i < edges->count; i++) {
		const struct edge *edge = &edges->list[i];
		uint64_t bit = first_bit << edge->destination;

		depth[edge->destination] += (uint32_t)edge->change;
		destinations = depth[edge->destination] ? destinations | bit
							: destinations & ~bit;
		if (i + 1 == edges->count || edge[1].at != edge->at)
			add_span(&spans, edge->at, destinations);
	}
	last = spans.list[spans.count - 1];
	while (spans.count & (spans.count - 1))
		spans.list[spans.count++] = last;
	return spans;
}

static void make_ranges(struct arena *arena, const struct table_protection *row,
			uint64_t first_bit, struct lookup_tables *tables)
{
	unsigned count = row->protection->destination_count;
	struct edges edges = { 0 };
	uint64_t everywhere = 0;
	struct spans spans;
	size_t prefixes = 0;

	for (unsigned i = 0; i < count; i++)
		prefixes += row->destinations[i].prefix_count;
	edges.list = arena_array(arena, 4 * prefixes, sizeof(*edges.list));
	for (unsigned i = 0; i < count; i++) {
		const struct destination *each = &row->destinations[i];

		if (!each->prefix_count)
			everywhere |= first_bit << i;
		for (uint32_t j = 0; j < each->prefix_count; j++)
			add_prefix(&edges, i, &each->prefixes[j]);
	}
	spans = make_spans(arena, &edges, everywhere, first_bit);
	tables->index.ranges = spans.count;
	tables->ranges =
		arena_array(arena, spans.count, sizeof(*tables->ranges));
	for (uint32_t i = 0; i < spans.count; i++)
		tables->ranges[i] = (struct destination_range){
			.high = (uint64_t)(spans.list[i].first >> 64),
			.low = (uint64_t)spans.list[i].first,
			.destinations = spans.list[i].destinations,
		};
}

static void make_ports(struct arena *arena, const struct table_protection *row,
		       uint64_t first_bit, struct lookup_tables *tables)
{
	unsigned count = row->protection->destination_count;
	struct edges edges = { 0 };
	struct spans spans;
	size_t ports = 0;

	for (unsigned i = 0; i < count; i++)
		ports += row->destinations[i].ports_count;
	edges.list = arena_array(arena, 2 * ports, sizeof(*edges.list));
	for (unsigned i = 0; i < count; i++) {
		const struct destination *each = &row->destinations[i];

		if (!each->ports_count)
			tables->index.any_port |= first_bit << i;
		for (uint32_t j = 0; j < each->ports_count; j++)
			add_edges(&edges, i, each->ports[j].first,
				  each->ports[j].last);
	}
	spans = make_spans(arena, &edges, tables->index.any_port, first_bit);
	tables->index.ports = spans.count;
	tables->ports = arena_array(arena, spans.count, sizeof(*tables->ports));
	for (uint32_t i = 0; i < spans.count; i++)
		tables->ports[i] = (struct destination_port){
			.first = (uint64_t)spans.list[i].first,
			.destinations = spans.list[i].destinations,
		};
}

void lookup_make(struct arena *arena, const struct table_protection *row,
		 struct lookup_tables *tables)
{
	uint64_t all = protection_destinations(row->protection);
	uint64_t first_bit = all & -all;

	*tables = (struct lookup_tables){ .index.all = all };
	make_ranges(arena, row, first_bit, tables);
	make_ports(arena, row, first_bit, tables);
}
