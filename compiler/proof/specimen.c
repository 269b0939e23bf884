/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Read with bundle/reader.h, field by field.  Sections are taken by what libbpf
 * would do with them; one that it may do something with, and this does not, is
 * an error, so that nothing runs in a kernel that was not evaluated here.
 */
#include "compiler/proof/specimen.h"

#include <linux/bpf.h>
#include <linux/btf.h>
#include <stddef.h>
#include <string.h>

#include "bundle/operations.h"
#include "bundle/reader.h"
#include "compiler/arena.h"

#define FUNCTIONS      ".text"
#define INSN_SIZE      8
#define WHOLE_FUNCTION (-1) /* the immediate of a call before relocation */

static bool refuse(struct specimen *specimen, const char *why)
{
	specimen->why = why;
	return false;
}

static bool starts_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

bool specimen_is_data(const struct object_section *section)
{
	return starts_with(section->name, ".rodata") && section->bytes;
}

/* Of functions that programs call.  What the linker left behind there, of
 * functions that it had already, has no symbol, and nothing leads to it. */
static bool is_shared(const struct object_section *section)
{
	return !strcmp(section->name, FUNCTIONS);
}

/* ---- sections and symbols ---- */

/* The section that a table of relocations is for; object.h has no need of it.
 */
static uint32_t info_of(const struct object *object, uint32_t index)
{
	struct reader reader = reader_at(
		object->bytes, object->size,
		object->sections + (uint64_t)index * sizeof(Elf64_Shdr) +
			offsetof(Elf64_Shdr, sh_info),
		sizeof(Elf64_Word));

	return reader_u32(&reader);
}

static bool read_symbols(struct specimen *specimen)
{
	struct object_section symbols, strings;
	struct reader reader;

	if (object_find_section(&specimen->object, ".symtab", &symbols) ||
	    object_section(&specimen->object, symbols.link, &strings) ||
	    symbols.type != SHT_SYMTAB || !symbols.bytes || !strings.bytes ||
	    !strings.size || strings.bytes[strings.size - 1])
		return refuse(specimen, "its symbols are damaged");
	reader = reader_of(symbols.bytes, (size_t)symbols.size);
	specimen->symbols = arena_array(
		specimen->arena, (size_t)symbols.size / sizeof(Elf64_Sym) + 1,
		sizeof(*specimen->symbols));
	while (reader_left(&reader)) {
		uint32_t name = reader_u32(&reader);
		struct specimen_symbol *symbol =
			&specimen->symbols[specimen->symbol_count++];

		symbol->type = ELF64_ST_TYPE(reader_u8(&reader));
		reader_u8(&reader);
		symbol->section = reader_u16(&reader);
		symbol->value = reader_u64(&reader);
		symbol->size = reader_u64(&reader);
		if (reader.spent || name >= strings.size)
			return refuse(specimen, "its symbols are damaged");
		symbol->name = (const char *)strings.bytes + name;
		if (symbol->section >= SHN_LORESERVE ||
		    symbol->section >= specimen->object.section_count)
			return refuse(specimen, "a symbol is in no section");
	}
	return true;
}

static void decode(struct reader *reader, struct machine_insn *insn)
{
	uint8_t registers;

	insn->code = reader_u8(reader);
	registers = reader_u8(reader);
	insn->dst = registers & 0xf;
	insn->src = registers >> 4;
	insn->off = (int16_t)reader_u16(reader);
	insn->imm = (int32_t)reader_u32(reader);
}

static bool add_program(struct specimen *specimen,
			const struct object_section *section,
			const struct specimen_symbol *symbol)
{
	struct reader reader = reader_at(section->bytes, (size_t)section->size,
					 symbol->value, symbol->size);
	uint32_t count = (uint32_t)(symbol->size / INSN_SIZE);
	struct machine_insn *code;

	if (reader.spent || !count || symbol->size % INSN_SIZE ||
	    symbol->value % INSN_SIZE || symbol->size > UINT32_MAX)
		return refuse(specimen, "a program is not in its section");
	code = arena_array(specimen->arena, count, sizeof(*code));
	for (uint32_t i = 0; i < count; i++)
		decode(&reader, &code[i]);
	for (uint32_t i = 0; i < count; i++) {
		if (code[i].code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if (i + 1 == count || code[i + 1].code)
			return refuse(specimen, "a program is cut");
		code[i].wide = (uint64_t)(uint32_t)code[i + 1].imm << 32 |
			       (uint32_t)code[i].imm;
		i++;
	}
	specimen->programs = arena_grow(
		specimen->arena, specimen->programs, specimen->program_count,
		&specimen->program_capacity, sizeof(*specimen->programs));
	specimen->programs[specimen->program_count++] =
		(struct specimen_program){
			.hook = is_shared(section)
					? ""
					: hook_of_section(section->name),
			.name = symbol->name,
			.section = section->index,
			.first = (uint32_t)symbol->value,
			.count = count,
			.code = code,
		};
	return true;
}

/* The programs of a section, in their order; every byte is one's. */
static bool add_programs(struct specimen *specimen,
			 const struct object_section *section)
{
	uint64_t next = 0;

	while (next < section->size) {
		const struct specimen_symbol *found = NULL;

		for (size_t i = 0; i < specimen->symbol_count; i++) {
			const struct specimen_symbol *each =
				&specimen->symbols[i];

			if (each->section == section->index &&
			    each->type == STT_FUNC && each->value == next)
				found = each;
		}
		if (!found)
			return refuse(specimen, "there is code in no program");
		if (!add_program(specimen, section, found))
			return false;
		next += found->size;
	}
	return true;
}

static bool add_functions(struct specimen *specimen,
			  const struct object_section *section)
{
	for (size_t i = 0; i < specimen->symbol_count; i++) {
		const struct specimen_symbol *each = &specimen->symbols[i];

		if (each->section == section->index && each->type == STT_FUNC &&
		    !add_program(specimen, section, each))
			return false;
	}
	return true;
}

/* ---- maps ---- */

/* What __uint() and __type() state: the length of the array, or the size of
 * the type, that a member points to. */
static uint32_t stated(const struct schema *types, const struct type *type,
		       const char *name, bool size)
{
	for (uint32_t i = 0; i < type->count; i++) {
		const struct type_member *member = &type->members[i];
		const struct type *pointer =
			&types->list[schema_strip(types, member->type)];
		const struct type *array;

		if (strcmp(member->name, name) || pointer->kind != BTF_KIND_PTR)
			continue;
		if (size)
			return (uint32_t)schema_size(types, pointer->to);
		array = &types->list[schema_strip(types, pointer->to)];
		return array->kind == BTF_KIND_ARRAY ? array->count : 0;
	}
	return 0;
}

static bool add_map(struct specimen *specimen,
		    const struct specimen_symbol *symbol)
{
	const struct schema *types = &specimen->types;
	struct specimen_map map = { .name = symbol->name,
				    .offset = symbol->value };

	for (uint32_t i = 1; i < types->count; i++) {
		const struct type *variable = &types->list[i], *type;

		if (variable->kind != BTF_KIND_VAR ||
		    strcmp(variable->name, symbol->name))
			continue;
		type = &types->list[schema_strip(types, variable->to)];
		if (type->kind != BTF_KIND_STRUCT)
			break;
		map.type = stated(types, type, "type", false);
		map.max_entries = stated(types, type, "max_entries", false);
		map.key_size = stated(types, type, "key", true) +
			       stated(types, type, "key_size", false);
		map.value_size = stated(types, type, "value", true) +
				 stated(types, type, "value_size", false);
	}
	if (!map.type)
		return refuse(specimen, "a map has no type");
	specimen->maps =
		arena_grow(specimen->arena, specimen->maps, specimen->map_count,
			   &specimen->map_capacity, sizeof(*specimen->maps));
	specimen->maps[specimen->map_count++] = map;
	return true;
}

static bool add_maps(struct specimen *specimen,
		     const struct object_section *section)
{
	for (size_t i = 0; i < specimen->symbol_count; i++) {
		const struct specimen_symbol *symbol = &specimen->symbols[i];

		if (symbol->section == section->index &&
		    symbol->type == STT_OBJECT && !add_map(specimen, symbol))
			return false;
	}
	return true;
}

/* ---- relocations ---- */

static struct specimen_program *program_at(struct specimen *specimen,
					   uint32_t section, uint64_t offset)
{
	for (size_t i = 0; i < specimen->program_count; i++) {
		struct specimen_program *each = &specimen->programs[i];

		if (each->section == section && offset >= each->first &&
		    offset - each->first < (uint64_t)each->count * INSN_SIZE &&
		    offset % INSN_SIZE == 0)
			return each;
	}
	return NULL;
}

static bool add_references(struct specimen *specimen,
			   const struct object_section *section)
{
	struct reader reader = reader_of(section->bytes, (size_t)section->size);
	uint32_t target = info_of(&specimen->object, section->index);
	struct object_section code;

	if (section->type != SHT_REL ||
	    object_section(&specimen->object, target, &code))
		return refuse(specimen, "its relocations are damaged");
	if (!is_shared(&code) &&
	    !hook_of_section(code.name)) /* of types, which have none */
		return starts_with(code.name, ".BTF") ||
		       refuse(specimen, "cannot evaluate: relocated data");
	while (reader_left(&reader)) {
		uint64_t offset = reader_u64(&reader);
		uint64_t info = reader_u64(&reader);
		struct specimen_program *program =
			program_at(specimen, target, offset);

		if (!program && is_shared(&code) && !reader.spent)
			continue;
		if (reader.spent || !program ||
		    ELF64_R_SYM(info) >= specimen->symbol_count)
			return refuse(specimen, "its relocations are damaged");
		program->references = arena_grow(
			specimen->arena, program->references,
			program->reference_count, &program->reference_capacity,
			sizeof(*program->references));
		program->references[program->reference_count++] =
			(struct specimen_reference){
				.insn = (uint32_t)offset,
				.symbol = &specimen->symbols[ELF64_R_SYM(info)],
			};
	}
	return true;
}

static bool add_relocation(struct specimen *specimen,
			   const struct object_section *section,
			   const struct kernel_relocation *relocation)
{
	struct specimen_program *program =
		program_at(specimen, section->index, relocation->insn);

	if (!program && is_shared(section))
		return true;
	if (!program || relocation->type >= specimen->types.count ||
	    !relocation->path)
		return refuse(specimen, "its CO-RE relocations are damaged");
	program->relocations = arena_grow(specimen->arena, program->relocations,
					  program->relocation_count,
					  &program->relocation_capacity,
					  sizeof(*program->relocations));
	program->relocations[program->relocation_count++] = *relocation;
	specimen->relocations = arena_grow(
		specimen->arena, specimen->relocations,
		specimen->relocation_count, &specimen->relocation_capacity,
		sizeof(*specimen->relocations));
	specimen->relocations[specimen->relocation_count++] = *relocation;
	return true;
}

/* The records for one section of code. */
static bool read_relocations(struct specimen *specimen, struct reader *reader,
			     uint32_t record)
{
	const char *name = schema_string(&specimen->types, reader_u32(reader));
	uint32_t count = reader_u32(reader);
	struct object_section section;

	if (!name || object_find_section(&specimen->object, name, &section))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *bytes = reader_bytes(reader, record);
		struct kernel_relocation relocation;
		struct reader each;

		if (!bytes)
			return false;
		each = reader_of(bytes, record);
		relocation.insn = reader_u32(&each);
		relocation.type = reader_u32(&each);
		relocation.path =
			schema_string(&specimen->types, reader_u32(&each));
		relocation.kind = reader_u32(&each);
		if (!add_relocation(specimen, &section, &relocation))
			return false;
	}
	return true;
}

static bool read_core(struct specimen *specimen,
		      const struct object_section *section)
{
	size_t size = (size_t)section->size;
	struct reader reader = reader_of(section->bytes, size);
	uint32_t header, offset, len, record;

	specimen->why = "its CO-RE relocations are damaged";
	if (reader_u16(&reader) != BTF_MAGIC)
		return false;
	reader_u16(&reader); /* version, flags */
	header = reader_u32(&reader);
	reader_bytes(&reader, 16); /* functions, lines */
	if (header < 32)	   /* made before CO-RE */
		return !reader.spent;
	offset = reader_u32(&reader);
	len = reader_u32(&reader);
	if (reader.spent)
		return false;
	if (!len)
		return true;
	reader =
		reader_at(section->bytes, size, (uint64_t)header + offset, len);
	record = reader_u32(&reader);
	if (record < 16)
		return false;
	while (reader_left(&reader))
		if (!read_relocations(specimen, &reader, record))
			return false;
	return !reader.spent;
}

/* ---- the whole ---- */

/* What libbpf makes nothing of. */
static bool is_idle(const struct object_section *section)
{
	static const char *const names[] = { "license", "version",
					     ".strtab", ".prototypes",
					     ".symtab", ".llvm_addrsig" };

	if (section->size == 0 || section->type == SHT_NULL ||
	    starts_with(section->name, ".note"))
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(section->name, names[i]))
			return true;
	return false;
}

static bool take_section(struct specimen *specimen,
			 const struct object_section *section)
{
	struct blob bytes = { .bytes = section->bytes,
			      .size = (size_t)section->size };

	if (is_idle(section) || specimen_is_data(section) ||
	    starts_with(section->name, ".BTF") || section->type == SHT_REL)
		return true;
	if (!bytes.bytes)
		return refuse(specimen, "a section has no bytes");
	if (hook_of_section(section->name))
		return add_programs(specimen, section);
	if (is_shared(section))
		return add_functions(specimen, section);
	if (!strcmp(section->name, ".maps"))
		return add_maps(specimen, section);
	return refuse(specimen, arena_printf(specimen->arena,
					     "cannot evaluate: section %s",
					     section->name));
}

static bool each_section(struct specimen *specimen,
			 bool (*take)(struct specimen *,
				      const struct object_section *))
{
	struct object_section section;

	for (uint32_t i = 1; i < specimen->object.section_count; i++) {
		if (object_section(&specimen->object, i, &section))
			return refuse(specimen, "its sections are damaged");
		if (!take(specimen, &section))
			return false;
	}
	return true;
}

static bool take_relocations(struct specimen *specimen,
			     const struct object_section *section)
{
	if (section->type == SHT_RELA)
		return refuse(specimen, "its relocations are damaged");
	return section->type != SHT_REL || !section->bytes ||
	       add_references(specimen, section);
}

bool specimen_open(struct arena *arena, const void *bytes, size_t size,
		   struct specimen *specimen)
{
	struct object_section btf, extension;
	struct blob types;

	*specimen = (struct specimen){ .arena = arena };
	if (object_open(bytes, size, &specimen->object, &specimen->why))
		return false;
	if (object_find_section(&specimen->object, ".BTF", &btf) ||
	    !btf.bytes ||
	    object_find_section(&specimen->object, ".BTF.ext", &extension) ||
	    !extension.bytes)
		return refuse(specimen, "it has no types");
	types = (struct blob){ .bytes = btf.bytes, .size = (size_t)btf.size };
	if (!schema_read(arena, &types, &specimen->types))
		return refuse(specimen, "its types are damaged");
	return read_symbols(specimen) && each_section(specimen, take_section) &&
	       each_section(specimen, take_relocations) &&
	       read_core(specimen, &extension);
}

/* ---- what libbpf does to code ---- */

static bool is_wide(const struct machine_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW);
}

static bool map_at(const struct specimen *specimen, uint64_t offset,
		   size_t *index)
{
	for (size_t i = 0; i < specimen->map_count; i++) {
		if (specimen->maps[i].offset != offset)
			continue;
		*index = i;
		return true;
	}
	return false;
}

/* A call of a whole function of the object's own. */
static bool refer_to_function(struct specimen *specimen,
			      const struct specimen_symbol *symbol,
			      struct machine_insn *insn)
{
	for (size_t i = 0; i < specimen->program_count; i++) {
		const struct specimen_program *each = &specimen->programs[i];

		if (*each->hook || each->section != symbol->section ||
		    each->first != symbol->value || symbol->type != STT_FUNC ||
		    insn->imm != WHOLE_FUNCTION)
			continue;
		insn->src = BPF_PSEUDO_CALL;
		insn->wide = i;
		return true;
	}
	return refuse(specimen, "cannot evaluate: a call of a function");
}

static bool refer(struct specimen *specimen,
		  const struct specimen_reference *reference,
		  const struct specimen_addresses *addresses,
		  struct machine_insn *insn)
{
	const struct specimen_symbol *symbol = reference->symbol;
	struct object_section section;
	size_t map;

	if (insn->code == (BPF_JMP | BPF_CALL)) {
		if (symbol->section)
			return refer_to_function(specimen, symbol, insn);
		insn->src = BPF_PSEUDO_KFUNC_CALL;
		insn->wide = (uint64_t)(symbol - specimen->symbols);
		return true;
	}
	if (!is_wide(insn) || !symbol->section ||
	    object_section(&specimen->object, symbol->section, &section))
		return refuse(specimen, "cannot evaluate: a relocation");
	if (!strcmp(section.name, ".maps")) {
		if (!map_at(specimen, symbol->value, &map))
			return refuse(specimen, "a relocation is for no map");
		insn->wide = addresses->maps[map];
		return true;
	}
	if (!addresses->sections[section.index])
		return refuse(specimen, "a relocation is for no data");
	insn->wide = addresses->sections[section.index] + symbol->value +
		     (uint64_t)(int64_t)insn->imm;
	return true;
}

/* Where the number is that a CO-RE record is about. */
static bool patch(struct machine_insn *insn, const struct kernel_answer *answer)
{
	uint64_t held;

	switch (BPF_CLASS(insn->code)) {
	case BPF_LD:
		if (!is_wide(insn))
			return false;
		held = insn->wide;
		insn->wide = answer->value;
		break;
	case BPF_LDX:
	case BPF_ST:
	case BPF_STX:
		if (answer->value > INT16_MAX)
			return false;
		held = (uint64_t)(int64_t)insn->off;
		insn->off = (int16_t)answer->value;
		break;
	case BPF_ALU:
	case BPF_ALU64:
		if (BPF_SRC(insn->code) != BPF_K || answer->value > INT32_MAX)
			return false;
		held = (uint32_t)insn->imm;
		insn->imm = (int32_t)answer->value;
		break;
	default:
		return false;
	}
	return !answer->checked || held == answer->expected;
}

static bool relocate(struct specimen *specimen, const struct kernel *kernel,
		     const struct kernel_relocation *relocation,
		     struct machine_insn *insn)
{
	struct kernel_answer answer;

	if (!kernel_answer(kernel, relocation, &answer))
		return refuse(specimen, "cannot evaluate: a CO-RE relocation");
	if (answer.missing) {
		insn->poison = true;
		return true;
	}
	return patch(insn, &answer) ||
	       refuse(specimen,
		      "an instruction is not what its CO-RE relocation says");
}

bool specimen_relocate(struct specimen *specimen,
		       const struct specimen_program *program,
		       const struct kernel *kernel,
		       const struct specimen_addresses *addresses,
		       struct machine_insn *code)
{
	memcpy(code, program->code, program->count * sizeof(*code));
	for (uint32_t i = 0; i < program->count; i++) {
		if (code[i].code == (BPF_JMP | BPF_CALL) &&
		    code[i].src == BPF_PSEUDO_CALL)
			code[i].poison = true; /* unless it is relocated */
		if (is_wide(&code[i]) && code[i].src)
			code[i].poison = true;
	}
	for (size_t i = 0; i < program->reference_count; i++) {
		const struct specimen_reference *each = &program->references[i];
		struct machine_insn *insn =
			&code[(each->insn - program->first) / INSN_SIZE];

		insn->poison = false;
		if (!refer(specimen, each, addresses, insn))
			return false;
	}
	for (size_t i = 0; i < program->relocation_count; i++) {
		const struct kernel_relocation *each = &program->relocations[i];

		if (!relocate(specimen, kernel, each,
			      &code[(each->insn - program->first) / INSN_SIZE]))
			return false;
	}
	return true;
}
