/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One switch for each class of instructions.  What a register or a byte of
 * the stack holds before it is written is nothing: reading it is an error, as
 * it is for the verifier, and so is every instruction that is not known.
 */
#include "compiler/proof/machine.h"

#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FRAME BPF_REG_10

/* Newer than the headers that this is built with, and told from others by
 * their offset: signed division, moves with sign. */
#define MODE(code)  ((code)&0xe0)
#define BYTES(code) (1U << "\2\1\0\3"[(code) >> 3 & 3])

bool machine_fail(struct machine *machine, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(machine->why, sizeof(machine->why), format, arguments);
	va_end(arguments);
	return false;
}

void machine_init(struct machine *machine, struct memory *memory)
{
	*machine = (struct machine){ .memory = memory };
	for (unsigned i = 0; i < MACHINE_FRAMES; i++)
		machine->stacks[i] =
			memory_add(memory, machine->stack_bytes[i],
				   machine->stack_written[i], MACHINE_STACK,
				   MEMORY_READ | MEMORY_WRITE) +
			MACHINE_STACK;
}

bool machine_has_arguments(const struct machine *machine, unsigned last)
{
	unsigned wanted = (2U << last) - 2;

	return (machine->known & wanted) == wanted;
}

static bool is_known(const struct machine *machine, unsigned number)
{
	return machine->known >> number & 1;
}

static void set(struct machine *machine, unsigned number, uint64_t value)
{
	machine->registers[number] = value;
	machine->known |= 1U << number;
}

static bool unknown_insn(struct machine *machine,
			 const struct machine_insn *insn)
{
	return machine_fail(machine, "cannot evaluate: instruction 0x%02x",
			    insn->code);
}

static bool unwritten(struct machine *machine, unsigned number)
{
	return machine_fail(machine, "it reads r%u, which holds nothing",
			    number);
}

/* The bytes of @value in the other order, or in the same for @bits. */
static uint64_t swap(uint64_t value, unsigned bits)
{
	return __builtin_bswap64(value) >> (64 - bits);
}

static uint64_t low_bits(uint64_t value, unsigned bits)
{
	return bits == 64 ? value : value & ((UINT64_C(1) << bits) - 1);
}

static bool byte_order(struct machine *machine, const struct machine_insn *insn)
{
	uint64_t value = machine->registers[insn->dst];
	unsigned bits = (unsigned)insn->imm;

	if (BPF_CLASS(insn->code) != BPF_ALU ||
	    (bits != 16 && bits != 32 && bits != 64))
		return unknown_insn(machine, insn);
	value = low_bits(value, bits);
	set(machine, insn->dst,
	    BPF_SRC(insn->code) == BPF_TO_BE ? swap(value, bits) : value);
	return true;
}

/* The result of 64 bits; of 32, its lower half is it. */
static bool compute(uint8_t code, uint64_t a, uint64_t b, uint64_t *result)
{
	bool wide = BPF_CLASS(code) == BPF_ALU64;
	unsigned shift = (unsigned)b & (wide ? 63 : 31);

	if (!wide) {
		a = (uint32_t)a;
		b = (uint32_t)b;
	}
	switch (BPF_OP(code)) {
	case BPF_ADD:
		*result = a + b;
		return true;
	case BPF_SUB:
		*result = a - b;
		return true;
	case BPF_MUL:
		*result = a * b;
		return true;
	case BPF_DIV:
		*result = b ? a / b : 0;
		return true;
	case BPF_MOD:
		*result = b ? a % b : a;
		return true;
	case BPF_OR:
		*result = a | b;
		return true;
	case BPF_AND:
		*result = a & b;
		return true;
	case BPF_XOR:
		*result = a ^ b;
		return true;
	case BPF_MOV:
		*result = b;
		return true;
	case BPF_LSH:
		*result = a << shift;
		return true;
	case BPF_RSH:
		*result = a >> shift;
		return true;
	case BPF_ARSH:
		*result = wide ? (uint64_t)((int64_t)a >> shift)
			       : (uint64_t)((int32_t)a >> shift);
		return true;
	case BPF_NEG:
		*result = 0 - a;
		return true;
	default:
		return false;
	}
}

static bool arithmetic(struct machine *machine, const struct machine_insn *insn)
{
	uint64_t a = machine->registers[insn->dst], b, result;
	bool from_register = BPF_SRC(insn->code) == BPF_X;

	if (BPF_OP(insn->code) != BPF_MOV && !is_known(machine, insn->dst))
		return unwritten(machine, insn->dst);
	if (BPF_OP(insn->code) == BPF_END)
		return byte_order(machine, insn);
	if (from_register && !is_known(machine, insn->src))
		return unwritten(machine, insn->src);
	if (insn->dst == FRAME)
		return machine_fail(machine, "it changes the frame pointer");
	if (insn->off || (BPF_OP(insn->code) == BPF_NEG && from_register))
		return unknown_insn(machine, insn);
	b = from_register ? machine->registers[insn->src]
			  : (uint64_t)(int64_t)insn->imm;
	if (!compute(insn->code, a, b, &result))
		return unknown_insn(machine, insn);
	if (BPF_CLASS(insn->code) == BPF_ALU)
		result = (uint32_t)result;
	set(machine, insn->dst, result);
	return true;
}

static bool compare(uint8_t code, uint64_t a, uint64_t b, bool *taken)
{
	int64_t sa = (int64_t)a, sb = (int64_t)b;

	if (BPF_CLASS(code) == BPF_JMP32) {
		sa = (int32_t)a;
		sb = (int32_t)b;
		a = (uint32_t)a;
		b = (uint32_t)b;
	}
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		*taken = a == b;
		return true;
	case BPF_JNE:
		*taken = a != b;
		return true;
	case BPF_JGT:
		*taken = a > b;
		return true;
	case BPF_JGE:
		*taken = a >= b;
		return true;
	case BPF_JLT:
		*taken = a < b;
		return true;
	case BPF_JLE:
		*taken = a <= b;
		return true;
	case BPF_JSET:
		*taken = a & b;
		return true;
	case BPF_JSGT:
		*taken = sa > sb;
		return true;
	case BPF_JSGE:
		*taken = sa >= sb;
		return true;
	case BPF_JSLT:
		*taken = sa < sb;
		return true;
	case BPF_JSLE:
		*taken = sa <= sb;
		return true;
	default:
		return false;
	}
}

/* A jump: *@taken says whether to go insn->off further. */
static bool branch(struct machine *machine, const struct machine_insn *insn,
		   bool *taken)
{
	bool from_register = BPF_SRC(insn->code) == BPF_X;
	uint64_t a = machine->registers[insn->dst], b;

	if (insn->code == (BPF_JMP | BPF_JA)) {
		*taken = true;
		return true;
	}
	if (!is_known(machine, insn->dst))
		return unwritten(machine, insn->dst);
	if (from_register && !is_known(machine, insn->src))
		return unwritten(machine, insn->src);
	b = from_register ? machine->registers[insn->src]
			  : (uint64_t)(int64_t)insn->imm;
	return compare(insn->code, a, b, taken) || unknown_insn(machine, insn);
}

static bool outside(struct machine *machine, const char *does, uint64_t address,
		    unsigned size)
{
	return machine_fail(machine,
			    "it %s %u bytes at 0x%llx, which it may not", does,
			    size, (unsigned long long)address);
}

static bool load(struct machine *machine, const struct machine_insn *insn)
{
	uint64_t address =
		machine->registers[insn->src] + (uint64_t)(int64_t)insn->off;
	unsigned size = BYTES(insn->code);
	uint64_t value;

	if (MODE(insn->code) != BPF_MEM)
		return unknown_insn(machine, insn);
	if (!is_known(machine, insn->src))
		return unwritten(machine, insn->src);
	if (insn->dst == FRAME)
		return machine_fail(machine, "it changes the frame pointer");
	if (!memory_load(machine->memory, address, size, &value))
		return outside(machine, "reads", address, size);
	set(machine, insn->dst, value);
	return true;
}

/* The atomic operation that insn->imm names on @old; false for none. */
static bool modify(struct machine *machine, const struct machine_insn *insn,
		   uint64_t old, uint64_t *value)
{
	uint64_t operand = machine->registers[insn->src];

	switch (insn->imm & ~BPF_FETCH) {
	case BPF_ADD:
		*value = old + operand;
		return true;
	case BPF_OR:
		*value = old | operand;
		return true;
	case BPF_AND:
		*value = old & operand;
		return true;
	case BPF_XOR:
		*value = old ^ operand;
		return true;
	case BPF_XCHG & ~BPF_FETCH:
		*value = operand;
		return insn->imm & BPF_FETCH;
	case BPF_CMPXCHG & ~BPF_FETCH:
		*value = low_bits(machine->registers[BPF_REG_0],
				  8 * BYTES(insn->code)) == old
				 ? operand
				 : old;
		return insn->imm & BPF_FETCH && is_known(machine, BPF_REG_0);
	default:
		return false;
	}
}

static bool atomic(struct machine *machine, const struct machine_insn *insn,
		   uint8_t *bytes)
{
	unsigned size = BYTES(insn->code);
	uint64_t old = memory_get(bytes, size), value;

	if (size < 4 || !modify(machine, insn, old, &value))
		return unknown_insn(machine, insn);
	memory_put(bytes, size, value);
	if (insn->imm == BPF_CMPXCHG)
		set(machine, BPF_REG_0, old);
	else if (insn->imm & BPF_FETCH)
		set(machine, insn->src, old);
	return true;
}

static bool store(struct machine *machine, const struct machine_insn *insn)
{
	bool from_register = BPF_CLASS(insn->code) == BPF_STX;
	uint64_t address =
		machine->registers[insn->dst] + (uint64_t)(int64_t)insn->off;
	bool is_atomic = from_register && MODE(insn->code) == BPF_ATOMIC;
	unsigned size = BYTES(insn->code);
	uint8_t *bytes;

	if (MODE(insn->code) != BPF_MEM && !is_atomic)
		return unknown_insn(machine, insn);
	if (!is_known(machine, insn->dst))
		return unwritten(machine, insn->dst);
	if (from_register && !is_known(machine, insn->src))
		return unwritten(machine, insn->src);
	if (is_atomic &&
	    !memory_at(machine->memory, address, size, MEMORY_READ))
		return outside(machine, "reads", address, size);
	bytes = memory_at(machine->memory, address, size, MEMORY_WRITE);
	if (!bytes)
		return outside(machine, "writes", address, size);
	if (is_atomic)
		return atomic(machine, insn, bytes);
	memory_put(bytes, size,
		   from_register ? machine->registers[insn->src]
				 : (uint64_t)(int64_t)insn->imm);
	return true;
}

/* ---- calls ---- */

/* r0 to r5 are the callee's, and the result is in r0. */
static void forget_arguments(struct machine *machine)
{
	machine->known &= ~0x3eU;
}

static bool call_helper(struct machine *machine,
			const struct machine_insn *insn)
{
	if (!machine->call(machine, insn))
		return false;
	forget_arguments(machine);
	machine->known |= 1U << BPF_REG_0;
	return true;
}

/* A function begins with a stack of its own, on which nothing is yet, and
 * knows of its caller's registers the arguments. */
static void begin(struct machine *machine, const struct machine_code *code,
		  unsigned known)
{
	machine->code = code;
	machine->next = 0;
	machine->known &= known;
	memset(machine->stack_written[machine->depth], 0, MACHINE_STACK);
	set(machine, FRAME, machine->stacks[machine->depth]);
}

static bool enter(struct machine *machine, const struct machine_insn *insn)
{
	struct machine_frame *frame = &machine->frames[machine->depth];

	if (insn->wide >= machine->function_count)
		return machine_fail(machine, "it calls what is no function");
	if (machine->depth + 1 == MACHINE_FRAMES)
		return machine_fail(machine, "its calls go too deep");
	frame->code = machine->code;
	frame->next = machine->next;
	memcpy(frame->registers, machine->registers, sizeof(frame->registers));
	frame->known = machine->known;
	machine->depth++;
	begin(machine, &machine->functions[insn->wide], 0x3e);
	return true;
}

/* Back to the caller, with its registers from r6 on.  A pointer to the stack
 * that goes leads to nothing from now on. */
static void leave(struct machine *machine)
{
	unsigned result = machine->known & 1U << BPF_REG_0;
	const struct machine_frame *frame;

	memset(machine->stack_written[machine->depth], 0, MACHINE_STACK);
	frame = &machine->frames[--machine->depth];
	machine->code = frame->code;
	machine->next = frame->next;
	memcpy(machine->registers + BPF_REG_6, frame->registers + BPF_REG_6,
	       sizeof(frame->registers) -
		       BPF_REG_6 * sizeof(frame->registers[0]));
	machine->known = (frame->known & ~1U) | result;
	forget_arguments(machine);
}

static bool call(struct machine *machine, const struct machine_insn *insn)
{
	if (insn->code != (BPF_JMP | BPF_CALL))
		return unknown_insn(machine, insn);
	return insn->src == BPF_PSEUDO_CALL ? enter(machine, insn)
					    : call_helper(machine, insn);
}

/* ---- running ---- */

static bool jump(struct machine *machine, const struct machine_insn *insn)
{
	bool taken = false;
	int64_t target;

	if (!branch(machine, insn, &taken))
		return false;
	target = (int64_t)machine->next + (taken ? insn->off : 0);
	if (target < 0 || target >= machine->code->count)
		return machine_fail(machine, "it jumps out of the program");
	machine->next = (uint32_t)target;
	return true;
}

static bool step(struct machine *machine, const struct machine_insn *insn)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		return arithmetic(machine, insn);
	case BPF_LDX:
		return load(machine, insn);
	case BPF_ST:
	case BPF_STX:
		return store(machine, insn);
	case BPF_LD:
		if (insn->code != (BPF_LD | BPF_IMM | BPF_DW))
			return unknown_insn(machine, insn);
		set(machine, insn->dst, insn->wide);
		machine->next++;
		return true;
	default:
		break;
	}
	return BPF_OP(insn->code) == BPF_CALL ? call(machine, insn)
					      : jump(machine, insn);
}

/* The instruction that comes next; NULL where none may. */
static const struct machine_insn *fetch(struct machine *machine)
{
	const struct machine_code *code = machine->code;
	uint32_t next = machine->next;
	const struct machine_insn *insn = &code->insns[next];
	const char *why;

	if (next >= code->count) {
		why = "it runs past its end";
	} else if (machine->steps++ == MACHINE_STEPS) {
		why = "it does not end";
	} else if (insn->poison) {
		why = "it comes to what this kernel does not have";
	} else if (insn->dst >= MACHINE_REGISTERS ||
		   insn->src >= MACHINE_REGISTERS) {
		unknown_insn(machine, insn);
		return NULL;
	} else {
		if (code->reached)
			code->reached[next] = 1;
		machine->next = next + 1;
		return insn;
	}
	machine_fail(machine, "%s", why);
	return NULL;
}

bool machine_run(struct machine *machine, const struct machine_code *code,
		 uint64_t context, uint64_t *result)
{
	const struct machine_insn *insn;

	machine->steps = 0;
	machine->depth = 0;
	begin(machine, code, 0);
	set(machine, BPF_REG_1, context);
	for (;;) {
		insn = fetch(machine);
		if (!insn)
			return false;
		if (insn->code == (BPF_JMP | BPF_EXIT)) {
			if (!machine->depth)
				break;
			leave(machine);
		} else if (!step(machine, insn)) {
			return false;
		}
	}
	if (!is_known(machine, BPF_REG_0))
		return unwritten(machine, BPF_REG_0);
	*result = machine->registers[BPF_REG_0];
	return true;
}
