/* SPDX-License-Identifier: GPL-2.0-only */
/* The opened, bound bundles go into the kernel, and are asked from then on. */
#pragma once

#include "loader/run.h"

/* With libbpf, from the bytes that were verified; no system call yet. */
int open_object(struct run *run, struct load *load);

/* Creates the maps, loads the programs; the verifier has its say. */
int load_object(struct run *run, struct load *load);

/* From here user space can write none of the maps but the ring buffer. */
int freeze_maps(struct run *run, struct load *load);

/* Returns 0 or -errno. */
int map_is_frozen(int fd, bool *frozen);

/* From here the kernel asks them: fills load->links, in the order of the
 * programs.  What a failure leaves attached goes with the run. */
int attach_programs(struct run *run, struct load *load);
