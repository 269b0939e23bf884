/* SPDX-License-Identifier: GPL-2.0-only */
/* Instructions of the programs that the loader writes itself. */
#pragma once

#include <linux/bpf.h>

#define CODE(opcode, to, from, jump, number)        \
	((struct bpf_insn){ .code = (opcode),       \
			    .dst_reg = (to),        \
			    .src_reg = (from),      \
			    .off = (int16_t)(jump), \
			    .imm = (int32_t)(number) })
