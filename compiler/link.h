/* SPDX-License-Identifier: GPL-2.0-only */
/* Joins BPF objects into one, with libbpf's linker. */
#pragma once

#include "compiler/blob.h"

struct arena;

/*
 * Links @count objects, 1 or more, in the order given.  What they share
 * (the maps, the boot facts) they must define weakly: the first one's
 * definition stays.  The same objects in the same order give the same bytes.
 * Returns 0 with *@linked set, in the arena, or -errno with *@why set, in the
 * arena, libbpf's own words included.
 */
int link_objects(struct arena *arena, const struct blob *objects, size_t count,
		 struct blob *linked, const char **why);
