/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What proves what:
 *
 * - The kernel's tag of a program is a hash, 64 bits of it, of the instructions
 *   that were given to it.  The bundle's own, relocated for this kernel, must
 *   have the same.  It leaves out which maps they use, so those are read from
 *   the instructions that the kernel runs.
 * - A digest of these, 256 bits, was recorded by the loader when it had loaded
 *   them, in a frozen map.  It shows that they are the very same still, and is
 *   as good as the loader that wrote it.
 * - Frozen maps are read, and compared byte by byte.
 */
#include "loader/attest.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "bundle/text.h"
#include "loader/attach.h"
#include "loader/cleanup.h"
#include "loader/expect.h"
#include "loader/findings.h"
#include "loader/guard.h"
#include "loader/home.h"
#include "loader/kernel_links.h"
#include "loader/live.h"
#include "loader/process.h"
#include "loader/prove.h"
#include "loader/read.h"
#include "loader/record.h"
#include "loader/replace.h"
#include "loader/report.h"
#include "loader/tag.h"
#include "loader/vault.h"

#define STAT_MAX 1024

/* One bundle, or the guard, and what there is of it. */
struct subject {
	struct run *run;
	struct load *load;
	int home;
	const struct kernel_links *links;
	struct capture *capture;
	struct expected expected;
	struct record record;
	struct findings found;
	struct canaries canaries;
	size_t map_count;
	bool loaded; /* by its name and digest */
};

static void subject_free(struct subject *subject)
{
	expected_free(&subject->expected);
	record_free(&subject->record);
	findings_free(&subject->found);
	canaries_free(&subject->canaries);
}

/* ---- programs ---- */

static bool is_map(const struct bpf_insn *instruction)
{
	return instruction->code == (BPF_LD | BPF_IMM | BPF_DW) &&
	       (instruction->src_reg == BPF_PSEUDO_MAP_FD ||
		instruction->src_reg == BPF_PSEUDO_MAP_VALUE);
}

static const struct record_object *recorded_map(const struct record *record,
						size_t index)
{
	return &record->objects.objects[record->objects.program_count + index];
}

/* The verifier drops instructions that are never reached, so what is left must
 * be there in the same order. */
static bool uses_the_maps(const struct live_program *live,
			  const struct expected_program *expected,
			  const struct record *record)
{
	size_t at = 0;

	for (size_t i = 0; i + 1 < live->count; i++) {
		const struct bpf_insn *have = &live->instructions[i];

		if (!is_map(have))
			continue;
		for (;; at++) {
			const struct bpf_insn *want;

			if (at + 1 >= expected->count)
				return false;
			want = &expected->instructions[at];
			if (is_map(want) && want->src_reg == have->src_reg &&
			    recorded_map(record, (size_t)want->imm)->id ==
				    (uint32_t)have->imm &&
			    want[1].imm == have[1].imm)
				break;
		}
		at++;
	}
	return true;
}

static void attest_instructions(struct subject *subject, size_t index,
				const struct live_program *live)
{
	const struct expected_program *expected =
		&subject->expected.programs[index];
	const struct digest *recorded =
		&subject->record.objects.objects[index].instructions;
	const char *name = bpf_program__name(expected->program);
	struct digest none = { 0 }, digest = live_digest(live);

	if (!tag_is_of(live->info.tag, expected->instructions, expected->count))
		differs(&subject->found,
			"the program %s has other instructions than the bundle's",
			name);
	if (!live->instructions || !memcmp(recorded, &none, sizeof(none)))
		differs(&subject->found,
			"the kernel hides what the program %s runs: "
			"kernel.kptr_restrict, with net.core.bpf_jit_harden",
			name);
	else if (memcmp(recorded, &digest, sizeof(digest)))
		differs(&subject->found,
			"the program %s has other instructions than those that "
			"were loaded",
			name);
	if (!uses_the_maps(live, expected, &subject->record))
		differs(&subject->found,
			"the program %s uses other maps than the bundle's, or "
			"other places in them",
			name);
}

static void attest_hook(struct subject *subject,
			const struct bpf_program *program,
			const struct live_program *live)
{
	const char *section = bpf_program__section_name(program);
	uint32_t hook = kernel_hook(subject->run->kernel, section);
	uint32_t loaded_for =
		LIVE_HAS(live, attach_btf_id) ? live->info.attach_btf_id : 0;
	const struct kernel_link *link =
		kernel_link_of(subject->links, live->info.id);
	const char *name = bpf_program__name(program);

	if (!link || link->type != BPF_LINK_TYPE_TRACING ||
	    link->attach_type != bpf_program__expected_attach_type(program)) {
		differs(&subject->found,
			"no link attaches the program %s to %s", name, section);
		return;
	}
	if (!hook || (loaded_for && loaded_for != hook) ||
	    (link->target && link->target != hook))
		differs(&subject->found,
			"the program %s is attached to another hook than %s",
			name, section);
	else if (!loaded_for && !link->target)
		unseen(&subject->found,
		       "which hook each program is on: Linux shows it from "
		       "5.13 on; it is the one that the loader was told, if it "
		       "was this one");
}

static void attest_sysctl(struct subject *subject, const char *name,
			  uint32_t id)
{
	if (!guard_is_on_root(id))
		differs(&subject->found,
			"the program %s is not on the root of the cgroups",
			name);
}

static void attest_program(struct subject *subject, size_t index)
{
	const struct bpf_program *program =
		subject->expected.programs[index].program;
	uint32_t id = subject->record.objects.objects[index].id;
	CLEANUP(live_program_free) struct live_program live = { 0 };
	CLEANUP(close_fd) int fd = bpf_prog_get_fd_by_id(id);
	const char *name = bpf_program__name(program);
	int err = fd < 0 ? -errno : live_program(fd, &live);

	if (err) {
		differs(&subject->found, "the program %s is not there: %s",
			name, strerror(-err));
		return;
	}
	if (live.info.type != bpf_program__type(program) ||
	    strncmp(live.info.name, name, BPF_OBJ_NAME_LEN - 1)) {
		differs(&subject->found,
			"another program stands where %s should", name);
		return;
	}
	attest_instructions(subject, index, &live);
	if (live.info.type != BPF_PROG_TYPE_CGROUP_SYSCTL)
		attest_hook(subject, program, &live);
	else
		attest_sysctl(subject, name, id);
}

/* ---- maps ---- */

static bool is_alive(const struct boot_facts *facts)
{
	CLEANUP(free_memory) char *text = NULL;
	struct process process;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/stat",
		 facts->loader_pid);
	return facts->loader_pid && !read_text(path, STAT_MAX, &text) &&
	       !process_parse(text, &process) &&
	       process.start == facts->loader_start;
}

/* Who loaded it is gone, so anything may stand there but who is not; an open
 * policy may be older than the vault. */
static void take_over_boot(struct subject *subject, const void *live,
			   void *wanted)
{
	struct boot_facts have, want;

	memcpy(&have, live, sizeof(have));
	memcpy(&want, wanted, sizeof(want));
	if (is_alive(&have))
		differs(&subject->found,
			"the process %" PRIu32
			" passes for the one that loaded it",
			have.loader_pid);
	want.loader_pid = have.loader_pid;
	want.loader_start = have.loader_start;
	if (have.may_probe == 1) /* it may be otherwise by now */
		want.may_probe = have.may_probe;
	if (!have.vault_dev && subject->home != subject->run->vault)
		want.vault_dev = 0;
	memcpy(wanted, &want, sizeof(want));
}

static void attest_bytes(struct subject *subject, const struct bpf_map *map,
			 int fd)
{
	size_t size = 0, at = 0;
	const void *initial =
		bpf_map__initial_value((struct bpf_map *)map, &size);
	CLEANUP(free_memory) uint8_t *want = NULL;
	CLEANUP(free_memory) uint8_t *have = NULL;
	const char *name = bpf_map__name(map);
	uint32_t key = 0;
	int err;

	want = malloc(size + 1);
	have = calloc(1, bpf_map__value_size(map) + 1);
	if (!initial || !want || !have || size != bpf_map__value_size(map)) {
		subject->found.failed = true;
		return;
	}
	memcpy(want, initial, size);
	err = bpf_map_lookup_elem(fd, &key, have);
	if (err) {
		differs(&subject->found, "the map %s cannot be read: %s", name,
			strerror(-err));
		return;
	}
	if (!strcmp(name, BOOT_SECTION) && size >= sizeof(struct boot_facts))
		take_over_boot(subject, have, want);
	while (at < size && want[at] == have[at])
		at++;
	if (at < size)
		differs(&subject->found,
			"the map %s has 0x%02x at byte %zu, and should have "
			"0x%02x",
			name, have[at], at, want[at]);
}

/* User space could write it. */
static void attest_frozen(struct subject *subject, const struct bpf_map *map,
			  int fd)
{
	bool frozen = false;
	int err = map_is_frozen(fd, &frozen);

	if (err || !frozen)
		differs(&subject->found, "the map %s is not frozen",
			bpf_map__name(map));
}

static void attest_state(struct subject *subject, const struct bpf_map *map,
			 int fd)
{
	uint64_t loaded = 0;
	uint32_t key = 0;

	if (strcmp(bpf_map__name(map), BOOT_LOADED_MAP))
		return;
	if (bpf_map_lookup_elem(fd, &key, &loaded) || loaded != 1)
		differs(&subject->found,
			"it still lets the process through that loaded it");
}

static bool is_as_wanted(const struct bpf_map *map,
			 const struct bpf_map_info *info)
{
	return info->type == bpf_map__type(map) &&
	       info->key_size == bpf_map__key_size(map) &&
	       info->value_size == bpf_map__value_size(map) &&
	       info->max_entries == bpf_map__max_entries(map) &&
	       info->map_flags == bpf_map__map_flags(map) &&
	       (!bpf_map__is_internal(map) ||
		info->map_flags & BPF_F_RDONLY_PROG);
}

/* The guard's own state is what nobody gets a descriptor of. */
static void attest_hidden(struct subject *subject, const char *name, int fd)
{
	if (fd != -EPERM)
		differs(&subject->found,
			fd >= 0 ? "the map %s can be opened by anybody"
				: "the map %s is not there",
			name);
}

static void attest_map(struct subject *subject, const struct bpf_map *map,
		       uint32_t id)
{
	LIBBPF_OPTS(bpf_get_fd_by_id_opts, settings,
		    .open_flags = BPF_F_RDONLY);
	CLEANUP(close_fd) int fd = bpf_map_get_fd_by_id_opts(id, &settings);
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);
	const char *name = bpf_map__name(map);
	int err = fd < 0 ? -errno : bpf_obj_get_info_by_fd(fd, &info, &size);

	if (!subject->load->bundle && guard_hides(name)) {
		attest_hidden(subject, name, err ? err : fd);
		return;
	}
	if (err || !is_as_wanted(map, &info)) {
		differs(&subject->found,
			err ? "the map %s is not there"
			    : "the map %s is of another kind or size",
			name);
		return;
	}
	if (info.type != BPF_MAP_TYPE_RINGBUF)
		attest_frozen(subject, map, fd);
	if (bpf_map__is_internal(map))
		attest_bytes(subject, map, fd);
	else
		attest_state(subject, map, fd);
}

/* ---- one bundle ---- */

static bool has_program(const struct expected *expected, const char *name)
{
	for (size_t i = 0; i < expected->count; i++)
		if (!strcmp(bpf_program__name(expected->programs[i].program),
			    name))
			return true;
	return false;
}

static void attest_pins(struct subject *subject)
{
	const char *policy = policy_name(subject->load);
	struct dirent **pins = NULL;
	char path[LAYOUT_PATH_SIZE];
	int count = layout_path(path, subject->home, LAYOUT_IN_PLACE, policy,
				LAYOUT_LINKS, NULL);

	if (!count)
		count = home_list(path, home_is_entry, &pins);
	for (int i = 0; i < count; i++)
		if (!has_program(&subject->expected, pins[i]->d_name))
			differs(&subject->found,
				"%s is pinned with it, and none of its "
				"programs has that name",
				pins[i]->d_name);
	if (count < 0)
		differs(&subject->found, "its pins cannot be read: %s",
			strerror(-count));
	home_list_free(pins, count);
}

static void attest_objects(struct subject *subject)
{
	const struct record_objects *objects = &subject->record.objects;
	struct bpf_map *map;
	size_t next = 0;

	if (objects->program_count != subject->expected.count ||
	    objects->map_count != subject->map_count) {
		differs(&subject->found,
			"%" PRIu32 " programs and %" PRIu32
			" maps were loaded, and the bundle has %zu and %zu",
			objects->program_count, objects->map_count,
			subject->expected.count, subject->map_count);
		return;
	}
	for (size_t i = 0; i < subject->expected.count; i++)
		attest_program(subject, i);
	bpf_object__for_each_map(map, subject->load->object)
	{
		attest_map(subject, map,
			   recorded_map(&subject->record, next++)->id);
	}
}

static int attest_subject(struct subject *subject)
{
	struct load *load = subject->load;
	struct digest digest =
		load->bundle ? load->bundle->digest : guard_digest();
	const char *name = policy_name(load);
	char hex[DIGEST_HEX_SIZE];
	struct bpf_map *map;
	int err = expect_programs(subject->run, load,
				  load->bundle ? open_object : open_guard,
				  subject->capture, &subject->expected);

	if (err)
		return err;
	bpf_object__for_each_map(map, load->object) subject->map_count++;
	err = subject->home < 0
		      ? -ENOENT
		      : record_read(subject->home, name, &subject->record);
	if (err) {
		differs(&subject->found,
			err == -ENOENT ? "it is not loaded"
				       : "what is loaded under its name cannot "
					 "be read: %s",
			strerror(-err));
		return 0;
	}
	if (subject->home != run_home_of(subject->run, load))
		differs(&subject->found,
			"it is locked, and loaded as an open one");
	digest_to_hex(&subject->record.bundle, hex);
	if (memcmp(&subject->record.bundle, &digest, sizeof(digest)))
		differs(&subject->found,
			"another one of its name is loaded, with the digest %s",
			hex);
	else
		subject->loaded = true;
	attest_objects(subject);
	attest_pins(subject);
	return 0;
}

/* ---- what else is there ---- */

static bool is_ours(const struct subject *subjects, size_t count, uint32_t id)
{
	for (size_t i = 0; i < count; i++) {
		const struct record_objects *objects =
			&subjects[i].record.objects;

		for (uint32_t j = 0; j < objects->program_count; j++)
			if (objects->objects[j].id == id)
				return true;
	}
	return false;
}

static bool is_on_hook(const struct subject *subjects, size_t count,
		       uint32_t hook)
{
	for (size_t i = 0; i < count; i++) {
		const struct expected *expected = &subjects[i].expected;

		for (size_t j = 0; j < expected->count; j++)
			if (kernel_hook(
				    subjects[i].run->kernel,
				    bpf_program__section_name(
					    expected->programs[j].program)) ==
			    hook)
				return true;
	}
	return false;
}

/* Programs on the same hooks: one may be asked before ours.  Where the kernel
 * does not say which hook it is, it counts as one of ours. */
static void find_programs(const struct subject *subjects, size_t count,
			  struct findings *found)
{
	for (uint32_t id = 0; !bpf_prog_get_next_id(id, &id);) {
		struct live_program live;
		uint32_t hook;
		int err = live_program_info(id, &live);

		if (err == -ENOENT || is_ours(subjects, count, id))
			continue;
		if (err) {
			differs(found,
				"the program with the id %" PRIu32
				" cannot be looked at: %s",
				id, strerror(-err));
			continue;
		}
		if (live.info.type != BPF_PROG_TYPE_LSM)
			continue;
		hook = LIVE_HAS(&live, attach_btf_id) ? live.info.attach_btf_id
						      : 0;
		if (!hook || is_on_hook(subjects, count, hook))
			differs(found,
				"the LSM program %s (id %" PRIu32
				") is loaded for one of the hooks, and is of "
				"none of these bundles",
				live.info.name, id);
	}
}

static void find_links(const struct subject *subjects, size_t count,
		       const struct kernel_links *links, struct findings *found)
{
	for (size_t i = 0; i < links->count; i++) {
		const struct kernel_link *link = &links->links[i];

		if (kernel_link_overrides(subjects->run->kernel, link))
			differs(found,
				"the program %" PRIu32
				" answers for a hook before it is asked "
				"(fmod_ret)",
				link->program);
		if (link->extends &&
		    (!link->object || is_ours(subjects, count, link->object)))
			differs(found,
				"the program %" PRIu32
				" replaces a part of another one (freplace)",
				link->program);
	}
}

/* ---- whether it is enforced ---- */

/* The guard has no canaries: what it denies does harm where it is not. */
static void attest_canaries(struct subject *subject, bool alone)
{
	int err = 0;

	if (subject->load->bundle && subject->loaded)
		err = prove_live(subject->run, subject->load, subject->home,
				 alone, &subject->canaries, &subject->found);
	if (err)
		differs(&subject->found, "its events cannot be looked at: %s",
			strerror(-err));
}

/* ---- the words ---- */

static void show_subject(const struct subject *subject, bool json)
{
	const struct load *load = subject->load;
	bool same = findings_are_none(&subject->found);
	char hex[DIGEST_HEX_SIZE];

	if (json && load->bundle) {
		digest_to_hex(&load->bundle->digest, hex);
		printf("{\"name\":\"%s\",\"version\":%" PRIu32
		       ",\"digest\":\"%s\",",
		       policy_name(load), load->bundle->note->table.version,
		       hex);
	}
	if (json) {
		printf("%s\"verified\":%s,\"programs\":%zu,\"maps\":%zu",
		       load->bundle ? "" : "{", same ? "true" : "false",
		       subject->expected.count, subject->map_count);
	} else {
		if (load->bundle)
			printf("%s version %" PRIu32, policy_name(load),
			       load->bundle->note->table.version);
		else
			fputs("the guard", stdout);
		printf(same ? ": verified, %zu program%s and %zu map%s\n"
			    : ": NOT WHAT THE BUNDLE SAYS (%zu program%s, %zu "
			      "map%s)\n",
		       subject->expected.count,
		       subject->expected.count == 1 ? "" : "s",
		       subject->map_count, subject->map_count == 1 ? "" : "s");
	}
	if (load->bundle)
		prove_show(&subject->canaries, json);
	findings_show(&subject->found, json);
	fputs(json ? "}" : "", stdout);
}

static int show(const struct subject *subjects, size_t count,
		const struct findings *machine, bool json)
{
	bool same = findings_are_none(machine);
	size_t bundles = subjects->run->count;

	for (size_t i = 0; i < count; i++)
		same = same && findings_are_none(&subjects[i].found);
	if (json)
		printf("{\"verified\":%s,\"policies\":[",
		       same ? "true" : "false");
	for (size_t i = 0; i < count; i++) {
		if (json && i)
			fputs(i == bundles ? "],\"guard\":" : ",", stdout);
		show_subject(&subjects[i], json);
	}
	if (json)
		printf("%s,\"machine\":{\"verified\":%s",
		       count > bundles ? "" : "]",
		       findings_are_none(machine) ? "true" : "false");
	else
		puts(findings_are_none(machine)
			     ? "this machine: nothing else is on these hooks"
			     : "this machine: SOMETHING ELSE IS ON THESE "
			       "HOOKS");
	findings_show(machine, json);
	fputs(json ? "}}\n" : "", stdout);
	return same ? 0 : -EBADE;
}

static int attest_all(struct run *run, struct subject *subjects, size_t count,
		      const struct kernel_links *links, struct capture *capture)
{
	int err = expect_begin(capture);

	for (size_t i = 0; i < count && !err; i++) {
		struct load *load =
			i < run->count ? &run->loads[i] : &run->guard;

		subjects[i].run = run;
		subjects[i].load = load;
		subjects[i].links = links;
		subjects[i].capture = capture;
		subjects[i].home = run_find_home(run, policy_name(load));
		err = attest_subject(&subjects[i]);
	}
	return err;
}

int attest(struct run *run)
{
	CLEANUP(findings_free) struct findings machine = { 0 };
	CLEANUP(kernel_links_free) struct kernel_links links = { 0 };
	size_t count = run->count + run->sealed;
	struct capture capture;
	struct subject *subjects = calloc(count, sizeof(*subjects));
	int err = subjects ? kernel_links_read(&links) : -ENOMEM;

	if (!err && run->sealed)
		err = vault_device(run->vault, &run->facts.vault_dev);
	if (err)
		refuse(err, MACHINE, "attest",
		       err == -EPERM ? "run it as root; a loaded policy may "
				       "deny bpf() to this process"
				     : NULL,
		       "what the kernel has loaded cannot be looked at:");
	if (!err)
		err = attest_all(run, subjects, count, &links, &capture);
	if (!err) {
		find_programs(subjects, count, &machine);
		find_links(subjects, count, &links, &machine);
		for (size_t i = 0; i < count; i++)
			attest_canaries(&subjects[i],
					run->count == 1 &&
						findings_are_none(&machine));
		err = show(subjects, count, &machine, run->options->json);
	}
	for (size_t i = 0; subjects && i < count; i++)
		subject_free(&subjects[i]);
	free(subjects);
	return err;
}
