/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The initial network namespace is the one of kthreadd, the kernel's own first
 * thread, which nobody can move.  The loader's own would make a container that
 * the loader was started in the host.
 *
 * The root file system is the one that pid 1 has as its root now: bound, and
 * not looked up with each access, because pivot_root() moves pid 1 too.  Its
 * number comes from mountinfo, which shows the super block's own: stat() shows
 * another one for a subvolume of btrfs.
 *
 * The loader itself is bound because it has to attach and pin links while its
 * own policy for bpf() is asked already: bundle/boot.h.
 *
 * What programs may call to read a string depends on lockdown, on other
 * security modules and on policies that are loaded.  So one is loaded that
 * makes the call, and is let go of.
 */
#include "loader/bind.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bundle/boot.h"
#include "loader/cleanup.h"
#include "loader/code.h"
#include "loader/kernel_links.h"
#include "loader/process.h"
#include "loader/read.h"
#include "loader/report.h"

/* In the initial pid namespace, which preflight made sure of. */
#define KTHREADD "/proc/2"
#define STAT_MAX 1024

#define ROOT		 "/proc/1/root"
#define MOUNTINFO	 "/proc/1/mountinfo"
#define MOUNTINFO_MAX	 (16 << 20)
#define KERNEL_MINOR_MAX ((1U << 20) - 1)

static int find_host_netns(uint32_t *inum)
{
	CLEANUP(free_memory) char *text = NULL;
	struct process process;
	struct stat status;
	int err = read_text(KTHREADD "/stat", STAT_MAX, &text);

	if (!err)
		err = process_parse(text, &process);
	if (err)
		return err;
	if (!process_is_kthreadd(&process))
		return -ESRCH;
	if (stat(KTHREADD "/ns/net", &status))
		return -errno;
	if (!status.st_ino || status.st_ino > UINT32_MAX)
		return -ERANGE;
	*inum = (uint32_t)status.st_ino;
	return 0;
}

/* The device in the line of mountinfo of that mount, as the kernel has it. */
static int find_mount_dev(const char *text, uint64_t mount, uint32_t *dev)
{
	for (const char *line = text; line && *line;) {
		unsigned long long id;
		unsigned major_number, minor_number;

		if (sscanf(line, "%llu %*u %u:%u ", &id, &major_number,
			   &minor_number) == 3 &&
		    id == mount) {
			if (minor_number > KERNEL_MINOR_MAX)
				return -ERANGE;
			*dev = (uint32_t)major_number << 20 | minor_number;
			return *dev ? 0 : -ENODEV;
		}
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	return -ENOENT;
}

static int find_root_dev(uint32_t *dev)
{
	CLEANUP(free_memory) char *text = NULL;
	struct statx status;
	int err;

	if (statx(AT_FDCWD, ROOT, 0, STATX_MNT_ID, &status))
		return -errno;
	if (!(status.stx_mask & STATX_MNT_ID))
		return -EOPNOTSUPP;
	err = read_text(MOUNTINFO, MOUNTINFO_MAX, &text);
	return err ? err : find_mount_dev(text, status.stx_mnt_id, dev);
}

/* In a time namespace of its own it would be another number, and the loader
 * would be denied what the policy denies to its like. */
static int find_loader(struct boot_facts *facts)
{
	CLEANUP(free_memory) char *text = NULL;
	struct process process;
	int err = read_text("/proc/self/stat", STAT_MAX, &text);

	if (!err)
		err = process_parse(text, &process);
	if (err)
		return err;
	if (!process.start)
		return -EBADMSG;
	facts->loader_pid = (uint32_t)getpid();
	facts->loader_start = process.start;
	return 0;
}

int find_may_probe(struct run *run)
{
	const struct bpf_insn code[] = {
		CODE(BPF_ALU64 | BPF_MOV | BPF_X, 1, 10, 0, 0),
		CODE(BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, 0, -8),
		CODE(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, 8),
		CODE(BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, 0),
		CODE(BPF_JMP | BPF_CALL, 0, 0, 0,
		     BPF_FUNC_probe_read_kernel_str),
		CODE(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0),
		CODE(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, settings,
		    .expected_attach_type = BPF_LSM_MAC,
		    .attach_btf_id = kernel_hook(run->kernel, "lsm/bpf"));
	CLEANUP(close_fd)
	int program =
		bpf_prog_load(BPF_PROG_TYPE_LSM, "bpflock_probe", "GPL", code,
			      sizeof(code) / sizeof(*code), &settings);

	run->facts.may_probe = program >= 0;
	return 0;
}

/* The facts are at the start of the section; what may follow stays. */
int bind_object(const struct load *load, const struct boot_facts *facts)
{
	CLEANUP(free_memory) void *value = NULL;
	struct bpf_map *map =
		bpf_object__find_map_by_name(load->object, BOOT_SECTION);
	const void *initial;
	size_t size = 0;

	if (!map) /* no program of it asks for any */
		return 0;
	initial = bpf_map__initial_value(map, &size);
	if (!initial || size < sizeof(*facts))
		return -EBADMSG;
	value = malloc(size);
	if (!value)
		return -ENOMEM;
	memcpy(value, initial, size);
	memcpy(value, facts, sizeof(*facts));
	return bpf_map__set_initial_value(map, value, size);
}

int bind_boot_facts(struct run *run)
{
	static const char mend[] =
		"run it as root, with the machine's own /proc";
	struct boot_facts *facts = &run->facts;
	int err = find_host_netns(&facts->host_netns_inum);

	if (err)
		return refuse(err, MACHINE, "bind", mend,
			      "the initial network namespace was not found at "
			      "the kernel's thread " KTHREADD ":");
	err = find_root_dev(&facts->root_dev);
	if (err)
		return refuse(err, MACHINE, "bind", mend,
			      "the root file system was not found in " MOUNTINFO
			      ":");
	err = find_loader(facts);
	if (err)
		return refuse(err, MACHINE, "bind", mend,
			      "/proc/self/stat cannot be read:");
	for (size_t i = 0; i < run->count; i++) {
		err = bind_object(&run->loads[i], facts);
		if (err)
			return refuse(err, run->loads[i].path, "bind",
				      "use bpflockc and bpflock-load of the "
				      "same version",
				      "its " BOOT_SECTION " is not the one "
				      "that this loader fills:");
	}
	return 0;
}
