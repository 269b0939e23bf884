/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/room.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include <bpf/libbpf.h>

#include "loader/cleanup.h"
#include "loader/kernel_links.h"
#include "loader/report.h"
#include "loader/vault.h"

/* What the kernel's trampolines take at most, BPF_MAX_TRAMP_LINKS since Linux
 * 5.13.  Where they have to fit in a page too, attaching finds out. */
#define ROOM 38
/* On a hook where a machine is sealed: the guard's program and the gate. */
#define SEALING 2

/* A program that wants to be attached. */
struct guest {
	const struct load *load;
	const char *section;
	uint32_t hook; /* finding it goes through all of the kernel's types */
};

struct guests {
	struct guest *guests; /* owned */
	size_t count;
};

static void free_guests(struct guests *guests)
{
	free(guests->guests);
}

static int find_guests(const struct run *run, struct guests *found)
{
	struct bpf_program *program;

	for (size_t i = 0; i < run->count; i++) {
		const struct load *load = &run->loads[i];

		if (load->already)
			continue;
		bpf_object__for_each_program(program, load->object)
		{
			const char *section =
				bpf_program__section_name(program);
			struct guest *grown =
				reallocarray(found->guests, found->count + 1,
					     sizeof(*grown));

			if (!grown)
				return -ENOMEM;
			found->guests = grown;
			grown[found->count++] = (struct guest){
				load, section, kernel_hook(run->kernel, section)
			};
		}
	}
	return 0;
}

static unsigned attached(const struct kernel_links *links, uint32_t hook)
{
	unsigned count = 0;

	for (size_t i = 0; i < links->count; i++)
		count += links->links[i].target == hook &&
			 links->links[i].type == BPF_LINK_TYPE_TRACING;
	return count;
}

static unsigned wanted(const struct guests *guests, uint32_t hook)
{
	unsigned count = 0;

	for (size_t i = 0; i < guests->count; i++)
		count += guests->guests[i].hook == hook;
	return count;
}

int probe_room(struct run *run)
{
	CLEANUP(kernel_links_free) struct kernel_links links = { 0 };
	CLEANUP(free_guests) struct guests guests = { 0 };
	int first = 0, err = find_guests(run, &guests);

	if (err)
		return refuse(err, MACHINE, "probe", NULL, "out of memory");
	if (kernel_links_read(&links))
		return 0;
	for (size_t i = 0; i < guests.count; i++) {
		const struct guest *guest = &guests.guests[i];
		unsigned there = attached(&links, guest->hook);
		unsigned more = wanted(&guests, guest->hook) +
				(vault_is_wanted(run) ? SEALING : 0);

		if (!guest->hook || there + more <= ROOM)
			continue;
		err = refuse(-E2BIG, guest->load->path, "probe",
			     "load fewer policies at once, or end what holds "
			     "the hook: 'bpftool link show' names it",
			     "the hook %s has %u programs, of at most %d, and "
			     "there is no room for %u more",
			     guest->section, there, ROOM, more);
		first = first ? first : err;
	}
	return first;
}
