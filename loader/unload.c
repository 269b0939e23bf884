/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The links' pins go first, and with each of them a program is no longer
 * asked.  The kernel frees programs late, after all processors have left them,
 * so their ids are looked for until they are gone.
 *
 * Where a policy denies bpf() to who unloads it, the pins are removed all the
 * same: that is no bpf() command.  Its programs then cannot be looked for, and
 * what is waited for is that bpf() is answered again.
 */
#include "loader/unload.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <bpf/bpf.h>

#include "loader/cleanup.h"
#include "loader/fault.h"
#include "loader/home.h"
#include "loader/layout.h"
#include "loader/probe.h"
#include "loader/report.h"
#include "loader/visit.h"
#include "loader/wait.h"

static int refuse_unknown(int home, const char *name)
{
	struct dirent **names = NULL;
	int count, err = probe_sight("unload");

	if (err)
		return err;
	count = home < 0 ? 0 : home_list_policies(home, home_is_policy, &names);
	refuse(-ENOENT, name, "unload", NULL,
	       "no policy of that name is loaded");
	if (!count)
		report_mend("none is needed: no policy is loaded");
	for (int i = 0; i < count; i++)
		report_mend("bpflock-load --unload %s", names[i]->d_name);
	if (count >= 0)
		home_list_free(names, count);
	return -ENOENT;
}

/* Only in the vault are locked policies. */
static int refuse_locked(const char *name)
{
	CLEANUP(close_fd) int vault = -1;
	int err = visit_vault("unload", &vault);

	if (err)
		return err == -ENOENT ? 0 : err;
	if (!layout_name_is_safe(name) || faccessat(vault, name, F_OK, 0))
		return 0;
	return refuse(-EPERM, name, "unload",
		      "boot with bpflock=off to be without it",
		      "it is locked until the next boot");
}

/* The id of the program that a pinned link attaches; 0 where it is no link, or
 * bpf() is denied. */
static uint32_t program_of(int home, const char *policy, const char *pin)
{
	CLEANUP(close_fd) int link = -1;
	char path[LAYOUT_PATH_SIZE];
	struct bpf_link_info info = { 0 };
	uint32_t size = sizeof(info);

	if (layout_path(path, home, LAYOUT_IN_PLACE, policy, LAYOUT_LINKS, pin))
		return 0;
	link = bpf_obj_get(path);
	if (link < 0 || bpf_obj_get_info_by_fd(link, &info, &size))
		return 0;
	return info.prog_id;
}

int programs_list(int home, const char *policy, struct programs *programs)
{
	struct dirent **pins;
	char path[LAYOUT_PATH_SIZE];
	int err = layout_path(path, home, LAYOUT_IN_PLACE, policy, LAYOUT_LINKS,
			      NULL);
	int found = err ? err : home_list(path, home_is_entry, &pins);

	*programs = (struct programs){ 0 };
	if (found < 0)
		return found == -ENOENT ? 0 : found; /* half made */
	programs->ids = calloc((size_t)found + 1, sizeof(*programs->ids));
	for (int i = 0; programs->ids && i < found; i++)
		programs->ids[i] = program_of(home, policy, pins[i]->d_name);
	home_list_free(pins, found);
	programs->count = found;
	return programs->ids ? 0 : -ENOMEM;
}

static int count_loaded(const void *context)
{
	const struct programs *programs = context;
	int loaded = 0;

	for (int i = 0; i < programs->count; i++) {
		uint32_t id = programs->ids[i];
		CLEANUP(close_fd) int fd = id ? bpf_prog_get_fd_by_id(id) : -1;

		loaded += fd >= 0;
	}
	return loaded;
}

/* 1 where bpf() is denied to us. */
static int count_denied(const void *context)
{
	uint32_t id = 0;

	(void)context;
	return bpf_prog_get_next_id(0, &id) && errno == EPERM;
}

int programs_wait(const struct programs *programs)
{
	return wait_for(count_loaded, programs);
}

int unload_policy(const char *name)
{
	CLEANUP(home_close) int home = -1;
	struct programs programs = { 0 };
	bool blind = count_denied(NULL);
	int left, err = refuse_locked(name);

	if (!err)
		err = home_open(HOME_CHANGE, "unload", &home);
	if (err && err != -ENOENT)
		return err;
	if (err || !layout_name_is_safe(name) || faccessat(home, name, F_OK, 0))
		return refuse_unknown(home, name);
	err = programs_list(home, name, &programs);
	if (!err)
		err = fault("unload");
	if (!err)
		err = home_remove(home, name, LAYOUT_LINKS);
	left = err ? 0 : programs_wait(&programs);
	free(programs.ids);
	if (err)
		return refuse(err, name, "unload", NULL,
			      "its pins in " LAYOUT_HOME "/%s cannot all be "
			      "removed:",
			      name);
	if (blind && wait_for(count_denied, NULL)) {
		report_note("bpf() is still denied here, so it cannot be seen "
			    "whether the programs are gone: another policy "
			    "denies it, or a process holds them");
		printf("bpflock-load: %s: unloaded\n", name);
		return 0;
	}
	if (left)
		return refuse(-EBUSY, name, "unload",
			      "look for it with 'bpftool link', and end it",
			      "its pins are gone, but %d of its %d programs "
			      "are still loaded and may still be asked: "
			      "another process holds them",
			      left, programs.count);
	printf("bpflock-load: %s: unloaded, %d program%s gone\n", name,
	       programs.count, programs.count == 1 ? "" : "s");
	return 0;
}
