/* SPDX-License-Identifier: GPL-2.0-only */
/* Liveness of registers and of each byte of the stack, backwards. */
#include "compiler/dead.h"

#include <string.h>

#include "compiler/arena.h"

#define WORDS (CFG_STACK / 64)

struct live {
	uint64_t stack[WORDS]; /* a bit a byte: somebody reads it */
	uint64_t registers;
};

/* The bytes of @span that are in that word of live.stack. */
static uint64_t span_bits(struct span span, unsigned word)
{
	unsigned start = word * 64, end = start + 64;
	unsigned from = span.start > start ? span.start : start;
	unsigned to = span.start + span.size;

	if (to > end)
		to = end;
	if (from >= to)
		return 0;
	return UINT64_MAX >> (64 - (to - from)) << (from - start);
}

static bool span_is_live(const struct live *live, struct span span)
{
	uint64_t bits = 0;

	for (unsigned i = 0; span.size && i < WORDS; i++)
		bits |= live->stack[i] & span_bits(span, i);
	return bits;
}

static bool is_needless_move(const struct insn *insn)
{
	return insn->code == (BPF_ALU64 | BPF_MOV | BPF_X) &&
	       insn->dst == insn->src && !insn->offset;
}

static bool is_dead(const struct node *node, const struct live *live)
{
	if (node->effect)
		return false;
	if (is_needless_move(&node->insn))
		return true;
	return !(node->writes & live->registers) &&
	       !span_is_live(live, node->stack_write);
}

static void pass_back(const struct node *node, struct live *live)
{
	/* an atomic one only may write what it says */
	if (node->kind != INSN_ATOMIC)
		live->registers &= ~(uint64_t)node->writes;
	live->registers |= node->reads;
	for (unsigned i = 0; node->overwrites && i < WORDS; i++)
		live->stack[i] &= ~span_bits(node->stack_write, i);
	for (unsigned i = 0; node->stack_read.size && i < WORDS; i++)
		live->stack[i] |= span_bits(node->stack_read, i);
}

static void add(struct live *into, const struct live *from)
{
	into->registers |= from->registers;
	for (unsigned i = 0; i < WORDS; i++)
		into->stack[i] |= from->stack[i];
}

/* What is live behind the nodes of the block. */
static struct live live_at_end(const struct block *block,
			       const struct live *starts)
{
	struct live live = { 0 };

	if (block->end != END_EXIT)
		add(&live, &starts[block->next]);
	if (block->end == END_BRANCH)
		add(&live, &starts[block->taken]);
	if (block->end != END_GOTO)
		live.registers |= block->last.reads;
	return live;
}

/* An instruction that is dead now makes nothing live: so what only dead ones
 * read goes in the same run. */
static bool find_start(const struct block *block, struct live *starts,
		       struct live *start)
{
	struct live live = live_at_end(block, starts);

	for (size_t i = block->count; i-- > 0;)
		if (!is_dead(&block->nodes[i], &live))
			pass_back(&block->nodes[i], &live);
	if (!memcmp(&live, start, sizeof(live)))
		return false;
	*start = live;
	return true;
}

static bool remove_from(struct block *block, const struct live *starts)
{
	struct live live = live_at_end(block, starts);
	size_t kept = block->count;

	for (size_t i = block->count; i-- > 0;) {
		if (is_dead(&block->nodes[i], &live))
			continue;
		pass_back(&block->nodes[i], &live);
		block->nodes[--kept] = block->nodes[i];
	}
	if (!kept)
		return false;
	memmove(block->nodes, block->nodes + kept,
		(block->count - kept) * sizeof(*block->nodes));
	block->count -= kept;
	return true;
}

bool dead_remove(struct cfg *cfg)
{
	struct live *starts =
		arena_array(cfg->arena, cfg->count, sizeof(*starts));
	bool changed;

	do {
		changed = false;
		for (size_t i = cfg->count; i-- > 0;)
			if (!cfg->blocks[i].gone)
				changed |= find_start(&cfg->blocks[i], starts,
						      &starts[i]);
	} while (changed);
	for (size_t i = 0; i < cfg->count; i++)
		if (!cfg->blocks[i].gone)
			changed |= remove_from(&cfg->blocks[i], starts);
	return changed;
}
