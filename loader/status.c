/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/status.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>

#include "bpf/guard/guard.h"
#include "bundle/event.h"
#include "bundle/text.h"
#include "loader/cleanup.h"
#include "loader/cmdline.h"
#include "loader/home.h"
#include "loader/layout.h"
#include "loader/live.h"
#include "loader/pinned.h"
#include "loader/probe.h"
#include "loader/record.h"
#include "loader/report.h"
#include "loader/settings.h"
#include "loader/visit.h"

struct status {
	const char *name;
	struct record record;
	struct dirent **links; /* pins, one a program */
	int link_count;
	uint64_t drops;	   /* events that found no room */
	bool misses_known; /* since Linux 5.12 */
	uint64_t misses;   /* that the kernel did not ask a program */
};

static int read_drops(int home, const char *policy, uint64_t *drops)
{
	LIBBPF_OPTS(bpf_obj_get_opts, settings, .file_flags = BPF_F_RDONLY);
	CLEANUP(close_fd) int map = -1;
	char path[LAYOUT_PATH_SIZE];
	uint32_t key = 0;
	int err = layout_path(path, home, LAYOUT_IN_PLACE, policy, LAYOUT_MAPS,
			      EVENT_DROPS_MAP);

	if (err)
		return err;
	map = bpf_obj_get_opts(path, &settings);
	/* A policy that logs nothing has no events that could drop. */
	if (map < 0)
		return errno == ENOENT ? 0 : -errno;
	return bpf_map_lookup_elem(map, &key, drops);
}

/* By id: in the vault a link cannot be opened by its path. */
static int read_misses(struct status *status, uint32_t id)
{
	struct live_program live;
	int err = live_program_info(id, &live);

	if (err) /* its pin was removed */
		return err == -ENOENT ? 0 : err;
	status->misses_known = LIVE_HAS(&live, recursion_misses);
	status->misses += live.info.recursion_misses;
	return 0;
}

static int read_status(int home, const char *name, struct status *status)
{
	char path[LAYOUT_PATH_SIZE];
	int err = layout_path(path, home, LAYOUT_IN_PLACE, name, LAYOUT_LINKS,
			      NULL);

	status->name = name;
	if (err)
		return err;
	status->link_count = home_list(path, home_is_entry, &status->links);
	if (status->link_count < 0)
		return status->link_count;
	err = record_read(home, name, &status->record);
	if (!err)
		err = read_drops(home, name, &status->drops);
	for (uint32_t i = 0; !err && i < status->record.objects.program_count;
	     i++)
		err = read_misses(status, status->record.objects.objects[i].id);
	return err;
}

static void free_status(struct status *status)
{
	if (status->link_count > 0)
		home_list_free(status->links, status->link_count);
	record_free(&status->record);
}

bool status_is_past(const struct table *table)
{
	time_t now = time(NULL);
	struct tm day;

	gmtime_r(&now, &day);
	return table->until &&
	       table->until < (uint32_t)((day.tm_year + 1900) * 10000 +
					 (day.tm_mon + 1) * 100 + day.tm_mday);
}

unsigned status_names(const struct table *table, bool trace, const char *begin,
		      const char *comma, const char *quote)
{
	unsigned count = 0;

	for (uint32_t i = 0; i < table->protection_count; i++) {
		const struct protection *protection =
			table->protections[i].protection;

		if (protection->trace != trace)
			continue;
		if (begin)
			printf("%s%s%s%s", count ? comma : begin, quote,
			       protection->name, quote);
		count++;
	}
	return count;
}

static void show_json(const struct status *status)
{
	const struct table *table = &status->record.note->table;
	char hex[DIGEST_HEX_SIZE];

	digest_to_hex(&status->record.bundle, hex);
	printf("{\"name\":\"%s\",\"version\":%" PRIu32
	       ",\"mode\":\"%s\",\"seal\":\"%s\",\"digest\":\"%s\"",
	       status->name, table->version, table->audit ? "audit" : "enforce",
	       table->locked ? "locked" : "open", hex);
	if (table->until)
		printf(",\"until\":\"" DATE_FORMAT "\",\"until_past\":%s",
		       DATE_PARTS(table->until),
		       status_is_past(table) ? "true" : "false");
	fputs(",\"protections\":[", stdout);
	status_names(table, false, "", ",", "\"");
	fputs("],\"traces\":[", stdout);
	status_names(table, true, "", ",", "\"");
	fputs("],\"links\":[", stdout);
	for (int i = 0; i < status->link_count; i++) {
		fputs(i ? "," : "", stdout);
		text_json(stdout, status->links[i]->d_name);
	}
	printf("],\"drops\":%" PRIu64, status->drops);
	if (status->misses_known)
		printf(",\"misses\":%" PRIu64, status->misses);
	putchar('}');
}

static void show_text(const struct status *status)
{
	const struct table *table = &status->record.note->table;
	char hex[DIGEST_HEX_SIZE];

	digest_to_hex(&status->record.bundle, hex);
	printf("%s version %" PRIu32 ", %s, seal %s\n", status->name,
	       table->version, table->audit ? "audit" : "enforced",
	       table->locked ? "locked" : "open");
	if (status_names(table, false, "  protections  ", ", ", ""))
		putchar('\n');
	if (status_names(table, true, "  traces       ", ", ", ""))
		putchar('\n');
	printf("  bundle       %s\n  links        %d\n"
	       "  drops        %" PRIu64 "\n",
	       hex, status->link_count, status->drops);
	if (status->misses_known)
		printf("  misses       %" PRIu64 "\n", status->misses);
	if (table->until)
		printf("  until        " DATE_FORMAT "\n",
		       DATE_PARTS(table->until));
	if (status_is_past(table))
		printf("  warning      an exception was meant to end on " DATE_FORMAT
		       "; compile the policy again\n",
		       DATE_PARTS(table->until));
}

static int show_policy(int home, const char *name, bool json, bool first)
{
	CLEANUP(free_status) struct status status = { 0 };
	int err = read_status(home, name, &status);

	if (err) {
		refuse(err, name, "status",
		       err == -EPERM ? "a policy denies bpf() to this process: "
				       "run it as one that may use "
				       "bpf.obj_get and bpf.other"
				     : NULL,
		       "what is pinned in " LAYOUT_HOME "/%s cannot be read:",
		       name);
		if (err != -EPERM)
			report_mend("bpflock-load --unload %s, then load it "
				    "again",
				    name);
		return err;
	}
	fputs(json && !first ? "," : "", stdout);
	(json ? show_json : show_text)(&status);
	return 0;
}

/* What runs that were killed left: it is enforced as far as it is there. @none:
 * there is surely nothing else. */
static int show_leftovers(int home, bool json, bool none)
{
	struct dirent **names = NULL;
	int count =
		home < 0 ? 0
			 : home_list_policies(home, home_is_leftover, &names);
	bool locked = home >= 0 && home_is_locked(home);

	if (count < 0)
		return refuse(count, MACHINE, "status", NULL,
			      LAYOUT_HOME " cannot be read:");
	if (!json && none && !count)
		puts("no policy is loaded");
	for (int i = 0; i < count; i++) {
		const char *name = names[i]->d_name;

		if (json) {
			fputs(i ? "," : "", stdout);
			text_json(stdout, name);
			continue;
		}
		text_shown(stdout, name, strlen(name));
		puts(locked ? ", on its way: a loader is at work"
			    : ", left by a loader that was killed: what is "
			      "pinned there is enforced until the next run "
			      "of bpflock-load removes it");
	}
	home_list_free(names, count);
	return 0;
}

/* The policies of one home; *@shown is how many were. */
static int show_policies(int home, bool json, int *shown)
{
	struct dirent **names = NULL;
	int count =
		home < 0 ? 0 : home_list_policies(home, home_is_policy, &names);
	int err = count < 0 ? count : 0;

	for (int i = 0; i < count; i++) {
		int failed = show_policy(home, names[i]->d_name, json, !*shown);

		*shown += !failed;
		err = err ? err : failed;
	}
	home_list_free(names, count);
	return err;
}

/* What the guard kept from others; in no log, as it asks no policy. */
static int show_denials(int vault, bool json)
{
	static const struct {
		const char *member, *words;
	} kinds[GUARD_COUNT] = {
		[GUARD_DENIED_BPF] = { "bpf", "of bpf()" },
		[GUARD_DENIED_MOUNT] = { "mount", "that mount or unmount" },
		[GUARD_DENIED_SYSCTL] = { "sysctl", "of a sysctl" },
	};
	CLEANUP(close_fd)
	int map = pinned_map(vault, LAYOUT_GUARD, GUARD_COUNTS);
	int err = map < 0 ? map : 0;

	fputs(json ? ",\"guard_denied\":{" : "the guard denied\n", stdout);
	for (uint32_t i = 0; !err && i < GUARD_COUNT; i++) {
		uint64_t count;

		err = bpf_map_lookup_elem(map, &i, &count);
		if (!err && json)
			printf("%s\"%s\":%" PRIu64, i ? "," : "",
			       kinds[i].member, count);
		else if (!err)
			printf("  %-11" PRIu64 "  calls %s\n", count,
			       kinds[i].words);
	}
	fputs(json ? "}" : "", stdout);
	return err ? refuse(err, MACHINE, "status", NULL,
			    "what the guard counts cannot be read:")
		   : 0;
}

/* Of a sealed machine alone: others have nothing that these would weaken. */
static int show_seal(int vault, bool json)
{
	int err;

	if (cmdline_is_off())
		report_note("BPFLOCK IS OFF: this machine was booted with "
			    "bpflock=off, bpflock-load loads nothing");
	if (vault < 0)
		return 0;
	err = show_denials(vault, json);
	fputs(json ? ",\"sealed\":true,\"weaknesses\":["
		   : "this machine is sealed until it boots again; what weakens "
		     "that:\n",
	      stdout);
	settings_show(json);
	fputs(json ? "]" : "", stdout);
	return err;
}

int status_show(bool json)
{
	CLEANUP(close_fd) int home = -1;
	CLEANUP(close_fd) int vault = -1;
	int shown = 0, blind, failed;
	int err = home_open(HOME_LOOK, "status", &home);

	if (!err || err == -ENOENT)
		err = visit_vault("status", &vault);
	if (err && err != -ENOENT)
		return err;
	/* What can be seen is shown all the same. */
	err = blind = probe_sight("status");
	fputs(json ? "{\"policies\":[" : "", stdout);
	failed = show_policies(vault, json, &shown);
	err = err ? err : failed;
	failed = show_policies(home, json, &shown);
	err = err ? err : failed;
	fputs(json ? "],\"leftovers\":[" : "", stdout);
	failed = show_leftovers(home, json, !shown && !err);
	err = err ? err : failed;
	fputs(json ? "]" : "", stdout);
	fputs(json && blind ? ",\"incomplete\":true" : "", stdout);
	failed = show_seal(vault, json);
	err = err ? err : failed;
	fputs(json ? "}\n" : "", stdout);
	failed = shown ? probe_is_asked() : 0;
	return err ? err : failed;
}
