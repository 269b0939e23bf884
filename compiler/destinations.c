/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/destinations.h"

#include <stdlib.h>
#include <string.h>

#include "bundle/suggest.h"
#include "compiler/arena.h"
#include "compiler/diag.h"
#include "compiler/eval.h"

#define PORT_MAX 65535

struct destinations {
	struct arena *arena;
	struct lets *lets;
	const struct statement **statements; /* that name them */
	size_t count;
	size_t capacity;
	struct destination *list; /* as statements */
	size_t part_count;	  /* prefixes and ports of all of them */
};

struct destinations *destinations_new(struct arena *arena, struct lets *lets)
{
	struct destinations *destinations =
		arena_alloc(arena, sizeof(*destinations));

	destinations->arena = arena;
	destinations->lets = lets;
	return destinations;
}

/* ---- names ---- */

void destinations_add(struct destinations *destinations,
		      const struct statement *from)
{
	struct diag *diag = destinations->lets->diag;
	struct diag_entry *entry;

	for (size_t i = 0; i < destinations->count; i++) {
		const struct statement *before = destinations->statements[i];

		if (strcmp(before->word.text, from->word.text))
			continue;
		entry = diag_report(diag, CHECK_DUPLICATE, from->word.loc,
				    "there is a destination '%s' already",
				    from->word.text);
		diag_note(diag, entry, before->word.loc, "first set here");
		return;
	}
	if (destinations->count == destination_max()) {
		diag_report(diag, CHECK_LIMIT, from->word.loc,
			    "there are more than %u destinations",
			    destination_max());
		return;
	}
	destinations->statements =
		arena_grow(destinations->arena, destinations->statements,
			   destinations->count, &destinations->capacity,
			   sizeof(*destinations->statements));
	destinations->statements[destinations->count++] = from;
}

static void check_name(const struct destinations *destinations,
		       const struct word *name)
{
	const char *taken_by =
		lets_name_taken_by(destinations->lets, name->text);

	if (taken_by)
		diag_report(destinations->lets->diag, CHECK_LET_NAME, name->loc,
			    "a destination cannot be called '%s': that is %s",
			    name->text, taken_by);
}

const struct destination *destinations_name(struct destinations *destinations)
{
	unsigned count = (unsigned)destinations->count;
	struct operation *operations =
		arena_array(destinations->arena, 64, sizeof(*operations));

	destinations->list = arena_array(destinations->arena, count,
					 sizeof(*destinations->list));
	for (unsigned i = 0; i < count; i++) {
		const struct word *name = &destinations->statements[i]->word;

		check_name(destinations, name);
		destinations->list[i].name = name->text;
	}
	destinations->lets->kinds[PROTECTION_network] =
		destination_protection(destinations->list, count, operations);
	return destinations->list;
}

void destinations_report_unused(const struct destinations *destinations)
{
	const struct lets *lets = destinations->lets;
	const struct protection *network = &lets->kinds[PROTECTION_network];
	size_t first =
		protection_operation_count(network) - destinations->count;

	for (size_t i = 0; i < destinations->count; i++) {
		const struct word *name = &destinations->statements[i]->word;

		if (!(lets->destinations_used >> (first + i) & 1))
			diag_report(
				lets->diag, CHECK_UNUSED_DESTINATION, name->loc,
				"no rule names '%s': all it does is to take something out of `connect`",
				name->text);
	}
}

/* ---- what is in them ---- */

/* A prefix or some ports, and where that is written. */
struct part {
	union {
		struct destination_prefix prefix;
		struct destination_ports ports;
	};
	struct loc loc;
	size_t order; /* in which it was read */
};

struct parts {
	struct part *list;
	size_t count;
	size_t capacity;
};

static void add_part(struct destinations *destinations, struct parts *parts,
		     struct part part)
{
	part.order = parts->count;
	parts->list = arena_grow(destinations->arena, parts->list, parts->count,
				 &parts->capacity, sizeof(*parts->list));
	parts->list[parts->count++] = part;
}

/* Whether all of it is loopback, or what leads there: 0.0.0.0 and ::. */
static bool is_loopback(const struct destination_prefix *prefix)
{
	static const uint8_t zeros[DESTINATION_ADDRESS_SIZE];
	const uint8_t *v4 = prefix->address + DESTINATION_V4_BITS / 8;

	if (prefix->bits >= DESTINATION_V4_BITS + 8 &&
	    destination_is_v4(prefix->address))
		return v4[0] == 127 ||
		       (prefix->bits == DESTINATION_ADDRESS_BITS &&
			!memcmp(v4, zeros, 4));
	return prefix->bits >= DESTINATION_ADDRESS_BITS - 1 &&
	       !memcmp(prefix->address, zeros, DESTINATION_ADDRESS_SIZE - 1) &&
	       prefix->address[DESTINATION_ADDRESS_SIZE - 1] <= 1;
}

static void read_prefix(struct destinations *destinations,
			const struct expr *value, struct parts *prefixes)
{
	struct diag *diag = destinations->lets->diag;
	char meant[DESTINATION_PREFIX_TEXT];
	struct part part = { .loc = value->loc };
	struct diag_entry *entry;
	const char *text, *wrong;

	if (!eval_string(destinations->lets, value, &text))
		return;
	wrong = destination_prefix_read(text, &part.prefix);
	if (!wrong) {
		add_part(destinations, prefixes, part);
		if (is_loopback(&part.prefix))
			diag_report(
				diag, CHECK_LOOPBACK, value->loc,
				"this is loopback, which but by SCTP passes whatever the policy says");
		return;
	}
	entry = diag_report(diag, CHECK_SETTING, value->loc,
			    "'%s' is no prefix: %s", text, wrong);
	if (!destination_prefix_is_valid(&part.prefix))
		return;
	destination_prefix_text(&part.prefix, meant);
	diag_note(diag, entry, value->loc, "did you mean \"%s\"?", meant);
}

/* "8000-8080" */
static bool read_range(const char *text, struct destination_ports *ports)
{
	int first = destination_number_read(&text, PORT_MAX), last = -1;

	if (first >= 0 && *text == '-') {
		text++;
		last = destination_number_read(&text, PORT_MAX);
	}
	*ports = (struct destination_ports){ (uint16_t)first, (uint16_t)last };
	return first >= 0 && last >= first && !*text;
}

static void read_ports(struct destinations *destinations,
		       const struct expr *value, struct parts *ports)
{
	struct diag *diag = destinations->lets->diag;
	struct part part = { .loc = value->loc };
	const char *text;
	int64_t port;

	if (eval_is_string(destinations->lets, value)) {
		if (!eval_string(destinations->lets, value, &text))
			return;
		if (read_range(text, &part.ports))
			add_part(destinations, ports, part);
		else
			diag_report(
				diag, CHECK_SETTING, value->loc,
				"'%s' are no ports: those are the first and the last, like \"8000-8080\", 0 to %d",
				text, PORT_MAX);
		return;
	}
	if (!eval_integer(destinations->lets, value, &port))
		return;
	if (port < 0 || port > PORT_MAX) {
		diag_report(
			diag, CHECK_SETTING, value->loc,
			"a port is 0 to %d; several are written in quotes, like \"8000-8080\"",
			PORT_MAX);
		return;
	}
	part.ports =
		(struct destination_ports){ (uint16_t)port, (uint16_t)port };
	add_part(destinations, ports, part);
}

static void read_setting(struct destinations *destinations,
			 const struct statement *from, struct parts *prefixes,
			 struct parts *ports)
{
	struct suggest suggest = suggest_new(from->word.text);
	struct diag *diag = destinations->lets->diag;
	const struct expr *value = from->values;
	bool list = value->kind == EXPR_LIST;
	struct diag_entry *entry;

	if (from->subjects)
		diag_report(diag, CHECK_SETTING, from->subjects->loc,
			    "a setting has no `for`");
	for (value = list ? value->elements : value; value;
	     value = list ? value->next : NULL) {
		if (!strcmp(from->word.text, "prefixes")) {
			read_prefix(destinations, value, prefixes);
		} else if (!strcmp(from->word.text, "ports")) {
			read_ports(destinations, value, ports);
		} else {
			entry = diag_report(
				diag, CHECK_SETTING, from->word.loc,
				"a destination has `prefixes` and `ports`, and no '%s'",
				from->word.text);
			suggest_offer(&suggest, "prefixes");
			suggest_offer(&suggest, "ports");
			if (suggest.nearest)
				diag_note(diag, entry, from->word.loc,
					  "did you mean '%s'?",
					  suggest.nearest);
			return;
		}
	}
}

static void report_twice(struct destinations *destinations,
			 const struct part *part, const struct part *before)
{
	struct diag *diag = destinations->lets->diag;
	struct diag_entry *entry =
		diag_report(diag, CHECK_DUPLICATE, part->loc,
			    "the destination has this already");

	diag_note(diag, entry, before->loc, "first set here");
}

static int compare_order(const struct part *one, const struct part *other)
{
	return one->order < other->order ? -1 : one->order > other->order;
}

static int compare_prefixes(const void *a, const void *b)
{
	const struct part *one = a, *other = b;
	int order = destination_prefix_compare(&one->prefix, &other->prefix);

	return order ? order : compare_order(one, other);
}

static void keep_prefixes(struct destinations *destinations,
			  struct parts *parts, struct destination *to)
{
	if (!parts->count)
		return;
	qsort(parts->list, parts->count, sizeof(*parts->list),
	      compare_prefixes);
	to->prefixes = arena_array(destinations->arena, parts->count,
				   sizeof(*to->prefixes));
	for (size_t i = 0; i < parts->count; i++) {
		const struct part *part = &parts->list[i];

		if (i && !destination_prefix_compare(&part->prefix,
						     &part[-1].prefix))
			report_twice(destinations, part, &part[-1]);
		else
			to->prefixes[to->prefix_count++] = part->prefix;
	}
}

static int compare_ports(const void *a, const void *b)
{
	const struct part *one = a, *other = b;

	if (one->ports.first != other->ports.first)
		return one->ports.first < other->ports.first ? -1 : 1;
	if (one->ports.last != other->ports.last)
		return one->ports.last < other->ports.last ? -1 : 1;
	return compare_order(one, other);
}

/* Those that touch or overlap become one. */
static void keep_ports(struct destinations *destinations, struct parts *parts,
		       struct destination *to)
{
	if (!parts->count)
		return;
	qsort(parts->list, parts->count, sizeof(*parts->list), compare_ports);
	to->ports = arena_array(destinations->arena, parts->count,
				sizeof(*to->ports));
	for (size_t i = 0; i < parts->count; i++) {
		const struct part *part = &parts->list[i];
		struct destination_ports *kept = to->ports + to->ports_count;

		if (i && part->ports.first == part[-1].ports.first &&
		    part->ports.last == part[-1].ports.last)
			report_twice(destinations, part, &part[-1]);
		if (kept > to->ports &&
		    part->ports.first <= kept[-1].last + 1) {
			if (part->ports.last > kept[-1].last)
				kept[-1].last = part->ports.last;
			continue;
		}
		*kept = part->ports;
		to->ports_count++;
	}
}

/* Passing the limit is reported once. */
static void count_parts(struct destinations *destinations,
			const struct statement *from, size_t count)
{
	bool before = destinations->part_count > DESTINATION_MAX_PARTS;

	destinations->part_count += count;
	if (destinations->part_count > DESTINATION_MAX_PARTS && !before)
		diag_report(destinations->lets->diag, CHECK_LIMIT,
			    from->word.loc,
			    "there are more than %d prefixes and ports in all",
			    DESTINATION_MAX_PARTS);
}

void destinations_resolve(struct destinations *destinations,
			  const struct statement *from)
{
	struct parts prefixes = { 0 }, ports = { 0 };
	struct destination *to;
	size_t i = 0;

	while (i < destinations->count && destinations->statements[i] != from)
		i++;
	if (i == destinations->count) /* reported when it was to be added */
		return;
	to = &destinations->list[i];
	for (const struct statement *setting = from->settings; setting;
	     setting = setting->next) {
		if (setting->kind == STATEMENT_SETTING)
			read_setting(destinations, setting, &prefixes, &ports);
		else
			diag_report(
				destinations->lets->diag, CHECK_MISPLACED,
				setting->loc,
				"a destination has `prefixes` and `ports`: rules stand outside of its braces");
	}
	/* what could not be read is not there */
	if (!from->settings && !diag_failed(destinations->lets->diag))
		diag_report(
			destinations->lets->diag, CHECK_SETTING, from->loc,
			"this destination is everywhere: say which `prefixes` or `ports` it has");
	keep_prefixes(destinations, &prefixes, to);
	keep_ports(destinations, &ports, to);
	count_parts(destinations, from, to->prefix_count + to->ports_count);
}
