/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The instruction set by its fields.  Semantics are those of the kernel's
 * interpreter: 32-bit results are zero-extended, a shift takes its count
 * modulo the width, x / 0 is 0, and x % 0 is x (its lower half, zero-extended,
 * where the operation is narrow).
 */
#include "compiler/insn.h"

#include <assert.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>

#define MODE_SIGNED 0x80 /* BPF_MEMSX of v4 */
#define MODE_ATOMIC 0xc0

/* ---- bytes ---- */

static void decode_slot(const uint8_t *bytes, struct insn *insn)
{
	uint16_t offset;
	uint32_t immediate;

	memcpy(&offset, bytes + 2, sizeof(offset));
	memcpy(&immediate, bytes + 4, sizeof(immediate));
	*insn = (struct insn){
		.code = bytes[0],
		.dst = bytes[1] & 0xf,
		.src = bytes[1] >> 4,
		.offset = (int16_t)le16toh(offset),
		.immediate = (int32_t)le32toh(immediate),
	};
}

static void encode_slot(const struct insn *insn, uint8_t *bytes)
{
	uint16_t offset = htole16((uint16_t)insn->offset);
	uint32_t immediate = htole32((uint32_t)insn->immediate);

	bytes[0] = insn->code;
	bytes[1] = (uint8_t)(insn->src << 4 | insn->dst);
	memcpy(bytes + 2, &offset, sizeof(offset));
	memcpy(bytes + 4, &immediate, sizeof(immediate));
}

unsigned insn_slots(const struct insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW) ? 2 : 1;
}

unsigned insn_decode(const uint8_t *bytes, size_t slots, struct insn *insn)
{
	struct insn second;

	decode_slot(bytes, insn);
	if (insn_slots(insn) == 1)
		return 1;
	if (slots < 2)
		return 0;
	decode_slot(bytes + INSN_SIZE, &second);
	if (second.code || second.dst || second.src || second.offset)
		return 0;
	insn->high = second.immediate;
	return 2;
}

void insn_encode(const struct insn *insn, uint8_t *bytes)
{
	struct insn second = { .immediate = insn->high };

	encode_slot(insn, bytes);
	if (insn_slots(insn) == 2)
		encode_slot(&second, bytes + INSN_SIZE);
}

/* ---- facts ---- */

bool insn_has_source(const struct insn *insn)
{
	return BPF_SRC(insn->code) == BPF_X;
}

bool insn_is_narrow(const struct insn *insn)
{
	uint8_t class = BPF_CLASS(insn->code);

	return class == BPF_ALU || class == BPF_JMP32;
}

bool insn_is_signed_load(const struct insn *insn)
{
	return BPF_MODE(insn->code) == MODE_SIGNED;
}

unsigned insn_width(const struct insn *insn)
{
	switch (BPF_SIZE(insn->code)) {
	case BPF_B:
		return 1;
	case BPF_H:
		return 2;
	case BPF_W:
		return 4;
	default:
		return 8;
	}
}

static unsigned operand_bits(const struct insn *insn)
{
	return insn_is_narrow(insn) ? 32 : 64;
}

static enum insn_kind kind_of_swap(const struct insn *insn)
{
	bool known = insn->immediate == 16 || insn->immediate == 32 ||
		     insn->immediate == 64;

	if (!known || insn->offset || insn->src)
		return INSN_UNKNOWN;
	if (BPF_CLASS(insn->code) == BPF_ALU)
		return INSN_ALU;
	return insn_has_source(insn) ? INSN_UNKNOWN : INSN_OPAQUE;
}

/* Signed division and the moves that extend the sign, of v4. */
static bool is_signed_form(const struct insn *insn)
{
	uint8_t operation = BPF_OP(insn->code);

	if (operation == BPF_DIV || operation == BPF_MOD)
		return insn->offset == 1;
	return operation == BPF_MOV && insn_has_source(insn) &&
	       (insn->offset == 8 || insn->offset == 16 ||
		(insn->offset == 32 && !insn_is_narrow(insn)));
}

static enum insn_kind kind_of_alu(const struct insn *insn)
{
	uint8_t operation = BPF_OP(insn->code);
	uint32_t immediate = (uint32_t)insn->immediate;

	if (operation > BPF_END)
		return INSN_UNKNOWN;
	if (operation == BPF_END)
		return kind_of_swap(insn);
	if (insn_has_source(insn) ? insn->immediate : insn->src)
		return INSN_UNKNOWN;
	if (operation == BPF_NEG && (insn_has_source(insn) || immediate))
		return INSN_UNKNOWN;
	if (!insn_has_source(insn)) {
		/* no verifier takes these */
		if ((operation == BPF_DIV || operation == BPF_MOD) &&
		    !immediate)
			return INSN_UNKNOWN;
		if ((operation == BPF_LSH || operation == BPF_RSH ||
		     operation == BPF_ARSH) &&
		    immediate >= operand_bits(insn))
			return INSN_UNKNOWN;
	}
	if (insn->offset)
		return is_signed_form(insn) ? INSN_OPAQUE : INSN_UNKNOWN;
	return INSN_ALU;
}

/* Later kernels have loads and stores among these, which write other things. */
static bool is_known_atomic(const struct insn *insn)
{
	switch (insn->immediate) {
	case BPF_ADD:
	case BPF_ADD | BPF_FETCH:
	case BPF_OR:
	case BPF_OR | BPF_FETCH:
	case BPF_AND:
	case BPF_AND | BPF_FETCH:
	case BPF_XOR:
	case BPF_XOR | BPF_FETCH:
	case BPF_XCHG:
	case BPF_CMPXCHG:
		return true;
	default:
		return false;
	}
}

static enum insn_kind kind_of_store(const struct insn *insn)
{
	bool from_register = BPF_CLASS(insn->code) == BPF_STX;

	switch (BPF_MODE(insn->code)) {
	case BPF_MEM:
		if (from_register ? insn->immediate : insn->src)
			return INSN_UNKNOWN;
		return INSN_STORE;
	case MODE_ATOMIC:
		return from_register && insn_width(insn) >= 4 &&
				       is_known_atomic(insn)
			       ? INSN_ATOMIC
			       : INSN_UNKNOWN;
	default:
		return INSN_UNKNOWN;
	}
}

static enum insn_kind kind_of_load(const struct insn *insn)
{
	uint8_t mode = BPF_MODE(insn->code);

	if (insn->immediate || (mode != BPF_MEM && mode != MODE_SIGNED) ||
	    (mode == MODE_SIGNED && insn_width(insn) == 8))
		return INSN_UNKNOWN;
	return INSN_LOAD;
}

static enum insn_kind kind_of_jump(const struct insn *insn)
{
	bool narrow = insn_is_narrow(insn);
	uint8_t operation = BPF_OP(insn->code);

	switch (operation) {
	case BPF_JA:
		return narrow || insn_has_source(insn) || insn->dst ||
				       insn->src || insn->immediate
			       ? INSN_UNKNOWN
			       : INSN_GOTO;
	case BPF_CALL:
		return narrow || insn_has_source(insn) || insn->dst ||
				       insn->offset
			       ? INSN_UNKNOWN
			       : INSN_CALL;
	case BPF_EXIT:
		return narrow || insn_has_source(insn) || insn->dst ||
				       insn->src || insn->offset ||
				       insn->immediate
			       ? INSN_UNKNOWN
			       : INSN_EXIT;
	default:
		if (operation > BPF_JSLE ||
		    (insn_has_source(insn) ? insn->immediate : insn->src))
			return INSN_UNKNOWN;
		return INSN_BRANCH;
	}
}

enum insn_kind insn_kind(const struct insn *insn)
{
	if (insn->dst >= INSN_REGISTERS || insn->src >= INSN_REGISTERS)
		return INSN_UNKNOWN;
	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		return kind_of_alu(insn);
	case BPF_LD:
		return insn_slots(insn) == 2 && !insn->offset ? INSN_WIDE
							      : INSN_UNKNOWN;
	case BPF_LDX:
		return kind_of_load(insn);
	case BPF_ST:
	case BPF_STX:
		return kind_of_store(insn);
	default:
		return kind_of_jump(insn);
	}
}

static unsigned bit(unsigned number)
{
	return 1u << number;
}

unsigned insn_reads(const struct insn *insn)
{
	switch (insn_kind(insn)) {
	case INSN_ALU:
	case INSN_OPAQUE:
		return (BPF_OP(insn->code) == BPF_MOV ? 0 : bit(insn->dst)) |
		       (insn_has_source(insn) && BPF_OP(insn->code) != BPF_END
				? bit(insn->src)
				: 0);
	case INSN_LOAD:
		return bit(insn->src);
	case INSN_STORE:
		return bit(insn->dst) |
		       (BPF_CLASS(insn->code) == BPF_STX ? bit(insn->src) : 0);
	case INSN_ATOMIC:
		return bit(0) | bit(insn->dst) | bit(insn->src);
	case INSN_CALL:
		return bit(1) | bit(2) | bit(3) | bit(4) | bit(5);
	case INSN_BRANCH:
		return bit(insn->dst) |
		       (insn_has_source(insn) ? bit(insn->src) : 0);
	case INSN_EXIT:
		return bit(0);
	default:
		return 0;
	}
}

unsigned insn_writes(const struct insn *insn)
{
	switch (insn_kind(insn)) {
	case INSN_ALU:
	case INSN_OPAQUE:
	case INSN_WIDE:
	case INSN_LOAD:
		return bit(insn->dst);
	case INSN_ATOMIC:
		return bit(0) | bit(insn->src);
	case INSN_CALL:
		return bit(0) | bit(1) | bit(2) | bit(3) | bit(4) | bit(5);
	default:
		return 0;
	}
}

/* ---- constants ---- */

static uint64_t narrow_unless(uint64_t value, bool wide)
{
	return wide ? value : (uint32_t)value;
}

static uint64_t swap(const struct insn *insn, uint64_t value)
{
	bool big = insn_has_source(insn); /* to big endian; we are little */

	switch (insn->immediate) {
	case 16:
		return big ? __builtin_bswap16((uint16_t)value)
			   : (uint16_t)value;
	case 32:
		return big ? __builtin_bswap32((uint32_t)value)
			   : (uint32_t)value;
	default:
		return big ? __builtin_bswap64(value) : value;
	}
}

static uint64_t shift_signed(uint64_t value, unsigned count, bool wide)
{
	return wide ? (uint64_t)((int64_t)value >> count)
		    : (uint64_t)(uint32_t)((int32_t)value >> count);
}

uint64_t insn_compute(const struct insn *insn, uint64_t dst, uint64_t src)
{
	bool wide = !insn_is_narrow(insn);
	uint64_t left = narrow_unless(dst, wide), right;
	unsigned count;

	assert(insn_kind(insn) == INSN_ALU);
	if (BPF_OP(insn->code) == BPF_END)
		return swap(insn, dst);
	right = insn_has_source(insn) ? src
				      : (uint64_t)(int64_t)insn->immediate;
	right = narrow_unless(right, wide);
	count = (unsigned)right & (wide ? 63 : 31);
	switch (BPF_OP(insn->code)) {
	case BPF_ADD:
		return narrow_unless(left + right, wide);
	case BPF_SUB:
		return narrow_unless(left - right, wide);
	case BPF_MUL:
		return narrow_unless(left * right, wide);
	case BPF_DIV:
		return right ? left / right : 0;
	case BPF_MOD:
		return right ? left % right : left;
	case BPF_OR:
		return left | right;
	case BPF_AND:
		return left & right;
	case BPF_XOR:
		return left ^ right;
	case BPF_LSH:
		return narrow_unless(left << count, wide);
	case BPF_RSH:
		return left >> count;
	case BPF_ARSH:
		return shift_signed(left, count, wide);
	case BPF_NEG:
		return narrow_unless(-left, wide);
	default:
		return right; /* BPF_MOV */
	}
}

bool insn_jumps(const struct insn *insn, uint64_t dst, uint64_t src)
{
	bool wide = !insn_is_narrow(insn);
	uint64_t left = narrow_unless(dst, wide), right;
	int64_t signed_left, signed_right;

	assert(insn_kind(insn) == INSN_BRANCH);
	right = insn_has_source(insn) ? src
				      : (uint64_t)(int64_t)insn->immediate;
	right = narrow_unless(right, wide);
	signed_left = wide ? (int64_t)left : (int32_t)left;
	signed_right = wide ? (int64_t)right : (int32_t)right;
	switch (BPF_OP(insn->code)) {
	case BPF_JEQ:
		return left == right;
	case BPF_JNE:
		return left != right;
	case BPF_JSET:
		return left & right;
	case BPF_JGT:
		return left > right;
	case BPF_JGE:
		return left >= right;
	case BPF_JLT:
		return left < right;
	case BPF_JLE:
		return left <= right;
	case BPF_JSGT:
		return signed_left > signed_right;
	case BPF_JSGE:
		return signed_left >= signed_right;
	case BPF_JSLT:
		return signed_left < signed_right;
	default:
		return signed_left <= signed_right; /* BPF_JSLE */
	}
}

struct insn insn_constant(unsigned dst, uint64_t value)
{
	struct insn insn = {
		.code = BPF_ALU | BPF_MOV | BPF_K,
		.dst = (uint8_t)dst,
		.immediate = (int32_t)(uint32_t)value,
	};

	if (value == (uint32_t)value)
		return insn;
	if (value == (uint64_t)(int64_t)insn.immediate) {
		insn.code = BPF_ALU64 | BPF_MOV | BPF_K;
		return insn;
	}
	insn.code = BPF_LD | BPF_IMM | BPF_DW;
	insn.high = (int32_t)(uint32_t)(value >> 32);
	return insn;
}

bool insn_with_immediate(struct insn *insn, uint64_t value)
{
	struct insn with = *insn;
	enum insn_kind kind = insn_kind(insn);

	with.code = (uint8_t)((insn->code & ~BPF_X) | BPF_K);
	with.src = 0;
	with.immediate = (int32_t)(uint32_t)value;
	if (!insn_is_narrow(insn) && value != (uint64_t)(int64_t)with.immediate)
		return false;
	if (insn_kind(&with) != kind)
		return false;
	*insn = with;
	return true;
}

bool insn_invert(struct insn *insn)
{
	static const uint8_t pairs[][2] = {
		{ BPF_JEQ, BPF_JNE },	{ BPF_JGT, BPF_JLE },
		{ BPF_JGE, BPF_JLT },	{ BPF_JSGT, BPF_JSLE },
		{ BPF_JSGE, BPF_JSLT },
	};
	uint8_t operation = BPF_OP(insn->code);

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		for (int side = 0; side < 2; side++) {
			if (pairs[i][side] != operation)
				continue;
			insn->code = (uint8_t)((insn->code & ~0xf0) |
					       pairs[i][!side]);
			return true;
		}
	}
	return false;
}

/* ---- text ---- */

struct text {
	char *at;
	size_t left;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *text,
						      const char *format, ...)
{
	__builtin_va_list arguments;
	int len;

	__builtin_va_start(arguments, format);
	len = vsnprintf(text->at, text->left, format, arguments);
	__builtin_va_end(arguments);
	if (len < 0)
		return;
	if ((size_t)len >= text->left)
		len = (int)text->left - 1;
	text->at += len;
	text->left -= (size_t)len;
}

static void put_memory(struct text *text, const struct insn *insn,
		       unsigned base)
{
	put(text, "*(%c%u *)(r%u %c %d)",
	    insn_is_signed_load(insn) && BPF_CLASS(insn->code) == BPF_LDX ? 's'
									  : 'u',
	    insn_width(insn) * 8, base, insn->offset < 0 ? '-' : '+',
	    insn->offset < 0 ? -insn->offset : insn->offset);
}

static void put_operand(struct text *text, const struct insn *insn, char file)
{
	if (insn_has_source(insn))
		put(text, "%c%u", file, insn->src);
	else
		put(text, "%d", insn->immediate);
}

static void put_alu(struct text *text, const struct insn *insn)
{
	static const char *const operators[] = {
		"+=",  "-=", "*=", "/=", "|=", "&=",   "<<=",
		">>=", "",   "%=", "^=", "=",  "s>>=",
	};
	char file = insn_is_narrow(insn) ? 'w' : 'r';
	uint8_t operation = BPF_OP(insn->code);

	if (operation == BPF_NEG) {
		put(text, "%c%u = -%c%u", file, insn->dst, file, insn->dst);
		return;
	}
	if (operation == BPF_END) {
		put(text, "r%u = %s%d r%u", insn->dst,
		    BPF_CLASS(insn->code) == BPF_ALU64 ? "bswap"
		    : insn_has_source(insn)	       ? "be"
						       : "le",
		    insn->immediate, insn->dst);
		return;
	}
	put(text, "%c%u %s%s ", file, insn->dst,
	    insn->offset && operation != BPF_MOV ? "s" : "",
	    operators[operation >> 4]);
	if (insn->offset && operation == BPF_MOV)
		put(text, "(s%d)", insn->offset);
	put_operand(text, insn, file);
}

static void put_branch(struct text *text, const struct insn *insn, long target)
{
	static const char *const relations[] = {
		"",    "==", ">", ">=", "&",  "!=", "s>",
		"s>=", "",   "",  "<",	"<=", "s<", "s<=",
	};
	char file = insn_is_narrow(insn) ? 'w' : 'r';

	put(text, "if %c%u %s ", file, insn->dst,
	    relations[BPF_OP(insn->code) >> 4]);
	put_operand(text, insn, file);
	put(text, " goto %ld", target);
}

static void put_store(struct text *text, const struct insn *insn)
{
	put_memory(text, insn, insn->dst);
	if (BPF_CLASS(insn->code) == BPF_STX)
		put(text, " = r%u", insn->src);
	else
		put(text, " = %d", insn->immediate);
}

void insn_text(const struct insn *insn, long target, char bytes[INSN_TEXT_SIZE])
{
	struct text text = { .at = bytes, .left = INSN_TEXT_SIZE };

	switch (insn_kind(insn)) {
	case INSN_ALU:
	case INSN_OPAQUE:
		put_alu(&text, insn);
		break;
	case INSN_WIDE:
		put(&text, "r%u = %lld ll", insn->dst,
		    (long long)((uint64_t)(uint32_t)insn->high << 32 |
				(uint32_t)insn->immediate));
		break;
	case INSN_LOAD:
		put(&text, "r%u = ", insn->dst);
		put_memory(&text, insn, insn->src);
		break;
	case INSN_STORE:
		put_store(&text, insn);
		break;
	case INSN_ATOMIC:
		put(&text, "lock(%#x) ", (unsigned)insn->immediate);
		put_memory(&text, insn, insn->dst);
		put(&text, ", r%u", insn->src);
		break;
	case INSN_CALL:
		put(&text, "call %d", insn->immediate);
		break;
	case INSN_GOTO:
		put(&text, "goto %ld", target);
		break;
	case INSN_BRANCH:
		put_branch(&text, insn, target);
		break;
	case INSN_EXIT:
		put(&text, "exit");
		break;
	default:
		put(&text, "? code %#x dst %u src %u off %d imm %d", insn->code,
		    insn->dst, insn->src, insn->offset, insn->immediate);
		break;
	}
}
