/* SPDX-License-Identifier: GPL-2.0-only */
/* Of bpflockc, bpflock-load and bpflock-log, which are released together. */
#pragma once

#define BPFLOCK_VERSION "0.1"
