/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How destinations are written, and the tables that a template searches,
 * searched as it does, against the plain meaning of prefixes and ports.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "compiler/arena.h"
#include "compiler/lookup.h"
#include "sample.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* ---- how they are written ---- */

static void a_prefix_is_written_in_one_way(void **state)
{
	static const struct {
		const char *text;
		const char *written;
		unsigned bits;
	} rows[] = {
		{ "10.0.0.0/8", "10.0.0.0/8", 104 },
		{ "0.0.0.0/0", "0.0.0.0/0", 96 },
		{ "192.0.2.1", "192.0.2.1", 128 },
		{ "192.0.2.1/32", "192.0.2.1", 128 },
		{ "192.0.2.128/25", "192.0.2.128/25", 121 },
		{ "::/0", "::/0", 0 },
		{ "::1", "::1", 128 },
		{ "2001:0DB8::/32", "2001:db8::/32", 32 },
		{ "2001:db8:0:0:0:0:0:1/128", "2001:db8::1", 128 },
		{ "8000::/1", "8000::/1", 1 },
		{ "::fffe:0:0/95", "::fffe:0:0/95", 95 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct destination_prefix prefix;
		char text[DESTINATION_PREFIX_TEXT];

		assert_null(destination_prefix_read(rows[i].text, &prefix));
		assert_true(destination_prefix_is_valid(&prefix));
		assert_int_equal(prefix.bits, rows[i].bits);
		destination_prefix_text(&prefix, text);
		assert_string_equal(text, rows[i].written);
	}
}

static void what_is_no_prefix_is_refused(void **state)
{
	static const struct {
		const char *text;
		const char *meant; /* NULL: that cannot be told */
	} rows[] = {
		{ "", NULL },
		{ "/8", NULL },
		{ "10.0.0/8", NULL },
		{ "10.0.0.0/", NULL },
		{ "10.0.0.0/33", NULL },
		{ "10.0.0.0/08", NULL },
		{ "10.0.0.0/-8", NULL },
		{ "10.0.0.0/8/8", NULL },
		{ "10.0.0.0/8 ", NULL },
		{ "10.0.0.0/4294967304", NULL },
		{ "010.0.0.0/8", NULL },
		{ "256.0.0.0/8", NULL },
		{ "::/129", NULL },
		{ "fe80::1%eth0", NULL },
		{ "example.org", NULL },
		{ "1111:2222:3333:4444:5555:6666:7777:8888:9999/128", NULL },
		{ "10.0.0.1/8", "10.0.0.0/8" },
		{ "192.0.2.129/25", "192.0.2.128/25" },
		{ "2001:db8::1/32", "2001:db8::/32" },
		{ "8000::/0", "::/0" },
		{ "::ffff:10.0.0.0/104", "10.0.0.0/8" },
		{ "::ffff:10.1.2.3", "10.1.2.3" },
		{ "::ffff:0:0/96", "0.0.0.0/0" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct destination_prefix prefix;
		char text[DESTINATION_PREFIX_TEXT];

		assert_non_null(destination_prefix_read(rows[i].text, &prefix));
		assert_int_equal(destination_prefix_is_valid(&prefix),
				 rows[i].meant != NULL);
		if (!rows[i].meant)
			continue;
		destination_prefix_text(&prefix, text);
		assert_string_equal(text, rows[i].meant);
	}
}

static void destinations_are_operations_of_one_policy(void **state)
{
	const struct protection *network = &protections[PROTECTION_network];
	unsigned built_in = protection_operation_count(network);
	struct sample sample;
	const struct protection *own = &sample.network;

	(void)state;
	sample_make_network(&sample);
	assert_int_equal(protection_operation_count(own), built_in + 2);
	assert_int_equal(protection_destinations(own), UINT64_C(3) << built_in);
	assert_int_equal(protection_mask(own, "mail", 4), UINT64_C(2)
								  << built_in);
	assert_int_equal(own->operations[built_in].hooks,
			 network->operations[OP_BIT(network, connect)].hooks);
	assert_int_equal(protection_destinations(network), 0);
	assert_int_equal(protection_mask(network, "mail", 4), 0);
	assert_int_equal(built_in + destination_max(), 64);
}

/* ---- notes ---- */

static void a_note_keeps_them(void **state)
{
	const struct table_protection *row;
	struct sample sample;
	struct note *note;
	const char *why;
	void *bytes;
	size_t size;

	(void)state;
	sample_make_network(&sample);
	assert_int_equal(note_encode(&sample.note, &bytes, &size), 0);
	assert_int_equal(note_decode(bytes, size, &note, &why), 0);
	row = &note->table.protections[0];
	assert_int_equal(row->protection->destination_count, 2);
	assert_int_equal(row->denied[PLACE_CONTAINER],
			 sample.denied[0][PLACE_CONTAINER]);
	assert_string_equal(row->destinations[0].name, "inside");
	assert_int_equal(row->destinations[0].prefix_count, 3);
	assert_memory_equal(row->destinations[0].prefixes, sample.prefixes,
			    sizeof(sample.prefixes));
	assert_int_equal(row->destinations[0].ports_count, 2);
	assert_memory_equal(row->destinations[0].ports, sample.ports,
			    2 * sizeof(*sample.ports));
	assert_int_equal(row->destinations[1].prefix_count, 0);
	assert_int_equal(row->destinations[1].ports[0].last, 25);
	note_free(note);
	free(bytes);
}

static void bits_behind(struct sample *sample)
{
	sample->prefixes[0].address[15] = 1;
}

static void too_many_bits(struct sample *sample)
{
	sample->prefixes[2].bits = 129;
}

static void prefixes_turned(struct sample *sample)
{
	struct destination_prefix first = sample->prefixes[0];

	sample->prefixes[0] = sample->prefixes[1];
	sample->prefixes[1] = first;
}

static void prefix_twice(struct sample *sample)
{
	sample->prefixes[1] = sample->prefixes[0];
}

static void ports_turned(struct sample *sample)
{
	sample->ports[1] = (struct destination_ports){ 8080, 8000 };
}

static void ports_that_touch(struct sample *sample)
{
	sample->ports[1].first = 444;
}

static void nothing_in_it(struct sample *sample)
{
	sample->destinations[1].ports_count = 0;
}

static void no_name(struct sample *sample)
{
	sample->operations[15].name = "a name";
}

static void name_of_an_operation(struct sample *sample)
{
	sample->operations[15].name = "listen";
}

static void name_of_another_protection(struct sample *sample)
{
	sample->operations[15].name = "load_module";
}

static void too_many_parts(struct sample *sample)
{
	static struct destination_ports ports[DESTINATION_MAX_PARTS];

	for (uint16_t i = 0; i < DESTINATION_MAX_PARTS; i++)
		ports[i] = (struct destination_ports){ (uint16_t)(2 * i),
						       (uint16_t)(2 * i) };
	sample->destinations[1].ports = ports;
	sample->destinations[1].ports_count = DESTINATION_MAX_PARTS;
}

static void one_name_twice(struct sample *sample)
{
	sample->operations[15].name = "inside";
}

static void a_damaged_one_is_refused(void **state)
{
	static void (*const damages[])(struct sample *) = {
		bits_behind,	too_many_bits,	prefixes_turned,
		prefix_twice,	ports_turned,	ports_that_touch,
		nothing_in_it,	no_name,	name_of_an_operation,
		one_name_twice, too_many_parts, name_of_another_protection,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(damages); i++) {
		struct sample sample;
		struct note *note;
		const char *why = NULL;
		void *bytes;
		size_t size;

		sample_make_network(&sample);
		damages[i](&sample);
		assert_int_equal(note_encode(&sample.note, &bytes, &size), 0);
		assert_int_not_equal(note_decode(bytes, size, &note, &why), 0);
		assert_non_null(why);
		free(bytes);
	}
}

/* ---- tables ---- */

#define FIRST_BIT 14
#define MOST	  6 /* destinations, and prefixes and ports of each */
#define ROUNDS	  2000
#define ASKED	  64

struct random_row {
	struct sample sample;
	struct destination destinations[MOST];
	struct destination_prefix prefixes[MOST][MOST];
	struct destination_ports ports[MOST][MOST];
};

/* Few different bytes, so that what is near to each other is asked for. */
static uint8_t random_byte(void)
{
	static const uint8_t bytes[] = { 0, 1, 0x7f, 0x80, 0xfe, 0xff };

	return bytes[(size_t)rand() % sizeof(bytes)];
}

static void random_address(uint8_t address[DESTINATION_ADDRESS_SIZE])
{
	bool v4 = rand() % 2;

	for (size_t i = 0; i < DESTINATION_ADDRESS_SIZE; i++)
		address[i] = v4 && i < 12 ? (i < 10 ? 0 : 0xff) : random_byte();
}

static bool starts_with(const uint8_t *address, const uint8_t *with,
			unsigned bits)
{
	for (unsigned bit = 0; bit < bits; bit++)
		if ((address[bit / 8] ^ with[bit / 8]) >> (7 - bit % 8) & 1)
			return false;
	return true;
}

static void random_prefix(struct destination_prefix *prefix)
{
	random_address(prefix->address);
	prefix->bits = (uint8_t)(rand() % 129);
	if (destination_is_v4(prefix->address) && rand() % 8)
		prefix->bits = (uint8_t)(96 + rand() % 33);
	for (unsigned bit = prefix->bits; bit < 128; bit++)
		prefix->address[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
}

static void make_random(struct random_row *row)
{
	struct table_protection *to = &row->sample.protections[0];
	unsigned count = 1 + (unsigned)rand() % MOST;

	sample_make_network(&row->sample);
	for (unsigned i = 0; i < count; i++) {
		struct destination *each = &row->destinations[i];

		*each = (struct destination){ .name = "x",
					      .prefixes = row->prefixes[i],
					      .ports = row->ports[i] };
		each->prefix_count = (uint32_t)rand() % MOST;
		each->ports_count = (uint32_t)rand() % MOST;
		for (uint32_t j = 0; j < each->prefix_count; j++)
			random_prefix(&each->prefixes[j]);
		for (uint32_t j = 0; j < each->ports_count; j++) {
			uint16_t first =
				(uint16_t)(random_byte() << 8 | random_byte());

			each->ports[j] = (struct destination_ports){
				first, (uint16_t)(rand() % 2 ? first : 65535)
			};
		}
	}
	row->sample.network = destination_protection(row->destinations, count,
						     row->sample.operations);
	to->destinations = row->destinations;
}

static uint64_t plain_addresses(const struct random_row *row,
				const uint8_t address[])
{
	uint64_t found = 0;

	for (unsigned i = 0; i < row->sample.network.destination_count; i++) {
		const struct destination *each = &row->destinations[i];
		bool here = !each->prefix_count;

		for (uint32_t j = 0; j < each->prefix_count; j++) {
			const struct destination_prefix *prefix =
				&each->prefixes[j];

			if (prefix->bits < 96 && destination_is_v4(address))
				continue;
			here |= starts_with(address, prefix->address,
					    prefix->bits);
		}
		if (here)
			found |= UINT64_C(1) << (FIRST_BIT + i);
	}
	return found;
}

static uint64_t plain_ports(const struct random_row *row, uint16_t port)
{
	uint64_t found = 0;

	for (unsigned i = 0; i < row->sample.network.destination_count; i++) {
		const struct destination *each = &row->destinations[i];
		bool here = !each->ports_count;

		for (uint32_t j = 0; j < each->ports_count; j++)
			here |= port >= each->ports[j].first &&
				port <= each->ports[j].last;
		if (here)
			found |= UINT64_C(1) << (FIRST_BIT + i);
	}
	return found;
}

static uint64_t number_at(const uint8_t *bytes)
{
	uint64_t number = 0;

	for (size_t i = 0; i < sizeof(number); i++)
		number = number << 8 | bytes[i];
	return number;
}

/* As bpf/templates/include/destination.h does it. */
static uint64_t search_addresses(const struct lookup_tables *tables,
				 const uint8_t address[])
{
	uint64_t high = number_at(address), low = number_at(address + 8);
	uint32_t count = tables->index.ranges, at = 0;

	assert_int_equal(count & (count - 1), 0);
	for (uint32_t step = count >> 1; step; step >>= 1) {
		const struct destination_range *row =
			&tables->ranges[at + step];

		if (high > row->high || (high == row->high && low >= row->low))
			at += step;
	}
	return tables->ranges[at].destinations;
}

static uint64_t search_ports(const struct lookup_tables *tables, uint16_t port)
{
	uint32_t count = tables->index.ports, at = 0;

	assert_int_equal(count & (count - 1), 0);
	for (uint32_t step = count >> 1; step; step >>= 1)
		if (port >= tables->ports[at + step].first)
			at += step;
	return tables->ports[at].destinations;
}

static void a_search_finds_what_a_walk_does(void **state)
{
	static const uint8_t ends[][DESTINATION_ADDRESS_SIZE] = {
		{ 0 },
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		  0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		{ [10] = 0xff, [11] = 0xff },
		{ [10] = 0xff, [11] = 0xff, 0xff, 0xff, 0xff, 0xff },
		{ [10] = 0xff, [11] = 0xfe, 0xff, 0xff, 0xff, 0xff },
		{ [9] = 1 },
	};
	struct random_row row;

	(void)state;
	srand(11);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct arena *arena = arena_new();
		struct lookup_tables tables;
		uint8_t address[DESTINATION_ADDRESS_SIZE];

		make_random(&row);
		lookup_make(arena, &row.sample.protections[0], &tables);
		assert_int_equal(tables.index.all,
				 protection_destinations(&row.sample.network));
		for (unsigned i = 0; i < ASKED; i++) {
			uint16_t port =
				(uint16_t)(random_byte() << 8 | random_byte());

			random_address(address);
			if (i < COUNT(ends))
				memcpy(address, ends[i], sizeof(address));
			assert_int_equal(search_addresses(&tables, address),
					 plain_addresses(&row, address));
			assert_int_equal(search_ports(&tables, port),
					 plain_ports(&row, port));
		}
		arena_free(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_prefix_is_written_in_one_way),
		cmocka_unit_test(what_is_no_prefix_is_refused),
		cmocka_unit_test(destinations_are_operations_of_one_policy),
		cmocka_unit_test(a_note_keeps_them),
		cmocka_unit_test(a_damaged_one_is_refused),
		cmocka_unit_test(a_search_finds_what_a_walk_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
