/* SPDX-License-Identifier: GPL-2.0-only */
/* Settings of the kernel that leave root another way than taking a policy off:
 * what a seal does not close by itself. */
#pragma once

#include <stdbool.h>

/* On stdout, each that weakens a seal, with its mend: lines, or the elements of
 * a JSON array.  What a kernel does not have is left out, but for what it then
 * does not check: that is "missing". */
void settings_show(bool json);
