/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * It runs on the linked object, not on templates: only there it is known what
 * is shared, where a policy's words are, and which programs stand in one
 * section because they are for the same hook.
 *
 * A section of programs is folded as a whole or left as it is, with all that
 * refers to it: it is not understood where it is not made of functions end to
 * end, or holds a relocation other than of ld_imm64 and of calls of whole
 * functions, the kernel's or the object's own.
 *
 * Functions that programs share (.text) come last, when it is known which of
 * them somebody still calls.  There the linker left what it threw away as
 * well: code of functions that it had from another template already, without
 * a symbol.
 */
#include "compiler/optimize.h"

#include <errno.h>
#include <string.h>

#include <bpf/btf.h>

#include "bundle/operations.h"
#include "bundle/policy.h"
#include "compiler/arena.h"
#include "compiler/btfext.h"
#include "compiler/cfg.h"
#include "compiler/fold.h"
#include "compiler/image.h"
#include "compiler/prune.h"
#include "compiler/types.h"

/* Of the BPF ABI. */
#define RELOCATION_DATA 1  /* R_BPF_64_64 */
#define RELOCATION_CALL 10 /* R_BPF_64_32 */
#define SHARED_SECTION	".text"
#define WHOLE_FUNCTION	-1 /* in a call that a relocation is for */
#define ARGUMENTS	5  /* registers of a call */
#define LINE_SHIFT	10 /* of a line's number, above the column */

/* A program in a section. */
struct function {
	struct image_symbol *symbol; /* NULL for what nothing can refer to */
	size_t start;		     /* in slots, as it was */
	size_t slots;
	size_t new_start;
	struct layout layout;
	struct decision *decisions;
	size_t decision_count;
	bool gone; /* it will be left out */
};

/* A section of programs, by its slots as they were. */
struct code {
	uint32_t index;
	struct image_section *section;
	struct image_section *relocations; /* NULL without */
	size_t slots;
	struct function *functions;
	size_t function_count;
	struct slot_note *notes;
	uint32_t *relocation_of; /* number + 1, or 0 */
	const struct ext_record **core_of;
	const struct ext_record **line_of; /* of it, or the last before */
	const struct ext_record **function_of;
	uint32_t ext_section; /* how .BTF.ext calls it */
};

struct optimizer {
	struct arena *arena;
	struct image image;
	struct btf *types; /* as they were */
	struct ext from;
	struct ext to;
	struct blob policy;
	uint32_t policy_index; /* of its section; 0 without */
	struct optimize_report *report;
};

/* ---- what is where ---- */

static bool is_function(const struct image_symbol *symbol)
{
	return !symbol->gone &&
	       ELF64_ST_TYPE(symbol->entry.st_info) == STT_FUNC;
}

static bool is_function_in(const struct image_symbol *symbol, uint32_t section)
{
	return is_function(symbol) && symbol->entry.st_shndx == section;
}

/* The function of the section that starts first at @start or behind it; NULL
 * behind the last. */
static struct image_symbol *next_function(struct image *image, uint32_t section,
					  uint64_t start)
{
	struct image_symbol *next = NULL;

	for (uint32_t i = 1; i < image->symbol_count; i++) {
		struct image_symbol *symbol = &image->symbols[i];

		if (is_function_in(symbol, section) &&
		    symbol->entry.st_value >= start &&
		    (!next || symbol->entry.st_value < next->entry.st_value))
			next = symbol;
	}
	return next;
}

/* The functions of the section, in its order; false where they overlap. */
static bool find_functions(struct optimizer *optimizer, struct code *code)
{
	struct image *image = &optimizer->image;
	uint64_t end = 0, all = code->section->content.size;

	code->functions =
		arena_array(optimizer->arena, 2 * (size_t)image->symbol_count,
			    sizeof(*code->functions));
	while (end < all) {
		struct function *function =
			&code->functions[code->function_count++];
		struct image_symbol *next =
			next_function(image, code->index, end);
		uint64_t size = (next ? next->entry.st_value : all) - end;

		if (size) {
			function->gone = true;
		} else {
			function->symbol = next;
			size = next->entry.st_size;
		}
		if (!size || size % INSN_SIZE || size > all - end)
			return false;
		function->start = end / INSN_SIZE;
		function->slots = size / INSN_SIZE;
		end += size;
	}
	return true;
}

static const uint8_t *slot_at(const struct code *code, size_t slot)
{
	return (const uint8_t *)code->section->content.bytes + slot * INSN_SIZE;
}

static bool may_relocate(const struct insn *insn, unsigned slots,
			 const Elf64_Rel *relocation,
			 const struct image_symbol *symbol)
{
	if (ELF64_R_TYPE(relocation->r_info) == RELOCATION_CALL)
		return insn_kind(insn) == INSN_CALL &&
		       insn->immediate == WHOLE_FUNCTION &&
		       (symbol->entry.st_shndx == SHN_UNDEF ||
			is_function(symbol));
	return ELF64_R_TYPE(relocation->r_info) == RELOCATION_DATA &&
	       slots == 2;
}

static bool note_relocation(struct optimizer *optimizer, struct code *code,
			    const Elf64_Rel *relocation, uint32_t number)
{
	uint64_t slot = relocation->r_offset / INSN_SIZE;
	const struct image_symbol *symbol =
		&optimizer->image.symbols[ELF64_R_SYM(relocation->r_info)];
	struct insn insn;
	unsigned slots;

	if (relocation->r_offset % INSN_SIZE || slot >= code->slots ||
	    code->relocation_of[slot])
		return false;
	slots = insn_decode(slot_at(code, slot), code->slots - slot, &insn);
	if (!may_relocate(&insn, slots, relocation, symbol))
		return false;
	code->relocation_of[slot] = number + 1;
	code->notes[slot].mark = NODE_PINNED;
	if (is_function(symbol))
		code->notes[slot].spared =
			ARGUMENTS - types_parameters(optimizer->types,
						     symbol->name, ARGUMENTS);
	if (!optimizer->policy_index || slots != 2 || insn.high ||
	    symbol->entry.st_shndx != optimizer->policy_index)
		return true;
	code->notes[slot].mark = NODE_POLICY;
	code->notes[slot].policy_offset =
		(int64_t)symbol->entry.st_value + insn.immediate;
	return true;
}

static bool note_relocations(struct optimizer *optimizer, struct code *code)
{
	Elf64_Rel relocation;

	code->relocations = image_relocations(&optimizer->image, code->index);
	if (!code->relocations)
		return true;
	for (uint32_t i = 0;
	     image_relocation(code->relocations, i, &relocation); i++)
		if (!note_relocation(optimizer, code, &relocation, i))
			return false;
	return true;
}

static const char *ext_section_name(const struct optimizer *optimizer,
				    const struct ext_record *record)
{
	return types_string(&optimizer->image, record->section);
}

/* Puts the records of the section into @slots, by their slot. */
static bool note_records(const struct optimizer *optimizer, struct code *code,
			 enum ext_kind kind, const struct ext_record **slots)
{
	const struct ext_list *list = &optimizer->from.lists[kind];
	const struct ext_record *last = NULL;
	bool ours = false;

	for (size_t i = 0; i < list->count; i++) {
		const struct ext_record *record = &list->records[i];
		uint64_t slot = record->words[0] / INSN_SIZE;

		if (!last || last->section != record->section)
			ours = !strcmp(ext_section_name(optimizer, record),
				       code->section->name);
		last = record;
		if (!ours)
			continue;
		if (record->words[0] % INSN_SIZE || slot >= code->slots ||
		    slots[slot])
			return false;
		slots[slot] = record;
		code->ext_section = record->section;
		if (kind == EXT_CORE)
			code->notes[slot].mark = NODE_PINNED;
	}
	return true;
}

/* Whether a relocation leads into the section, and does not name one of its
 * functions. */
static bool is_entered(const struct image *image, const struct code *code)
{
	for (uint32_t i = 1; i < image->section_count; i++) {
		const struct image_section *section = &image->sections[i];
		Elf64_Rel relocation;

		if (section->gone || section->header.sh_type != SHT_REL)
			continue;
		for (size_t j = 0; image_relocation(section, j, &relocation);
		     j++) {
			const struct image_symbol *symbol =
				&image->symbols[ELF64_R_SYM(relocation.r_info)];

			if (symbol->entry.st_shndx == code->index &&
			    !is_function(symbol))
				return true;
		}
	}
	return false;
}

/* The function of the section that the relocation is for; NULL where it is for
 * something else. */
static struct function *function_of(const struct image *image,
				    struct code *code,
				    const Elf64_Rel *relocation)
{
	const struct image_symbol *symbol =
		&image->symbols[ELF64_R_SYM(relocation->r_info)];

	for (size_t i = 0; i < code->function_count; i++)
		if (code->functions[i].symbol == symbol)
			return &code->functions[i];
	return NULL;
}

/* Whether what @relocation is for is in a function that stays: all is, in
 * other sections, for those were folded before. */
static bool is_asked(const struct code *code,
		     const struct image_section *relocations,
		     const Elf64_Rel *relocation)
{
	if (relocations != code->relocations)
		return true;
	for (size_t i = 0; i < code->function_count; i++) {
		const struct function *function = &code->functions[i];
		uint64_t slot = relocation->r_offset / INSN_SIZE;

		if (slot >= function->start &&
		    slot - function->start < function->slots)
			return !function->gone;
	}
	return true;
}

/* Of functions that no hook calls, only those that somebody else calls stay. */
static void keep_called(const struct image *image, struct code *code)
{
	bool changed;

	for (size_t i = 0; i < code->function_count; i++)
		code->functions[i].gone = true;
	do {
		changed = false;
		for (uint32_t i = 1; i < image->section_count; i++) {
			const struct image_section *section =
				&image->sections[i];
			Elf64_Rel relocation;

			if (section->gone || section->header.sh_type != SHT_REL)
				continue;
			for (size_t j = 0;
			     image_relocation(section, j, &relocation); j++) {
				struct function *called =
					function_of(image, code, &relocation);

				if (!called || !called->gone ||
				    !is_asked(code, section, &relocation))
					continue;
				called->gone = false;
				changed = true;
			}
		}
	} while (changed);
}

static bool read_code(struct optimizer *optimizer, struct code *code)
{
	struct arena *arena = optimizer->arena;
	size_t slots = code->section->content.size / INSN_SIZE;

	code->slots = slots;
	code->notes = arena_array(arena, slots, sizeof(*code->notes));
	code->relocation_of = arena_array(arena, slots, sizeof(uint32_t));
	code->core_of = arena_array(arena, slots, sizeof(*code->core_of));
	code->line_of = arena_array(arena, slots, sizeof(*code->line_of));
	code->function_of =
		arena_array(arena, slots, sizeof(*code->function_of));
	return find_functions(optimizer, code) &&
	       !is_entered(&optimizer->image, code) &&
	       note_relocations(optimizer, code) &&
	       note_records(optimizer, code, EXT_FUNCTIONS,
			    code->function_of) &&
	       note_records(optimizer, code, EXT_LINES, code->line_of) &&
	       note_records(optimizer, code, EXT_CORE, code->core_of);
}

/* ---- folding ---- */

/* Nobody misses a program that returns 0 where that is "not denied". */
static bool may_go(const struct image_section *section)
{
	return hook_of_section(section->name) ||
	       !strncmp(section->name, "lsm.s/", 6);
}

/* Of functions that are called by programs, and by nothing else. */
static bool is_shared(const struct image_section *section)
{
	return !strcmp(section->name, SHARED_SECTION);
}

static void *copy_array(struct arena *arena, const void *array, size_t count,
			size_t size)
{
	void *copy = arena_array(arena, count, size);

	if (count)
		memcpy(copy, array, count * size);
	return copy;
}

/* Out of the arena that goes. */
static void keep_layout(struct arena *arena, struct function *function,
			const struct layout *layout, const struct cfg *cfg)
{
	size_t slots = layout->slots;

	function->layout = (struct layout){
		.bytes = copy_array(arena, layout->bytes, slots, INSN_SIZE),
		.origins = copy_array(arena, layout->origins, slots,
				      sizeof(*layout->origins)),
		.inserted = copy_array(arena, layout->inserted, slots,
				       sizeof(*layout->inserted)),
		.sources = copy_array(arena, layout->sources, slots,
				      sizeof(*layout->sources)),
		.slots = slots,
	};
	function->decisions =
		copy_array(arena, cfg->decisions, cfg->decision_count,
			   sizeof(*cfg->decisions));
	function->decision_count = cfg->decision_count;
}

static bool fold_function(struct optimizer *optimizer, struct code *code,
			  struct function *function)
{
	struct arena *scratch = arena_new();
	struct cfg *cfg =
		cfg_build(scratch, slot_at(code, function->start),
			  function->slots, code->notes + function->start);
	struct layout layout;
	bool good = false;

	if (cfg) {
		function->gone = fold_program(cfg, &optimizer->policy) &&
				 may_go(code->section);
		good = cfg_lay_out(cfg, &layout);
	}
	if (good)
		keep_layout(optimizer->arena, function, &layout, cfg);
	arena_free(scratch);
	return good;
}

static void report_function(struct optimizer *optimizer,
			    const struct code *code,
			    const struct function *function, bool folded)
{
	struct optimize_report *report = optimizer->report;

	report->programs =
		arena_grow(optimizer->arena, report->programs, report->count,
			   &report->capacity, sizeof(*report->programs));
	report->programs[report->count++] = (struct optimized){
		.name = function->symbol->name,
		.section = code->section->name,
		.slots_before = function->slots,
		.slots_after = !folded		? function->slots
			       : function->gone ? 0
						: function->layout.slots,
		.folded = folded,
		.sources = (const struct source_bits(*)[SOURCES])
				   function->layout.sources,
		.decisions = function->decisions,
		.decision_count = function->decision_count,
	};
}

/* ---- writing ---- */

static void write_bytes(struct optimizer *optimizer, struct code *code)
{
	size_t slots = 0, done = 0;
	uint8_t *bytes;

	for (size_t i = 0; i < code->function_count; i++)
		if (!code->functions[i].gone)
			slots += code->functions[i].layout.slots;
	bytes = arena_array(optimizer->arena, slots, INSN_SIZE);
	for (size_t i = 0; i < code->function_count; i++) {
		struct function *function = &code->functions[i];

		if (function->gone) {
			if (function->symbol)
				function->symbol->gone = true;
			continue;
		}
		function->new_start = done;
		memcpy(bytes + done * INSN_SIZE, function->layout.bytes,
		       function->layout.slots * INSN_SIZE);
		done += function->layout.slots;
		function->symbol->entry.st_value =
			function->new_start * INSN_SIZE;
		function->symbol->entry.st_size =
			function->layout.slots * INSN_SIZE;
	}
	code->section->content = (struct blob){ bytes, slots * INSN_SIZE };
}

/* Where a slot of the folded function came from in the section; CFG_NONE for
 * the second half of an instruction. */
static size_t origin_of(const struct function *function, size_t slot)
{
	uint32_t origin = function->layout.origins[slot];

	return origin == CFG_NONE ? CFG_NONE : function->start + origin;
}

static void write_relocations(struct optimizer *optimizer, struct code *code)
{
	size_t count = 0, room;
	Elf64_Rel *relocations;

	if (!code->relocations)
		return;
	room = code->relocations->content.size;
	relocations = arena_alloc(optimizer->arena, room);
	for (size_t i = 0; i < code->function_count; i++) {
		const struct function *function = &code->functions[i];

		for (size_t j = 0;
		     !function->gone && j < function->layout.slots; j++) {
			size_t origin = origin_of(function, j);
			Elf64_Rel *to = &relocations[count];

			if (origin == CFG_NONE ||
			    !code->relocation_of[origin] ||
			    function->layout.inserted[j])
				continue;
			image_relocation(code->relocations,
					 code->relocation_of[origin] - 1, to);
			to->r_offset = (function->new_start + j) * INSN_SIZE;
			count++;
		}
	}
	code->relocations->content =
		(struct blob){ relocations, count * sizeof(*relocations) };
	code->relocations->gone = !count;
}

static void write_record(struct optimizer *optimizer, const struct code *code,
			 enum ext_kind kind, const struct ext_record *record,
			 size_t slot)
{
	struct ext_record *to =
		ext_add(&optimizer->to, kind, code->ext_section, record->words);

	to->words[0] = (uint32_t)(slot * INSN_SIZE);
}

/* Whether both stand on one line, in whatever column: people are shown no
 * more. */
static bool same_line(const struct ext_record *a, const struct ext_record *b)
{
	return a && b && a->words[1] == b->words[1] &&
	       a->words[3] >> LINE_SHIFT == b->words[3] >> LINE_SHIFT;
}

/* What clang has no line for counts to the line before. */
static bool has_line(const struct ext_record *line)
{
	return line && line->words[3] >> LINE_SHIFT;
}

/* A line stands where another one stood before. */
static void write_lines(struct optimizer *optimizer, const struct code *code,
			const struct function *function)
{
	const struct ext_record *last = NULL;

	for (size_t i = 0; i < function->layout.slots; i++) {
		size_t origin = origin_of(function, i);
		const struct ext_record *line;

		if (origin == CFG_NONE)
			continue;
		line = code->line_of[origin];
		if (last && !has_line(line))
			continue;
		if (line && !same_line(line, last))
			write_record(optimizer, code, EXT_LINES, line,
				     function->new_start + i);
		last = line;
	}
}

static void write_core(struct optimizer *optimizer, const struct code *code,
		       const struct function *function)
{
	for (size_t i = 0; i < function->layout.slots; i++) {
		size_t origin = origin_of(function, i);

		if (origin != CFG_NONE && code->core_of[origin] &&
		    !function->layout.inserted[i])
			write_record(optimizer, code, EXT_CORE,
				     code->core_of[origin],
				     function->new_start + i);
	}
}

static void spread_lines(struct code *code)
{
	for (size_t i = 0; i < code->function_count; i++) {
		const struct function *function = &code->functions[i];
		const struct ext_record *last = NULL;

		for (size_t j = 0; j < function->slots; j++) {
			size_t slot = function->start + j;

			if (!code->line_of[slot])
				code->line_of[slot] = last;
			last = code->line_of[slot];
		}
	}
}

static void write_records(struct optimizer *optimizer, struct code *code)
{
	spread_lines(code);
	for (size_t i = 0; i < code->function_count; i++) {
		const struct function *function = &code->functions[i];

		if (function->gone)
			continue;
		if (code->function_of[function->start])
			write_record(optimizer, code, EXT_FUNCTIONS,
				     code->function_of[function->start],
				     function->new_start);
		write_lines(optimizer, code, function);
		write_core(optimizer, code, function);
	}
}

/* Labels of the compiler's, which moved or went. */
static void drop_labels(struct image *image, uint32_t section)
{
	for (uint32_t i = 1; i < image->symbol_count; i++) {
		struct image_symbol *symbol = &image->symbols[i];

		if (symbol->entry.st_shndx == section &&
		    ELF64_ST_TYPE(symbol->entry.st_info) == STT_NOTYPE)
			symbol->gone = true;
	}
}

static void write_code(struct optimizer *optimizer, struct code *code)
{
	write_bytes(optimizer, code);
	write_relocations(optimizer, code);
	write_records(optimizer, code);
	drop_labels(&optimizer->image, code->index);
	code->section->gone = !code->section->content.size;
}

/* ---- all sections ---- */

/* The records of a section that stays as it is. */
static void keep_records(struct optimizer *optimizer,
			 const struct image_section *section)
{
	for (unsigned i = 0; i < EXT_KINDS; i++) {
		const struct ext_list *list = &optimizer->from.lists[i];

		for (size_t j = 0; j < list->count; j++)
			if (!strcmp(ext_section_name(optimizer,
						     &list->records[j]),
				    section->name))
				ext_add(&optimizer->to, i,
					list->records[j].section,
					list->records[j].words);
	}
}

static void optimize_section(struct optimizer *optimizer, uint32_t index)
{
	struct code code = {
		.index = index,
		.section = &optimizer->image.sections[index],
	};
	bool good = code.section->content.size % INSN_SIZE == 0 &&
		    read_code(optimizer, &code);

	if (good && is_shared(code.section))
		keep_called(&optimizer->image, &code);
	for (size_t i = 0; good && i < code.function_count; i++)
		if (!code.functions[i].gone)
			good = fold_function(optimizer, &code,
					     &code.functions[i]);
	for (size_t i = 0; i < code.function_count; i++)
		if (code.functions[i].symbol)
			report_function(optimizer, &code, &code.functions[i],
					good);
	if (good)
		write_code(optimizer, &code);
	else
		keep_records(optimizer, code.section);
}

/* The sections of programs, or those of functions that they call. */
static void optimize_sections(struct optimizer *optimizer, bool programs)
{
	struct image *image = &optimizer->image;

	for (uint32_t i = 1; i < image->section_count; i++)
		if (image->sections[i].header.sh_flags & SHF_EXECINSTR &&
		    image->sections[i].content.size &&
		    is_shared(&image->sections[i]) != programs)
			optimize_section(optimizer, i);
}

static int optimize_image(struct optimizer *optimizer, const char **why)
{
	struct image *image = &optimizer->image;
	struct image_section *ext = image_find(image, ".BTF.ext");
	struct image_section *policy = image_find(image, POLICY_SECTION);
	struct image_section *types = image_find(image, ".BTF");
	int err = 0;

	if (!types) {
		*why = "the linked object has no BTF";
		return -EBADMSG;
	}
	optimizer->types = btf__new(types->content.bytes,
				    (uint32_t)types->content.size);
	if (!optimizer->types) {
		*why = "the linked object's types cannot be read";
		return -errno;
	}
	if (ext) /* without programs there is none */
		err = ext_read(optimizer->arena, &ext->content,
			       &optimizer->from, why);
	if (err)
		return err;
	optimizer->to.arena = optimizer->arena;
	for (unsigned i = 0; i < EXT_KINDS; i++)
		optimizer->to.lists[i].record_size =
			optimizer->from.lists[i].record_size;
	if (policy) {
		optimizer->policy_index = image_index(image, policy);
		optimizer->policy = policy->content;
	}
	optimize_sections(optimizer, true);
	optimize_sections(optimizer, false);
	prune_image(image);
	err = types_prune(image, &optimizer->to, why);
	if (!err && ext)
		ext->content = ext_write(&optimizer->to);
	return err;
}

int optimize_object(struct arena *arena, const struct blob *linked,
		    struct blob *folded, struct optimize_report *report,
		    const char **why)
{
	struct optimizer optimizer = { .arena = arena, .report = report };
	int err = image_open(arena, linked, &optimizer.image, why);

	*report = (struct optimize_report){ 0 };
	if (!err)
		err = optimize_image(&optimizer, why);
	btf__free(optimizer.types);
	return err ? err : image_write(&optimizer.image, folded, why);
}
