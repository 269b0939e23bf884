/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel says of a program that it has loaded. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <linux/bpf.h>

#include "bundle/digest.h"
#include "loader/record.h"

struct bpf_object;

struct live_program {
	struct bpf_prog_info info; /* its pointers point nowhere */
	uint32_t info_size;	   /* what of it this kernel knows */
	/* As the kernel runs them, with maps as ids; NULL where it hides them:
	 * without CAP_BPF, or blinded under kernel.kptr_restrict.  Owned. */
	struct bpf_insn *instructions;
	size_t count;
};

/* Whether the kernel filled in that member of @info. */
#define LIVE_HAS(program, member)                                         \
	((program)->info_size >= offsetof(struct bpf_prog_info, member) + \
					 sizeof((program)->info.member))

/* On success *@program is the caller's to live_program_free().  Returns 0 or
 * -errno. */
int live_program(int fd, struct live_program *program);

/* The same by its id and without the instructions: nothing to free.  -ENOENT:
 * it is gone. */
int live_program_info(uint32_t id, struct live_program *program);

/* For cleanup; all zeros is fine. */
void live_program_free(struct live_program *program);

/*
 * Of the instructions, without what they call, which kernel.kptr_restrict hides
 * from some and the tag has: all zeros where the
 * kernel hides them all.
 */
struct digest live_digest(const struct live_program *program);

/* For the record: all programs and maps of a loaded object.  On success
 * @objects->objects is the caller's to free().  Returns 0 or -errno. */
int live_objects(const struct bpf_object *object,
		 struct record_objects *objects);
