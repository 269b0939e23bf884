/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs read of the task that asks is typed, or goes through a
 * helper that lockdown=confidentiality lets be, but not on kernels that lack
 * that.  There every task would look like one in a container, and every cgroup
 * unknown: refused, rather than enforced otherwise than the policy says.
 *
 * The same goes for what fileless_exec reads of files on overlays, and network
 * of addresses.
 *
 * Without a v2 hierarchy every task is in its root, and in no named cgroup.
 */
#include "loader/subjects.h"

#include <errno.h>
#include <string.h>

#include "loader/cleanup.h"
#include "loader/names.h"
#include "loader/read.h"
#include "loader/report.h"

#define TEXT_MAX 65536
#define CGROUPS	 "/proc/1/cgroup"
#define LOCKDOWN "/sys/kernel/security/lockdown"

bool subjects_have_cgroup2(const char *text)
{
	return !strncmp(text, "0::", 3) || strstr(text, "\n0::");
}

static bool names_cgroups(const struct table *table)
{
	for (uint32_t i = 0; i < table->protection_count; i++)
		if (table->protections[i].cgroup_count)
			return true;
	return false;
}

static bool names_protection(const struct table *table, const char *name)
{
	for (uint32_t i = 0; i < table->protection_count; i++)
		if (!strcmp(table->protections[i].protection->name, name))
			return true;
	return false;
}

/* Without the file there is no such security module. */
static bool is_confidential(void)
{
	CLEANUP(free_memory) char *text = NULL;

	return !read_text(LOCKDOWN, TEXT_MAX, &text) &&
	       strstr(text, "[confidentiality]");
}

static bool has_helper(const struct btf *kernel, const char *helper)
{
	return kernel_names(kernel, "bpf_func_id", helper);
}

static int refuse_confidential(const struct load *load, const char *what)
{
	return refuse(-EOPNOTSUPP, load->path, "probe",
		      "run Linux 6.2 or newer, or boot with "
		      "lockdown=integrity",
		      "this kernel under lockdown=confidentiality does not let "
		      "programs read %s",
		      what);
}

/*
 * What `trace privileged` keeps for each task.  Programs at the end of
 * functions may do that since 5.13, when snprintf came.
 */
static int check_storage(const struct run *run, const struct load *load)
{
	const char *name = protections[TRACE_privileged].name;

	if (!names_protection(&load->bundle->note->table, name) ||
	    has_helper(run->kernel, "BPF_FUNC_snprintf"))
		return 0;
	return refuse(-EOPNOTSUPP, load->path, "probe",
		      "run Linux 5.13 or newer, or leave it out of the policy",
		      "this kernel lets no program keep count for a task, as "
		      "trace %s does",
		      name);
}

/* What is read through a cast, on a kernel that has none. */
static int probe_casts(const struct load *load)
{
	const struct table *table = &load->bundle->note->table;

	if (names_protection(table, "fileless_exec"))
		return refuse_confidential(
			load, "where files on overlays are, for fileless_exec");
	if (names_protection(table, "network"))
		return refuse_confidential(load, "addresses, for network");
	return 0;
}

int probe_subjects(struct run *run, struct load *load)
{
	bool cgroups = names_cgroups(&load->bundle->note->table);
	bool confidential = is_confidential();
	CLEANUP(free_memory) char *text = NULL;
	int err = check_storage(run, load);

	if (err)
		return err;
	if (confidential &&
	    !has_helper(run->kernel, "BPF_FUNC_get_current_task_btf"))
		return refuse_confidential(load, "who asks them");
	if (confidential && !kernel_names(run->kernel, "special_kfunc_type",
					  "KF_bpf_rdonly_cast")) {
		err = probe_casts(load);
		if (err)
			return err;
	}
	if (!cgroups)
		return 0;
	if (confidential && !has_helper(run->kernel, "BPF_FUNC_snprintf"))
		return refuse_confidential(load, "the names of cgroups, which "
						 "the policy needs");
	err = read_text(CGROUPS, TEXT_MAX, &text);
	if (err)
		return refuse(err, load->path, "probe", NULL,
			      CGROUPS " cannot be read:");
	if (subjects_have_cgroup2(text))
		return 0;
	return refuse(-EOPNOTSUPP, load->path, "probe",
		      "boot with systemd.unified_cgroup_hierarchy=1, or "
		      "without systemd: mount -t cgroup2 none /sys/fs/cgroup",
		      "the policy names cgroups, and this machine has no "
		      "cgroup v2 hierarchy: no task would be in one of them");
}
