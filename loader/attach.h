/* SPDX-License-Identifier: GPL-2.0-only */
/* The opened, bound bundles go into the kernel, and are asked from then on. */
#pragma once

#include "loader/run.h"

/* With libbpf, from the bytes that were verified; no system call yet. */
int open_objects(struct run *run);

/* Creates the maps, loads the programs; the verifier has its say. */
int load_objects(struct run *run);

/* From here user space can write none of the maps but the ring buffer. */
int freeze_maps(struct run *run);

int attach_programs(struct run *run);
