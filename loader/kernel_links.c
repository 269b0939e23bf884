/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/kernel_links.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "loader/cleanup.h"
#include "loader/live.h"

static uint32_t type_of(uint32_t program)
{
	struct live_program live;

	return live_program_info(program, &live) ? 0 : live.info.type;
}

static int read_link(uint32_t id, struct kernel_link *link)
{
	CLEANUP(close_fd) int fd = bpf_link_get_fd_by_id(id);
	struct bpf_link_info info = { 0 };
	uint32_t size = sizeof(info);

	if (fd < 0)
		return -errno;
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	*link = (struct kernel_link){ .type = info.type,
				      .program = info.prog_id };
	if (info.type != BPF_LINK_TYPE_TRACING)
		return 0;
	link->extends = type_of(info.prog_id) == BPF_PROG_TYPE_EXT;
	link->attach_type = info.tracing.attach_type;
	link->object = info.tracing.target_obj_id;
	link->target = info.tracing.target_btf_id;
	return 0;
}

int kernel_links_read(struct kernel_links *links)
{
	CLEANUP(kernel_links_free) struct kernel_links found = { 0 };
	uint32_t id = 0;

	while (!bpf_link_get_next_id(id, &id)) {
		struct kernel_link *grown = reallocarray(
			found.links, found.count + 1, sizeof(*found.links));
		int err;

		if (!grown)
			return -ENOMEM;
		found.links = grown;
		err = read_link(id, &grown[found.count]);
		if (err && err != -ENOENT) /* it went meanwhile */
			return err;
		found.count += !err;
	}
	if (errno != ENOENT)
		return -errno;
	*links = found;
	found = (struct kernel_links){ 0 };
	return 0;
}

void kernel_links_free(struct kernel_links *links)
{
	free(links->links);
	*links = (struct kernel_links){ 0 };
}

const struct kernel_link *kernel_link_of(const struct kernel_links *links,
					 uint32_t program)
{
	for (size_t i = 0; i < links->count; i++)
		if (links->links[i].program == program)
			return &links->links[i];
	return NULL;
}

bool kernel_link_overrides(const struct btf *kernel,
			   const struct kernel_link *link)
{
	const struct btf_type *type;
	const char *name;

	if (link->type != BPF_LINK_TYPE_TRACING ||
	    link->attach_type != BPF_MODIFY_RETURN)
		return false;
	type = link->target ? btf__type_by_id(kernel, link->target) : NULL;
	name = type ? btf__name_by_offset(kernel, type->name_off) : NULL;
	return !name || !strncmp(name, "security_", strlen("security_")) ||
	       !strncmp(name, "bpf_lsm_", strlen("bpf_lsm_"));
}

bool kernel_function(const char *section, char *name, size_t size)
{
	const char *slash = strchr(section, '/');

	if (!slash)
		return false;
	if (!strncmp(section, "lsm", strlen("lsm")))
		snprintf(name, size, "bpf_lsm_%s", slash + 1);
	else if (!strncmp(section, "fexit/", strlen("fexit/")))
		snprintf(name, size, "%s", slash + 1);
	else
		return false;
	return true;
}

uint32_t kernel_hook(const struct btf *kernel, const char *section)
{
	char function[128];
	int id;

	if (!kernel_function(section, function, sizeof(function)))
		return 0;
	id = btf__find_by_name_kind(kernel, function, BTF_KIND_FUNC);
	return id < 0 ? 0 : (uint32_t)id;
}
