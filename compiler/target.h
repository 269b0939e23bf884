/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether a plan can be carried out at all: by the kernel that it is for, and
 * by the templates that there are. */
#pragma once

#include "compiler/plan.h"

struct diag;

/* Reports each operation that @plan denies and that @kernel, KERNEL(major,
 * minor), cannot decide. */
void target_check_kernel(struct diag *diag, const struct plan *plan,
			 unsigned kernel);

/* Reports each protection and trace that no template can enforce, and a policy
 * that leaves nothing for any of them to do. */
void target_check_templates(struct diag *diag, const struct plan *plan);
