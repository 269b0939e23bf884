/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BPF_PROG() as libbpf has it, and with it the hook's prototype as the program
 * was written for it: a variable NAME_prototype, for its type alone, which is
 * in the object's BTF.  The loader compares it with the running kernel's hook.
 * Otherwise a hook whose parameters moved would be read wrongly, without a
 * word: the verifier takes any number for an enum.
 */
#pragma once

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define PROTOTYPE_SECTION ".prototypes"

#undef BPF_PROG
#define BPF_PROG(name, args...)                                              \
	name(unsigned long long *ctx);                                       \
	int (*const name##_prototype)(args)                                  \
		SEC(PROTOTYPE_SECTION) = 0;                                  \
	static __always_inline typeof(name(0)) ____##name(                   \
		unsigned long long *ctx, ##args);                            \
	typeof(name(0)) name(unsigned long long *ctx)                        \
	{                                                                    \
		_Pragma("GCC diagnostic push")                               \
		_Pragma("GCC diagnostic ignored \"-Wint-conversion\"")       \
		return ____##name(___bpf_ctx_cast(args));                    \
		_Pragma("GCC diagnostic pop")                                \
	}                                                                    \
	static __always_inline typeof(name(0)) ____##name(                   \
		unsigned long long *ctx, ##args)
