/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/status.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include <bpf/bpf.h>

#include "bundle/event.h"
#include "loader/cleanup.h"
#include "loader/home.h"
#include "loader/layout.h"
#include "loader/record.h"
#include "loader/report.h"
#include "bundle/text.h"

#define DATE_PARTS(date) (date) / 10000, (date) / 100 % 100, (date) % 100
#define DATE_FORMAT	 "%04" PRIu32 "-%02" PRIu32 "-%02" PRIu32

struct status {
	const char *name;
	struct record record;
	struct dirent **links; /* pins, one a program */
	int link_count;
	uint64_t drops; /* events that found no room */
};

static int read_drops(const char *policy, uint64_t *drops)
{
	LIBBPF_OPTS(bpf_obj_get_opts, settings, .file_flags = BPF_F_RDONLY);
	CLEANUP(close_fd) int map = -1;
	char path[LAYOUT_PATH_SIZE];
	uint32_t key = 0;
	int err =
		layout_path(path, false, policy, LAYOUT_MAPS, EVENT_DROPS_MAP);

	if (err)
		return err;
	map = bpf_obj_get_opts(path, &settings);
	if (map < 0)
		return -errno;
	return bpf_map_lookup_elem(map, &key, drops);
}

static int read_status(const char *name, struct status *status)
{
	char path[LAYOUT_PATH_SIZE];
	int err = layout_path(path, false, name, LAYOUT_LINKS, NULL);

	status->name = name;
	if (err)
		return err;
	status->link_count = home_list(path, home_is_entry, &status->links);
	if (status->link_count < 0)
		return status->link_count;
	err = record_read(name, &status->record);
	if (!err)
		err = read_drops(name, &status->drops);
	/* A policy that logs nothing has no events that could drop. */
	return err == -ENOENT && status->record.note ? 0 : err;
}

static void free_status(struct status *status)
{
	if (status->link_count > 0)
		home_list_free(status->links, status->link_count);
	record_free(&status->record);
}

/* Today, UTC, as the note writes dates. */
static uint32_t today(void)
{
	time_t now = time(NULL);
	struct tm day;

	gmtime_r(&now, &day);
	return (uint32_t)((day.tm_year + 1900) * 10000 +
			  (day.tm_mon + 1) * 100 + day.tm_mday);
}

static void list_names(const struct table *table, bool trace, bool json)
{
	const char *comma = "";

	for (uint32_t i = 0; i < table->protection_count; i++) {
		const struct protection *protection =
			table->protections[i].protection;

		if (protection->trace != trace)
			continue;
		fputs(comma, stdout);
		comma = json ? "," : ", ";
		if (json)
			text_json(stdout, protection->name);
		else
			fputs(protection->name, stdout);
	}
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
		printf(",\"until\":\"" DATE_FORMAT "\"",
		       DATE_PARTS(table->until));
	fputs(",\"protections\":[", stdout);
	list_names(table, false, true);
	fputs("],\"traces\":[", stdout);
	list_names(table, true, true);
	fputs("],\"links\":[", stdout);
	for (int i = 0; i < status->link_count; i++) {
		fputs(i ? "," : "", stdout);
		text_json(stdout, status->links[i]->d_name);
	}
	printf("],\"drops\":%" PRIu64 "}", status->drops);
}

static void show_text(const struct status *status)
{
	const struct table *table = &status->record.note->table;
	char hex[DIGEST_HEX_SIZE];

	digest_to_hex(&status->record.bundle, hex);
	printf("%s version %" PRIu32 ", %s, seal %s\n", status->name,
	       table->version, table->audit ? "audit" : "enforced",
	       table->locked ? "locked" : "open");
	fputs("  protections  ", stdout);
	list_names(table, false, false);
	fputs("\n  traces       ", stdout);
	list_names(table, true, false);
	printf("\n  bundle       %s\n  links        %d\n"
	       "  drops        %" PRIu64 "\n",
	       hex, status->link_count, status->drops);
	if (table->until && table->until < today())
		printf("  warning      an exception was meant to end on " DATE_FORMAT
		       "; compile the policy again\n",
		       DATE_PARTS(table->until));
}

static int show_policy(const char *name, bool json, bool first)
{
	CLEANUP(free_status) struct status status = { 0 };
	int err = read_status(name, &status);

	if (err) {
		report_refusal(name, "status",
			       "what is pinned in " LAYOUT_HOME "/%s cannot be "
			       "read: %s",
			       name, error_words(err));
		if (err == -EPERM)
			report_mend("a policy denies bpf() to this process: "
				    "run it as one that may use bpf.obj_get "
				    "and bpf.other");
		else
			report_mend("bpflock-load --unload %s, then load it "
				    "again",
				    name);
		return err;
	}
	if (!json) {
		show_text(&status);
		return 0;
	}
	fputs(first ? "" : ",", stdout);
	show_json(&status);
	return 0;
}

int status_show(bool json)
{
	struct dirent **names = NULL;
	int count = home_list(LAYOUT_HOME, home_is_policy, &names);
	bool first = true;
	int err = 0;

	if (count < 0 && count != -ENOENT) {
		report_refusal("this machine", "status",
			       LAYOUT_HOME " cannot be read: %s",
			       error_words(count));
		report_mend("run it as root");
		return count;
	}
	if (json)
		fputs("{\"policies\":[", stdout);
	else if (count <= 0)
		puts("no policy is loaded");
	for (int i = 0; i < count; i++) {
		int failed = show_policy(names[i]->d_name, json, first);

		first = first && failed;
		err = err ? err : failed;
	}
	if (json)
		puts("]}");
	if (count >= 0)
		home_list_free(names, count);
	return err;
}
