/* SPDX-License-Identifier: GPL-2.0-only */
/* bpf() as an attacker uses it: no library between, and what is ours found by
 * its number. */
#pragma once

#include <linux/bpf.h>

#include "attack.h"

/* Program types, attach types and helpers that older headers lack. */
#define TYPE_SYSCALL	  31
#define ATTACH_LSM_CGROUP 43
#define FLAG_SLEEPABLE	  (1U << 4)

struct insns {
	const struct bpf_insn *at;
	size_t count;
};

/* returns @value */
#define RETURN(value)                                            \
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = (value) }, \
	{                                                        \
		.code = BPF_JMP | BPF_EXIT                       \
	}

enum kind { PROGRAMS, MAPS, LINKS };

/* The raw call.  Returns what it returns, with errno. */
int bpf_call(int command, union bpf_attr *attr, size_t size);

/* The highest ids there are, 0 where nobody may ask. */
struct ids bpf_last_ids(void);

/* An fd by its number, or -1 with errno.  @flags is for maps alone. */
int bpf_fd_by_id(enum kind kind, uint32_t id, uint32_t flags);

/*
 * Calls @use for each of ours of that kind that an fd can be had of, which is
 * closed afterwards.  Returns how many there were; errno is the last refusal.
 */
unsigned bpf_each(const struct scene *scene, enum kind kind, uint32_t flags,
		  void (*use)(int fd, uint32_t id, void *data), void *data);

/* The type id of a function of the kernel, 0 where there is none. */
uint32_t bpf_function(const char *name);

/* Loads a program for that function, or of none where @function is 0. */
int bpf_load(int type, int attach, uint32_t function, unsigned flags,
	     const struct bpf_insn *instructions, size_t count);
int bpf_load_return(int type, int attach, uint32_t function, int value);

/* An EXT program that returns 0 in place of the first function of @program. */
int bpf_load_replacement(int program);

int bpf_open_tracing(int program); /* RAW_TRACEPOINT_OPEN */
int bpf_pin(int fd, const char *path);
int bpf_get(const char *path);
int bpf_test_run(int program, void *context, uint32_t size);
int bpf_map_info(int fd, struct bpf_map_info *info);
int bpf_create(const struct bpf_map_info *like, int inner);
int bpf_update(int map, const void *key, const void *value);
