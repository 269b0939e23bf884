/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is frozen, and how that is known: libbpf freezes .rodata sections while
 * it loads and goes on with a warning where it cannot, and the kernel tells no
 * program whether a map is frozen but through fdinfo.  So every map is frozen
 * here that is not yet, and then looked at.  The ring buffer is the exception:
 * the kernel freezes it like any other map, and then nobody can read it.
 */
#include "loader/attach.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "loader/cleanup.h"
#include "loader/detail.h"
#include "loader/fault.h"
#include "loader/read.h"
#include "loader/report.h"

#define FDINFO_MAX 4096
#define RODATA	   ".rodata"
#define ENOTSUPP   524 /* the kernel's own, never in a libc */

int open_objects(struct run *run)
{
	CLEANUP(detail_end) struct detail detail;

	detail_begin(&detail);
	for (size_t i = 0; i < run->count; i++) {
		struct load *load = &run->loads[i];
		LIBBPF_OPTS(bpf_object_open_opts, settings,
			    .object_name = load->bundle->note->table.policy);
		int err = fault("open");

		if (!err) {
			load->object = bpf_object__open_mem(
				load->bundle->elf, load->bundle->elf_size,
				&settings);
			err = load->object ? 0 : -errno;
		}
		if (err) {
			report_refusal(load->path, "open",
				       "libbpf does not take its object: %s",
				       error_words(err));
			detail_show(&detail);
			return err;
		}
	}
	return 0;
}

static void mend_load(int err)
{
	if (err == -EPERM)
		report_mend("this kernel lets nobody load LSM programs: look "
			    "for a loaded policy that denies bpf, "
			    "lockdown=confidentiality, a security module or a "
			    "virtual machine monitor that forbids it");
	else
		report_mend("this kernel's verifier does not take it: please "
			    "report it with 'uname -r' and the lines below");
}

int load_objects(struct run *run)
{
	CLEANUP(detail_end) struct detail detail;

	detail_begin(&detail);
	for (size_t i = 0; i < run->count; i++) {
		struct load *load = &run->loads[i];
		int err = fault("load");

		if (!err)
			err = bpf_object__load(load->object);
		if (err) {
			report_refusal(load->path, "load",
				       "the kernel refused it: %s",
				       error_words(err));
			mend_load(err);
			detail_show(&detail);
			return err;
		}
	}
	return 0;
}

static int is_frozen(int fd, bool *frozen)
{
	CLEANUP(free_memory) char *text = NULL;
	char path[64];
	int err;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	err = read_text(path, FDINFO_MAX, &text);
	if (!err)
		*frozen = strstr(text, "\nfrozen:\t1\n");
	return err;
}

static int freeze_map(const struct bpf_map *map)
{
	int fd = bpf_map__fd(map);
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);
	bool frozen = false;
	int err = fault("freeze");

	if (!err)
		err = bpf_obj_get_info_by_fd(fd, &info, &size);
	if (err || info.type == BPF_MAP_TYPE_RINGBUF)
		return err;
	if (!strncmp(bpf_map__name(map), RODATA, strlen(RODATA)) &&
	    !(info.map_flags & BPF_F_RDONLY_PROG))
		return -EPERM;
	err = is_frozen(fd, &frozen);
	if (!err && !frozen)
		err = bpf_map_freeze(fd);
	if (!err && !frozen)
		err = is_frozen(fd, &frozen);
	return !err && !frozen ? -EPERM : err;
}

int freeze_maps(struct run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		struct bpf_map *map;

		bpf_object__for_each_map(map, run->loads[i].object)
		{
			int err = freeze_map(map);

			if (err) {
				report_refusal(run->loads[i].path, "freeze",
					       "the map %s stays writable: %s",
					       bpf_map__name(map),
					       error_words(err));
				return err;
			}
		}
	}
	return 0;
}

static int attach_program(struct load *load, const struct bpf_program *program)
{
	int err = fault("attach");

	if (!err) {
		struct bpf_link *link = bpf_program__attach(program);

		if (link)
			load->links[load->link_count++] = link;
		else
			err = -errno;
	}
	return err;
}

static void mend_attach(int err)
{
	if (err == -E2BIG)
		report_mend("too many programs are on this hook; "
			    "'bpftool prog' lists them");
	else if (err == -EBUSY)
		report_mend("a live patch or another tracer holds this hook");
	else if (err == -ENOTSUPP)
		report_mend("run a newer kernel: arm64 is known to attach LSM "
			    "programs from 6.12 on");
}

int attach_programs(struct run *run)
{
	CLEANUP(detail_end) struct detail detail;

	detail_begin(&detail);
	for (size_t i = 0; i < run->count; i++) {
		struct load *load = &run->loads[i];
		struct bpf_program *program;
		size_t count = 0;

		bpf_object__for_each_program(program, load->object) count++;
		load->links = calloc(count + 1, sizeof(struct bpf_link *));
		if (!load->links) {
			report_refusal(load->path, "attach", "out of memory");
			return -ENOMEM;
		}
		bpf_object__for_each_program(program, load->object)
		{
			int err = attach_program(load, program);

			if (!err)
				continue;
			report_refusal(load->path, "attach",
				       "%s cannot be attached: %s",
				       bpf_program__section_name(program),
				       error_words(err));
			mend_attach(err);
			detail_show(&detail);
			return err;
		}
	}
	return 0;
}
