/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is behind an address that the verifier knows no type of.
 *
 * From 6.2 on a kernel can be told what a pointer points to.  Reading through
 * it, wherever it points, faults to 0; and other than a probe read it is let
 * through under lockdown=confidentiality.
 */
#pragma once

#include "bpf/templates/include/kernel.h"

void *bpf_rdonly_cast(const void *object, uint32_t type) __ksym __weak;

#define can_cast() \
	bpf_core_enum_value_exists(enum special_kfunc_type, KF_bpf_rdonly_cast)

#define CAST(object, type)                     \
	((const struct type *)bpf_rdonly_cast( \
		(object), bpf_core_type_id_kernel(struct type)))
