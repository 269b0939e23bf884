/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bundle by bundle: what is attached last is asked first.  With all of a run
 * attached, one that another one's program denies first could not be told from
 * one that is not asked at all.
 */
#include "loader/prove.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bundle/event.h"
#include "loader/attach.h"
#include "loader/cleanup.h"
#include "loader/fault.h"
#include "loader/pinned.h"
#include "loader/probe.h"
#include "loader/report.h"

static const char step[] = "canary";

static const char *name_of(const struct canaries *canaries,
			   const struct canary *canary)
{
	return canaries->table->protections[canary->protection]
		.protection->name;
}

/* ---- loading ---- */

static int open_ring(const struct load *load, struct ring *ring)
{
	struct bpf_map *map =
		bpf_object__find_map_by_name(load->object, EVENT_RING_MAP);

	return map ? ring_open(bpf_map__fd(map), bpf_map__max_entries(map),
			       ring)
		   : 0;
}

static int refuse_refuted(const struct load *load,
			  const struct canaries *canaries,
			  const struct canary *canary)
{
	CLEANUP(free_memory) char *words = canary_words(canary);

	refuse(-EBADE, load->path, step,
	       "look for what keeps the kernel from asking programs, or "
	       "report it with 'uname -r'",
	       "%s.%s is attached to the hook %s, and not enforced there: %s",
	       name_of(canaries, canary), canary_operation(canaries, canary),
	       hooks[canary->hook].name, words ? words : "");
	probe_is_asked();
	return -EBADE;
}

/* Of each protection that no canary proved, why the first of them did not. */
static void warn_of_unproven(const struct load *load,
			     const struct canaries *canaries)
{
	for (size_t i = 0; i < canaries->count; i++) {
		const struct canary *canary = &canaries->all[i];
		CLEANUP(free_memory) char *words = NULL;

		if (canaries_proven(canaries, canary->protection) ||
		    (i && canary[-1].protection == canary->protection))
			continue;
		words = canary_words(canary);
		report_note("%s: %s: %s is attached, and not proven to be "
			    "enforced: %s",
			    load->path, step, name_of(canaries, canary),
			    words ? words : "");
	}
}

static int judge(struct load *load, const struct canaries *canaries)
{
	for (size_t i = 0; i < canaries->count; i++)
		if (canaries->all[i].proof == PROOF_REFUTED)
			return refuse_refuted(load, canaries,
					      &canaries->all[i]);
	warn_of_unproven(load, canaries);
	load->proven = canaries_proven(canaries, UINT32_MAX);
	return 0;
}

int attach_and_prove(struct run *run, struct load *load)
{
	CLEANUP(canaries_free) struct canaries canaries = { 0 };
	CLEANUP(ring_close) struct ring ring = { 0 };
	int err = canaries_of(&load->bundle->note->table, &canaries);

	if (!err)
		err = open_ring(load, &ring);
	if (err)
		return refuse(err, load->path, step, NULL,
			      "it cannot be told what is enforced:");
	if (!run->stand_ins.started)
		stand_ins_start(&run->stand_ins, run->facts.host_netns_inum);
	canaries_control(&canaries, &run->stand_ins);
	err = attach_programs(run, load);
	if (err)
		return err;
	err = fault(step);
	if (err)
		return refuse(err, load->path, step, NULL, "failed on purpose");
	canaries_try(&canaries, &run->stand_ins, &ring);
	return judge(load, &canaries);
}

/* ---- --verify ---- */

static int open_pinned_ring(int home, const char *policy, struct ring *ring)
{
	CLEANUP(close_fd) int fd = pinned_map(home, policy, EVENT_RING_MAP);
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);
	int err;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	err = bpf_obj_get_info_by_fd(fd, &info, &size);
	return err ? err : ring_open(fd, info.max_entries, ring);
}

static void find(const struct canaries *canaries, const struct canary *canary,
		 struct findings *found)
{
	CLEANUP(free_memory) char *words = canary_words(canary);

	if (canary->proof == PROOF_REFUTED)
		differs(found, "%s.%s is not enforced at the hook %s: %s",
			name_of(canaries, canary),
			canary_operation(canaries, canary),
			hooks[canary->hook].name, words ? words : "");
	else if (canary->proof == PROOF_NONE)
		unseen(found,
		       "whether %s is enforced at the hook %s, by trying: %s",
		       name_of(canaries, canary), hooks[canary->hook].name,
		       words ? words : "");
}

int prove_live(struct run *run, const struct load *load, int home, bool alone,
	       struct canaries *canaries, struct findings *found)
{
	CLEANUP(ring_close) struct ring ring = { 0 };
	int err = open_pinned_ring(home, policy_name(load), &ring);

	if (!err)
		err = canaries_of(&load->bundle->note->table, canaries);
	if (err)
		return err;
	if (!run->stand_ins.started)
		stand_ins_start(&run->stand_ins, run->facts.host_netns_inum);
	canaries_try_live(canaries, &run->stand_ins, &ring, alone);
	for (size_t i = 0; i < canaries->count; i++)
		find(canaries, &canaries->all[i], found);
	return 0;
}

static void show_one(const struct canaries *canaries,
		     const struct canary *canary, bool json, bool first)
{
	const struct table *table = canaries->table;
	const struct table_protection *row =
		&table->protections[canary->protection];
	const char *place = table_place_name(canary->expected.place);
	const char *verdict =
		row->protection->trace
			? "traced"
			: table_verdict(table, row, canary->expected.class,
					canary->expected.operation);
	bool by_event = canary->proof == PROOF_EVENT;

	if (json)
		printf("%s{\"hook\":\"%s\",\"operation\":\"%s.%s\","
		       "\"place\":\"%s\",\"verdict\":\"%s\","
		       "\"proof\":\"%s\"}",
		       first ? "" : ",", hooks[canary->hook].name,
		       name_of(canaries, canary),
		       canary_operation(canaries, canary), place, verdict,
		       by_event ? "event" : "error");
	else
		printf("  %-12s %s %s.%s place=%s at the hook %s, by its %s\n",
		       "proven", verdict, name_of(canaries, canary),
		       canary_operation(canaries, canary), place,
		       hooks[canary->hook].name, by_event ? "event" : "error");
}

void prove_show(const struct canaries *canaries, bool json)
{
	bool first = true;

	fputs(json ? ",\"canaries\":[" : "", stdout);
	for (size_t i = 0; i < canaries->count; i++) {
		const struct canary *canary = &canaries->all[i];

		if (canary->proof != PROOF_EVENT &&
		    canary->proof != PROOF_ERROR)
			continue;
		show_one(canaries, canary, json, first);
		first = false;
	}
	fputs(json ? "]" : "", stdout);
}
