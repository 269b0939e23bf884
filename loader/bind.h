/* SPDX-License-Identifier: GPL-2.0-only */
/* What only the running machine knows goes into the opened bundles, before
 * they are loaded: bundle/boot.h. */
#pragma once

#include "loader/run.h"

int bind_boot_facts(struct run *run);

/* Writes @facts into one opened object.  Returns 0, -ENOMEM, or -EBADMSG where
 * its section is not the one of bundle/boot.h. */
int bind_object(const struct load *load, const struct boot_facts *facts);
