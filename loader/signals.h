/* SPDX-License-Identifier: GPL-2.0-only */
/* Signals that would end a loader in the middle: it undoes nothing then. */
#pragma once

#include <stdbool.h>

/* From here on they wait; calling it again does nothing more. */
void signals_hold(void);

/* Whether one of those that ask it to end has come since. */
bool signals_have_come(void);
