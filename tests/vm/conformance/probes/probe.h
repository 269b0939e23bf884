/* SPDX-License-Identifier: GPL-2.0-only */
/* What the probes share: one real call each, and how it ended. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* Where conformance.py lays out what the probes work on: the root file
 * system, in the host as in containers. */
#define WORK	    "/t"
#define PAYLOAD	    WORK "/payload"
#define MODULE	    WORK "/module/dummy.ko"
#define UNSIGNED    WORK "/module/unsigned.ko"
#define COMPRESSED  WORK "/module/compressed"
#define FOREIGN	    "/tmp/dummy.ko" /* a tmpfs that everybody sees */
#define MODULE_NAME "dummy"
#define REASONS	    WORK "/reasons" /* a name and a number a line */

/* Exit status of the payload: it ran. */
#define PAYLOAD_RAN 42

/* The results that are no errno. */
enum {
	RESULT_OK = 0,
	RESULT_NO_MODULE = 1000, /* the call succeeded and loaded nothing */
	RESULT_LOADED,		 /* the call failed and loaded the module */
	RESULT_STALE,		 /* what an earlier probe left is in the way */
	RESULT_SETUP,		 /* what the probe needs is not there */
	RESULT_REDACTED,	 /* the call succeeded and told nothing */
	RESULT_SIGNAL = 2000,	 /* and the signal's number */
	RESULT_STATUS = 3000,	 /* and the exit status */
};

/* A server: who it is, and what its probes use. */
struct subject {
	const char *name;
	const char *module; /* loaded by others, for unload_loaded; or NULL */
	char label[16];	    /* of the probe that runs; becomes its comm */
	int number;	    /* of the subject */
	int probe;	    /* the number of the probe that runs */
};

struct probe {
	const char *name;
	int (*call)(const struct subject *subject); /* 0, errno or RESULT_* */
};

/* Each ends with a NULL name. */
extern const struct probe module_probes[];
extern const struct probe bpf_probes[];
extern const struct probe exec_probes[];
extern const struct probe corner_probes[];
extern const struct probe image_probes[];
extern const struct probe secrets_probes[];
extern const struct probe trace_probes[];
extern const struct probe sysfs_probes[];
extern const struct probe namespace_probes[];
extern const struct probe network_probes[];

/* Calls that are operations of more than one protection. */
int finit_unsigned(const struct subject *subject);
int unsafe_parameter(const struct subject *subject);
int kexec_data(const struct subject *subject);
int kexec_file(const struct subject *subject);
int bpf_write(const struct subject *subject);
int bpf_read(const struct subject *subject);
int open_dev_mem(const struct subject *subject);
int open_kcore(const struct subject *subject);

/* The probe of that name, and its number among all, or NULL. */
const struct probe *probe_find(const char *name, int *number);

/*
 * Runs it in a child, which gets the subject's label as its comm; writes the
 * child's pid.  Returns RESULT_OK where it becomes the payload, otherwise what
 * it came to.
 */
int probe_run(const struct probe *probe, const struct subject *subject,
	      pid_t *pid);

/* A result in one word: ok, an errno's name, SIGKILL, STATUS-127. */
void probe_print(FILE *out, int result);

/* What must be there before any policy is loaded. */
void bpf_prepare(const struct subject *subject);
void exec_prepare(void);
void secrets_prepare(void);
void sysfs_prepare(void);
void namespaces_prepare(void);
void network_prepare(void);

/* The number of calls that end with EPERM, of @count; writes the rest's last
 * errno to *other. */
long flood_modules(long count, int *other);
long flood_bpf(long count, int *other);

/* Has the kernel ask lockdown for that reason: 0 or errno, or RESULT_SETUP where
 * it has none of that name. */
int ask_lockdown(const char *reason);

/* Opens and closes it: 0 or errno, or RESULT_SETUP where it is not there. */
int try_open(const char *path, int flags);

/* Enters a mount namespace of its own, with a folder to mount on there; without
 * an end, so that names can be appended.  0, or there is none. */
int own_mounts(const struct subject *subject, char folder[64]);

/*
 * The system call of that number, with more in the register where the number
 * is, which the kernel does not look at.  Linux 5.10 does, but for a task with
 * a seccomp filter, so current gets one that allows all.  Returns 0, errno or
 * RESULT_SETUP.
 */
int call_with_more(long number, long first, long second);

/* The file's bytes, the caller's to free(), or NULL. */
void *read_whole(const char *path, size_t *size);
