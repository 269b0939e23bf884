/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's types, only the fields that templates read.  CO-RE finds them
 * by name in the running kernel: order, offsets and numbers here mean nothing,
 * but for what is user space API and marked so.
 *
 * Takes the place of vmlinux.h and of the linux/ headers: what a template
 * compiles to depends on nothing but this repository, libbpf's headers and
 * clang.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What libbpf's headers expect to be there. */
typedef int8_t __s8;
typedef int16_t __s16;
typedef int32_t __s32;
typedef int64_t __s64;
typedef uint8_t __u8;
typedef uint16_t __u16;
typedef uint32_t __u32;
typedef uint64_t __u64;
typedef uint16_t __be16;
typedef uint32_t __be32;
typedef uint32_t __wsum;

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

/* User space API: the numbers count. */
enum bpf_map_type {
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_RINGBUF = 27,
};

#define EPERM 1

#pragma clang attribute push(__attribute__((preserve_access_index)), \
			     apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

struct nsproxy {
	struct net *net_ns;
};

struct pid {
	unsigned int level; /* of the pid namespace; 0 is the initial one */
};

struct task_struct {
	struct task_struct *real_parent;
	struct pid *thread_pid;
	struct nsproxy *nsproxy;
	int tgid;
	char comm[16];
};

struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct qstr d_name;
};

struct path {
	struct dentry *dentry;
};

struct file {
	struct path f_path;
};

#pragma clang attribute pop

enum kernel_read_file_id {
	READING_MODULE,
	READING_MODULE_COMPRESSED, /* 6.17 */
};

enum kernel_load_data_id {
	LOADING_MODULE,
};

enum bpf_func_id {
	BPF_FUNC_get_current_task_btf, /* 5.11 */
	BPF_FUNC_snprintf,	       /* 5.13 */
};

/*
 * Whether the kernel has that helper.  False takes the call that it guards out
 * of the program before the verifier looks at it.
 */
#define kernel_has(helper) \
	bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_##helper)

/*
 * Whether @id is the one that the kernel calls @name; false where it has none
 * of that name.  The number is asked for behind the test, not beside it: one
 * that is not there makes an instruction that the verifier must not reach.
 */
#define kernel_id_is(id, type, name)                                           \
	({                                                                     \
		bool same_id = false;                                          \
		if (bpf_core_enum_value_exists(type, name)) {                  \
			barrier();                                             \
			same_id =                                              \
				(id) == (type)bpf_core_enum_value(type, name); \
			barrier();                                             \
		}                                                              \
		same_id;                                                       \
	})
