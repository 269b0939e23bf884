/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#define VERSION "0.1"
