/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs read of the task that asks is typed, or goes through a
 * helper that lockdown=confidentiality lets be, but not on kernels that lack
 * that.  There every task would look like one in a container, and every cgroup
 * unknown: refused, rather than enforced otherwise than the policy says.
 *
 * Without a v2 hierarchy every task is in its root, and in no named cgroup.
 */
#include "loader/subjects.h"

#include <errno.h>
#include <string.h>

#include <bpf/btf.h>

#include "loader/cleanup.h"
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

/* Without the file there is no such security module. */
static bool is_confidential(void)
{
	CLEANUP(free_memory) char *text = NULL;

	return !read_text(LOCKDOWN, TEXT_MAX, &text) &&
	       strstr(text, "[confidentiality]");
}

static bool has_helper(const struct btf *kernel, const char *helper)
{
	int id = btf__find_by_name_kind(kernel, "bpf_func_id", BTF_KIND_ENUM);
	const struct btf_type *type =
		id > 0 ? btf__type_by_id(kernel, (uint32_t)id) : NULL;

	for (uint32_t i = 0; type && i < btf_vlen(type); i++)
		if (!strcmp(btf__name_by_offset(kernel,
						btf_enum(type)[i].name_off),
			    helper))
			return true;
	return false;
}

static int refuse_confidential(const char *path, const char *what)
{
	report_refusal(path, "probe",
		       "this kernel under lockdown=confidentiality does not "
		       "let programs read %s",
		       what);
	report_mend("run Linux 5.13 or newer, or boot with "
		    "lockdown=integrity");
	return -EOPNOTSUPP;
}

static int probe_bundle(const struct load *load, const struct btf *kernel,
			bool confidential)
{
	bool cgroups = names_cgroups(&load->bundle->note->table);
	CLEANUP(free_memory) char *text = NULL;
	int err;

	if (confidential &&
	    !has_helper(kernel, "BPF_FUNC_get_current_task_btf"))
		return refuse_confidential(load->path, "who asks them");
	if (!cgroups)
		return 0;
	if (confidential && !has_helper(kernel, "BPF_FUNC_snprintf"))
		return refuse_confidential(load->path,
					   "the names of cgroups, which the "
					   "policy needs");
	err = read_text(CGROUPS, TEXT_MAX, &text);
	if (err) {
		report_refusal(load->path, "probe",
			       CGROUPS " cannot be read: %s", error_words(err));
		return err;
	}
	if (subjects_have_cgroup2(text))
		return 0;
	report_refusal(load->path, "probe",
		       "the policy names cgroups, and this machine has no "
		       "cgroup v2 hierarchy: no task would be in one of them");
	report_mend("boot with systemd.unified_cgroup_hierarchy=1, or without "
		    "systemd: mount -t cgroup2 none /sys/fs/cgroup");
	return -EOPNOTSUPP;
}

int probe_subjects(struct run *run)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	bool confidential = is_confidential();
	int first = 0;

	if (!kernel) {
		report_refusal("this machine", "probe",
			       "the kernel's types cannot be read");
		return -ENOENT;
	}
	for (size_t i = 0; i < run->count; i++) {
		int err = probe_bundle(&run->loads[i], kernel, confidential);

		if (!first)
			first = err;
	}
	btf__free(kernel);
	return first;
}
