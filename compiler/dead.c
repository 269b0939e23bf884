/* SPDX-License-Identifier: GPL-2.0-only */
/* Liveness of registers and of each byte of the stack, backwards. */
#include "compiler/dead.h"

#include <string.h>

#include "compiler/arena.h"

struct live {
	unsigned registers;
	uint8_t stack[CFG_STACK]; /* 1: somebody reads that byte */
};

static bool span_is_live(const struct live *live, struct span span)
{
	return memchr(live->stack + span.start, 1, span.size);
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
	return !(insn_writes(&node->insn) & live->registers) &&
	       !span_is_live(live, node->stack_write);
}

static void pass_back(const struct node *node, struct live *live)
{
	/* an atomic one only may write what it says */
	if (insn_kind(&node->insn) != INSN_ATOMIC)
		live->registers &= ~insn_writes(&node->insn);
	if (node->overwrites)
		memset(live->stack + node->stack_write.start, 0,
		       node->stack_write.size);
	live->registers |= node->reads;
	memset(live->stack + node->stack_read.start, 1,
	       node->stack_read.size);
}

static void add(struct live *into, const struct live *from)
{
	into->registers |= from->registers;
	for (size_t i = 0; i < CFG_STACK; i += sizeof(uint64_t)) {
		uint64_t a, b;

		memcpy(&a, into->stack + i, sizeof(a));
		memcpy(&b, from->stack + i, sizeof(b));
		a |= b;
		memcpy(into->stack + i, &a, sizeof(a));
	}
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
		live.registers |= insn_reads(&block->last.insn);
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
