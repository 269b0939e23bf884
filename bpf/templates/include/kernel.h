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
#include "bpf/templates/include/prototype.h"

/*
 * A function that the programs of a bundle share: weak, so that linking keeps
 * one of those of all templates; hidden, so that it is verified behind each
 * call as if it stood there.  For what is long, or seldom run: a call costs
 * some ten instructions.
 */
#define SHARED __noinline __weak __hidden

/* User space API: the numbers count. */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};

/* bpf(): BPF_MAP_CREATE and all the others. */
enum bpf_cmd {
#define COMMAND(number, name, operation) BPF_##name = number,
#include "bpf/bpf_commands.def"
};

enum bpf_prog_type {
#define PROGRAM_TYPE(number, name, operation) BPF_PROG_TYPE_##name = number,
#include "bpf/bpf_commands.def"
};

#define BPF_F_NO_PREALLOC 1

#define BPF_LOCAL_STORAGE_GET_F_CREATE 1

#define EPERM 1

/* Of the families whose sockets take IPv4 and IPv6 addresses, and others. */
#define AF_UNSPEC    0
#define AF_UNIX	     1
#define AF_INET	     2
#define AF_INET6     10
#define AF_NETLINK   16
#define AF_PACKET    17
#define AF_RDS	     21
#define AF_CAN	     29
#define AF_BLUETOOTH 31
#define AF_VSOCK     40
#define AF_SMC	     43

#define SOCK_RAW	  3
#define IPPROTO_TCP	  6
#define IPPROTO_UDP	  17
#define IPPROTO_DCCP	  33
#define IPPROTO_SCTP	  132
#define IPPROTO_UDPLITE	  136
#define IPPROTO_SMC	  256 /* what AF_SMC is, for AF_INET and AF_INET6 */
#define IPPROTO_MPTCP	  262
#define SCTP_BINDX_ADD	  100 /* SCTP_SOCKOPT_BINDX_ADD */
#define SCTP_CONNECTX	  110 /* SCTP_SOCKOPT_CONNECTX, and all that is like it */
#define NETLINK_ROUTE	  0
#define NETLINK_AUDIT	  9
#define NETLINK_NETFILTER 12

#define CAP_SYS_MODULE 16
#define CAP_SYS_ADMIN  21

/* clone(), clone3() and unshare(). */
#define CLONE_NEWTIME	    0x00000080
#define CLONE_NEWNS	    0x00020000
#define UNSHARE_EMPTY_MNTNS 0x00100000 /* 7.1; in unshare() alone */
#define CLONE_NEWCGROUP	    0x02000000
#define CLONE_NEWUTS	    0x04000000
#define CLONE_NEWIPC	    0x08000000
#define CLONE_NEWPID	    0x20000000
#define CLONE_NEWNET	    0x40000000

#define OPEN_TREE_NAMESPACE 0x2 /* 7.0 */
#define FSMOUNT_NAMESPACE   0x2 /* 7.1 */

#define PROT_EXEC	4
#define MAP_ANONYMOUS	0x20
#define S_IFMT		0170000
#define S_IFREG		0100000
#define TMPFS_MAGIC	0x01021994
#define RAMFS_MAGIC	0x858458f6
#define HUGETLBFS_MAGIC 0x958458f6
#define OVERLAYFS_MAGIC 0x794c7630
#define SYSFS_MAGIC	0x62656572

/* Not user space API, and the same since Linux 3: the kernel's own mount, its
 * own task, and a file that is open for writing. */
#define SB_KERNMOUNT (1UL << 22)
#define PF_KTHREAD   0x00200000
#define FMODE_WRITE  0x2
#define FMODE_WRITER 0x10000

/* The same: in sk_userlocks, that bind() gave the socket its address. */
#define SOCK_BINDADDR_LOCK 4

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

struct list_head {
	struct list_head *next;
};

union bpf_attr {
	struct {
		__u32 prog_type;
	};
};

struct dentry;

struct super_block {
	uint32_t s_dev;
	unsigned long s_flags;
	unsigned long s_magic;
	struct dentry *s_root;
};

struct inode {
	unsigned short i_mode;
	unsigned int i_nlink;
	struct super_block *i_sb;
};

struct file;

struct mm_struct {
	struct file *exe_file;
};

struct cgroup;
struct cred;

struct user_namespace {
	int level; /* 0 is the initial one */
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct kernfs_node {
	const char *name;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
	int level; /* 0 is the root */
};

struct css_set {
	struct cgroup *dfl_cgrp; /* in the v2 hierarchy, never NULL */
};

struct task_struct {
	struct css_set *cgroups;
	void *stack;
	struct mm_struct *mm;
	uint64_t start_boottime; /* ns */
	unsigned int flags;
	unsigned in_execve : 1;
	struct task_struct *real_parent;
	struct pid *thread_pid;
	struct nsproxy *nsproxy;
	int tgid;
	char comm[16];
};

struct qstr {
	struct {
		uint32_t len;
	};
	const unsigned char *name;
};

struct dentry {
	struct dentry *d_parent; /* itself in a root */
	struct qstr d_name;
	unsigned char d_iname[32]; /* a short name; until 6.13 */
};

union shortname_store {
	unsigned char string[40];
};

struct dentry___shortname {
	union shortname_store d_shortname; /* 6.14 */
};

struct path {
	struct dentry *dentry;
};

struct file {
	unsigned int f_mode;
	struct path f_path;
	struct inode *f_inode;
	void *private_data;
};

struct vm_area_struct {
	struct file *vm_file;
};

struct linux_binprm {
	struct file *file;
	unsigned long p;    /* in the new memory: the arguments, */
	unsigned long exec; /* and behind them the environment, up to here */
	int argc;
	const char *filename;
	const char *interp;
	char buf[256];
};

struct in6_addr {
	union {
		uint8_t u6_addr8[16];
	} in6_u;
};

struct sockaddr;

/* User space API: an IPv4 address is where sin6_flowinfo is. */
struct sockaddr_in6 {
	unsigned short sin6_family;
	__be16 sin6_port;
	__be32 sin6_flowinfo;
	struct in6_addr sin6_addr;
};

struct sock_common {
	unsigned short skc_family;
	__be32 skc_rcv_saddr; /* what it is bound to */
	struct in6_addr skc_v6_rcv_saddr;
};

struct sock {
	struct sock_common __sk_common;
	uint8_t sk_kern_sock : 1;
	uint8_t sk_userlocks : 4;
	uint16_t sk_type;
	uint16_t sk_protocol;
};

struct socket {
	struct file *file; /* NULL: no process has it */
	struct sock *sk;
};

struct msghdr {
	void *msg_name;
	int msg_namelen;
};

struct pt_regs___x86 {
	unsigned long orig_ax; /* the system call's number */
	unsigned long di, si, dx; /* its first arguments */
	unsigned long bx, cx;	  /* the first two of one of i386 */
	unsigned long cs;
	unsigned long ss;
};

struct pt_regs___arm64 {
	int32_t syscallno;
	uint64_t orig_x0; /* its first argument */
	uint64_t regs[31];
};

struct thread_info {
	uint32_t status;
};

struct task_struct___x86 {
	struct thread_info thread_info;
};

#pragma clang attribute pop

enum kernel_read_file_id {
	READING_MODULE,
	READING_KEXEC_IMAGE,
	READING_MODULE_COMPRESSED, /* 6.17 */
};

enum kernel_load_data_id {
	LOADING_MODULE,
};

/* The verifier's list of what it knows by name. */
enum special_kfunc_type {
	KF_bpf_rdonly_cast, /* 6.2 */
};

enum lockdown_reason {
	LOCKDOWN_MODULE_SIGNATURE,
	LOCKDOWN_DEV_MEM,
	LOCKDOWN_EFI_TEST,
	LOCKDOWN_KEXEC,
	LOCKDOWN_HIBERNATION,
	LOCKDOWN_PCI_ACCESS,
	LOCKDOWN_IOPORT,
	LOCKDOWN_MSR,
	LOCKDOWN_ACPI_TABLES,
	LOCKDOWN_DEVICE_TREE, /* 6.2, and Debian's 6.1 */
	LOCKDOWN_PCMCIA_CIS,
	LOCKDOWN_TIOCSSERIAL,
	LOCKDOWN_MODULE_PARAMETERS,
	LOCKDOWN_MMIOTRACE,
	LOCKDOWN_DEBUGFS,
	LOCKDOWN_XMON_WR,
	LOCKDOWN_BPF_WRITE_USER,       /* 5.14, and Debian's 5.10 */
	LOCKDOWN_DBG_WRITE_KERNEL,     /* 5.19, and Debian's 5.10 */
	LOCKDOWN_RTAS_ERROR_INJECTION, /* 6.2, and Debian's 6.1 */
	LOCKDOWN_KCORE,
	LOCKDOWN_KPROBES,
	LOCKDOWN_BPF_READ_KERNEL, /* 5.14 */
	LOCKDOWN_BPF_READ,	  /* before */
	LOCKDOWN_DBG_READ_KERNEL, /* 5.19, and Debian's 5.10 */
	LOCKDOWN_PERF,
	LOCKDOWN_TRACEFS,
	LOCKDOWN_XMON_RW,
	LOCKDOWN_XFRM_SECRET, /* 5.11 */
};

enum bpf_func_id {
	BPF_FUNC_get_current_task_btf, /* 5.11 */
	BPF_FUNC_snprintf,	       /* 5.13 */
	BPF_FUNC_task_pt_regs,	       /* 5.15 */
	BPF_FUNC_get_func_ret,	       /* 5.17 */
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
