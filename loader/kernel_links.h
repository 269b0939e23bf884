/* SPDX-License-Identifier: GPL-2.0-only */
/* All links that the kernel has, whoever made them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct btf;

struct kernel_link {
	uint32_t type; /* enum bpf_link_type */
	uint32_t program;
	bool extends;	      /* a program of another one (freplace) */
	uint32_t attach_type; /* of a tracing link, as what follows */
	uint32_t object;      /* of the target: a program that is extended, or
			       * BTF; 0 before Linux 5.13, as is the next */
	uint32_t target;      /* the type's number in that BTF */
};

struct kernel_links {
	struct kernel_link *links; /* owned */
	size_t count;
};

/* On success *@links is the caller's to kernel_links_free().  Returns 0 or
 * -errno. */
int kernel_links_read(struct kernel_links *links);

/* For cleanup; all zeros is fine. */
void kernel_links_free(struct kernel_links *links);

/* The link of that program; NULL: it is not attached. */
const struct kernel_link *kernel_link_of(const struct kernel_links *links,
					 uint32_t program);

/* Whether it answers for one of the kernel's LSM hooks, or, before Linux 5.13,
 * for any of its functions. */
bool kernel_link_overrides(const struct btf *kernel,
			   const struct kernel_link *link);

/* The kernel's function that programs of a section as "lsm/bpf" are attached
 * to; false where the section is not of that kind. */
bool kernel_function(const char *section, char *name, size_t size);

/* The number of that function in the kernel's BTF; 0: it has none. */
uint32_t kernel_hook(const struct btf *kernel, const char *section);
