/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel enforces now, as the pins and their records tell. */
#pragma once

#include <stdbool.h>

/* On stdout, for people or as JSON.  Returns 0, or -errno after saying on
 * stderr what is wrong. */
int status_show(bool json);
