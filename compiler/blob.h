/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes that somebody else owns: as a rule the arena. */
#pragma once

#include <stddef.h>

struct blob {
	const void *bytes;
	size_t size;
};
