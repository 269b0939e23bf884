/* SPDX-License-Identifier: GPL-2.0-only */
/* What the running kernel has, by name. */
#pragma once

#include <stdbool.h>

struct btf;

/* Whether the enum @list of the kernel's types has a value of that name. */
bool kernel_names(const struct btf *kernel, const char *list, const char *name);
