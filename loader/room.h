/* SPDX-License-Identifier: GPL-2.0-only */
/* Preflight: whether the hooks have room for what is to be attached. */
#pragma once

#include "loader/run.h"

/*
 * For all opened bundles of the run together.  Where the kernel does not show
 * what is attached (before Linux 5.13, or to whom bpf() is denied), attaching
 * itself finds out, and undoes all of it.
 */
int probe_room(struct run *run);
