/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Objects are made when somebody points to them.  All pointers that nobody
 * set to one type lead to one object of it, which is shared; setting a field
 * behind such a pointer makes an object of its own there first.
 */
#include "compiler/proof/world.h"

#include <linux/bpf.h>
#include <linux/btf.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/boot.h"
#include "compiler/arena.h"

#define OTHER	    'o' /* every byte of a number that nobody set */
#define OTHER_BYTES 64
#define MAX_OBJECTS ((size_t)64 << 20)
#define MAX_CELLS   (64 << 10)

#define STACK_SIZE 16384 /* on x86, where old kernels have programs look */
#define USER_CS	   0x33
#define USER_DS	   0x2b
#define SAVED	   "pt_regs"
#define TS_COMPAT  UINT64_C(2) /* in a task's status: a call of i386 */

#define NO_ARGUMENT UINT64_MAX

static bool refuse(struct world *world, const char *why)
{
	world->why = why;
	return false;
}

static const struct type *type_of(const struct world *world, uint32_t id)
{
	return &kernel_schema(world->kernel)->list[id];
}

static uint32_t strip(const struct world *world, uint32_t id)
{
	return schema_strip(kernel_schema(world->kernel), id);
}

static bool is_record(const struct world *world, uint32_t id)
{
	unsigned kind = type_of(world, id)->kind;

	return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION;
}

/* ---- objects ---- */

static uint64_t add_region(struct world *world, uint32_t size, uint32_t tag)
{
	uint64_t address = 0;
	int64_t offset;

	world->used += size;
	if (world->used <= MAX_OBJECTS)
		address = memory_add(&world->memory,
				     arena_alloc(world->arena, size), NULL,
				     size, MEMORY_READ | MEMORY_KERNEL);
	if (address)
		memory_region(&world->memory, address, &offset)->tag = tag;
	else
		world->full = true;
	return address;
}

/* The bytes there, for who makes them; NULL outside. */
static uint8_t *raw(const struct world *world, uint64_t address, uint32_t size)
{
	return memory_at(&world->memory, address, size, MEMORY_READ);
}

static uint64_t new_string(struct world *world, const char *text)
{
	size_t size = strlen(text) + 1;
	uint64_t address = add_region(world, (uint32_t)size, 0);

	if (address)
		memcpy(raw(world, address, (uint32_t)size), text, size);
	return address;
}

static void fill(struct world *world, uint32_t id, uint8_t *bytes);

/* The object that all unset pointers to that type lead to. */
static uint64_t shared_object(struct world *world, uint32_t id)
{
	uint32_t size;

	id = kernel_first(world->kernel, id);
	if (world->others[id])
		return world->others[id];
	size = kernel_size(world->kernel, id);
	world->others[id] = add_region(world, size, 0);
	if (world->others[id])
		fill(world, id, raw(world, world->others[id], size));
	return world->others[id];
}

/* What a pointer of type @id points to: a record, or 0. */
static uint32_t pointee(const struct world *world, uint32_t id)
{
	uint32_t to = strip(world, type_of(world, id)->to);
	const struct type *type = type_of(world, to);

	if (type->kind == BTF_KIND_FWD)
		return kernel_find(world->kernel, type->name,
				   (size_t)type->name_len);
	return is_record(world, to) ? kernel_first(world->kernel, to) : 0;
}

static uint64_t other_pointer(struct world *world, uint32_t id)
{
	uint32_t to = pointee(world, id);
	const struct type *type;

	if (to)
		return shared_object(world, to);
	type = type_of(world, strip(world, type_of(world, id)->to));
	return type->kind == BTF_KIND_INT && type->size == 1
		       ? world->other_string
		       : world->other_bytes;
}

static void fill_fields(struct world *world, uint32_t id, uint8_t *bytes)
{
	const struct kernel_field *fields;
	size_t count;

	fields = kernel_fields(world->kernel, id, &count);
	for (size_t i = 0; i < count; i++)
		if (!fields[i].bits)
			fill(world, fields[i].type, bytes + fields[i].offset);
}

static void fill(struct world *world, uint32_t id, uint8_t *bytes)
{
	const struct type *type;
	uint32_t size, inner;

	id = strip(world, id);
	type = type_of(world, id);
	size = kernel_size(world->kernel, id);
	switch (type->kind) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		fill_fields(world, id, bytes);
		return;
	case BTF_KIND_PTR:
		memory_put(bytes, 8, other_pointer(world, id));
		return;
	case BTF_KIND_ARRAY:
		inner = kernel_size(world->kernel, type->to);
		for (uint32_t at = 0; inner && at < size; at += inner)
			fill(world, type->to, bytes + at);
		if (inner == 1 && size)
			bytes[size - 1] = '\0'; /* as strings end */
		return;
	default:
		memset(bytes, OTHER, size);
	}
}

/* An object of its own. */
static uint64_t new_object(struct world *world, uint32_t id)
{
	uint32_t size = kernel_size(world->kernel, id);
	uint64_t from = shared_object(world, id);
	uint64_t address =
		add_region(world, size, kernel_first(world->kernel, id));

	if (from && address)
		memcpy(raw(world, address, size), raw(world, from, size), size);
	return address;
}

/* ---- fields by path ---- */

struct slot {
	uint64_t address;
	uint32_t type;
	uint32_t bits;
};

/* The object that the pointer at @slot points to, made its own. */
static uint64_t follow(struct world *world, const struct slot *slot,
		       uint32_t to)
{
	uint8_t *bytes = raw(world, slot->address, 8);
	const struct region *region;
	uint64_t object;
	int64_t offset;

	if (!bytes)
		return 0;
	object = memory_get(bytes, 8);
	region = memory_region(&world->memory, object, &offset);
	if (region && region->tag == to && offset == 0)
		return object;
	object = new_object(world, to);
	memory_put(bytes, 8, object);
	return object;
}

/* The element of that "[NUMBER]"; what is behind it. */
static const char *pick(struct world *world, struct slot *slot,
			const char *number)
{
	char *end;
	unsigned long element = strtoul(number + 1, &end, 10);

	slot->type = strip(world, type_of(world, slot->type)->to);
	slot->address += element * kernel_size(world->kernel, slot->type);
	return end + 1;
}

/* The slot of one name in @object; *@path goes behind it. */
static bool step(struct world *world, uint64_t object, uint32_t type,
		 const char **path, struct slot *slot)
{
	size_t len = strcspn(*path, ".:[");
	const struct kernel_field *field;
	uint32_t base = 0;

	field = kernel_field(world->kernel, type, *path, len, &base);
	if (!field)
		return false;
	*slot = (struct slot){ .address = object + base + field->offset,
			       .type = strip(world, field->type),
			       .bits = field->bits };
	*path += len;
	if (**path == '[')
		*path = pick(world, slot, *path);
	return true;
}

static bool find_slot(struct world *world, uint64_t object, uint32_t type,
		      const char *path, struct slot *slot)
{
	for (;;) {
		uint32_t to = 0;

		if (!step(world, object, type, &path, slot))
			return false;
		if (*path == ':') {
			size_t len = strcspn(++path, ".");

			to = kernel_find(world->kernel, path, len);
			path += len;
			if (!to)
				return false;
		}
		if (*path != '.')
			return true;
		path++;
		if (is_record(world, slot->type)) {
			object = slot->address;
			type = slot->type;
			continue;
		}
		if (!to && type_of(world, slot->type)->kind == BTF_KIND_PTR)
			to = pointee(world, slot->type);
		if (!to)
			return false;
		object = follow(world, slot, to);
		type = to;
	}
}

static void put_text(struct world *world, const struct slot *slot,
		     const char *text)
{
	uint32_t size = kernel_size(world->kernel, slot->type);
	uint8_t *bytes = raw(world, slot->address, size);
	size_t len = strlen(text) + 1;

	if (!bytes)
		return;
	if (type_of(world, slot->type)->kind == BTF_KIND_ARRAY)
		memcpy(bytes, text, len < size ? len : size);
	else
		memory_put(bytes, 8, new_string(world, text));
}

static void put_bytes(struct world *world, const struct slot *slot,
		      const struct access_value *value)
{
	uint32_t size = kernel_size(world->kernel, slot->type);
	uint8_t *bytes = raw(world, slot->address, size);

	if (bytes && value->number == size)
		memcpy(bytes, value->text, size);
}

static void put_number(struct world *world, const struct slot *slot,
		       uint64_t number)
{
	uint32_t size = slot->bits ? 4 : kernel_size(world->kernel, slot->type);
	uint8_t *bytes = raw(world, slot->address, size);
	uint64_t mask;

	if (!bytes)
		return;
	if (size > 8) {
		if (!number)
			memset(bytes, 0, size);
		return;
	}
	if (slot->bits) {
		mask = ((UINT64_C(1) << slot->bits) - 1) << KERNEL_BIT_FIELD_AT;
		number = (memory_get(bytes, 4) & ~mask) |
			 (number << KERNEL_BIT_FIELD_AT & mask);
	}
	memory_put(bytes, size, number);
}

/* Bytes of current's own. */
static uint64_t user_bytes(struct world *world, const char *bytes,
			   uint64_t count)
{
	uint8_t *copy = (uint8_t *)arena_copy(world->arena, bytes, count);

	world->used += count;
	if (world->used > MAX_OBJECTS)
		return 0;
	return memory_add(&world->memory, copy, NULL, (uint32_t)count,
			  MEMORY_USER);
}

/* What the number at that path of @object is, and so much more. */
static uint64_t behind(struct world *world, uint64_t object, uint32_t type,
		       const struct access_value *value)
{
	struct slot slot;
	const uint8_t *bytes;

	if (!find_slot(world, object, type, value->text, &slot))
		return 0;
	bytes = raw(world, slot.address, 8);
	return bytes ? memory_get(bytes, 8) + value->number : 0;
}

/* Lets it point to the object that @path leads to, which gets one of its own
 * first. */
static void put_same(struct world *world, const struct slot *slot,
		     uint64_t object, uint32_t type, const char *path)
{
	struct slot from;

	if (find_slot(world, object, type, path, &from))
		put_number(world, slot,
			   follow(world, &from, pointee(world, from.type)));
}

static bool set(struct world *world, uint64_t object, uint32_t type,
		const struct access_field *field, const uint64_t *arguments)
{
	const struct access_value *value = &field->value;
	struct slot slot;
	uint64_t number;

	if (!find_slot(world, object, type, field->path, &slot))
		return false;
	if (value->kind == VALUE_USER)
		put_number(world, &slot,
			   user_bytes(world, value->text, value->number));
	else if (value->kind == VALUE_BEHIND)
		put_number(world, &slot, behind(world, object, type, value));
	else if (value->kind == VALUE_STRING)
		put_text(world, &slot, value->text);
	else if (value->kind == VALUE_SAME)
		put_same(world, &slot, object, type, value->text);
	else if (value->kind == VALUE_BYTES)
		put_bytes(world, &slot, value);
	else if (value->kind == VALUE_ARGUMENT)
		put_number(world, &slot,
			   arguments ? arguments[value->number] : 0);
	else if (world_argument(world, value, &number))
		put_number(world, &slot, number);
	return true;
}

bool world_set(struct world *world, uint64_t object,
	       const struct access_field *field, const uint64_t *arguments)
{
	const struct region *region;
	int64_t offset;

	region = memory_region(&world->memory, object, &offset);
	return region && region->tag && offset == 0 &&
	       set(world, object, region->tag, field, arguments);
}

/* An object of the type of that name; where no program knows that type, none
 * can look into it. */
static uint64_t make(struct world *world, const char *type,
		     const struct access_field *fields)
{
	uint32_t id = kernel_find(world->kernel, type, strlen(type));
	uint64_t object;

	if (!id)
		return world->other_bytes;
	object = new_object(world, id);
	for (; object && fields && fields->path; fields++)
		set(world, object, kernel_first(world->kernel, id), fields,
		    NULL);
	return object;
}

/* ---- values ---- */

static bool has_number(const struct kernel_enumerator *values, size_t count,
		       int64_t number)
{
	for (size_t i = 0; i < count; i++)
		if (!values[i].missing && values[i].number == number)
			return true;
	return false;
}

static int64_t top_number(const struct kernel_enumerator *values, size_t count)
{
	int64_t top = 0;

	for (size_t i = 0; i < count; i++)
		if (values[i].number > top)
			top = values[i].number;
	return top;
}

/* The one of that rank among the numbers that no enumerator has, up to one
 * above the highest. */
static bool other_number(const struct kernel_enumerator *values, size_t count,
			 uint64_t rank, uint64_t *number)
{
	int64_t top = top_number(values, count) + 1;

	for (int64_t each = 0; each <= top; each++) {
		if (has_number(values, count, each))
			continue;
		if (!rank--) {
			*number = (uint64_t)each;
			return true;
		}
	}
	return false;
}

static bool enumerator(struct world *world, const char *text, uint64_t *number)
{
	size_t len = strcspn(text, "."), count;
	const struct kernel_enumerator *values =
		kernel_enumerators(world->kernel, text, len, &count);
	const char *name = text + len + (text[len] == '.');

	for (size_t i = 0; i < count; i++) {
		if (strlen(name) != (size_t)values[i].name_len ||
		    strncmp(values[i].name, name, strlen(name)))
			continue;
		*number = (uint64_t)values[i].number;
		return !values[i].missing;
	}
	/* none that a program asks for */
	*number = (uint64_t)top_number(values, count) + 2;
	return true;
}

bool world_argument(struct world *world, const struct access_value *value,
		    uint64_t *argument)
{
	const struct kernel_enumerator *values;
	size_t count;

	switch (value->kind) {
	case VALUE_STRING:
		*argument = new_string(world, value->text);
		return true;
	case VALUE_ENUMERATOR:
		return enumerator(world, value->text, argument);
	case VALUE_OTHERS:
		values = kernel_enumerators(world->kernel, value->text,
					    strlen(value->text), &count);
		return other_number(values, count, value->number, argument);
	case VALUE_OBJECT:
		*argument = make(world, value->text, value->fields);
		return true;
	default:
		*argument = value->number;
		return true;
	}
}

/* ---- current ---- */

uint64_t world_task(struct world *world, const struct access_field *fields)
{
	static const struct access_field usual[] = {
		{ "comm", { .kind = VALUE_STRING, .text = ACCESS_COMM } },
		{ "tgid", { .number = ACCESS_TGID } },
		{ "real_parent.tgid", { .number = ACCESS_PARENT } },
		{ "real_parent.comm",
		  { .kind = VALUE_STRING, .text = ACCESS_PARENT_COMM } },
		{ .path = NULL },
	};
	uint32_t saved = kernel_find(world->kernel, SAVED, strlen(SAVED));
	uint64_t task = make(world, "task_struct", usual);
	struct access_field field = { .path = "stack" };

	if (saved) {
		field.value.number = world->registers +
				     kernel_size(world->kernel, saved) -
				     STACK_SIZE;
		world_set(world, task, &field, NULL);
	}
	for (; fields && fields->path; fields++)
		world_set(world, task, fields, NULL);
	return task;
}

void world_enter(struct world *world, uint64_t task, const char *path)
{
	struct access_field field = { .path = "cgroups.dfl_cgrp" };

	world->task = task;
	world->cgroup = 0;
	if (!path)
		return;
	field.value.number = world_cgroup(world, path);
	world_set(world, task, &field, NULL);
}

void world_bind(struct world *world, bool unbound, bool loader)
{
	struct boot_facts facts = { 0 };

	if (!unbound) {
		facts.host_netns_inum = ACCESS_HOST_NETNS;
		facts.root_dev = ACCESS_ROOT_DEV;
		facts.loader_pid = loader ? ACCESS_PID : ACCESS_PID + 1;
		facts.loader_start = ACCESS_LOADER_START;
		facts.may_probe = world->kind->may_probe;
	}
	if (world->boot)
		memcpy(world->boot, &facts,
		       world->boot_size < sizeof(facts) ? world->boot_size
							: sizeof(facts));
}

static void save(struct world *world, const char *path, uint64_t number)
{
	struct access_field field = { path, { .number = number } };

	set(world, world->registers, world->registers_type, &field, NULL);
}

static bool same_call(const struct access_call *one,
		      const struct access_call *other)
{
	return one->x86 == other->x86 && one->arm64 == other->arm64 &&
	       one->i386 == other->i386 &&
	       !memcmp(one->arguments, other->arguments,
		       sizeof(one->arguments));
}

/* Registers that are no argument of it have what a program must not take for
 * one. */
static void save_call(struct world *world, const struct access_call *call)
{
	const uint64_t *arguments = call->arguments;

	save(world, "orig_ax", (uint64_t)call->x86);
	save(world, "cs", USER_CS);
	save(world, "ss", USER_DS);
	save(world, "di", call->i386 ? NO_ARGUMENT : arguments[0]);
	save(world, "si", call->i386 ? NO_ARGUMENT : arguments[1]);
	save(world, "bx", call->i386 ? arguments[0] : NO_ARGUMENT);
	save(world, "cx", call->i386 ? arguments[1] : NO_ARGUMENT);
	save(world, "dx", arguments[2]);
	save(world, "syscallno", (uint64_t)call->arm64);
	save(world, "orig_x0", arguments[0]);
	save(world, "regs[0]", NO_ARGUMENT); /* the result, by and by */
	save(world, "regs[1]", arguments[1]);
	save(world, "regs[2]", arguments[2]);
}

void world_call(struct world *world, const struct access_call *call)
{
	struct access_field status = { "thread_info.status", { 0 } };

	status.value.number = call->i386 ? TS_COMPAT : ~TS_COMPAT;
	world_set(world, world->task, &status, NULL);
	if (!world->registers ||
	    (world->called && same_call(&world->call, call)))
		return;
	world->called = true;
	world->call = *call;
	save_call(world, call);
}

/* ---- the machine ---- */

static bool add_data(struct world *world, uint64_t *addresses)
{
	const struct object *object = &world->specimen->object;
	struct object_section section;

	for (uint32_t i = 1; i < object->section_count; i++) {
		uint8_t *bytes;

		if (object_section(object, i, &section))
			return refuse(world, "its sections are damaged");
		if (!specimen_is_data(&section))
			continue;
		if (section.size > MAX_OBJECTS)
			return refuse(world, "cannot evaluate: too much data");
		bytes = (uint8_t *)section.bytes; /* which are not written */
		if (!strcmp(section.name, BOOT_SECTION)) {
			bytes = (uint8_t *)arena_copy(world->arena,
						      section.bytes,
						      (size_t)section.size);
			world->boot = bytes;
			world->boot_size = (size_t)section.size;
		}
		addresses[i] = memory_add(&world->memory, bytes, NULL,
					  (uint32_t)section.size, MEMORY_READ);
	}
	return true;
}

static bool add_maps(struct world *world)
{
	const struct specimen *specimen = world->specimen;

	world->maps = arena_array(world->arena, specimen->map_count,
				  sizeof(*world->maps));
	world->cells = arena_array(world->arena, specimen->map_count,
				   sizeof(*world->cells));
	for (size_t i = 0; i < specimen->map_count; i++) {
		const struct specimen_map *map = &specimen->maps[i];
		bool of_task = map->type == BPF_MAP_TYPE_TASK_STORAGE;
		uint64_t count = of_task ? 1 : map->max_entries;
		uint64_t size = count * map->value_size;

		world->maps[i] = memory_add(&world->memory, NULL, NULL, 0, 0);
		if (map->type != BPF_MAP_TYPE_ARRAY && !of_task)
			continue;
		if (size > MAX_CELLS)
			return refuse(world, "cannot evaluate: a large map");
		world->cells[i] = memory_add(
			&world->memory, arena_alloc(world->arena, (size_t)size),
			NULL, (uint32_t)size, MEMORY_READ | MEMORY_WRITE);
	}
	return true;
}

static bool add_code(struct world *world,
		     const struct specimen_addresses *addresses)
{
	struct specimen *specimen = world->specimen;

	world->code = arena_array(world->arena, specimen->program_count,
				  sizeof(*world->code));
	for (size_t i = 0; i < specimen->program_count; i++) {
		const struct specimen_program *program = &specimen->programs[i];
		struct machine_insn *insns = arena_array(
			world->arena, program->count, sizeof(*insns));

		if (!specimen_relocate(specimen, program, world->kernel,
				       addresses, insns))
			return refuse(world, specimen->why);
		world->code[i] = (struct machine_code){
			.insns = insns,
			.count = program->count,
			.reached = arena_alloc(world->arena, program->count),
		};
	}
	world->machine.functions = world->code;
	world->machine.function_count = (uint32_t)specimen->program_count;
	return true;
}

/* What every world has: strings, a place for arguments, room for events, and
 * at the end of a stack what a system call saved. */
static void furnish(struct world *world)
{
	uint32_t saved = kernel_find(world->kernel, SAVED, strlen(SAVED));
	uint32_t size;

	world->other_string = new_string(world, "other");
	world->other_bytes = add_region(world, OTHER_BYTES, 0);
	world->context = memory_add(&world->memory, world->context_bytes, NULL,
				    0, MEMORY_READ);
	for (size_t i = 0; i < WORLD_EVENTS; i++)
		world->event_addresses[i] =
			memory_add(&world->memory, world->events[i].bytes, NULL,
				   sizeof(world->events[i].bytes), 0);
	if (!saved)
		return;
	size = kernel_size(world->kernel, saved);
	if (size > STACK_SIZE)
		return;
	world->registers = add_region(world, STACK_SIZE, 0);
	if (!world->registers)
		return;
	world->registers_type = saved;
	world->registers += STACK_SIZE - size;
	fill(world, saved, raw(world, world->registers, size));
}

bool world_new(struct arena *arena, struct specimen *specimen,
	       const struct kernel_kind *kind, struct world *world)
{
	struct specimen_addresses addresses = {
		.sections = arena_array(arena, specimen->object.section_count,
					sizeof(uint64_t)),
	};

	*world = (struct world){ .arena = arena,
				 .specimen = specimen,
				 .kind = kind,
				 .memory.arena = arena };
	world->kernel =
		kernel_new(arena, &specimen->types, kind, specimen->relocations,
			   specimen->relocation_count);
	if (!world->kernel)
		return refuse(world, "its types make no sense");
	world->others = arena_array(arena, specimen->types.count,
				    sizeof(*world->others));
	machine_init(&world->machine, &world->memory);
	world->machine.call = helpers_call;
	world->machine.world = world;
	furnish(world);
	if (!add_data(world, addresses.sections) || !add_maps(world))
		return false;
	addresses.maps = world->maps;
	helpers_prepare(world);
	return add_code(world, &addresses);
}

void world_reset(struct world *world)
{
	struct region *region;
	int64_t offset;

	for (size_t i = 0; i < world->specimen->map_count; i++) {
		if (!world->cells[i])
			continue;
		region =
			memory_region(&world->memory, world->cells[i], &offset);
		memset(region->bytes, 0, region->size);
	}
	world->event_count = 0;
}

/* ---- events ---- */

uint64_t world_reserve(struct world *world, uint64_t size)
{
	struct world_event *event;
	struct region *region;
	int64_t offset;

	if (world->ring_full || world->event_count == WORLD_EVENTS ||
	    size > sizeof(event->bytes))
		return 0;
	event = &world->events[world->event_count];
	region = memory_region(&world->memory,
			       world->event_addresses[world->event_count],
			       &offset);
	memset(event->bytes, OTHER, sizeof(event->bytes));
	event->size = size;
	event->submitted = false;
	region->size = (uint32_t)size;
	region->access = MEMORY_READ | MEMORY_WRITE;
	return world->event_addresses[world->event_count++];
}

struct world_event *world_event_at(struct world *world, uint64_t address)
{
	for (size_t i = 0; i < world->event_count; i++)
		if (world->event_addresses[i] == address)
			return &world->events[i];
	return NULL;
}

bool world_run(struct world *world, size_t program, const uint64_t *arguments,
	       size_t count, int32_t *result)
{
	size_t first = world->event_count;
	struct region *region;
	uint64_t value;
	int64_t offset;

	region = memory_region(&world->memory, world->context, &offset);
	region->size = (uint32_t)(8 * count);
	for (size_t i = 0; i < count; i++)
		memory_put(world->context_bytes + 8 * i, 8, arguments[i]);
	if (!machine_run(&world->machine, &world->code[program], world->context,
			 &value))
		return false;
	for (size_t i = first; i < world->event_count; i++)
		if (!world->events[i].submitted)
			return machine_fail(&world->machine,
					    "it keeps room for an event");
	*result = (int32_t)value;
	return true;
}
