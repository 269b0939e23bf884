/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One run of the loader: the bundles on their way into the kernel, and what
 * they hold on to meanwhile.  No bundle is ahead of another by more than one
 * stage, and run_free() undoes all of it unless the run is done.
 *
 * A stage is for the machine or for each bundle.  It returns 0, or -errno after
 * saying on stderr what is wrong.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/boot.h"
#include "bundle/bundle.h"
#include "loader/layout.h"
#include "loader/options.h"
#include "loader/stand_in.h"

struct bpf_link;
struct bpf_object;
struct btf;

/* Where the pins are; those of what was replaced are where they are not. */
enum pins { PINS_NONE, PINS_STAGED, PINS_IN_PLACE };

/* The programs of a policy on its way out, by id. */
struct programs {
	uint32_t *ids; /* owned */
	int count;
};

struct load {
	const char *path; /* as it was named */
	void *bytes;	  /* the file, whole; owned */
	size_t size;
	struct bundle *bundle;	   /* owned; looks into @bytes; NULL: guard */
	struct bpf_object *object; /* owned */
	bool already;		   /* the very same is loaded: nothing to do */
	bool replaces;		   /* a policy of that name, */
	uint32_t old_version;	   /* of this version, */
	struct programs old;	   /* which has these */
	struct bpf_link **links;   /* owned, as is each of them */
	size_t link_count;
	size_t proven; /* canaries, one a hook */
	enum pins pins;
};

struct run {
	const struct options *options;
	struct load *loads; /* owned */
	size_t count;
	struct btf *kernel; /* its types; owned */
	struct boot_facts facts;
	int home;    /* the folder of open policies' pins; -1: not open, or not
		      * there */
	int vault;   /* that of locked ones; -1: there is none */
	bool sealed; /* nobody changes what is in the vault */
	int gate;    /* the link that keeps others from bpf(), or -1 */
	struct load guard; /* its object is NULL where there is none */
	int sysctl_cgroup; /* that the guard's program is attached to, or -1 */
	struct stand_ins stand_ins; /* started with the first canary */
	bool done;		    /* what was pinned stays */
};

struct stage {
	const char *name; /* for fault(); NULL: it asks by itself */
	int (*machine)(struct run *run);
	int (*bundle)(struct run *run, struct load *load);
};

/* A load for each bundle of @options, which must outlive the run. */
int run_start(struct run *run, const struct options *options);

/* Goes through @stages, up to one that has neither function, until one fails.
 * Bundles that are loaded already take part no more. */
int run_stages(struct run *run, const struct stage *stages);

/* The home of the policy: the vault where it is locked. */
int run_home_of(const struct run *run, const struct load *load);

/* Where a policy of that name is loaded, of the run's homes; -1: it is not. */
int run_find_home(const struct run *run, const char *name);

/* For cleanup. */
void run_free(struct run *run);

static inline const char *policy_name(const struct load *load)
{
	return load->bundle ? load->bundle->note->table.policy : LAYOUT_GUARD;
}

/* Nothing is there yet. */
#define RUN_NONE                                                         \
	{                                                                \
		.home = -1, .vault = -1, .gate = -1, .sysctl_cgroup = -1 \
	}
