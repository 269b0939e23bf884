/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/listing.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "bundle/policy.h"
#include "compiler/arena.h"
#include "compiler/btfext.h"
#include "compiler/image.h"
#include "compiler/types.h"

#define COMMENT_COLUMN 36

struct listing {
	FILE *out;
	struct arena *arena;
	struct image image;
	struct ext ext;
	const struct table *table;
	const struct optimize_report *report;
	const struct image_section *policy; /* NULL without */
};

#define HELPER_NAME(name) [BPF_FUNC_##name] = #name
static const char *const helper_names[] = { __BPF_FUNC_MAPPER(HELPER_NAME) };
#undef HELPER_NAME

/* ---- what a word of the policy says ---- */

static const struct image_symbol *symbol_at(const struct image *image,
					    uint32_t section, uint64_t value)
{
	for (uint32_t i = 1; i < image->symbol_count; i++) {
		const Elf64_Sym *entry = &image->symbols[i].entry;

		if (entry->st_shndx == section &&
		    ELF64_ST_TYPE(entry->st_info) == STT_OBJECT &&
		    value >= entry->st_value &&
		    value - entry->st_value < entry->st_size)
			return &image->symbols[i];
	}
	return NULL;
}

static const struct table_protection *find_protection(
	const struct listing *listing, const char *symbol)
{
	size_t len = strlen(POLICY_SYMBOL_PREFIX);

	if (strncmp(symbol, POLICY_SYMBOL_PREFIX, len))
		return NULL;
	for (uint32_t i = 0; i < listing->table->protection_count; i++)
		if (!strcmp(listing->table->protections[i].protection->name,
			    symbol + len))
			return &listing->table->protections[i];
	return NULL;
}

static void print_statement(const struct listing *listing,
			    const struct table_protection *protection,
			    uint32_t class, unsigned operation)
{
	const struct table_statement *statement =
		table_decided_by(listing->table, protection, class, operation);

	if (statement)
		fprintf(listing->out, " (%s:%" PRIu32 ")",
			listing->table->sources[statement->source],
			statement->line);
}

/* The operations whose bits are in @mask, each with its rule. */
static void print_operations(const struct listing *listing,
			     const struct table_protection *protection,
			     uint32_t class, uint64_t mask, uint64_t word,
			     const char *yes, const char *no)
{
	const struct protection *names = protection->protection;
	const char *before = "";

	fprintf(listing->out, "%s for %s: ", names->name,
		table_place_name(table_class_place(class)));
	for (unsigned i = 0; i < protection_operation_count(names); i++) {
		if (!(mask >> i & 1))
			continue;
		fprintf(listing->out, "%s%s %s", before,
			names->operations[i].name, word >> i & 1 ? yes : no);
		print_statement(listing, protection, class, i);
		before = ", ";
	}
}

static uint64_t policy_word(const struct listing *listing, uint64_t offset)
{
	uint64_t word = 0;

	if (offset + sizeof(word) <= listing->policy->content.size)
		memcpy(&word,
		       (const uint8_t *)listing->policy->content.bytes + offset,
		       sizeof(word));
	return word;
}

/* Of the operations that the template decides at all. */
static void print_class(const struct listing *listing,
			const struct table_protection *protection,
			uint64_t start, uint64_t field, uint64_t mask)
{
	uint32_t class = (uint32_t)((field - offsetof(struct policy, classes)) /
				    sizeof(struct policy_class));
	uint64_t word = policy_word(listing, start + field);
	bool logged =
		field % sizeof(struct policy_class) !=
		offsetof(struct policy, classes) % sizeof(struct policy_class);

	mask &= policy_word(listing, start);
	if (logged)
		print_operations(listing, protection, class, mask, word,
				 "logged", "unlogged");
	else
		print_operations(listing, protection, class, mask, word,
				 "denied", "allowed");
}

static void print_source(const struct listing *listing,
			 const struct source_bits *source)
{
	uint64_t offset = (uint64_t)source->word * 8, field;
	const struct table_protection *protection;
	const struct image_symbol *symbol = symbol_at(
		&listing->image, image_index(&listing->image, listing->policy),
		offset);

	if (!symbol) {
		fprintf(listing->out, POLICY_SECTION "+%" PRIu64, offset);
		return;
	}
	field = offset - symbol->entry.st_value;
	protection = find_protection(listing, symbol->name);
	if (!protection)
		fprintf(listing->out, "%s+%" PRIu64, symbol->name, field);
	else if (field >= offsetof(struct policy, classes))
		print_class(listing, protection, symbol->entry.st_value, field,
			    source->mask);
	else if (field == offsetof(struct policy, protection))
		fprintf(listing->out, "%s: %s", protection->protection->name,
			source->mask >> 32 ? "audit" : "its number");
	else
		fprintf(listing->out, "%s: %s", protection->protection->name,
			field ? "its classes" : "its operations");
}

/* ---- a program ---- */

/* The symbol that a relocation of that instruction names; "" without. */
static const char *relocated_to(const struct listing *listing,
				const struct image_section *relocations,
				uint64_t offset)
{
	Elf64_Rel relocation;

	for (size_t i = 0;
	     relocations && image_relocation(relocations, i, &relocation);
	     i++) {
		const struct image_symbol *symbol;

		if (relocation.r_offset != offset)
			continue;
		symbol =
			&listing->image.symbols[ELF64_R_SYM(relocation.r_info)];
		if (ELF64_ST_TYPE(symbol->entry.st_info) != STT_SECTION)
			return symbol->name;
		return listing->image.sections[symbol->entry.st_shndx].name;
	}
	return "";
}

static bool has_record(const struct listing *listing, enum ext_kind kind,
		       const char *section, uint64_t offset,
		       const struct ext_record **record)
{
	const struct ext_list *list = &listing->ext.lists[kind];

	for (size_t i = 0; i < list->count; i++) {
		*record = &list->records[i];
		if ((*record)->words[0] == offset &&
		    !strcmp(types_string(&listing->image, (*record)->section),
			    section))
			return true;
	}
	return false;
}

static void print_line(const struct listing *listing, const char *section,
		       uint64_t offset)
{
	const struct ext_record *line;
	const char *text;

	if (!has_record(listing, EXT_LINES, section, offset, &line))
		return;
	text = types_string(&listing->image, line->words[2]);
	text += strspn(text, " \t");
	fprintf(listing->out, "  ; %s:%" PRIu32 ": %s\n",
		types_string(&listing->image, line->words[1]),
		line->words[3] >> 10, text);
}

/* Begins what stands behind an instruction, or goes on with it. */
static void comment(const struct listing *listing, int *width)
{
	fprintf(listing->out, "%*s; ",
		*width < COMMENT_COLUMN ? COMMENT_COLUMN - *width : 1, "");
	*width = COMMENT_COLUMN;
}

static void print_notes(const struct listing *listing,
			const struct image_section *relocations,
			const char *section, const struct insn *insn,
			uint64_t offset, const struct source_bits *sources,
			int width)
{
	const char *symbol = relocated_to(listing, relocations, offset);
	const struct ext_record *core;
	uint32_t helper = (uint32_t)insn->immediate;

	if (*symbol) {
		comment(listing, &width);
		fputs(symbol, listing->out);
	} else if (insn_kind(insn) == INSN_CALL &&
		   helper < sizeof(helper_names) / sizeof(*helper_names)) {
		comment(listing, &width);
		fputs(helper_names[helper], listing->out);
	}
	if (has_record(listing, EXT_CORE, section, offset, &core)) {
		comment(listing, &width);
		fputs("as the running kernel has it", listing->out);
	}
	for (size_t i = 0; sources && i < SOURCES && sources[i].mask; i++) {
		comment(listing, &width);
		print_source(listing, &sources[i]);
	}
	putc('\n', listing->out);
}

static void print_instructions(const struct listing *listing, uint32_t index,
			       const struct image_symbol *symbol,
			       const struct optimized *optimized)
{
	const struct image_section *section = &listing->image.sections[index];
	const struct image_section *relocations =
		image_relocations(&listing->image, index);
	const uint8_t *bytes = section->content.bytes;
	size_t start = symbol->entry.st_value / INSN_SIZE;
	size_t slots = symbol->entry.st_size / INSN_SIZE;

	for (size_t i = 0; i < slots;) {
		char text[INSN_TEXT_SIZE];
		struct insn insn;
		unsigned taken = insn_decode(bytes + (start + i) * INSN_SIZE,
					     slots - i, &insn);
		uint64_t offset = (start + i) * INSN_SIZE;

		print_line(listing, section->name, offset);
		insn_text(&insn, (long)i + 1 + insn.offset, text);
		print_notes(listing, relocations, section->name, &insn, offset,
			    optimized && optimized->sources
				    ? optimized->sources[i]
				    : NULL,
			    fprintf(listing->out, "%6zu  %s", i, text));
		i += taken ? taken : 1;
	}
}

/* Each once: threading decides one branch on several ways. */
static void print_decisions(const struct listing *listing,
			    const struct optimized *optimized)
{
	for (size_t i = 0; i < optimized->decision_count; i++) {
		const struct source_bits *source =
			&optimized->decisions[i].source;
		bool known = false;

		for (size_t j = 0; j < i; j++)
			known |= optimized->decisions[j].source.word ==
					 source->word &&
				 optimized->decisions[j].source.mask ==
					 source->mask;
		if (known)
			continue;
		fputs("  ; decided: ", listing->out);
		print_source(listing, source);
		putc('\n', listing->out);
	}
}

static const struct image_symbol *find_program(const struct listing *listing,
					       const char *name)
{
	for (uint32_t i = 1; i < listing->image.symbol_count; i++) {
		const struct image_symbol *symbol = &listing->image.symbols[i];

		if (ELF64_ST_TYPE(symbol->entry.st_info) == STT_FUNC &&
		    !strcmp(symbol->name, name))
			return symbol;
	}
	return NULL;
}

/* Programs, and in .text the functions that they call. */
static const char *kind_of(const char *section)
{
	return strcmp(section, ".text") ? "program" : "function";
}

static void print_optimized(const struct listing *listing,
			    const struct optimized *optimized)
{
	const struct image_symbol *symbol =
		find_program(listing, optimized->name);
	const char *kind = kind_of(optimized->section);

	fprintf(listing->out, "%s %s (%s): %zu slots, ", kind, optimized->name,
		optimized->section, optimized->slots_before);
	if (!optimized->folded)
		fputs("left as they were\n", listing->out);
	else if (optimized->slots_after)
		fprintf(listing->out, "%zu when folded\n",
			optimized->slots_after);
	else if (!strcmp(kind, "function"))
		fputs("gone: nothing calls it\n", listing->out);
	else
		fputs("gone: it returns 0\n", listing->out);
	print_decisions(listing, optimized);
	if (symbol)
		print_instructions(listing, symbol->entry.st_shndx, symbol,
				   optimized);
	putc('\n', listing->out);
}

static void print_unfolded(const struct listing *listing)
{
	for (uint32_t i = 1; i < listing->image.symbol_count; i++) {
		const struct image_symbol *symbol = &listing->image.symbols[i];
		uint16_t section = symbol->entry.st_shndx;

		if (ELF64_ST_TYPE(symbol->entry.st_info) != STT_FUNC ||
		    section == SHN_UNDEF || section >= SHN_LORESERVE)
			continue;
		fprintf(listing->out, "%s %s (%s): %" PRIu64 " slots\n",
			kind_of(listing->image.sections[section].name),
			symbol->name, listing->image.sections[section].name,
			(uint64_t)symbol->entry.st_size / INSN_SIZE);
		print_instructions(listing, section, symbol, NULL);
		putc('\n', listing->out);
	}
}

int listing_print(FILE *out, struct arena *arena, const struct blob *object,
		  const struct table *table,
		  const struct optimize_report *report, const char **why)
{
	struct listing listing = {
		.out = out, .arena = arena, .table = table, .report = report
	};
	const struct image_section *ext;
	int err = image_open(arena, object, &listing.image, why);

	if (err)
		return err;
	listing.policy = image_find(&listing.image, POLICY_SECTION);
	ext = image_find(&listing.image, ".BTF.ext");
	if (ext)
		err = ext_read(arena, &ext->content, &listing.ext, why);
	if (err)
		return err;
	for (size_t i = 0; i < report->count; i++)
		print_optimized(&listing, &report->programs[i]);
	if (!report->count)
		print_unfolded(&listing);
	return 0;
}
