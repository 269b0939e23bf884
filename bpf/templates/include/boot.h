/* SPDX-License-Identifier: GPL-2.0-only */
/* What the loader binds: bundle/boot.h. */
#pragma once

#include "bundle/boot.h"
#include "bpf/templates/include/kernel.h"

/* One for all templates of a bundle: weak, so that linking keeps the first. */
const volatile struct boot_facts boot SEC(BOOT_SECTION) __weak = {};
