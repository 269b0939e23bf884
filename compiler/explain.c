/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/explain.h"

#include <string.h>

#include "bundle/text.h"
#include "compiler/arena.h"

static bool is_logged(const struct table_protection *protection,
		      uint32_t class, unsigned operation)
{
	return protection->logged[class] >> operation & 1;
}

static void print_shown(FILE *out, const char *text)
{
	text_shown(out, text, strlen(text));
}

/* " in cgroup "/x"", nothing for a class in none of the named ones. */
static void print_in_cgroup(FILE *out,
			    const struct table_protection *protection,
			    uint32_t class)
{
	const char *cgroup = table_class_cgroup(protection, class);

	if (!cgroup)
		return;
	fputs(" in cgroup ", out);
	text_quoted(out, cgroup);
}

static void print_date(FILE *out, uint32_t date)
{
	fprintf(out, "%04u-%02u-%02u", date / 10000, date / 100 % 100,
		date % 100);
}

static const char *trace_or_name(const struct table_protection *protection,
				 const char *prefix)
{
	return protection->protection->trace ? prefix : "";
}

/* ---- JSON ---- */

static void json_string(FILE *out, const char *text)
{
	if (text)
		text_json(out, text);
	else
		fputs("null", out);
}

static void json_classes(FILE *out, const struct table_protection *protection)
{
	uint32_t count = table_class_count(protection);

	fputs("\"classes\": [", out);
	for (uint32_t class = 0; class < count; class++) {
		fprintf(out, "%s{\"place\": \"%s\", \"cgroup\": ",
			class ? ", " : "",
			table_place_name(table_class_place(class)));
		json_string(out, table_class_cgroup(protection, class));
		putc('}', out);
	}
	putc(']', out);
}

static void json_cell(FILE *out, const struct table *table,
		      const struct table_protection *protection,
		      uint32_t class, unsigned operation)
{
	const struct table_statement *by =
		table_decided_by(table, protection, class, operation);

	putc('{', out);
	if (!protection->protection->trace)
		fprintf(out, "\"verdict\": \"%s\", ",
			table_verdict(table, protection, class, operation));
	fprintf(out, "\"logged\": %s, \"by\": ",
		is_logged(protection, class, operation) ? "true" : "false");
	if (by) {
		fputs("{\"file\": ", out);
		json_string(out, table->sources[by->source]);
		fprintf(out, ", \"line\": %u}}", by->line);
	} else {
		fputs("null}", out);
	}
}

static void json_operations(FILE *out, const struct table *table,
			    const struct table_protection *protection)
{
	const struct protection *known = protection->protection;
	unsigned operation_count = protection_operation_count(known);
	uint32_t class_count = table_class_count(protection);

	fputs("\"operations\": [", out);
	for (unsigned op = 0; op < operation_count; op++) {
		fprintf(out, "%s\n      {\"name\": \"%s\", \"hot\": %s, \"cells\": [",
			op ? "," : "", known->operations[op].name,
			operation_is_hot(&known->operations[op]) ? "true" :
								   "false");
		for (uint32_t class = 0; class < class_count; class++) {
			if (class)
				fputs(", ", out);
			json_cell(out, table, protection, class, op);
		}
		fputs("]}", out);
	}
	putc(']', out);
}

static void json_devices(FILE *out, const struct table_protection *protection)
{
	fputs(", \"settings\": {\"devices\": [", out);
	for (uint32_t i = 0; i < protection->device_count; i++)
		fprintf(out, "%s\"%s\"", i ? ", " : "",
			protection->devices[i]);
	fputs("]}", out);
}

static void json_destination(FILE *out, const struct destination *destination)
{
	char text[DESTINATION_PREFIX_TEXT];

	fputs("{\"name\": ", out);
	json_string(out, destination->name);
	fputs(", \"prefixes\": [", out);
	for (uint32_t i = 0; i < destination->prefix_count; i++) {
		destination_prefix_text(&destination->prefixes[i], text);
		fprintf(out, "%s\"%s\"", i ? ", " : "", text);
	}
	fputs("], \"ports\": [", out);
	for (uint32_t i = 0; i < destination->ports_count; i++)
		fprintf(out, "%s[%u, %u]", i ? ", " : "",
			destination->ports[i].first,
			destination->ports[i].last);
	fputs("]}", out);
}

static void json_destinations(FILE *out,
			      const struct table_protection *protection)
{
	fputs(",\n     \"settings\": {\"destinations\": [", out);
	for (uint32_t i = 0; i < protection->protection->destination_count;
	     i++) {
		fputs(i ? ",\n      " : "\n      ", out);
		json_destination(out, &protection->destinations[i]);
	}
	fputs("]}", out);
}

/* Those that are traces, or those that are not. */
static void json_protections(FILE *out, const struct table *table, bool trace)
{
	const char *joint = "";

	for (uint32_t i = 0; i < table->protection_count; i++) {
		const struct table_protection *protection =
			&table->protections[i];

		if (protection->protection->trace != trace)
			continue;
		fprintf(out, "%s\n    {\"name\": \"%s\", ", joint,
			protection->protection->name);
		if (!trace)
			fprintf(out,
				"\"profile\": \"%s\", \"log\": \"%s\", ",
				table_profile_name(protection->profile),
				table_log_name(protection->log));
		json_classes(out, protection);
		fputs(",\n     ", out);
		json_operations(out, table, protection);
		if (protection->protection->id == PROTECTION_usb)
			json_devices(out, protection);
		if (protection->protection->destination_count)
			json_destinations(out, protection);
		putc('}', out);
		joint = ",";
	}
}

static void explain_json(FILE *out, const struct table *table)
{
	fputs("{\"policy\": ", out);
	json_string(out, table->policy);
	if (table->version)
		fprintf(out, ", \"version\": %u", table->version);
	else
		fputs(", \"version\": null", out);
	fputs(", \"description\": ", out);
	json_string(out, table->description);
	fprintf(out,
		",\n \"language\": %u, \"mode\": \"%s\", \"seal\": \"%s\", \"until\": ",
		table->language, table->audit ? "audit" : "enforce",
		table->locked ? "locked" : "open");
	if (table->until) {
		putc('"', out);
		print_date(out, table->until);
		putc('"', out);
	} else {
		fputs("null", out);
	}
	fputs(",\n \"protections\": [", out);
	json_protections(out, table, false);
	fputs("],\n \"trace\": [", out);
	json_protections(out, table, true);
	fputs("]}\n", out);
}

/* ---- text and Markdown ---- */

#define CELL_SIZE 16
#define SHOWN	  8 /* prefixes or ports of a destination */

static void cell_text(const struct table *table,
		      const struct table_protection *protection,
		      uint32_t class, unsigned operation, char cell[CELL_SIZE])
{
	bool logged = is_logged(protection, class, operation);

	if (protection->protection->trace)
		snprintf(cell, CELL_SIZE, "%s", logged ? "log" : "-");
	else
		snprintf(cell, CELL_SIZE, "%s%s",
			 table_verdict(table, protection, class, operation),
			 logged ? "*" : "");
}

/* "host", or "host[2]" for the second named cgroup. */
static void class_text(uint32_t class, char cell[CELL_SIZE])
{
	const char *place = table_place_name(table_class_place(class));

	if (class < PLACE_COUNT)
		snprintf(cell, CELL_SIZE, "%s", place);
	else
		snprintf(cell, CELL_SIZE, "%s[%u]", place,
			 class / PLACE_COUNT);
}

/* The hot hooks of operations that are denied or logged anywhere. */
static uint64_t hot_hooks(const struct table_protection *protection)
{
	const struct protection *known = protection->protection;
	uint64_t used = table_used_operations(protection), found = 0;

	for (; used; used &= used - 1)
		found |= known->operations[__builtin_ctzll(used)].hooks;
	for (unsigned i = 0; i < HOOK_COUNT; i++)
		if (!hooks[i].hot)
			found &= ~(UINT64_C(1) << i);
	return found;
}

/* No hook sees who moves a task into a cgroup (docs/security.md).  Of a policy
 * that root may take off that goes without saying. */
static bool is_gained_by_moving(const struct table *table,
				const struct table_protection *protection,
				uint32_t cgroup)
{
	uint32_t class = PLACE_COUNT * (1 + cgroup) + PLACE_HOST;

	return table->locked && !table->audit &&
	       protection->denied[PLACE_HOST] & ~protection->denied[class];
}

/* What is in it, as far as a line has room: all of it is in the JSON. */
static void print_destination(FILE *out, const struct destination *destination,
			      const char *indent)
{
	uint32_t prefixes = destination->prefix_count;
	uint32_t ports = destination->ports_count;
	char text[DESTINATION_PREFIX_TEXT];

	fprintf(out, "%sdestination %s:", indent, destination->name);
	if (!prefixes)
		fputs(" every address", out);
	for (uint32_t i = 0; i < prefixes && i < SHOWN; i++) {
		destination_prefix_text(&destination->prefixes[i], text);
		fprintf(out, "%s %s", i ? "," : "", text);
	}
	if (prefixes > SHOWN)
		fprintf(out, " and %u more", prefixes - SHOWN);
	if (ports)
		fputs("; ports", out);
	for (uint32_t i = 0; i < ports && i < SHOWN; i++) {
		const struct destination_ports *each = &destination->ports[i];

		fprintf(out, "%s %u", i ? "," : "", each->first);
		if (each->last != each->first)
			fprintf(out, "-%u", each->last);
	}
	if (ports > SHOWN)
		fprintf(out, " and %u more", ports - SHOWN);
	putc('\n', out);
}

static void print_notes(FILE *out, const struct table *table,
			const struct table_protection *protection,
			const char *indent)
{
	uint64_t hot = hot_hooks(protection);

	for (uint32_t i = 0; i < protection->cgroup_count; i++) {
		fprintf(out, "%s[%u] in cgroup ", indent, i + 1);
		text_quoted(out, protection->cgroups[i]);
		if (is_gained_by_moving(table, protection, i))
			fputs(": root can move a task there, which may then do what the host may not",
			      out);
		putc('\n', out);
	}
	for (uint32_t i = 0; i < protection->device_count; i++)
		fprintf(out, "%sdevice %s\n", indent, protection->devices[i]);
	for (uint32_t i = 0; i < protection->protection->destination_count; i++)
		print_destination(out, &protection->destinations[i], indent);
	if (!hot)
		return;
	fprintf(out, "%shot hooks:", indent);
	for (unsigned i = 0; i < HOOK_COUNT; i++)
		if (hot >> i & 1)
			fprintf(out, " %s", hooks[i].name);
	putc('\n', out);
}

static int name_width(const struct protection *protection)
{
	size_t widest = 0;

	for (unsigned i = 0; i < protection_operation_count(protection); i++)
		if (strlen(protection->operations[i].name) > widest)
			widest = strlen(protection->operations[i].name);
	return (int)widest;
}

static void text_protection(FILE *out, const struct table *table,
			    const struct table_protection *protection)
{
	const struct protection *known = protection->protection;
	uint32_t class_count = table_class_count(protection);
	int width = name_width(known);
	char cell[CELL_SIZE];

	fprintf(out, "\n%s%s: %s\n", trace_or_name(protection, "trace "),
		known->name, known->words);
	if (!known->trace)
		fprintf(out, "  profile %s, log %s\n",
			table_profile_name(protection->profile),
			table_log_name(protection->log));
	fprintf(out, "  %-*s", width, "");
	for (uint32_t class = 0; class < class_count; class++) {
		class_text(class, cell);
		fprintf(out, "  %-13s", cell);
	}
	putc('\n', out);
	for (unsigned op = 0; op < protection_operation_count(known); op++) {
		fprintf(out, "  %-*s", width, known->operations[op].name);
		for (uint32_t class = 0; class < class_count; class++) {
			cell_text(table, protection, class, op, cell);
			fprintf(out, "  %-13s", cell);
		}
		putc('\n', out);
	}
	print_notes(out, table, protection, "  ");
}

static void markdown_protection(FILE *out, const struct table *table,
				const struct table_protection *protection)
{
	const struct protection *known = protection->protection;
	uint32_t class_count = table_class_count(protection);
	char cell[CELL_SIZE];

	fprintf(out, "\n## %s%s\n\n%s.", trace_or_name(protection, "trace "),
		known->name, known->words);
	if (!known->trace)
		fprintf(out, " Profile %s, log %s.",
			table_profile_name(protection->profile),
			table_log_name(protection->log));
	fputs("\n\n| operation |", out);
	for (uint32_t class = 0; class < class_count; class++) {
		class_text(class, cell);
		fprintf(out, " %s |", cell);
	}
	fputs("\n|---|", out);
	for (uint32_t class = 0; class < class_count; class++)
		fputs("---|", out);
	putc('\n', out);
	for (unsigned op = 0; op < protection_operation_count(known); op++) {
		fprintf(out, "| %s |", known->operations[op].name);
		for (uint32_t class = 0; class < class_count; class++) {
			cell_text(table, protection, class, op, cell);
			fprintf(out, " %s |", cell);
		}
		putc('\n', out);
	}
	putc('\n', out);
	print_notes(out, table, protection, "- ");
}

static void print_header(FILE *out, const struct table *table)
{
	fprintf(out, "policy %s", table->policy);
	if (table->version)
		fprintf(out, ", version %u", table->version);
	fprintf(out, ", mode %s, seal %s", table->audit ? "audit" : "enforce",
		table->locked ? "locked" : "open");
	if (table->until) {
		fputs(", first exception ends ", out);
		print_date(out, table->until);
	}
	putc('\n', out);
	if (!table->description)
		return;
	print_shown(out, table->description);
	putc('\n', out);
}

/* ---- the plan ---- */

static void plan_protection(FILE *out, const struct table *table,
			    const struct table_protection *protection)
{
	const struct protection *known = protection->protection;
	uint32_t class_count = table_class_count(protection);

	fprintf(out, "%s%s", trace_or_name(protection, "trace "), known->name);
	if (!known->trace)
		fprintf(out, " profile=%s log=%s",
			table_profile_name(protection->profile),
			table_log_name(protection->log));
	putc('\n', out);
	for (uint32_t class = 0; class < class_count; class++) {
		fprintf(out, "  class %u %s", class,
			table_place_name(table_class_place(class)));
		print_in_cgroup(out, protection, class);
		fprintf(out, " denied=0x%llx logged=0x%llx\n",
			(unsigned long long)protection->denied[class],
			(unsigned long long)protection->logged[class]);
		for (unsigned op = 0; op < protection_operation_count(known);
		     op++) {
			const struct table_statement *by = table_decided_by(
				table, protection, class, op);

			if (!by)
				continue;
			fprintf(out, "    bit %u %s by ", op,
				known->operations[op].name);
			print_shown(out, table->sources[by->source]);
			fprintf(out, ":%u\n", by->line);
		}
	}
}

void explain_table(FILE *out, const struct table *table,
		   enum explain_format format)
{
	if (format == EXPLAIN_JSON) {
		explain_json(out, table);
		return;
	}
	if (format == EXPLAIN_MARKDOWN)
		fprintf(out, "# %s\n\n", table->policy);
	print_header(out, table);
	for (uint32_t i = 0; i < table->protection_count; i++) {
		if (format == EXPLAIN_TEXT)
			text_protection(out, table, &table->protections[i]);
		else if (format == EXPLAIN_MARKDOWN)
			markdown_protection(out, table,
					    &table->protections[i]);
		else
			plan_protection(out, table, &table->protections[i]);
	}
	if (format != EXPLAIN_PLAN)
		fputs("\nA * marks what is logged.\n", out);
}

/* ---- why ---- */

static bool rule_covers(const struct plan_rule *rule, uint32_t class,
			unsigned operation)
{
	if (!(rule->rule->operations >> operation & 1))
		return false;
	for (uint32_t i = 0; i < rule->range_count; i++)
		if (class >= rule->ranges[i].first &&
		    class < rule->ranges[i].behind)
			return true;
	return false;
}

static void print_statement(FILE *out, const struct table *table,
			    uint32_t index, const char *words, bool decides)
{
	const struct table_statement *statement = &table->statements[index];

	fputs("  ", out);
	print_shown(out, table->sources[statement->source]);
	fprintf(out, ":%u:%u: %s%s", statement->line, statement->column, words,
		decides ? "  <- decides" : "");
	if (statement->reason) {
		fputs("\n    because ", out);
		text_quoted(out, statement->reason);
	}
	if (statement->until) {
		fputs("\n    until ", out);
		print_date(out, statement->until);
	}
	putc('\n', out);
}

/* Blocks, then allows, then the profile: the first of them decides. */
static void why_cell(FILE *out, const struct plan *plan, uint32_t index,
		     uint32_t class, unsigned operation)
{
	static const enum rule_kind kinds[] = { RULE_BLOCK, RULE_ALLOW };
	static const char *const words[] = { "block", "allow" };
	const struct plan_protection *from = &plan->protections[index];
	const struct table_protection *to = &plan->table.protections[index];
	bool decides = true;

	for (size_t k = 0; k < 2; k++) {
		for (uint32_t i = 0; i < from->rule_count; i++) {
			if (from->rules[i].rule->kind != kinds[k] ||
			    !rule_covers(&from->rules[i], class, operation))
				continue;
			print_statement(out, &plan->table,
					from->rules[i].statement, words[k],
					decides);
			decides = false;
		}
	}
	print_statement(out, &plan->table, from->profile_statement,
			table_profile_name(to->profile), decides);
}

static void why_class(FILE *out, const struct plan *plan, uint32_t index,
		      uint32_t class, uint64_t operations)
{
	const struct table_protection *to = &plan->table.protections[index];
	for (; operations; operations &= operations - 1) {
		unsigned op = (unsigned)__builtin_ctzll(operations);

		fprintf(out, "%s.%s for %s", to->protection->name,
			to->protection->operations[op].name,
			table_place_name(table_class_place(class)));
		print_in_cgroup(out, to, class);
		fprintf(out, ": %s, %s\n",
			table_verdict(&plan->table, to, class, op),
			is_logged(to, class, op) ? "logged" : "not logged");
		why_cell(out, plan, index, class, op);
	}
}

void explain_why(FILE *out, struct arena *arena, const struct plan *plan,
		 const struct subject *subject,
		 const struct protection *protection, uint64_t operations)
{
	const struct table_protection *to =
		plan_find(&plan->table, protection);
	struct plan_range ranges[2];
	uint32_t count;

	if (!to) {
		fprintf(out,
			"%s is not in the policy: it is not attached, and everything is allowed\n",
			protection->name);
		return;
	}
	count = plan_subject_ranges(arena, to, subject, ranges);
	for (uint32_t i = 0; i < count; i++)
		for (uint32_t class = ranges[i].first;
		     class < ranges[i].behind; class++)
			why_class(out, plan,
				  (uint32_t)(to - plan->table.protections),
				  class, operations);
}
