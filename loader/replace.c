/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Up to where all new policies have their place, a failure puts the old ones
 * back: they were attached and pinned all the time.  Then theirs are removed,
 * links first, as --unload does; what is left of that, the next run removes.
 */
#include "loader/replace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "loader/fault.h"
#include "loader/home.h"
#include "loader/layout.h"
#include "loader/record.h"
#include "loader/report.h"
#include "loader/unload.h"

/* Whether each of the bundle's programs still has the pin of its link. */
static bool is_whole(int home, const struct load *load)
{
	struct bpf_program *program;
	char path[LAYOUT_PATH_SIZE];

	bpf_object__for_each_program(program, load->object)
	{
		if (layout_path(path, home, LAYOUT_IN_PLACE, policy_name(load),
				LAYOUT_LINKS, bpf_program__name(program)) ||
		    access(path, F_OK))
			return false;
	}
	return true;
}

static int decide(int home, struct load *load, const struct record *old)
{
	const struct table *table = &load->bundle->note->table;
	uint32_t version = old->note->table.version;
	bool same = !memcmp(&old->bundle, &load->bundle->digest,
			    sizeof(old->bundle));
	char hex[DIGEST_HEX_SIZE];

	load->already = same && is_whole(home, load);
	load->old_version = version;
	if (load->already)
		return 0;
	if (old->note->table.locked)
		return refuse(-EPERM, load->path, "probe", "a reboot ends it",
			      "%s is loaded as version %" PRIu32
			      ", and locked until the next boot",
			      table->policy, version);
	if (same || table->version > version)
		return programs_list(home, table->policy, &load->old);
	if (table->version < version) {
		refuse(-EEXIST, load->path, "probe", NULL,
		       "it is version %" PRIu32 " of %s, and version %" PRIu32
		       " is loaded: only a higher one replaces it",
		       table->version, table->policy, version);
	} else {
		digest_to_hex(&old->bundle, hex);
		refuse(-EEXIST, load->path, "probe", NULL,
		       "it is version %" PRIu32 " of %s, and another version "
		       "%" PRIu32 " is loaded, with the digest %s",
		       table->version, table->policy, version, hex);
	}
	report_mend("give it a version above %" PRIu32
		    " and compile it again, or first bpflock-load --unload %s",
		    version, table->policy);
	return -EEXIST;
}

int replace_decide(struct run *run, struct load *load)
{
	const char *name = policy_name(load);
	int err, home = run_find_home(run, name);
	struct record record = { 0 };

	if (home < 0)
		return 0;
	err = record_read(home, name, &record);
	if (!err)
		err = decide(home, load, &record);
	else
		refuse(err, load->path, "probe",
		       err == -EPERM
			       ? "a loaded policy denies bpf() to this process: "
				 "unload it first"
			       : "bpflock-load --unload it first",
		       "the policy %s is loaded already, and what it is cannot "
		       "be read:",
		       name);
	record_free(&record);
	load->replaces = !err && !load->already;
	return err;
}

static int retire(const struct run *run, const struct load *load)
{
	char folder[LAYOUT_NAME_MAX + 2];
	int left, err = fault("retire");

	snprintf(folder, sizeof(folder), "%s%s",
		 run_home_of(run, load) == run->home ? LAYOUT_STAGED
						     : LAYOUT_IN_PLACE,
		 policy_name(load));
	if (!err)
		err = home_remove(run->home, folder, LAYOUT_LINKS);
	if (err)
		return refuse(err, load->path, "retire",
			      "the next run of bpflock-load removes it",
			      "it is enforced, and so is still version %" PRIu32
			      ": its pins in " LAYOUT_HOME "/%s cannot all be "
			      "removed:",
			      load->old_version, folder);
	left = programs_wait(&load->old);
	if (!left)
		return 0;
	return refuse(-EBUSY, load->path, "retire",
		      "look for it with 'bpftool link', and end it",
		      "it is enforced, and so are still %d of the %d programs "
		      "of version %" PRIu32 ": another process holds them",
		      left, load->old.count, load->old_version);
}

int retire_replaced(struct run *run)
{
	int first = 0;

	run->done = true;
	for (size_t i = 0; i < run->count; i++) {
		struct load *load = &run->loads[i];
		int err = load->replaces ? retire(run, load) : 0;

		first = first ? first : err;
	}
	return first;
}
