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

int open_object(struct run *run, struct load *load)
{
	CLEANUP(detail_end) struct detail detail;
	LIBBPF_OPTS(bpf_object_open_opts, settings,
		    .object_name = policy_name(load));
	int err;

	(void)run;
	detail_begin(&detail);
	load->object = bpf_object__open_mem(load->bundle->elf,
					    load->bundle->elf_size, &settings);
	if (load->object)
		return 0;
	err = refuse(-errno, load->path, "open", NULL,
		     "libbpf does not take its object:");
	detail_show(&detail);
	return err;
}

static const char *mend_load(int err)
{
	if (err == -E2BIG)
		return "it is too much for this kernel's verifier: name "
		       "cgroups that are less deep or have shorter names, or "
		       "boot a newer kernel";
	return err == -EPERM
		       ? "this kernel lets nobody load LSM programs: look for "
			 "a loaded policy that denies bpf, "
			 "lockdown=confidentiality, a security module or a "
			 "virtual machine monitor that forbids it"
		       : "this kernel's verifier does not take it: look for a "
			 "loaded policy that denies kernel_secrets.bpf_read, "
			 "or else report it with 'uname -r' and the lines "
			 "below";
}

int load_object(struct run *run, struct load *load)
{
	CLEANUP(detail_end) struct detail detail;
	int err;

	(void)run;
	detail_begin(&detail);
	err = bpf_object__load(load->object);
	if (!err)
		return 0;
	refuse(err, load->path, "load", mend_load(err),
	       "the kernel refused it:");
	detail_show(&detail);
	return err;
}

int map_is_frozen(int fd, bool *frozen)
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
	err = map_is_frozen(fd, &frozen);
	if (!err && !frozen)
		err = bpf_map_freeze(fd);
	if (!err && !frozen)
		err = map_is_frozen(fd, &frozen);
	return !err && !frozen ? -EPERM : err;
}

int freeze_maps(struct run *run, struct load *load)
{
	struct bpf_map *map;

	(void)run;
	bpf_object__for_each_map(map, load->object)
	{
		int err = freeze_map(map);

		if (err)
			return refuse(err, load->path, "freeze", NULL,
				      "the map %s stays writable:",
				      bpf_map__name(map));
	}
	return 0;
}

static int attach_program(struct load *load, const struct bpf_program *program)
{
	struct bpf_link *link;
	int err = fault("attach");

	if (err)
		return err;
	link = bpf_program__attach(program);
	if (!link)
		return -errno;
	load->links[load->link_count++] = link;
	return 0;
}

static const char *mend_attach(int err)
{
	switch (err) {
	case -E2BIG:
		return "too many programs are on this hook; 'bpftool prog' "
		       "lists them";
	case -EBUSY:
		return "a live patch or another tracer holds this hook";
	case -ENOTSUPP:
		return "run a newer kernel: arm64 is known to attach LSM "
		       "programs from 6.12 on";
	}
	return NULL;
}

int attach_programs(struct run *run, struct load *load)
{
	CLEANUP(detail_end) struct detail detail;
	struct bpf_program *program;
	size_t count = 0;

	(void)run;
	bpf_object__for_each_program(program, load->object) count++;
	load->links = calloc(count + 1, sizeof(struct bpf_link *));
	if (!load->links)
		return refuse(-ENOMEM, load->path, "attach", NULL,
			      "out of memory");
	detail_begin(&detail);
	bpf_object__for_each_program(program, load->object)
	{
		int err = bpf_program__autoattach(program)
				  ? attach_program(load, program)
				  : 0;

		if (!err)
			continue;
		refuse(err, load->path, "attach", mend_attach(err),
		       "%s cannot be attached:",
		       bpf_program__section_name(program));
		detail_show(&detail);
		return err;
	}
	return 0;
}
