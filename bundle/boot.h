/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What only the running machine knows.  The loader writes it into the variable
 * `boot`, in the section and map ".rodata.boot", before it loads the programs;
 * then it is frozen.  BPF includes this too.  All zeros, as a bundle comes, is
 * the strict end: nobody is the host or the loader, no file is on the root file
 * system.
 *
 * The variable is at the start of the section.  The section, and so the map,
 * may be longer: linking keeps the first template's definition of `boot` and
 * leaves the bytes of the others' behind it, which nothing reads.
 */
#pragma once

#include <stdint.h>

#define BOOT_SECTION ".rodata.boot"
#define BOOT_SYMBOL  "boot"

struct boot_facts {
	uint32_t host_netns_inum; /* inode number of the initial network
				   * namespace; 0: unknown */
	uint32_t root_dev; /* s_dev of the file system that pid 1 has as its
			    * root, as the kernel counts: major << 20 | minor;
			    * 0: unknown, no file is on it */
	uint32_t loader_pid; /* in the initial pid namespace; 0: none */
	uint32_t vault_dev;  /* s_dev of the vault, for the guard; 0: none */
	uint64_t loader_start; /* field 22 of /proc/PID/stat */
	uint32_t may_probe;    /* 1: programs may call
				* bpf_probe_read_kernel_str(), which is quicker
				* than what all may call */
	uint32_t reserved;     /* 0 */
};

_Static_assert(sizeof(struct boot_facts) == 32, "as every template has it");

#define BOOT_TICKS_PER_S 100 /* of loader_start: USER_HZ */

/*
 * The loader attaches and pins links while the hook `bpf` of what it loads is
 * already asked.  So the thread loader_pid, as started at loader_start, may
 * attach, pin and name objects to the guard until its first other bpf()
 * command.  It ends that itself
 * with a command that no kernel knows and a map that only programs write keeps
 * it ended.
 */
#define BOOT_LOADED_COMMAND 0xffff
#define BOOT_GUARD_COMMAND  0xfffe /* meant for the guard: bpf/guard/guard.h */
#define BOOT_LOADED_MAP	    "bpf_loaded"
