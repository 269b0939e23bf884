/* SPDX-License-Identifier: GPL-2.0-only */
#include "interpret.h"

#include <string.h>

#define MAX_STEPS 1000000

struct run {
	const struct machine *machine;
	struct outcome *outcome;
	uint64_t r[11];
	uint8_t stack[512];
};

static uint64_t load(uint64_t address, uint8_t code)
{
	const void *from = (const void *)(uintptr_t)address;
	uint8_t byte;
	uint16_t half;
	uint32_t word;
	uint64_t all;

	switch (code & 0x18) {
	case BPF_B:
		memcpy(&byte, from, 1);
		return byte;
	case BPF_H:
		memcpy(&half, from, 2);
		return half;
	case BPF_W:
		memcpy(&word, from, 4);
		return word;
	default:
		memcpy(&all, from, 8);
		return all;
	}
}

static void store(uint64_t address, uint8_t code, uint64_t value)
{
	size_t size = (code & 0x18) == BPF_B   ? 1
		      : (code & 0x18) == BPF_H ? 2
		      : (code & 0x18) == BPF_W ? 4
					       : 8;

	memcpy((void *)(uintptr_t)address, &value, size);
}

static bool alu64(uint64_t *to, uint8_t operation, uint64_t by)
{
	switch (operation) {
	case BPF_ADD:
		*to += by;
		return true;
	case BPF_SUB:
		*to -= by;
		return true;
	case BPF_MUL:
		*to *= by;
		return true;
	case BPF_DIV:
		*to = by ? *to / by : 0;
		return true;
	case BPF_MOD:
		*to = by ? *to % by : *to;
		return true;
	case BPF_OR:
		*to |= by;
		return true;
	case BPF_AND:
		*to &= by;
		return true;
	case BPF_XOR:
		*to ^= by;
		return true;
	case BPF_MOV:
		*to = by;
		return true;
	case BPF_NEG:
		*to = ~*to + 1;
		return true;
	case BPF_LSH:
		*to <<= by % 64;
		return true;
	case BPF_RSH:
		*to >>= by % 64;
		return true;
	case BPF_ARSH:
		for (by %= 64; by; by--)
			*to = *to >> 1 | (*to & UINT64_C(1) << 63);
		return true;
	default:
		return false;
	}
}

static bool alu32(uint64_t *to, uint8_t operation, uint32_t by)
{
	uint32_t half = (uint32_t)*to;

	switch (operation) {
	case BPF_ADD:
		half += by;
		break;
	case BPF_SUB:
		half -= by;
		break;
	case BPF_MUL:
		half *= by;
		break;
	case BPF_DIV:
		half = by ? half / by : 0;
		break;
	case BPF_MOD:
		half = by ? half % by : half;
		break;
	case BPF_OR:
		half |= by;
		break;
	case BPF_AND:
		half &= by;
		break;
	case BPF_XOR:
		half ^= by;
		break;
	case BPF_MOV:
		half = by;
		break;
	case BPF_NEG:
		half = ~half + 1;
		break;
	case BPF_LSH:
		half <<= by % 32;
		break;
	case BPF_RSH:
		half >>= by % 32;
		break;
	case BPF_ARSH:
		for (by %= 32; by; by--)
			half = half >> 1 | (half & 0x80000000);
		break;
	default:
		return false;
	}
	*to = half;
	return true;
}

static bool turn(uint64_t *to, bool big, int32_t bits)
{
	uint64_t from = *to;

	*to = 0;
	for (int i = 0; i < bits; i += 8)
		*to |= (from >> i & 0xff) << (big ? bits - 8 - i : i);
	return bits == 16 || bits == 32 || bits == 64;
}

static bool holds(uint8_t operation, uint64_t a, uint64_t b, bool wide)
{
	int64_t sa = wide ? (int64_t)a : (int32_t)(uint32_t)a;
	int64_t sb = wide ? (int64_t)b : (int32_t)(uint32_t)b;

	if (!wide) {
		a &= UINT32_MAX;
		b &= UINT32_MAX;
	}
	switch (operation) {
	case BPF_JEQ:
		return a == b;
	case BPF_JNE:
		return a != b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	case BPF_JLT:
		return a < b;
	case BPF_JLE:
		return a <= b;
	case BPF_JSET:
		return a & b;
	case BPF_JSGT:
		return sa > sb;
	case BPF_JSGE:
		return sa >= sb;
	case BPF_JSLT:
		return sa < sb;
	default:
		return sa <= sb;
	}
}

/* What it leaves in r1 to r5 nobody may read. */
static bool call(struct run *run, int32_t helper)
{
	uint64_t *r = run->r;

	switch (helper) {
	case BPF_FUNC_get_current_pid_tgid:
		r[0] = run->machine->pid_tgid;
		break;
	case BPF_FUNC_probe_read_kernel:
		memmove((void *)(uintptr_t)r[1], (void *)(uintptr_t)r[3], r[2]);
		r[0] = 0;
		break;
	case BPF_FUNC_map_update_elem:
		memcpy(run->outcome->out, (void *)(uintptr_t)r[3],
		       sizeof(run->outcome->out));
		run->outcome->writes++;
		r[0] = 0;
		break;
	default:
		return false;
	}
	memset(&r[1], 0xa5, 5 * sizeof(r[1]));
	return true;
}

/* An instruction other than jumps and ld_imm64. */
static bool step(struct run *run, const struct bpf_insn *insn)
{
	uint64_t *dst = &run->r[insn->dst_reg], src = run->r[insn->src_reg];
	uint64_t at = *dst + (uint64_t)(int64_t)insn->off;
	uint64_t by = insn->code & BPF_X ? src : (uint64_t)(int64_t)insn->imm;

	switch (insn->code & 7) {
	case BPF_ALU64:
		return alu64(dst, insn->code & 0xf0, by);
	case BPF_ALU:
		if ((insn->code & 0xf0) == BPF_END)
			return turn(dst, insn->code & BPF_X, insn->imm);
		return alu32(dst, insn->code & 0xf0, (uint32_t)by);
	case BPF_LDX:
		*dst = load(src + (uint64_t)(int64_t)insn->off, insn->code);
		return true;
	case BPF_STX:
		store(at, insn->code, src);
		return true;
	case BPF_ST:
		store(at, insn->code, (uint64_t)(int64_t)insn->imm);
		return true;
	default:
		return false;
	}
}

static uint64_t wide(const struct run *run, const struct bpf_insn *insn)
{
	if (insn->src_reg == BPF_PSEUDO_MAP_VALUE)
		return (uint64_t)(uintptr_t)run->machine->policy +
		       (uint32_t)insn[1].imm;
	return (uint64_t)(uint32_t)insn[1].imm << 32 | (uint32_t)insn->imm;
}

bool interpret(const struct bpf_insn *insns, size_t count,
	       const struct machine *machine, struct outcome *outcome)
{
	struct run run = { .machine = machine, .outcome = outcome };
	size_t at = 0;

	memset(outcome, 0, sizeof(*outcome));
	memset(run.stack, 0x5a, sizeof(run.stack));
	run.r[1] = (uint64_t)(uintptr_t)machine->input;
	run.r[10] = (uint64_t)(uintptr_t)(run.stack + sizeof(run.stack));
	for (int steps = 0; steps < MAX_STEPS && at < count; steps++) {
		const struct bpf_insn *insn = &insns[at++];
		bool is32 = (insn->code & 7) == BPF_JMP32;

		if (insn->code == (BPF_LD | BPF_IMM | BPF_DW)) {
			run.r[insn->dst_reg] = wide(&run, insn);
			at++;
		} else if (insn->code == (BPF_JMP | BPF_EXIT)) {
			outcome->result = (uint32_t)run.r[0];
			return true;
		} else if (insn->code == (BPF_JMP | BPF_CALL)) {
			if (!call(&run, insn->imm))
				return false;
		} else if (insn->code == (BPF_JMP | BPF_JA)) {
			at += (size_t)insn->off;
		} else if (is32 || (insn->code & 7) == BPF_JMP) {
			uint64_t by = insn->code & BPF_X
					      ? run.r[insn->src_reg]
					      : (uint64_t)(int64_t)insn->imm;

			if (holds(insn->code & 0xf0, run.r[insn->dst_reg], by,
				  !is32))
				at += (size_t)insn->off;
		} else if (!step(&run, insn)) {
			return false;
		}
	}
	return false;
}
