/* SPDX-License-Identifier: GPL-2.0-only */
/* What only the running machine knows goes into the opened bundles, before
 * they are loaded: bundle/boot.h. */
#pragma once

#include "loader/run.h"

int bind_boot_facts(struct run *run);
