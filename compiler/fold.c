/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Conditional constant propagation (Wegman and Zadeck): all is taken for a
 * constant, and a block for unreachable, until something says otherwise.
 * Then instructions are rewritten, edges that decide a branch behind them are
 * led past it, and what is dead goes; again, until nothing changes.
 */
#include "compiler/fold.h"

#include <string.h>

#include "compiler/arena.h"
#include "compiler/dead.h"
#include "compiler/values.h"

/* Far more than any program took; each round is right in itself. */
#define MAX_ROUNDS 100

/* A block that is copied onto an edge is at most so long, and all copies in a
 * program together. */
#define MAX_COPY   8
#define MAX_STEP   2
#define MAX_COPIES 256

/* Blocks that are looked through for a branch that is decided. */
#define MAX_CHAIN 3

struct fold {
	struct cfg *cfg;
	struct values values;
	struct state *starts; /* of each block */
	bool *dirty;	      /* blocks to look at (again) */
	size_t room;	      /* of both */
};

/* ---- analysis ---- */

static struct state state_at_end(struct fold *fold, uint32_t index)
{
	struct block *block = &fold->cfg->blocks[index];
	struct state state = fold->starts[index];

	for (size_t i = 0; i < block->count; i++)
		values_step(&fold->values, &state, &block->nodes[i]);
	return state;
}

/* Whether the branch is decided in @state, and how. */
static bool is_decided(const struct state *state, const struct node *branch,
		       bool *jumps)
{
	uint64_t dst, src;

	if (branch->mark != NODE_PLAIN ||
	    !values_constant(state, branch->insn.dst, &dst) ||
	    !values_source(state, &branch->insn, &src))
		return false;
	*jumps = insn_jumps(&branch->insn, dst, src);
	return true;
}

static void enter(struct fold *fold, uint32_t index, const struct state *state)
{
	if (values_join(&fold->starts[index], state))
		fold->dirty[index] = true;
}

static void enter_refined(struct fold *fold, const struct block *block,
			  bool jumped, const struct state *state)
{
	uint32_t to = jumped ? block->taken : block->next;
	struct state refined;

	if (block->last.mark != NODE_PLAIN ||
	    !values_refines(state, &block->last.insn, jumped)) {
		enter(fold, to, state);
		return;
	}
	refined = *state;
	values_refine(&refined, &block->last.insn, jumped);
	enter(fold, to, &refined);
}

static void visit(struct fold *fold, uint32_t index)
{
	const struct block *block = &fold->cfg->blocks[index];
	struct state state = state_at_end(fold, index);
	bool jumps;

	switch (block->end) {
	case END_EXIT:
		break;
	case END_GOTO:
		enter(fold, block->next, &state);
		break;
	case END_BRANCH:
		if (is_decided(&state, &block->last, &jumps)) {
			enter(fold, jumps ? block->taken : block->next, &state);
		} else {
			enter_refined(fold, block, false, &state);
			enter_refined(fold, block, true, &state);
		}
		break;
	}
}

static void propagate(struct fold *fold)
{
	size_t count = fold->cfg->count;
	bool any;

	for (size_t i = 0; i < count; i++) {
		fold->starts[i].reached = false;
		fold->dirty[i] = false;
	}
	values_start(&fold->starts[0]);
	fold->dirty[0] = true;
	do {
		any = false;
		for (uint32_t i = 0; i < count; i++) {
			if (!fold->dirty[i])
				continue;
			fold->dirty[i] = false;
			any = true;
			visit(fold, i);
		}
	} while (any);
}

static void analyse(struct fold *fold)
{
	size_t count = fold->cfg->count;
	bool strays;

	if (count > fold->room) {
		fold->room = 2 * count;
		fold->starts = arena_array(fold->cfg->arena, fold->room,
					   sizeof(*fold->starts));
		fold->dirty =
			arena_array(fold->cfg->arena, fold->room, sizeof(bool));
	}
	fold->values.strays = false;
	do { /* again, where what was assumed of pointers did not hold */
		strays = fold->values.strays;
		propagate(fold);
	} while (fold->values.strays != strays);
}

/* ---- rewriting ---- */

static const struct value no_value = { .kind = VALUE_UNKNOWN };

static bool is_constant_already(const struct insn *insn)
{
	return BPF_OP(insn->code) == BPF_MOV && !insn_has_source(insn) &&
	       insn_kind(insn) == INSN_ALU;
}

/* x + 0 and the like: a move to itself, which is dead. */
static bool drop_identity(struct insn *insn)
{
	if (BPF_CLASS(insn->code) != BPF_ALU64 || insn_has_source(insn) ||
	    insn->immediate)
		return false;
	switch (BPF_OP(insn->code)) {
	case BPF_ADD:
	case BPF_SUB:
	case BPF_OR:
	case BPF_XOR:
	case BPF_LSH:
	case BPF_RSH:
	case BPF_ARSH:
		*insn = (struct insn){ .code = BPF_ALU64 | BPF_MOV | BPF_X,
				       .dst = insn->dst,
				       .src = insn->dst };
		return true;
	default:
		return false;
	}
}

static bool same_insn(const struct insn *a, const struct insn *b)
{
	return a->code == b->code && a->dst == b->dst && a->src == b->src &&
	       a->offset == b->offset && a->immediate == b->immediate &&
	       a->high == b->high;
}

/* @from: the constant that is in @with. */
static bool replace(struct node *node, struct insn with,
		    const struct value *from)
{
	if (same_insn(&node->insn, &with))
		return false;
	*node = (struct node){ .origin = node->origin };
	node_set(node, &with);
	memcpy(node->sources, from->sources, sizeof(node->sources));
	return true;
}

/* @src: what the source register, if there is one, held in front of the node;
 * @after: what is known behind it. */
static bool rewrite_node(struct node *node, const struct value *src,
			 const struct state *after)
{
	enum insn_kind kind = node->kind;
	struct insn insn = node->insn;
	uint64_t bits;

	if (node->mark != NODE_PLAIN)
		return false;
	if (kind != INSN_ALU && kind != INSN_LOAD && kind != INSN_WIDE)
		return false;
	if (values_constant(after, insn.dst, &bits))
		return !is_constant_already(&insn) &&
		       replace(node, insn_constant(insn.dst, bits),
			       &after->registers[insn.dst]);
	if (kind != INSN_ALU || BPF_OP(insn.code) == BPF_END)
		return false;
	if (insn_has_source(&insn) && (src->kind != VALUE_CONSTANT ||
				       !insn_with_immediate(&insn, src->bits)))
		return false;
	drop_identity(&insn);
	return replace(node, insn,
		       insn_has_source(&node->insn) ? src : &no_value);
}

static void note_decision(struct cfg *cfg, const struct node *branch,
			  const struct state *state)
{
	cfg_note_decision(cfg, branch->origin,
			  state->registers[branch->insn.dst].sources);
	if (insn_has_source(&branch->insn))
		cfg_note_decision(cfg, branch->origin,
				  state->registers[branch->insn.src].sources);
}

static bool rewrite_end(struct cfg *cfg, struct block *block,
			const struct state *state)
{
	struct node *last = &block->last;
	uint64_t bits;
	bool jumps;

	if (block->end != END_BRANCH || block->last.mark != NODE_PLAIN)
		return false;
	if (is_decided(state, &block->last, &jumps)) {
		note_decision(cfg, last, state);
		block->end = END_GOTO;
		block->next = jumps ? block->taken : block->next;
		block->taken = CFG_NONE;
		return true;
	}
	if (!insn_has_source(&last->insn) ||
	    !values_constant(state, last->insn.src, &bits))
		return false;
	memcpy(last->sources, state->registers[last->insn.src].sources,
	       sizeof(last->sources));
	if (!insn_with_immediate(&last->insn, bits))
		return false;
	node_set(last, &last->insn);
	return true;
}

static bool rewrite(struct fold *fold)
{
	bool changed = false;

	for (uint32_t i = 0; i < fold->cfg->count; i++) {
		struct block *block = &fold->cfg->blocks[i];
		struct state state = fold->starts[i];

		if (!state.reached)
			continue;
		for (size_t j = 0; j < block->count; j++) {
			struct node *node = &block->nodes[j];
			struct value src = state.registers[node->insn.src];

			values_step(&fold->values, &state, node);
			changed |= rewrite_node(node, &src, &state);
		}
		changed |= rewrite_end(fold->cfg, block, &state);
	}
	return changed;
}

/* ---- threading ---- */

/* What a relocation or a call is in stays single: each has one record. */
static bool may_copy(const struct fold *fold, uint32_t index)
{
	const struct block *block = &fold->cfg->blocks[index];

	if (block->end == END_EXIT ||
	    block->count > (block->end == END_GOTO ? MAX_STEP : MAX_COPY) ||
	    fold->cfg->copied + block->count > MAX_COPIES ||
	    (block->end == END_BRANCH && block->last.mark != NODE_PLAIN))
		return false;
	for (size_t i = 0; i < block->count; i++)
		if (block->nodes[i].mark != NODE_PLAIN ||
		    block->nodes[i].kind == INSN_CALL)
			return false;
	return true;
}

/* Lets @state pass copies of the nodes: what they say of themselves holds for
 * all who come there. */
static void pass(struct fold *fold, const struct block *block,
		 struct state *state)
{
	for (size_t i = 0; i < block->count; i++) {
		struct node node = block->nodes[i];

		values_step(&fold->values, state, &node);
	}
}

/*
 * Whether who comes to the block @to with @state finds its branch decided, or
 * one not far behind it, and where @to leads then.  Of blocks from @known on,
 * which are new, nothing is known.
 */
static bool leads_on(struct fold *fold, uint32_t to, struct state *state,
		     const bool *heads, size_t known, uint32_t *next)
{
	const struct block *block = &fold->cfg->blocks[to];
	bool jumps;

	*next = block->next;
	for (int i = 0; i < MAX_CHAIN; i++) {
		if (to >= known || heads[to] || !may_copy(fold, to))
			return false;
		pass(fold, block, state);
		if (block->end == END_BRANCH) {
			if (!is_decided(state, &block->last, &jumps))
				return false;
			if (i == 0)
				note_decision(fold->cfg, &block->last, state);
			if (i == 0 && jumps)
				*next = block->taken;
			return true;
		}
		to = block->next;
		block = &fold->cfg->blocks[to];
	}
	return false;
}

/* A copy of that block that leads to @next. */
static uint32_t copy_block(struct cfg *cfg, uint32_t from, uint32_t next)
{
	uint32_t index = cfg_new_block(cfg);
	struct block *copy = &cfg->blocks[index];
	const struct block *block = &cfg->blocks[from];

	for (size_t i = 0; i < block->count; i++)
		*cfg_append(cfg, copy) = block->nodes[i];
	cfg->copied += block->count;
	copy->last.origin = block->last.origin;
	copy->next = next;
	return index;
}

/*
 * One edge of block @from, @jumped for the one of a branch that jumps.  Leads
 * it to a copy, where that goes on by itself.
 */
static bool thread_edge(struct fold *fold, uint32_t from, bool jumped,
			const struct state *end, const bool *heads,
			size_t known)
{
	const struct block *block = &fold->cfg->blocks[from];
	uint32_t to = jumped ? block->taken : block->next, next, copy;
	struct state state;

	if (to == from || to >= known || heads[to] || !may_copy(fold, to))
		return false;
	state = *end;
	if (block->end == END_BRANCH && block->last.mark == NODE_PLAIN)
		values_refine(&state, &block->last.insn, jumped);
	if (!leads_on(fold, to, &state, heads, known, &next))
		return false;
	copy = copy_block(fold->cfg, to, next);
	if (jumped)
		fold->cfg->blocks[from].taken = copy;
	else
		fold->cfg->blocks[from].next = copy;
	return true;
}

static bool thread(struct fold *fold)
{
	bool *heads = cfg_loop_heads(fold->cfg);
	size_t count = fold->cfg->count;
	bool changed = false;

	for (uint32_t i = 0; i < count; i++) {
		const struct block *block = &fold->cfg->blocks[i];
		bool branches = block->end == END_BRANCH;
		struct state end;

		if (!fold->starts[i].reached || block->gone ||
		    block->end == END_EXIT ||
		    !(may_copy(fold, block->next) ||
		      (branches && may_copy(fold, block->taken))))
			continue;
		end = state_at_end(fold, i);
		changed |= thread_edge(fold, i, false, &end, heads, count);
		if (branches)
			changed |=
				thread_edge(fold, i, true, &end, heads, count);
	}
	return changed;
}

/* ---- all of it ---- */

static bool returns_zero(struct fold *fold)
{
	analyse(fold);
	for (uint32_t i = 0; i < fold->cfg->count; i++) {
		const struct block *block = &fold->cfg->blocks[i];
		struct state end;
		uint64_t bits;

		if (!fold->starts[i].reached)
			continue;
		end = state_at_end(fold, i);
		for (size_t j = 0; j < block->count; j++)
			if (block->nodes[j].effect)
				return false;
		if (block->end == END_EXIT &&
		    (!values_constant(&end, BPF_REG_0, &bits) || bits))
			return false;
	}
	return true;
}

bool fold_program(struct cfg *cfg, const struct blob *policy)
{
	struct fold fold = { .cfg = cfg, .values = { .policy = *policy } };
	bool changed = true;

	cfg_simplify(cfg);
	for (int round = 0; changed && round < MAX_ROUNDS; round++) {
		analyse(&fold);
		changed = rewrite(&fold);
		changed |= thread(&fold);
		changed |= cfg_simplify(cfg);
		changed |= dead_remove(cfg);
		changed |= cfg_simplify(cfg);
	}
	while (cfg_merge_twins(cfg))
		cfg_simplify(cfg);
	return returns_zero(&fold);
}
