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
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <bpf/bpf.h>

#include "loader/cleanup.h"
#include "loader/fault.h"
#include "loader/home.h"
#include "loader/layout.h"
#include "loader/record.h"
#include "loader/report.h"

#define WAIT_STEPS   100
#define WAIT_STEP_NS 50000000L /* 5 s in all */

static int report_unknown(const char *name)
{
	struct dirent **names = NULL;
	int count = home_list(LAYOUT_HOME, home_is_policy, &names);

	report_refusal(name, "unload", "no policy of that name is loaded");
	if (count == 0 || count == -ENOENT)
		report_mend("none is needed: no policy is loaded");
	for (int i = 0; i < count; i++)
		report_mend("bpflock-load --unload %s", names[i]->d_name);
	if (count >= 0)
		home_list_free(names, count);
	return -ENOENT;
}

static int refuse_locked(const char *name)
{
	struct record record = { 0 };
	int err = record_read(name, &record);
	bool locked = !err && record.note->table.locked;

	record_free(&record);
	if (!locked) /* what cannot be read is half made: away with it */
		return 0;
	report_refusal(name, "unload", "it is locked until the next boot");
	report_mend("boot with bpflock=off to be without it");
	return -EPERM;
}

/* The id of the program that a pinned link attaches; 0 where it is no link, or
 * bpf() is denied. */
static uint32_t program_of(const char *policy, const char *pin)
{
	CLEANUP(close_fd) int link = -1;
	char path[LAYOUT_PATH_SIZE];
	struct bpf_link_info info = { 0 };
	uint32_t size = sizeof(info);

	if (layout_path(path, false, policy, LAYOUT_LINKS, pin))
		return 0;
	link = bpf_obj_get(path);
	if (link < 0 || bpf_obj_get_info_by_fd(link, &info, &size))
		return 0;
	return info.prog_id;
}

/* On success *@ids, of *@count, is the caller's to free(). */
static int list_programs(const char *policy, uint32_t **ids, int *count)
{
	struct dirent **pins;
	char path[LAYOUT_PATH_SIZE];
	int err = layout_path(path, false, policy, LAYOUT_LINKS, NULL);
	int found = err ? err : home_list(path, home_is_entry, &pins);

	if (found == -ENOENT) { /* half made */
		*ids = NULL;
		*count = 0;
		return 0;
	}
	if (found < 0)
		return found;
	*ids = calloc((size_t)found + 1, sizeof(**ids));
	for (int i = 0; *ids && i < found; i++)
		(*ids)[i] = program_of(policy, pins[i]->d_name);
	home_list_free(pins, found);
	*count = found;
	return *ids ? 0 : -ENOMEM;
}

static bool is_loaded(uint32_t id)
{
	CLEANUP(close_fd) int fd = id ? bpf_prog_get_fd_by_id(id) : -1;

	return fd >= 0;
}

static bool is_denied(void)
{
	uint32_t id = 0;

	return bpf_prog_get_next_id(0, &id) && errno == EPERM;
}

/* Whether bpf() is still denied after waiting for the end of that. */
static bool wait_for_answer(void)
{
	const struct timespec step = { .tv_nsec = WAIT_STEP_NS };
	bool denied = is_denied();

	for (int i = 0; i < WAIT_STEPS && denied; i++) {
		nanosleep(&step, NULL);
		denied = is_denied();
	}
	return denied;
}

/* How many of the programs are still there after waiting for them. */
static int wait_for_end(const uint32_t *ids, int count)
{
	const struct timespec step = { .tv_nsec = WAIT_STEP_NS };
	int left = count;

	for (int i = 0; i < WAIT_STEPS && left; i++) {
		left = 0;
		for (int j = 0; j < count; j++)
			left += is_loaded(ids[j]);
		if (left)
			nanosleep(&step, NULL);
	}
	return left;
}

static int remove_pins(int home, const char *name)
{
	int folder = openat(home, name,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int err = folder < 0 ? -errno : fault("unload");

	if (!err)
		err = home_remove(folder, LAYOUT_LINKS);
	close_fd(&folder);
	if (!err || err == -ENOENT)
		err = home_remove(home, name);
	return err;
}

int unload_policy(const char *name)
{
	CLEANUP(home_close) int home = -1;
	CLEANUP(free_memory) uint32_t *ids = NULL;
	char path[LAYOUT_PATH_SIZE];
	int count, left;
	bool blind = is_denied();
	int err = home_open(false, &home);

	if (err && err != -ENOENT)
		return err;
	if (err || !layout_name_is_safe(name) ||
	    layout_path(path, false, name, NULL, NULL) || access(path, F_OK))
		return report_unknown(name);
	err = refuse_locked(name);
	if (err)
		return err;
	err = list_programs(name, &ids, &count);
	if (!err)
		err = remove_pins(home, name);
	if (err) {
		report_refusal(name, "unload",
			       "its pins in %s cannot all be removed: %s", path,
			       error_words(err));
		return err;
	}
	if (blind && wait_for_answer()) {
		report_note("bpf() is still denied here, so it cannot be seen "
			    "whether the programs are gone: another policy "
			    "denies it, or a process holds them");
		printf("bpflock-load: %s: unloaded\n", name);
		return 0;
	}
	left = wait_for_end(ids, count);
	if (left) {
		report_refusal(name, "unload",
			       "its pins are gone, but %d of its %d programs "
			       "are still loaded and may still be asked: "
			       "another process holds them",
			       left, count);
		report_mend("look for it with 'bpftool link', and end it");
		return -EBUSY;
	}
	printf("bpflock-load: %s: unloaded, %d program%s gone\n", name, count,
	       count == 1 ? "" : "s");
	return 0;
}
