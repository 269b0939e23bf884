/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process that is killed undoes nothing.  Up to here the kernel undoes all
 * of it, for nothing is held but by file descriptors; from the first pin on
 * that is no longer so.  The signals that can wait do; a folder that a SIGKILL
 * left half made is removed by the next run (home_open()).
 *
 * A policy may deny bpf() to the loader's like.  So all is pinned before it is
 * attached, but for the links, which are not there before.  For them alone the
 * loader is let through, until it says that it is done: bundle/boot.h.
 */
#include "loader/pin.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bundle/boot.h"
#include "loader/cleanup.h"
#include "loader/fault.h"
#include "loader/home.h"
#include "loader/layout.h"
#include "loader/record.h"
#include "loader/report.h"

static const char *policy_name(const struct load *load)
{
	return load->bundle->note->table.policy;
}

int open_home(struct run *run)
{
	return home_open(true, &run->home);
}

/* Pins @fd where a staged policy has @part or, in that, @name. */
static int pin(const struct load *load, int fd, const char *part,
	       const char *name)
{
	char path[LAYOUT_PATH_SIZE];
	int err = fault("pin");

	if (!err)
		err = layout_path(path, true, policy_name(load), part, name);
	return err ? err : bpf_obj_pin(fd, path);
}

static int make_folder(const struct load *load, const char *part)
{
	char path[LAYOUT_PATH_SIZE];
	int err = fault("folder");

	if (!err)
		err = layout_path(path, true, policy_name(load), part, NULL);
	if (!err && mkdir(path, 0700))
		err = -errno;
	return err;
}

static int pin_record(const struct load *load)
{
	CLEANUP(close_fd) int fd = -1;
	int err = fault("record");

	if (!err)
		err = record_create(&load->bundle->digest, load->bundle->note,
				    &fd);
	return err ? err : pin(load, fd, LAYOUT_RECORD, NULL);
}

static int pin_maps(const struct load *load)
{
	struct bpf_map *map;
	int err = make_folder(load, LAYOUT_MAPS);

	if (err)
		return err;
	bpf_object__for_each_map(map, load->object)
	{
		err = pin(load, bpf_map__fd(map), LAYOUT_MAPS,
			  bpf_map__name(map));
		if (err)
			return err;
	}
	return 0;
}

static int pin_links(struct load *load)
{
	const struct bpf_program *program = NULL;
	int err = make_folder(load, LAYOUT_LINKS);

	/* attach_programs() went through the programs in the same order. */
	for (size_t i = 0; i < load->link_count && !err; i++) {
		program = bpf_object__next_program(
			load->object, (struct bpf_program *)program);
		err = pin(load, bpf_link__fd(load->links[i]), LAYOUT_LINKS,
			  bpf_program__name(program));
	}
	return err;
}

static int stage(struct load *load)
{
	int err = make_folder(load, NULL);

	if (err)
		return err;
	load->pins = PINS_STAGED;
	err = pin_record(load);
	return err ? err : pin_maps(load);
}

static int put_in_place(struct load *load)
{
	char staged[LAYOUT_PATH_SIZE], place[LAYOUT_PATH_SIZE];
	int err = fault("rename");

	if (!err)
		err = layout_path(staged, true, policy_name(load), NULL, NULL);
	if (!err)
		err = layout_path(place, false, policy_name(load), NULL, NULL);
	if (!err &&
	    renameat2(AT_FDCWD, staged, AT_FDCWD, place, RENAME_NOREPLACE))
		err = -errno;
	if (!err)
		load->pins = PINS_IN_PLACE;
	return err;
}

static void hold_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGPIPE);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
}

static int pin_each(struct run *run, int (*step)(struct load *load),
		    const char *words)
{
	for (size_t i = 0; i < run->count; i++) {
		int err = step(&run->loads[i]);

		if (err) {
			report_refusal(run->loads[i].path, "pin", "%s %s: %s",
				       words, LAYOUT_HOME, error_words(err));
			return err;
		}
	}
	return 0;
}

int stage_policies(struct run *run)
{
	hold_signals();
	return pin_each(run, stage, "its pins cannot be made in");
}

/* No kernel knows the command, so it fails; programs of ours see it first. */
static void end_loading(void)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	syscall(SYS_bpf, BOOT_LOADED_COMMAND, &attr, sizeof(attr));
}

int pin_policies(struct run *run)
{
	int err = pin_each(run, pin_links, "its links cannot be pinned in");

	end_loading();
	if (!err)
		err = pin_each(run, put_in_place,
			       "its pins cannot get their place in");
	run->done = !err;
	return err;
}

void unpin_policies(struct run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		struct load *load = &run->loads[i];
		char name[LAYOUT_NAME_MAX + 2];
		int err;

		if (load->pins == PINS_NONE)
			continue;
		snprintf(name, sizeof(name), "%s%s",
			 load->pins == PINS_STAGED ? "+" : "",
			 policy_name(load));
		err = home_remove(run->home, name);
		if (err) {
			report_refusal(load->path, "undo",
				       LAYOUT_HOME "/%s stays behind: %s", name,
				       error_words(err));
			report_mend("remove it, or reboot");
		}
		load->pins = PINS_NONE;
	}
}
