/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a function returned that a program is at the end of.
 */
#pragma once

#include "bpf/templates/include/kernel.h"

/* Where the result is, behind the arguments: all functions that operations.def
 * has were of four before 5.17, which has a helper that knows. */
#define FUNCTION_OLD_RESULT 4

/* A function of its own: a local that has an address has the folder take all of
 * the program's stack for known to others. */
SHARED int function_result(unsigned long long *ctx)
{
	uint64_t result = 0;

	if (kernel_has(get_func_ret)) {
		bpf_get_func_ret(ctx, &result);
	} else {
		barrier();
		result = ctx[FUNCTION_OLD_RESULT];
		barrier();
	}
	return (int)result;
}
