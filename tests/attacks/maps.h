/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include "bpf.h"

/* Has a program write 0 into the value at @key of the map whose fd @map is, for
 * writing or not.  Returns 0 or -1 with errno. */
int map_zero_by_program(int map, const struct bpf_map_info *info, uint64_t key);

/* Counters that no verdict depends on: they may be falsified. */
bool map_is_counter(const struct bpf_map_info *info);

/* Makes an iterator whose program, while it is read, writes the map's values.
 * Returns its fd or -1 with errno. */
int map_open_iterator(int map, const struct bpf_map_info *info);
/* Reads it, and counts whether the map was written. */
void map_iterate(int reader, int map, struct tally *tally);
