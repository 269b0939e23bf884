/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One run of the loader: the bundles on their way into the kernel, and what
 * they hold on to meanwhile.  Each stage takes the whole run, so that no
 * bundle is ahead of another by more than one stage, and run_free() undoes all
 * of it unless the run is done.
 *
 * A stage returns 0, or -errno after saying on stderr what is wrong.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "bundle/bundle.h"
#include "loader/options.h"

struct bpf_link;
struct bpf_object;

enum pins { PINS_NONE, PINS_STAGED, PINS_IN_PLACE };

struct load {
	const char *path; /* as it was named */
	void *bytes;	  /* the file, whole; owned */
	size_t size;
	struct bundle *bundle;	   /* owned; looks into @bytes */
	struct bpf_object *object; /* owned */
	struct bpf_link **links;   /* owned, as is each of them */
	size_t link_count;
	enum pins pins;
};

struct run {
	const struct options *options;
	struct load *loads; /* owned */
	size_t count;
	int home;  /* the folder of all pins, locked; -1: not open */
	bool done; /* what was pinned stays */
};

/* A load for each bundle of @options, which must outlive the run. */
int run_start(struct run *run, const struct options *options);

/* For cleanup. */
void run_free(struct run *run);
