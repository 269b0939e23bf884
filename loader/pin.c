/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process that is killed undoes nothing.  Up to here the kernel undoes all
 * of it, for nothing is held but by file descriptors; from the first pin on, or
 * the vault before it, that is no longer so.  The signals that can wait do; a
 * folder that a SIGKILL left half made is removed by the next run
 * (home_open()).
 *
 * A policy may deny bpf() to the loader's like.  So all is pinned before it is
 * attached, but for the links, which are not there before.  For them alone the
 * loader is let through, until it says that it is done: bundle/boot.h.
 */
#include "loader/pin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bundle/boot.h"
#include "bundle/event.h"
#include "loader/cleanup.h"
#include "loader/fault.h"
#include "loader/guard.h"
#include "loader/home.h"
#include "loader/layout.h"
#include "loader/live.h"
#include "loader/record.h"
#include "loader/report.h"
#include "loader/signals.h"

static const char step[] = "pin";

int open_home(struct run *run)
{
	bool loads = run->options->command == COMMAND_LOAD;
	int err = home_open(loads ? HOME_CREATE : HOME_LOOK, step, &run->home);

	return err == -ENOENT && !loads ? 0 : err;
}

static int refuse_pin(int err, const struct load *load)
{
	return refuse(err, load->path, step, NULL,
		      "its pins cannot be made in " LAYOUT_HOME ":");
}

/* Pins @fd where a staged policy has @part or, in that, @name. */
static int pin(const struct run *run, const struct load *load, int fd,
	       const char *part, const char *name, enum guard_use use)
{
	char path[LAYOUT_PATH_SIZE];
	int err = fault("pin");

	if (!err)
		err = layout_path(path, run_home_of(run, load), LAYOUT_STAGED,
				  policy_name(load), part, name);
	if (!err)
		err = guard_register(run, fd, use);
	return err ? err : bpf_obj_pin(fd, path);
}

static int make_folder(const struct run *run, const struct load *load,
		       const char *part)
{
	char path[LAYOUT_PATH_SIZE];
	int err = fault("folder");

	if (!err)
		err = layout_path(path, run_home_of(run, load), LAYOUT_STAGED,
				  policy_name(load), part, NULL);
	return !err && mkdir(path, 0700) ? -errno : err;
}

static int pin_record(const struct run *run, const struct load *load)
{
	struct digest digest =
		load->bundle ? load->bundle->digest : guard_digest();
	struct note *note = load->bundle ? load->bundle->note : NULL;
	struct record_objects objects = { 0 };
	CLEANUP(close_fd) int fd = -1;
	int err = fault("record");

	if (!err)
		err = live_objects(load->object, &objects);
	if (!err)
		err = record_create(&digest, note, &objects, &fd);
	free(objects.objects);
	return err ? err : pin(run, load, fd, LAYOUT_RECORD, NULL, GUARD_OPEN);
}

/* The guard's own maps are named to it before; only what it counts is there for
 * others. */
static int pin_map(const struct run *run, const struct load *load,
		   const struct bpf_map *map)
{
	const char *name = bpf_map__name(map);

	if (!load->bundle && strcmp(name, GUARD_COUNTS))
		return 0;
	return pin(run, load, bpf_map__fd(map), LAYOUT_MAPS, name,
		   strcmp(name, EVENT_RING_MAP) ? GUARD_OPEN : GUARD_SHARED);
}

int stage_policy(struct run *run, struct load *load)
{
	struct bpf_map *map;
	int err;

	signals_hold();
	err = make_folder(run, load, NULL);
	if (!err)
		load->pins = PINS_STAGED;
	if (!err)
		err = make_folder(run, load, LAYOUT_MAPS);
	if (!err)
		err = make_folder(run, load, LAYOUT_LINKS);
	if (!err)
		err = pin_record(run, load);
	bpf_object__for_each_map(map, load->object)
	{
		if (!err)
			err = pin_map(run, load, map);
	}
	return err ? refuse_pin(err, load) : 0;
}

/* attach_programs() went through the programs in the same order. */
int pin_links(struct run *run, struct load *load)
{
	struct bpf_program *program = NULL;
	int err = 0;

	for (size_t i = 0; i < load->link_count && !err; i++) {
		do
			program =
				bpf_object__next_program(load->object, program);
		while (!bpf_program__autoattach(program));
		err = pin(run, load, bpf_link__fd(load->links[i]), LAYOUT_LINKS,
			  bpf_program__name(program), GUARD_OPEN);
	}
	return err ? refuse_pin(err, load) : 0;
}

/* No kernel knows the command, so it fails; programs of ours see it first. */
int end_loading(struct run *run)
{
	union bpf_attr attr;

	(void)run;
	memset(&attr, 0, sizeof(attr));
	syscall(SYS_bpf, BOOT_LOADED_COMMAND, &attr, sizeof(attr));
	return 0;
}

/* The names that a policy's folder may have. */
struct names {
	char staged[LAYOUT_NAME_MAX + 2];
	char aside[LAYOUT_NAME_MAX + 2];
	const char *place;
};

static void find_names(const struct load *load, struct names *names)
{
	names->place = policy_name(load);
	snprintf(names->staged, sizeof(names->staged), LAYOUT_STAGED "%s",
		 names->place);
	snprintf(names->aside, sizeof(names->aside), LAYOUT_ASIDE "%s",
		 names->place);
}

/* A locked policy has its place in the vault, beside an open one's. */
static bool replaces_in_place(const struct run *run, const struct load *load)
{
	return load->replaces && run_home_of(run, load) == run->home;
}

int put_in_place(struct run *run, struct load *load)
{
	int home = run_home_of(run, load), err = fault("rename");
	struct names names;

	find_names(load, &names);
	if (!err && replaces_in_place(run, load))
		err = home_exchange(run->home, names.staged, names.place,
				    names.aside);
	else if (!err && renameat2(home, names.staged, home, names.place,
				   RENAME_NOREPLACE))
		err = -errno;
	if (err)
		return refuse(err, load->path, step, NULL,
			      "its pins cannot get their place in " LAYOUT_HOME
			      ":");
	load->pins = PINS_IN_PLACE;
	return 0;
}

/* What was replaced gets its place back first; then it is ours that is staged.
 * The vault goes as a whole, but only once no policy can deny that any more. */
static int unpin(const struct run *run, const struct load *load)
{
	int home = run_home_of(run, load), err = 0;
	struct names names;

	find_names(load, &names);
	if (home != run->home)
		return home_remove(home,
				   load->pins == PINS_IN_PLACE ? names.place
							       : names.staged,
				   LAYOUT_LINKS);
	if (load->pins == PINS_IN_PLACE && !load->replaces)
		return home_remove(run->home, names.place, LAYOUT_LINKS);
	if (load->pins == PINS_IN_PLACE)
		err = home_exchange(run->home, names.staged, names.place,
				    names.aside);
	return err ? err : home_remove(run->home, names.staged, LAYOUT_LINKS);
}

void unpin_policies(struct run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		struct load *load = &run->loads[i];
		int err = load->pins == PINS_NONE ? 0 : unpin(run, load);

		if (err)
			refuse(err, load->path, "undo",
			       "look at it with bpflock-load --status, then "
			       "remove it, or reboot",
			       "some of its pins stay in " LAYOUT_HOME ":");
		load->pins = PINS_NONE;
	}
}
