/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gate has no map, which others could write before it is attached: who the
 * loader is stands in its instructions.
 */
#include "loader/gate.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "loader/cleanup.h"
#include "loader/code.h"
#include "loader/detail.h"
#include "loader/fault.h"
#include "loader/guard.h"
#include "loader/home.h"
#include "loader/kernel_links.h"
#include "loader/live.h"
#include "loader/record.h"
#include "loader/report.h"
#include "loader/vault.h"
#include "loader/visit.h"

static const char step[] = "gate";

/* What the gate keeps from others, where they may not have an open one. */
static const uint32_t commands[] = {
	BPF_OBJ_GET,	       BPF_PROG_GET_FD_BY_ID,	BPF_MAP_GET_FD_BY_ID,
	BPF_LINK_GET_FD_BY_ID, BPF_RAW_TRACEPOINT_OPEN, BPF_LINK_CREATE,
	BPF_ITER_CREATE,
};

static const uint32_t types[] = {
	BPF_PROG_TYPE_LSM,
	BPF_PROG_TYPE_TRACING,
	BPF_PROG_TYPE_EXT,
	BPF_PROG_TYPE_CGROUP_SYSCTL,
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define GATE_SIZE    (9 + COUNT(commands) + 4 + COUNT(types) + 4)

struct gate {
	struct bpf_insn code[GATE_SIZE];
	size_t count;
};

static void put(struct gate *gate, struct bpf_insn insn)
{
	gate->code[gate->count++] = insn;
}

/* To the end, which denies, where r1 is one of them. */
static void put_denials(struct gate *gate, const uint32_t *numbers,
			size_t count)
{
	for (size_t i = 0; i < count; i++)
		put(gate, CODE(BPF_JMP32 | BPF_JEQ | BPF_K, 1, 0,
			       GATE_SIZE - 2 - gate->count - 1, numbers[i]));
}

/* int gate(int cmd, union bpf_attr *attr, ...) */
static void write_gate(struct gate *gate)
{
	const int allow = GATE_SIZE - 4;

	put(gate, CODE(BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0));
	put(gate,
	    CODE(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_current_pid_tgid));
	put(gate, CODE(BPF_ALU64 | BPF_RSH | BPF_K, 0, 0, 0, 32));
	put(gate, CODE(BPF_JMP | BPF_JEQ | BPF_K, 0, 0,
		       allow - (int)gate->count - 1, getpid()));
	put(gate, CODE(BPF_LDX | BPF_MEM | BPF_DW, 1, 6, 0, 0));
	put(gate, CODE(BPF_ALU64 | BPF_AND | BPF_K, 1, 0, 0, 0xffff));
	put_denials(gate, commands, COUNT(commands));
	put(gate, CODE(BPF_JMP32 | BPF_JNE | BPF_K, 1, 0,
		       allow - (int)gate->count - 1, BPF_PROG_LOAD));
	put(gate, CODE(BPF_LDX | BPF_MEM | BPF_DW, 2, 6, 8, 0));
	put(gate, CODE(BPF_LDX | BPF_MEM | BPF_W, 1, 2, 0, 0));
	put_denials(gate, types, COUNT(types));
	while (gate->count < (size_t)allow)
		put(gate, CODE(BPF_JMP | BPF_JA, 0, 0, 0, 0));
	put(gate, CODE(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0));
	put(gate, CODE(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
	put(gate, CODE(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, -EPERM));
	put(gate, CODE(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
}

int close_gate(struct run *run)
{
	LIBBPF_OPTS(bpf_prog_load_opts, settings,
		    .expected_attach_type = BPF_LSM_MAC);
	struct gate gate = { .count = 0 };
	int program, err = fault(step);

	if (run->sealed || !vault_is_wanted(run))
		return 0;
	write_gate(&gate);
	settings.attach_btf_id = kernel_hook(run->kernel, "lsm/bpf");
	program = err ? err
		      : bpf_prog_load(BPF_PROG_TYPE_LSM, "bpflock_gate", "GPL",
				      gate.code, gate.count, &settings);
	if (program >= 0) {
		run->gate = bpf_raw_tracepoint_open(NULL, program);
		err = run->gate < 0 ? -errno : 0;
		close(program);
	} else if (!err) {
		err = program;
	}
	return err ? refuse(err, MACHINE, step,
			    err == -EPERM
				    ? "this kernel lets nobody load LSM "
				      "programs: look for a loaded policy that "
				      "denies bpf, or a security module"
				    : NULL,
			    "others cannot be kept from bpf() while the "
			    "machine is sealed:")
		   : 0;
}

/* ---- programs of others ---- */

static bool is_in_object(const struct bpf_object *object, uint32_t id)
{
	struct bpf_program *program;

	if (!object)
		return false;
	bpf_object__for_each_program(program, object)
	{
		struct bpf_prog_info info = { 0 };
		uint32_t size = sizeof(info);

		if (!bpf_obj_get_info_by_fd(bpf_program__fd(program), &info,
					    &size) &&
		    info.id == id)
			return true;
	}
	return false;
}

/* An open policy of ours denies as ours does. */
static bool is_recorded(const struct run *run, uint32_t id)
{
	struct dirent **names = NULL;
	int count = home_list_policies(run->home, home_is_policy, &names);
	bool found = false;

	for (int i = 0; i < count && !found; i++) {
		CLEANUP(record_free) struct record record = { 0 };

		if (record_read(run->home, names[i]->d_name, &record))
			continue;
		for (uint32_t j = 0; j < record.objects.program_count; j++)
			found |= record.objects.objects[j].id == id;
	}
	if (count >= 0)
		home_list_free(names, count);
	return found;
}

static bool is_ours(const struct run *run, uint32_t id)
{
	bool found = is_in_object(run->guard.object, id);

	for (size_t i = 0; i < run->count && !found; i++)
		found = is_in_object(run->loads[i].object, id);
	return found || is_recorded(run, id);
}

static bool has_hook(const struct run *run, const struct bpf_object *object,
		     uint32_t hook)
{
	struct bpf_program *program;

	if (!object)
		return false;
	bpf_object__for_each_program(program, object)
	{
		if (kernel_hook(run->kernel,
				bpf_program__section_name(program)) == hook)
			return true;
	}
	return false;
}

static bool is_our_hook(const struct run *run, uint32_t hook)
{
	bool found = has_hook(run, run->guard.object, hook);

	for (size_t i = 0; i < run->count && !found; i++)
		found = has_hook(run, run->loads[i].object, hook);
	return found;
}

/* fmod_ret has to be on such a function; so may harmless ones be. */
static bool is_on_security(const struct run *run, uint32_t target)
{
	const struct btf_type *type = btf__type_by_id(run->kernel, target);

	return !type ||
	       !strncmp(btf__name_by_offset(run->kernel, type->name_off),
			"security_", strlen("security_"));
}

/* What it is for is known from Linux 5.13 on; before, it may be for anything.
 */
static bool sits_in_front(const struct run *run,
			  const struct live_program *program)
{
	bool known =
		LIVE_HAS(program, attach_btf_id) && program->info.attach_btf_id;

	switch (program->info.type) {
	case BPF_PROG_TYPE_EXT:
		return true;
	case BPF_PROG_TYPE_LSM:
		return !known || is_our_hook(run, program->info.attach_btf_id);
	case BPF_PROG_TYPE_TRACING:
		return !known ||
		       is_on_security(run, program->info.attach_btf_id);
	}
	return false;
}

/* @gate: the id of the gate's own program, 0 where there is none. */
static int look_for_foreign(const struct run *run, uint32_t gate)
{
	int first = 0;

	for (uint32_t id = 0; !bpf_prog_get_next_id(id, &id);) {
		struct live_program program;
		int err = live_program_info(id, &program);

		if (err == -ENOENT || id == gate)
			continue;
		if (err)
			return refuse(err, MACHINE, step, NULL,
				      "the program with the id %" PRIu32
				      " cannot be looked at:",
				      id);
		if (!sits_in_front(run, &program) || is_ours(run, id))
			continue;
		first = refuse(-EBUSY, MACHINE, step,
			       "load bpflock's policies before what loads it, "
			       "or end that: 'bpftool prog show' names who "
			       "holds it",
			       "the program %s (id %" PRIu32
			       ") is loaded, and could be asked in place of "
			       "ours",
			       program.info.name, id);
	}
	return first;
}

/* Of a loader that was killed: the next load removes it before it looks. */
static bool has_leftovers(const struct run *run)
{
	CLEANUP(close_fd) int vault = -1;
	struct dirent **names = NULL;
	int count = home_list_policies(run->home, home_is_leftover, &names);

	if (count >= 0)
		home_list_free(names, count);
	return count > 0 || !visit_root(&vault);
}

int probe_foreign(struct run *run)
{
	int err;

	if (run->options->command != COMMAND_CHECK || run->sealed ||
	    !vault_is_wanted(run) || has_leftovers(run))
		return 0;
	err = open_guard(run, &run->guard);
	return err ? err : look_for_foreign(run, 0);
}

static uint32_t gate_program(const struct run *run)
{
	struct bpf_link_info info = { 0 };
	uint32_t size = sizeof(info);

	return bpf_obj_get_info_by_fd(run->gate, &info, &size) ? 0
							       : info.prog_id;
}

int refuse_foreign(struct run *run)
{
	return run->gate < 0 ? 0 : look_for_foreign(run, gate_program(run));
}
