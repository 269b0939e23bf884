/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The helpers and kernel functions that templates call, as far as they call
 * them.  One that is not in the tables cannot be evaluated, which is an error
 * and never a pass; nor can one be called that the kernel of the day does not
 * have, where the object asks for it.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>

#include "compiler/proof/world.h"

#define TASK_COMM_LEN 16

static uint8_t *writable(struct machine *machine, uint64_t address,
			 uint64_t size)
{
	uint8_t *bytes =
		memory_at(machine->memory, address, size, MEMORY_WRITE);

	if (!bytes)
		machine_fail(machine, "a helper writes where it may not");
	return bytes;
}

static const uint8_t *readable(struct machine *machine, uint64_t address,
			       uint64_t size)
{
	const uint8_t *bytes =
		memory_at(machine->memory, address, size, MEMORY_READ);

	if (!bytes)
		machine_fail(machine, "a helper reads where it may not");
	return bytes;
}

/* The string there, or NULL where none ends inside. */
static const char *string_at(const struct machine *machine, uint64_t address)
{
	const uint8_t *bytes =
		memory_at(machine->memory, address, 1, MEMORY_READ);
	const struct region *region;
	int64_t offset;

	if (!bytes)
		return NULL;
	region = memory_region(machine->memory, address, &offset);
	if (region->written ||
	    !memchr(bytes, '\0', region->size - (uint64_t)offset))
		return NULL;
	return (const char *)bytes;
}

/* Writes @text, cut where it does not fit: returns its length with the NUL,
 * of all of it if @whole. */
static bool put_string(struct machine *machine, uint64_t to, uint64_t size,
		       const char *text, bool whole)
{
	uint64_t len = strlen(text) + 1;
	uint8_t *bytes = writable(machine, to, size);

	if (!bytes)
		return false;
	if (size) {
		memcpy(bytes, text, len < size ? len : size);
		bytes[(len < size ? len : size) - 1] = '\0';
	}
	machine->registers[0] = whole || len < size ? len : size;
	return true;
}

static bool give(struct machine *machine, uint64_t value)
{
	machine->registers[0] = value;
	return true;
}

/* ---- who current is, and when ---- */

static bool get_current_task(struct machine *machine, struct world *world)
{
	return give(machine, world->task);
}

static bool get_pid_tgid(struct machine *machine, struct world *world)
{
	(void)world;
	return give(machine, (uint64_t)ACCESS_TGID << 32 | ACCESS_PID);
}

static bool get_uid_gid(struct machine *machine, struct world *world)
{
	(void)world;
	return give(machine, (uint64_t)(WORLD_UID + 1) << 32 | WORLD_UID);
}

static bool get_cgroup_id(struct machine *machine, struct world *world)
{
	return give(machine, world->cgroup);
}

static bool get_time(struct machine *machine, struct world *world)
{
	(void)world;
	return give(machine, WORLD_TIME);
}

static bool get_comm(struct machine *machine, struct world *world)
{
	uint64_t size = machine->registers[2];
	uint8_t *bytes = writable(machine, machine->registers[1], size);

	(void)world;
	if (!bytes)
		return false;
	memset(bytes, 0, size);
	memcpy(bytes, ACCESS_COMM,
	       size < sizeof(ACCESS_COMM) ? size : sizeof(ACCESS_COMM));
	return give(machine, 0);
}

static bool task_pt_regs(struct machine *machine, struct world *world)
{
	if (machine->registers[1] != world->task)
		return machine_fail(machine,
				    "it asks for the registers of no task");
	return give(machine, world->registers);
}

/* ---- memory and strings ---- */

static bool probe_read(struct machine *machine, struct world *world)
{
	uint64_t size = machine->registers[2];
	uint8_t *to = writable(machine, machine->registers[1], size);
	const uint8_t *from = memory_at(machine->memory, machine->registers[3],
					size, MEMORY_READ);

	(void)world;
	if (!to)
		return false;
	if (from)
		memcpy(to, from, size);
	else
		memset(to, 0, size);
	return give(machine, from ? 0 : (uint64_t)-EFAULT);
}

/* The other way round than the kernel's: nothing but what is current's. */
static bool probe_read_user(struct machine *machine, struct world *world)
{
	uint64_t size = machine->registers[2];
	uint8_t *to = writable(machine, machine->registers[1], size);
	const uint8_t *from = memory_at(machine->memory, machine->registers[3],
					size, MEMORY_USER);

	if (!to)
		return false;
	if (world->names_fail)
		from = NULL;
	if (from)
		memcpy(to, from, size);
	else
		memset(to, 0, size);
	return give(machine, from ? 0 : (uint64_t)-EFAULT);
}

/* What the function returned that a program is at the end of: it is behind the
 * function's arguments. */
static bool get_func_ret(struct machine *machine, struct world *world)
{
	const struct region *region;
	uint8_t *to;
	int64_t offset;

	if (machine->registers[1] != world->context)
		return machine_fail(machine, "it asks for the end of nothing");
	to = writable(machine, machine->registers[2], 8);
	if (!to)
		return false;
	region = memory_region(machine->memory, world->context, &offset);
	memcpy(to, region->bytes + region->size - 8, 8);
	return give(machine, 0);
}

static bool probe_read_str(struct machine *machine, struct world *world)
{
	const char *text = world->names_fail
				   ? NULL
				   : string_at(machine, machine->registers[3]);
	uint8_t *to =
		writable(machine, machine->registers[1], machine->registers[2]);

	if (!to)
		return false;
	if (text)
		return put_string(machine, machine->registers[1],
				  machine->registers[2], text, false);
	memset(to, 0, machine->registers[2]);
	return give(machine, (uint64_t)-EFAULT);
}

static bool is_in_event(const struct machine *machine, uint64_t address)
{
	int64_t offset = 0;

	return memory_region(machine->memory, address, &offset) &&
	       world_event_at(machine->world, address - (uint64_t)offset);
}

/* All that templates print: a string.  One that cannot be read is empty; what
 * goes into events has no room, too. */
static bool print(struct machine *machine, struct world *world)
{
	const char *format = string_at(machine, machine->registers[3]);
	uint64_t size = machine->registers[5];
	const uint8_t *data = readable(machine, machine->registers[4], size);
	const char *text;

	if (!data)
		return false;
	if (!format || strcmp(format, "%s") || size != 8)
		return machine_fail(machine,
				    "cannot evaluate: a format of snprintf");
	if (world->names_fail && is_in_event(machine, machine->registers[1]))
		return give(machine, (uint64_t)-EBUSY);
	text = string_at(machine, memory_get(data, 8));
	if (world->names_fail || !text)
		text = "";
	return put_string(machine, machine->registers[1], machine->registers[2],
			  text, true);
}

/* The path of the struct path there: its last part behind a prefix. */
static bool d_path(struct machine *machine, struct world *world)
{
	struct kernel *kernel = world->kernel;
	uint32_t path = kernel_find(kernel, "path", 4), base = 0;
	uint32_t dentry = kernel_find(kernel, "dentry", 6), inner = 0;
	const struct kernel_field *to, *name, *text;
	char whole[sizeof(WORLD_PATH) + 256];
	uint64_t at = machine->registers[1];
	uint8_t *to_bytes;
	uint32_t type;

	to = path ? kernel_field(kernel, path, "dentry", 6, &base) : NULL;
	name = dentry ? kernel_field(kernel, dentry, "d_name", 6, &inner)
		      : NULL;
	text = name ? kernel_field(kernel, name->type, "name", 4, &inner)
		    : NULL;
	if (!to || !text)
		return machine_fail(machine, "cannot evaluate: a path");
	type = text->offset + name->offset + inner;
	if (!memory_at(machine->memory, at, kernel_size(kernel, path),
		       MEMORY_KERNEL))
		return machine_fail(machine, "it asks for the path of no file");
	to_bytes =
		writable(machine, machine->registers[2], machine->registers[3]);
	if (!to_bytes)
		return false;
	/* the kernel makes a path from its end: what fails leaves a rest */
	memset(to_bytes, 'o', machine->registers[3]);
	if (world->names_fail)
		return give(machine, (uint64_t)-ENAMETOOLONG);
	if (!memory_load(machine->memory, at + base + to->offset, 8, &at) ||
	    !memory_load(machine->memory, at + type, 8, &at) ||
	    !string_at(machine, at))
		return give(machine, (uint64_t)-EINVAL);
	if (snprintf(whole, sizeof(whole), WORLD_PATH "%s",
		     string_at(machine, at)) >= (int)machine->registers[3])
		return give(machine, (uint64_t)-ENAMETOOLONG);
	return put_string(machine, machine->registers[2], machine->registers[3],
			  whole, true);
}

/* ---- maps and events ---- */

static size_t map_at(const struct world *world, uint64_t address)
{
	size_t i = 0;

	while (i < world->specimen->map_count && world->maps[i] != address)
		i++;
	return i;
}

static bool map_lookup(struct machine *machine, struct world *world)
{
	size_t index = map_at(world, machine->registers[1]);
	const struct specimen_map *map = &world->specimen->maps[index];
	const uint8_t *key;
	uint64_t element;

	if (index == world->specimen->map_count || !world->cells[index] ||
	    map->key_size != 4)
		return machine_fail(machine, "cannot evaluate: a map");
	key = readable(machine, machine->registers[2], 4);
	if (!key)
		return false;
	element = memory_get(key, 4);
	return give(machine,
		    element < map->max_entries
			    ? world->cells[index] + element * map->value_size
			    : 0);
}

/* Nobody else's than current's, which there is always one of. */
static bool task_storage(struct machine *machine, struct world *world)
{
	size_t index = map_at(world, machine->registers[1]);

	if (index == world->specimen->map_count ||
	    world->specimen->maps[index].type != BPF_MAP_TYPE_TASK_STORAGE ||
	    machine->registers[2] != world->task || machine->registers[3] ||
	    machine->registers[4] != BPF_LOCAL_STORAGE_GET_F_CREATE)
		return machine_fail(machine, "cannot evaluate: task storage");
	return give(machine, world->cells[index]);
}

static bool ring_reserve(struct machine *machine, struct world *world)
{
	size_t index = map_at(world, machine->registers[1]);

	if (index == world->specimen->map_count ||
	    strcmp(world->specimen->maps[index].name, EVENT_RING_MAP))
		return machine_fail(machine,
				    "it reserves room where events do not go");
	return give(machine, world_reserve(world, machine->registers[2]));
}

static bool ring_submit(struct machine *machine, struct world *world)
{
	struct world_event *event =
		world_event_at(world, machine->registers[1]);
	struct region *region;
	int64_t offset;

	if (!event || event->submitted)
		return machine_fail(machine, "it sends what is no event");
	event->submitted = true;
	region = memory_region(machine->memory, machine->registers[1], &offset);
	region->access = 0;
	return give(machine, 0);
}

/* ---- the tables ---- */

struct helper {
	unsigned number; /* 0: a kernel function */
	unsigned arguments;
	const char *name;
	const char *asked; /* what must be there, if the object asks for it */
	bool (*call)(struct machine *machine, struct world *world);
};

#define HELPER(name, arguments, call)                                      \
	{                                                                  \
		BPF_FUNC_##name, arguments, #name, "BPF_FUNC_" #name, call \
	}

static bool rdonly_cast(struct machine *machine, struct world *world)
{
	(void)world;
	return give(machine, machine->registers[1]);
}

static const struct helper helpers[] = {
	HELPER(map_lookup_elem, 2, map_lookup),
	HELPER(get_current_task, 0, get_current_task),
	HELPER(get_current_task_btf, 0, get_current_task),
	HELPER(get_current_pid_tgid, 0, get_pid_tgid),
	HELPER(get_current_uid_gid, 0, get_uid_gid),
	HELPER(get_current_cgroup_id, 0, get_cgroup_id),
	HELPER(get_current_comm, 2, get_comm),
	HELPER(ktime_get_boot_ns, 0, get_time),
	HELPER(task_pt_regs, 1, task_pt_regs),
	HELPER(get_func_ret, 2, get_func_ret),
	HELPER(task_storage_get, 4, task_storage),
	HELPER(probe_read_user, 3, probe_read_user),
	HELPER(probe_read_kernel, 3, probe_read),
	HELPER(probe_read_kernel_str, 3, probe_read_str),
	HELPER(snprintf, 5, print),
	HELPER(d_path, 3, d_path),
	HELPER(ringbuf_reserve, 3, ring_reserve),
	HELPER(ringbuf_submit, 2, ring_submit),
	{ 0, 2, "bpf_rdonly_cast", "KF_bpf_rdonly_cast", rdonly_cast },
};

#define HELPER_COUNT (sizeof(helpers) / sizeof(helpers[0]))

_Static_assert(HELPER_COUNT <= 64, "a bit each");

static bool is_missing(const struct world *world, const struct helper *helper)
{
	const char *type =
		helper->number ? "bpf_func_id" : "special_kfunc_type";
	const struct kernel_enumerator *values;
	size_t count;

	values = kernel_enumerators(world->kernel, type, strlen(type), &count);
	for (size_t i = 0; i < count; i++)
		if (values[i].missing &&
		    (int)strlen(helper->asked) == values[i].name_len &&
		    !strncmp(values[i].name, helper->asked,
			     (size_t)values[i].name_len))
			return true;
	return false;
}

void helpers_prepare(struct world *world)
{
	for (size_t i = 0; i < HELPER_COUNT; i++)
		if (is_missing(world, &helpers[i]))
			world->missing |= UINT64_C(1) << i;
}

/* Lockdown forbids these two. */
static bool is_probe(const struct helper *helper)
{
	return helper->number == BPF_FUNC_probe_read_kernel ||
	       helper->number == BPF_FUNC_probe_read_kernel_str;
}

static bool call(struct machine *machine, struct world *world,
		 const struct helper *helper)
{
	if (is_probe(helper) && !world->kind->may_probe)
		return machine_fail(machine,
				    "it calls %s, which this kernel forbids",
				    helper->name);
	if (world->missing >> (helper - helpers) & 1)
		return machine_fail(machine,
				    "it calls %s, which this kernel has not",
				    helper->name);
	if (!machine_has_arguments(machine, helper->arguments))
		return machine_fail(machine, "it gives %s too few arguments",
				    helper->name);
	return helper->call(machine, world);
}

bool helpers_call(struct machine *machine, const struct machine_insn *insn)
{
	struct world *world = machine->world;
	const char *name = "";

	if (insn->src == BPF_PSEUDO_KFUNC_CALL)
		name = world->specimen->symbols[insn->wide].name;
	else if (insn->src)
		return machine_fail(machine,
				    "cannot evaluate: a call of a function");
	for (size_t i = 0; i < HELPER_COUNT; i++)
		if (*name ? !strcmp(helpers[i].name, name)
			  : helpers[i].number == (unsigned)insn->imm)
			return call(machine, world, &helpers[i]);
	if (*name)
		return machine_fail(machine, "cannot evaluate: function %s",
				    name);
	return machine_fail(machine, "cannot evaluate: helper %d", insn->imm);
}
