/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether a bundle holds what bundles hold and nothing else.  An undamaged
 * bundle is not yet one of ours, and libbpf does whatever an object asks for:
 * it attaches probes, pins maps by name, reads the kernel's configuration.
 */
#pragma once

#include "loader/run.h"

/* The sections of its ELF object, before libbpf sees them. */
int inspect_sections(struct run *run, struct load *load);

/* Its programs and maps, as libbpf understood them, before any system call. */
int inspect_object(struct run *run, struct load *load);
