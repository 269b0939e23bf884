/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The stack is known byte by byte, so loads and stores of any width and at any
 * offset compose.
 *
 * A pointer into the stack is followed, alone or joined with what leads
 * elsewhere, or a stray: two of them joined, one in arithmetic that is not
 * followed.  A store through a stray forgets the stack, a load through it reads
 * all of it.  Nothing else can reach the stack, which only r10 leads to.
 */
#include "compiler/values.h"

#include <string.h>

static const struct value unknown = { .kind = VALUE_UNKNOWN };
static const struct value stray = { .kind = VALUE_STRAY };
static const struct span whole_stack = { .start = 0, .size = CFG_STACK };

/* ---- helpers of the kernel ---- */

enum helper_effect {
	EFFECT_NONE, /* but r0 */
	EFFECT_FILL, /* writes r2 bytes at r1, or fewer */
	EFFECT_OTHER,
	EFFECT_ANY, /* and on the stack below what it has a pointer to */
};

struct helper {
	int32_t id;
	unsigned arguments;
	enum helper_effect effect;
	bool stack; /* it may read or write what it has a pointer to */
};

#define ARGUMENTS 5 /* r1 to r5 */

/* A helper that is not here takes five arguments and does anything; it may call
 * a function of ours, and give that the pointer. */
static const struct helper helpers[] = {
	{ BPF_FUNC_map_lookup_elem, 2, EFFECT_NONE, true },
	{ BPF_FUNC_map_update_elem, 4, EFFECT_OTHER, true },
	{ BPF_FUNC_map_delete_elem, 2, EFFECT_OTHER, true },
	{ BPF_FUNC_probe_read, 3, EFFECT_FILL, true },
	{ BPF_FUNC_ktime_get_ns, 0, EFFECT_NONE, false },
	{ BPF_FUNC_get_smp_processor_id, 0, EFFECT_NONE, false },
	{ BPF_FUNC_get_current_pid_tgid, 0, EFFECT_NONE, false },
	{ BPF_FUNC_get_current_uid_gid, 0, EFFECT_NONE, false },
	{ BPF_FUNC_get_current_comm, 2, EFFECT_FILL, true },
	{ BPF_FUNC_get_current_task, 0, EFFECT_NONE, false },
	{ BPF_FUNC_probe_read_str, 3, EFFECT_FILL, true },
	{ BPF_FUNC_get_current_cgroup_id, 0, EFFECT_NONE, false },
	{ BPF_FUNC_probe_read_kernel, 3, EFFECT_FILL, true },
	{ BPF_FUNC_probe_read_kernel_str, 3, EFFECT_FILL, true },
	{ BPF_FUNC_get_current_ancestor_cgroup_id, 1, EFFECT_NONE, false },
	{ BPF_FUNC_ktime_get_boot_ns, 0, EFFECT_NONE, false },
	{ BPF_FUNC_ringbuf_reserve, 3, EFFECT_OTHER, false },
	{ BPF_FUNC_ringbuf_submit, 2, EFFECT_OTHER, false },
	{ BPF_FUNC_ringbuf_discard, 2, EFFECT_OTHER, false },
	{ BPF_FUNC_get_current_task_btf, 0, EFFECT_NONE, false },
};

static struct helper find_helper(const struct node *node)
{
	struct helper any = { node->insn.immediate, ARGUMENTS - node->spared,
			      EFFECT_ANY, true };

	if (node->mark != NODE_PLAIN)
		return any;
	for (size_t i = 0; i < sizeof(helpers) / sizeof(helpers[0]); i++)
		if (helpers[i].id == node->insn.immediate)
			return helpers[i];
	return any;
}

/* ---- values ---- */

void values_start(struct state *state)
{
	*state = (struct state){ .reached = true };
	for (unsigned i = 0; i < INSN_REGISTERS; i++)
		state->registers[i] = unknown;
	state->registers[BPF_REG_10] =
		(struct value){ .kind = VALUE_STACK, .bits = CFG_STACK };
}

static bool may_reach_stack(struct value value)
{
	return value.kind == VALUE_STACK || value.kind == VALUE_EITHER ||
	       value.kind == VALUE_STRAY;
}

/* ---- sources ---- */

static void add_source(struct value *value, struct source_bits source)
{
	for (size_t i = 0; source.mask && i < SOURCES; i++) {
		struct source_bits *each = &value->sources[i];

		if (each->mask && each->word == source.word) {
			each->mask |= source.mask;
			return;
		}
		if (!each->mask) {
			*each = source;
			return;
		}
	}
}

static void add_sources(struct value *value, const struct value *from)
{
	for (size_t i = 0; i < SOURCES; i++)
		add_source(value, from->sources[i]);
}

/* What AND with @bits leaves of the source. */
static void mask_sources(struct value *value, uint64_t bits)
{
	for (size_t i = 0; i < SOURCES; i++)
		if (value->sources[i].mask)
			value->sources[i].mask &= bits
						  << value->sources[i].shift;
}

/* ---- joining ---- */

static struct value join_values(struct value a, struct value b)
{
	bool one, both;

	if (a.kind == b.kind && a.bits == b.bits) {
		add_sources(&a, &b);
		return a;
	}
	if (!may_reach_stack(a) && !may_reach_stack(b))
		return unknown;
	one = !may_reach_stack(a) || !may_reach_stack(b);
	both = !one && a.bits == b.bits;
	if (a.kind == VALUE_STRAY || b.kind == VALUE_STRAY || !(one || both))
		return stray;
	return (struct value){ .kind = VALUE_EITHER,
			       .bits = may_reach_stack(a) ? a.bits : b.bits };
}

static uint64_t word_at(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

/* The eight bytes of the stack from @start on. */
static bool join_word(struct state *into, const struct state *from,
		      size_t start)
{
	uint64_t known = word_at(into->known + start);
	uint64_t both = known & word_at(from->known + start);

	if (word_at(into->stack + start) != word_at(from->stack + start))
		for (size_t i = 0; i < sizeof(both); i++)
			if (into->stack[start + i] != from->stack[start + i])
				both &= ~(UINT64_C(0xff) << 8 * i);
	memcpy(into->known + start, &both, sizeof(both));
	return both != known;
}

bool values_join(struct state *into, const struct state *from)
{
	bool changed = false;

	if (!from->reached)
		return false;
	if (!into->reached) {
		*into = *from;
		return true;
	}
	for (unsigned i = 0; i < INSN_REGISTERS; i++) {
		struct value joined =
			join_values(into->registers[i], from->registers[i]);

		changed |= joined.kind != into->registers[i].kind;
		into->registers[i] = joined;
	}
	for (size_t i = 0; i < CFG_STACK; i += sizeof(uint64_t))
		changed |= join_word(into, from, i);
	return changed;
}

bool values_constant(const struct state *state, unsigned number, uint64_t *bits)
{
	*bits = state->registers[number].bits;
	return state->registers[number].kind == VALUE_CONSTANT;
}

bool values_source(const struct state *state, const struct insn *insn,
		   uint64_t *bits)
{
	if (insn_has_source(insn))
		return values_constant(state, insn->src, bits);
	*bits = (uint64_t)(int64_t)insn->immediate;
	return true;
}

static struct value constant(uint64_t bits)
{
	return (struct value){ .kind = VALUE_CONSTANT, .bits = bits };
}

static struct value pointer(enum value_kind kind, uint64_t offset)
{
	return (struct value){ .kind = kind, .bits = offset };
}

static struct value loaded(const struct values *values)
{
	return values->strays ? stray : unknown;
}

/* ---- the stack ---- */

/* The bytes that @size from @base and @offset are, if they are in the stack;
 * false where they are not known, or not all in it. */
static bool find_span(struct value base, int64_t offset, uint64_t size,
		      struct span *span)
{
	int64_t start;

	if (!may_reach_stack(base) || base.kind == VALUE_STRAY ||
	    __builtin_add_overflow((int64_t)base.bits, offset, &start) ||
	    start < 0 || start > CFG_STACK || size > CFG_STACK ||
	    (uint64_t)start + size > CFG_STACK)
		return false;
	*span = (struct span){ .start = (uint16_t)start,
			       .size = (uint16_t)size };
	return true;
}

/* All that may lie behind a pointer whose size nobody says: what is above it;
 * nothing where it does not lead into the stack. */
static struct span behind(struct value pointer)
{
	if (may_reach_stack(pointer) && pointer.kind != VALUE_STRAY &&
	    pointer.bits <= CFG_STACK)
		return (struct span){
			.start = (uint16_t)pointer.bits,
			.size = (uint16_t)(CFG_STACK - pointer.bits),
		};
	return may_reach_stack(pointer) ? whole_stack : (struct span){ 0 };
}

static struct span larger(struct span a, struct span b)
{
	return a.size > b.size ? a : b; /* both end where the stack does */
}

static void forget(struct state *state, struct span span)
{
	memset(state->known + span.start, 0, span.size);
}

static uint64_t read_bytes(const uint8_t *bytes, unsigned width)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < width; i++)
		bits |= (uint64_t)bytes[i] << 8 * i;
	return bits;
}

/* ---- steps ---- */

/* Whether that operand is 0 in the width that the instruction works on. */
static bool is_zero(struct value operand, const struct insn *insn)
{
	return operand.kind == VALUE_CONSTANT &&
	       (insn_is_narrow(insn) ? !(uint32_t)operand.bits : !operand.bits);
}

static void shift_sources(struct value *value, uint64_t count)
{
	for (size_t i = 0; i < SOURCES; i++) {
		struct source_bits *each = &value->sources[i];

		if (!each->mask)
			continue;
		if (each->shift + count % 64 > 63) {
			*each = (struct source_bits){ 0 };
			continue;
		}
		each->shift = (uint8_t)(each->shift + count % 64);
		each->mask &= UINT64_MAX << each->shift;
	}
}

/* From two constants, and of which bits of the policy. */
static struct value computed(const struct insn *insn, const struct value *dst,
			     const struct value *src)
{
	struct value result =
		constant(insn_compute(insn, dst->bits, src->bits));
	struct value left = *dst, right = *src;

	if (BPF_OP(insn->code) == BPF_AND) {
		mask_sources(&left, src->bits);
		mask_sources(&right, dst->bits);
	} else if (BPF_OP(insn->code) == BPF_RSH) {
		shift_sources(&left, src->bits);
	}
	if (insn_is_narrow(insn)) {
		mask_sources(&left, UINT32_MAX);
		mask_sources(&right, UINT32_MAX);
	}
	add_sources(&result, &left);
	add_sources(&result, &right);
	return result;
}

/* Whether adding a constant leaves a pointer that is still known. */
static bool may_follow(struct value value)
{
	return value.kind == VALUE_STACK || value.kind == VALUE_EITHER ||
	       value.kind == VALUE_POLICY;
}

static struct value alu_result(const struct state *state,
			       const struct node *node)
{
	const struct insn *insn = &node->insn;
	struct value dst = state->registers[insn->dst], src, result;
	uint8_t operation = BPF_OP(insn->code);
	bool follows, reaches;

	src = operation == BPF_END || !insn_has_source(insn)
		      ? constant((uint64_t)(int64_t)insn->immediate)
		      : state->registers[insn->src];
	if (operation == BPF_MOV)
		dst = constant(0); /* it is not read */
	reaches = may_reach_stack(dst) || may_reach_stack(src);
	if (node->mark != NODE_PLAIN || node->kind == INSN_OPAQUE)
		return reaches ? stray : unknown;
	if (dst.kind == VALUE_CONSTANT && src.kind == VALUE_CONSTANT)
		return computed(insn, &dst, &src);
	if ((operation == BPF_AND || operation == BPF_MUL) &&
	    (is_zero(dst, insn) || is_zero(src, insn))) {
		result = constant(0);
		add_sources(&result, is_zero(dst, insn) ? &dst : &src);
		return result;
	}
	if (insn_is_narrow(insn))
		return reaches ? stray : unknown;
	if (operation == BPF_MOV)
		return src;
	follows = may_follow(dst);
	if (operation == BPF_ADD && follows && src.kind == VALUE_CONSTANT)
		return pointer(dst.kind, dst.bits + src.bits);
	if (operation == BPF_SUB && follows && src.kind == VALUE_CONSTANT)
		return pointer(dst.kind, dst.bits - src.bits);
	follows = may_follow(src);
	if (operation == BPF_ADD && follows && dst.kind == VALUE_CONSTANT)
		return pointer(src.kind, src.bits + dst.bits);
	return reaches ? stray : unknown;
}

/* Of a constant that took the place of what it was computed from. */
static void keep_sources(struct state *state, const struct node *node)
{
	struct value *value = &state->registers[node->insn.dst];

	for (size_t i = 0; value->kind == VALUE_CONSTANT && i < SOURCES; i++)
		add_source(value, node->sources[i]);
}

static void step_wide(struct state *state, const struct node *node)
{
	const struct insn *insn = &node->insn;
	struct value value = unknown;

	if (node->mark == NODE_POLICY)
		value = pointer(VALUE_POLICY, (uint64_t)node->policy_offset);
	else if (node->mark == NODE_PLAIN && insn->src == 0)
		value = constant((uint64_t)(uint32_t)insn->high << 32 |
				 (uint32_t)insn->immediate);
	state->registers[insn->dst] = value;
}

static struct value load_policy(const struct values *values,
				const struct insn *insn, struct value base)
{
	const uint8_t *bytes = values->policy.bytes;
	uint64_t offset = base.bits + (uint64_t)(int64_t)insn->offset;
	unsigned width = insn_width(insn);
	struct value value;

	if (insn_is_signed_load(insn) || values->policy.size < width ||
	    offset > values->policy.size - width)
		return loaded(values);
	value = constant(read_bytes(bytes + offset, width));
	value.sources[0] = (struct source_bits){
		.word = (uint16_t)(offset / 8),
		.shift = (uint8_t)(offset % 8 * 8),
		.mask = UINT64_MAX >> (64 - 8 * width) << offset % 8 * 8,
	};
	return value;
}

static void step_load(const struct values *values, struct state *state,
		      struct node *node)
{
	const struct insn *insn = &node->insn;
	struct value base = state->registers[insn->src];
	struct value result = loaded(values);
	unsigned width = insn_width(insn);
	struct span span;

	if (may_reach_stack(base))
		node->stack_read = whole_stack;
	if (node->mark == NODE_PLAIN && base.kind == VALUE_POLICY) {
		result = load_policy(values, insn, base);
	} else if (node->mark == NODE_PLAIN &&
		   find_span(base, insn->offset, width, &span)) {
		static const uint8_t all[8] = { 0xff, 0xff, 0xff, 0xff,
						0xff, 0xff, 0xff, 0xff };

		node->stack_read = span;
		if (base.kind == VALUE_STACK && !insn_is_signed_load(insn) &&
		    !memcmp(state->known + span.start, all, width))
			result = constant(
				read_bytes(state->stack + span.start, width));
	}
	state->registers[insn->dst] = result;
}

static void step_store(struct values *values, struct state *state,
		       struct node *node)
{
	const struct insn *insn = &node->insn;
	struct value base = state->registers[insn->dst];
	struct value value =
		BPF_CLASS(insn->code) == BPF_STX
			? state->registers[insn->src]
			: constant((uint64_t)(int64_t)insn->immediate);
	struct span span;

	node->effect = true;
	if (may_reach_stack(value))
		values->strays = true;
	if (!may_reach_stack(base))
		return;
	if (node->mark != NODE_PLAIN ||
	    !find_span(base, insn->offset, insn_width(insn), &span)) {
		forget(state, whole_stack);
		return;
	}
	forget(state, span);
	if (base.kind != VALUE_STACK)
		return;
	node->effect = false;
	node->overwrites = true;
	node->stack_write = span;
	if (value.kind != VALUE_CONSTANT)
		return;
	memset(state->known + span.start, 0xff, span.size);
	for (unsigned i = 0; i < span.size; i++)
		state->stack[span.start + i] = (uint8_t)(value.bits >> 8 * i);
}

static void step_atomic(struct values *values, struct state *state,
			struct node *node)
{
	const struct insn *insn = &node->insn;
	struct value base = state->registers[insn->dst];

	node->effect = true;
	if (may_reach_stack(state->registers[insn->src]) ||
	    may_reach_stack(state->registers[BPF_REG_0]))
		values->strays = true;
	if (may_reach_stack(base)) {
		node->stack_read = whole_stack;
		forget(state, whole_stack);
	}
	state->registers[insn->src] = loaded(values);
	state->registers[BPF_REG_0] = loaded(values);
}

/* What probe_read and its like write, and read of the stack. */
static void step_fill(struct state *state, struct node *node,
		      const struct helper *helper)
{
	struct value to = state->registers[BPF_REG_1];
	struct value size = state->registers[BPF_REG_2];
	struct value from = state->registers[BPF_REG_3];
	struct span span;

	if (helper->arguments == 3)
		node->stack_read = behind(from);
	if (!may_reach_stack(to)) {
		node->effect = true;
		return;
	}
	if (to.kind == VALUE_STACK && size.kind == VALUE_CONSTANT &&
	    find_span(to, 0, size.bits, &span)) {
		node->stack_write = span;
		forget(state, span);
		return;
	}
	node->effect = true;
	node->stack_read = whole_stack;
	forget(state, whole_stack);
}

static void step_call(struct values *values, struct state *state,
		      struct node *node)
{
	struct helper helper = find_helper(node);
	struct span reached = values->strays ? whole_stack : (struct span){ 0 };

	node->reads = 0;
	for (unsigned i = 1; i <= helper.arguments; i++) {
		node->reads |= 1u << i;
		reached = larger(reached, behind(state->registers[i]));
	}
	if (helper.effect == EFFECT_ANY && reached.size)
		reached = whole_stack;
	if (helper.effect == EFFECT_FILL) {
		step_fill(state, node, &helper);
	} else {
		node->effect = helper.effect != EFFECT_NONE;
		if (helper.stack) {
			node->stack_read = reached;
			if (node->effect)
				forget(state, reached);
		}
	}
	for (unsigned i = 0; i <= 5; i++)
		state->registers[i] = unknown;
}

void values_step(struct values *values, struct state *state, struct node *node)
{
	const struct insn *insn = &node->insn;

	node->effect = false;
	node->overwrites = false;
	node->stack_read = (struct span){ 0 };
	node->stack_write = (struct span){ 0 };
	switch (node->kind) {
	case INSN_ALU:
	case INSN_OPAQUE:
		state->registers[insn->dst] = alu_result(state, node);
		keep_sources(state, node);
		break;
	case INSN_WIDE:
		step_wide(state, node);
		keep_sources(state, node);
		break;
	case INSN_LOAD:
		step_load(values, state, node);
		break;
	case INSN_STORE:
		step_store(values, state, node);
		break;
	case INSN_ATOMIC:
		step_atomic(values, state, node);
		break;
	case INSN_CALL:
		step_call(values, state, node);
		break;
	default: /* the builder keeps jumps out of blocks' nodes */
		break;
	}
}

bool values_refines(const struct state *state, const struct insn *insn,
		    bool jumped)
{
	uint8_t equal = jumped ? BPF_JEQ : BPF_JNE;
	uint64_t bits;

	return BPF_OP(insn->code) == equal && !insn_is_narrow(insn) &&
	       state->registers[insn->dst].kind == VALUE_UNKNOWN &&
	       values_source(state, insn, &bits);
}

void values_refine(struct state *state, const struct insn *insn, bool jumped)
{
	uint64_t bits;

	if (values_refines(state, insn, jumped) &&
	    values_source(state, insn, &bits))
		state->registers[insn->dst] = constant(bits);
}
