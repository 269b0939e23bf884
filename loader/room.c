/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/room.h"

#include <errno.h>
#include <inttypes.h>

#include <bpf/libbpf.h>

#include "loader/cleanup.h"
#include "loader/kernel_links.h"
#include "loader/report.h"
#include "loader/vault.h"

/* What the kernel's trampolines take, BPF_MAX_TRAMP_LINKS since Linux 5.13. */
#define ROOM 38
/* On a hook where a machine is sealed: the guard's program and the gate. */
#define SEALING 2

static unsigned attached(const struct kernel_links *links, uint32_t hook)
{
	unsigned count = 0;

	for (size_t i = 0; i < links->count; i++)
		count += links->links[i].target == hook &&
			 links->links[i].type == BPF_LINK_TYPE_TRACING;
	return count;
}

static unsigned wanted(const struct run *run, uint32_t hook)
{
	unsigned count = vault_is_wanted(run) ? SEALING : 0;
	struct bpf_program *program;

	for (size_t i = 0; i < run->count; i++) {
		if (run->loads[i].already)
			continue;
		bpf_object__for_each_program(program, run->loads[i].object)
			count += kernel_hook(run->kernel,
					     bpf_program__section_name(
						     program)) == hook;
	}
	return count;
}

static int probe_hook(const struct run *run, const struct load *load,
		      const struct kernel_links *links, const char *section)
{
	uint32_t hook = kernel_hook(run->kernel, section);
	unsigned there = attached(links, hook);
	unsigned more = wanted(run, hook);

	if (!hook || there + more <= ROOM)
		return 0;
	return refuse(-E2BIG, load->path, "probe",
		      "load fewer policies at once, or end what holds the "
		      "hook: 'bpftool link show' names it",
		      "the hook %s has %u programs, of at most %d, and there "
		      "is no room for %u more",
		      section, there, ROOM, more);
}

int probe_room(struct run *run)
{
	CLEANUP(kernel_links_free) struct kernel_links links = { 0 };
	struct bpf_program *program;
	int first = 0;

	if (kernel_links_read(&links))
		return 0;
	for (size_t i = 0; i < run->count; i++) {
		const struct load *load = &run->loads[i];

		if (load->already)
			continue;
		bpf_object__for_each_program(program, load->object)
		{
			int err = probe_hook(run, load, &links,
					     bpf_program__section_name(
						     program));

			first = first ? first : err;
		}
	}
	return first;
}
