/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf: every command of bpf(), and programs that write user memory.
 *
 *	operation		hook
 *	bpf_write		locked_down
 *	all others		bpf
 *
 * bpf/bpf_commands.def says which operation each command and each type of
 * program is; every command of every kernel is exactly one.
 *
 * Maps: events, drops, bpf_loaded; .rodata.policy and .rodata.boot, frozen
 * before loading.
 *
 * Which way it fails: a subject that cannot be told is a container; a policy
 * that was never written in denies everything; a command or a type that the
 * table does not have is `other` or `prog_load_other`.  A kernel without a
 * lockdown reason of the name BPF_WRITE_USER does not load what denies or logs
 * bpf_write.
 *
 * Later kernels say in flags of the command (BPF_COMMON_ATTRS), and in one more
 * argument of the hook, how bpf() was called.  Neither exempts anything: a
 * command is its low 16 bits, also where a program makes the call.
 *
 * What bpf() does not see: classic BPF of sockets, attaching through netlink,
 * ioctl() or setsockopt(), and file descriptors that were there before.
 */
#include "bpf/templates/include/kernel.h"
#include "bpf/templates/include/policy.h"
#include "bpf/templates/include/event.h"
#include "bpf/templates/include/loader.h"
#include "bpf/templates/include/lockdown.h"

char LICENSE[] SEC("license") = "GPL";

POLICY(bpf, (OPERATION_MASK(bpf, other) << 1) - 1);

_Static_assert(OP_BIT(bpf, map_create) == 0, "all operations are decided");

/* 1 once the policy is loaded.  User space cannot write it: it is frozen. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, uint64_t);
} bpf_loaded SEC(".maps");

/* Of what is copied of a name: the longest with its NUL, in whole words. */
#define NAME_SIZE 56

/* Where each name is in `names`; the numbers only, so that no type of it is in
 * the bundle. */
struct operation_names {
#define COMMAND(number, name, operation) \
	char command_##name[sizeof("BPF_" #name)];
#define PROGRAM_TYPE(number, name, operation) \
	char type_##name[sizeof("BPF_PROG_LOAD BPF_PROG_TYPE_" #name)];
#include "bpf/bpf_commands.def"
	char new_command[sizeof("an unknown command")];
	char new_type[sizeof("BPF_PROG_LOAD of an unknown type")];
	char end[NAME_SIZE]; /* so that as much is behind each */
};

#define ZEROS_8 "\0\0\0\0\0\0\0\0"

static const char names[] SEC(POLICY_SECTION) =
#define COMMAND(number, name, operation) "BPF_" #name "\0"
#define PROGRAM_TYPE(number, name, operation) \
	"BPF_PROG_LOAD BPF_PROG_TYPE_" #name "\0"
#include "bpf/bpf_commands.def"
	"an unknown command\0"
	"BPF_PROG_LOAD of an unknown type\0" ZEROS_8 ZEROS_8 ZEROS_8 ZEROS_8
	ZEROS_8 ZEROS_8 "\0\0\0\0\0\0\0";

_Static_assert(sizeof(names) == sizeof(struct operation_names),
	       "the names are where struct operation_names says");

#define COMMAND(number, name, operation)                  \
	_Static_assert(sizeof("BPF_" #name) <= NAME_SIZE, \
		       "all of " #name " is copied");
#define PROGRAM_TYPE(number, name, operation)                          \
	_Static_assert(sizeof("BPF_PROG_LOAD BPF_PROG_TYPE_" #name) <= \
			       NAME_SIZE,                              \
		       "all of " #name " is copied");
#include "bpf/bpf_commands.def"

struct named_operation {
	uint8_t operation;
	uint16_t name;
};

#define NAMED(field, operation)                                 \
	{                                                       \
		OP_BIT(bpf, operation),                         \
			offsetof(struct operation_names, field) \
	}

static const struct named_operation commands[] SEC(POLICY_SECTION) = {
#define COMMAND(number, name, operation) \
	[number] = NAMED(command_##name, operation),
#include "bpf/bpf_commands.def"
};

static const struct named_operation program_types[] SEC(POLICY_SECTION) = {
#define PROGRAM_TYPE(number, name, operation) \
	[number] = NAMED(type_##name, operation),
#include "bpf/bpf_commands.def"
};

static const struct named_operation new_command SEC(POLICY_SECTION) =
	NAMED(new_command, other);

static const struct named_operation new_type SEC(POLICY_SECTION) =
	NAMED(new_type, prog_load_other);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static __always_inline const struct named_operation *find_operation(
	uint32_t command, const union bpf_attr *attr)
{
	uint32_t type;

	if (command == BPF_PROG_LOAD) {
		type = attr->prog_type;
		if (type < COUNT(program_types))
			return &program_types[type];
		return &new_type;
	}
	if (command < COUNT(commands))
		return &commands[command];
	return &new_command;
}

/*
 * Whether @command is let through because the loader is not done: see
 * bundle/boot.h.  Anything that it asks for but attaching, pinning and the
 * guard's attention ends that for good.
 */
static __always_inline bool is_loading(uint32_t command)
{
	uint32_t key = 0;
	uint64_t *loaded;

	if (!loader_is_current()) /* first: most are not, and it is cheap */
		return false;
	loaded = bpf_map_lookup_elem(&bpf_loaded, &key);
	if (!loaded || *loaded)
		return false;
	if (command == BPF_OBJ_PIN || command == BPF_LINK_CREATE ||
	    command == BPF_RAW_TRACEPOINT_OPEN || command == BOOT_GUARD_COMMAND)
		return true;
	*loaded = 1;
	return command == BOOT_LOADED_COMMAND;
}

/* The object's name is the one at @at.  No string: it is the policy's own, and
 * may be read as it is, word by word. */
static __always_inline void object_name(struct event *event, uint32_t at)
{
	uint64_t *to = (uint64_t *)event->object;
	const uint64_t *from;

	if (at > sizeof(names) - NAME_SIZE) /* never, says the table */
		return;
	from = (const uint64_t *)(names + at);
	for (uint32_t i = 0; i < NAME_SIZE / sizeof(*to); i++)
		to[i] = from[i];
}

SEC("lsm/bpf")
int BPF_PROG(bpf_command, int cmd, union bpf_attr *attr)
{
	uint32_t command = (uint32_t)cmd & 0xffff;
	const struct named_operation *operation;
	struct decision decision;
	struct event *event;

	if (is_loading(command))
		return 0;
	operation = find_operation(command, attr);
	decision = policy_decide(&policy_bpf, operation->operation);
	if (decision.logged) {
		event = event_reserve(&decision);
		if (event) {
			object_name(event, operation->name);
			event_submit(event);
		}
	}
	return policy_verdict(&decision);
}

SEC("lsm/locked_down")
int BPF_PROG(bpf_locked_down, enum lockdown_reason what)
{
	return lockdown_decide(&policy_bpf, PROTECTION_bpf, what);
}
