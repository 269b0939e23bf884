/* SPDX-License-Identifier: GPL-2.0-only */
/* What only the running machine knows goes into the opened bundles, before
 * they are loaded: bundle/boot.h. */
#pragma once

#include "loader/run.h"

/* Of the machine and this process.  Returns 0, or -errno after saying on stderr
 * what is wrong. */
int bind_boot_facts(struct run *run);

/* Of what programs may call, which is tried: before bind_boot_facts(), where
 * they are to be loaded.  Returns 0. */
int find_may_probe(struct run *run);

/* Writes @facts into one opened object.  Returns 0, -ENOMEM, or -EBADMSG where
 * its section is not the one of bundle/boot.h. */
int bind_object(const struct load *load, const struct boot_facts *facts);
