/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two lists of what may be there.  A section that libbpf gives a meaning by its
 * name never reaches it unless it is listed; and what it made of the rest is
 * held against the kinds of programs and maps that templates have.
 */
#include "loader/inspect.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bundle/boot.h"
#include "bundle/object.h"
#include "loader/report.h"

#define RODATA	   ".rodata"
#define MEMORY_MAX (64U << 20) /* of a map, in bytes */

/* A name that ends in '*' stands for all that begin so. */
static const char *const sections[] = {
	"", /* the first, which is none */
	"lsm/*",   "lsm.s/*",	".rodata",     ".rodata.*",
	".maps",   "license",	".prototypes", /* bpf/templates/include/prototype.h
						*/
	"fexit/*", /* of which wrong_program() says which */
	".text", /* what programs call; libbpf takes it for nothing else */
	".BTF",	   ".BTF.ext",	".rel*",       ".note.bpflock",
	".strtab", ".shstrtab", ".symtab",     ".llvm_addrsig",
};

static const struct map_kind {
	enum bpf_map_type type;
	uint32_t flags; /* that it may have */
} map_kinds[] = {
	{ BPF_MAP_TYPE_RINGBUF, 0 },
	{ BPF_MAP_TYPE_ARRAY, BPF_F_RDONLY_PROG | BPF_F_MMAPABLE },
	{ BPF_MAP_TYPE_HASH, BPF_F_RDONLY_PROG | BPF_F_NO_PREALLOC },
	{ BPF_MAP_TYPE_LPM_TRIE, BPF_F_RDONLY_PROG | BPF_F_NO_PREALLOC },
	{ BPF_MAP_TYPE_TASK_STORAGE, BPF_F_NO_PREALLOC },
	{ BPF_MAP_TYPE_INODE_STORAGE, BPF_F_NO_PREALLOC },
};

static bool is_listed(const char *name)
{
	for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++) {
		size_t len = strcspn(sections[i], "*");

		if (!strncmp(name, sections[i], len) &&
		    (sections[i][len] || !name[len]))
			return true;
	}
	return false;
}

static int refuse_what(const struct load *load, const char *what,
		       const char *name, const char *why)
{
	return refuse(-EBADMSG, load->path, "inspect",
		      "use bpflockc and bpflock-load of the same version; if "
		      "they are, find out where the bundle is from",
		      "its %s %s %s, and no bundle has such a one", what, name,
		      why);
}

int inspect_sections(struct run *run, struct load *load)
{
	struct object_section section;
	struct object object;
	const char *why;
	int err = object_open(load->bundle->elf, load->bundle->elf_size,
			      &object, &why);

	(void)run;
	for (uint32_t i = 0; i < object.section_count && !err; i++) {
		err = object_section(&object, i, &section);
		if (!err && !is_listed(section.name))
			return refuse_what(load, "section", section.name,
					   "is not known");
	}
	return err ? refuse(err, load->path, "inspect", NULL,
			    "one of its ELF sections is damaged")
		   : 0;
}

/* At the end of a function of the kernel; of one that operations.def has, for
 * others may change what it returns. */
static bool is_for_function(const struct bpf_program *program)
{
	const char *section = bpf_program__section_name(program);

	if (bpf_program__type(program) != BPF_PROG_TYPE_TRACING ||
	    bpf_program__expected_attach_type(program) != BPF_TRACE_FEXIT ||
	    bpf_program__flags(program))
		return false;
	for (unsigned i = 0; i < HOOK_COUNT; i++)
		if (!strcmp(hooks[i].section, section))
			return true;
	return false;
}

static bool is_for_hook(const struct bpf_program *program)
{
	return bpf_program__type(program) == BPF_PROG_TYPE_LSM &&
	       bpf_program__expected_attach_type(program) == BPF_LSM_MAC &&
	       !(bpf_program__flags(program) & ~(uint32_t)BPF_F_SLEEPABLE);
}

static const char *wrong_program(const struct bpf_program *program)
{
	const char *section = bpf_program__section_name(program);

	if (!is_for_hook(program) && !is_for_function(program))
		return "is not for a hook";
	return strchr(section, '/') && bpf_program__autoload(program)
		       ? NULL
		       : "names no hook";
}

static const char *wrong_map(const struct bpf_map *map)
{
	const struct map_kind *kind = NULL;
	uint64_t entry =
		(uint64_t)bpf_map__key_size(map) + bpf_map__value_size(map) + 1;
	uint32_t flags = bpf_map__map_flags(map);

	for (size_t i = 0; i < sizeof(map_kinds) / sizeof(*map_kinds); i++)
		if (map_kinds[i].type == bpf_map__type(map))
			kind = &map_kinds[i];
	if (!kind)
		return "is of another kind";
	if (bpf_map__pin_path(map))
		return "wants to be pinned by its name";
	if (bpf_map__ifindex(map) || bpf_map__numa_node(map) ||
	    bpf_map__map_extra(map) || !bpf_map__autocreate(map))
		return "has unusual settings";
	if (flags & ~kind->flags)
		return "has unusual flags";
	if (bpf_map__is_internal(map) &&
	    strncmp(bpf_map__name(map), RODATA, strlen(RODATA)))
		return "holds data that is not read-only";
	if (bpf_map__max_entries(map) > MEMORY_MAX / entry)
		return "is too large";
	return NULL;
}

static bool decides_anything(const struct table *table)
{
	for (uint32_t i = 0; i < table->protection_count; i++)
		if (table_used_operations(&table->protections[i]))
			return true;
	return false;
}

int inspect_object(struct run *run, struct load *load)
{
	struct bpf_program *program;
	struct bpf_map *map;
	const char *why;
	size_t count = 0;

	(void)run;
	bpf_object__for_each_program(program, load->object)
	{
		count++;
		why = wrong_program(program);
		if (why)
			return refuse_what(load, "program",
					   bpf_program__name(program), why);
	}
	bpf_object__for_each_map(map, load->object)
	{
		why = wrong_map(map);
		if (why)
			return refuse_what(load, "map", bpf_map__name(map),
					   why);
	}
	if (!count && decides_anything(&load->bundle->note->table))
		return refuse(-EBADMSG, load->path, "inspect", NULL,
			      "it has no program, and its policy decides "
			      "something");
	return 0;
}
