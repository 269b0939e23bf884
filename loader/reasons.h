/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether this kernel has the lockdown reasons that a policy is about. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bundle/operations.h"
#include "loader/run.h"

struct btf;

/* The operations of @protection, as a mask, that come with a lockdown reason
 * which a kernel of these types does not have. */
uint64_t reasons_missing(const struct btf *kernel,
			 const struct protection *protection);

/* Those that it may ask a program about whenever that reads kernel memory, so
 * that the program would never come to an end. */
uint64_t reasons_without_end(const struct btf *kernel,
			     const struct protection *protection);

/* Those about modules' signatures. */
uint64_t reasons_of_signatures(const struct protection *protection);

#define REASONS_SIG_ENFORCE "/sys/module/module/parameters/sig_enforce"

/* Whether this kernel checks them, so that it asks about those without a valid
 * one, or loads no modules at all. */
bool reasons_have_signatures(void);

/* Refuses each operation that is denied or logged and is one of these. */
int probe_reasons(struct run *run, struct load *load);
