/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Blocks are made of leaders: the first slot, targets of jumps and whatever
 * follows a jump.  They are laid out in chains: each block is followed by the
 * one that it falls to, where that has no place yet, and chains start in the
 * order in which the blocks stood.  So code stays about where it was.
 */
#include "compiler/cfg.h"

#include <string.h>

#include "compiler/arena.h"

/* ---- building ---- */

struct builder {
	struct arena *arena;
	const uint8_t *bytes;
	const struct slot_note *notes;
	size_t slots;
	struct insn *insns; /* an element a slot */
	bool *starts;	    /* an instruction starts in that slot */
	bool *leads;	    /* a block does */
	uint32_t *blocks;   /* its number, where one does */
};

/* A call of another program, where no relocation says that it is the kernel's
 * function. */
static bool is_local_call(const struct builder *builder, size_t slot)
{
	return insn_kind(&builder->insns[slot]) == INSN_CALL &&
	       builder->insns[slot].src &&
	       builder->notes[slot].mark == NODE_PLAIN;
}

static bool decode_all(struct builder *builder)
{
	for (size_t i = 0; i < builder->slots;) {
		unsigned taken =
			insn_decode(builder->bytes + i * INSN_SIZE,
				    builder->slots - i, &builder->insns[i]);

		if (!taken || insn_kind(&builder->insns[i]) == INSN_UNKNOWN ||
		    is_local_call(builder, i))
			return false;
		builder->starts[i] = true;
		i += taken;
	}
	return true;
}

static bool is_jump(enum insn_kind kind)
{
	return kind == INSN_GOTO || kind == INSN_BRANCH || kind == INSN_EXIT;
}

/* The slot behind the instruction, and where it jumps. */
static long slot_behind(const struct builder *builder, size_t slot)
{
	return (long)(slot + insn_slots(&builder->insns[slot]));
}

static long slot_target(const struct builder *builder, size_t slot)
{
	return (long)slot + 1 + builder->insns[slot].offset;
}

static bool is_start(const struct builder *builder, long slot)
{
	return slot >= 0 && (size_t)slot < builder->slots &&
	       builder->starts[slot];
}

static bool find_leaders(struct builder *builder)
{
	builder->leads[0] = true;
	for (size_t i = 0; i < builder->slots; i++) {
		enum insn_kind kind;
		long behind, target;

		if (!builder->starts[i])
			continue;
		kind = insn_kind(&builder->insns[i]);
		behind = slot_behind(builder, i);
		target = slot_target(builder, i);
		if (kind != INSN_EXIT && kind != INSN_GOTO &&
		    !is_start(builder, behind))
			return false;
		if (is_jump(kind) && is_start(builder, behind))
			builder->leads[behind] = true;
		if (kind == INSN_GOTO || kind == INSN_BRANCH) {
			if (!is_start(builder, target))
				return false;
			builder->leads[target] = true;
		}
	}
	return true;
}

void node_set(struct node *node, const struct insn *insn)
{
	node->insn = *insn;
	node->kind = insn_kind(insn);
	node->reads = insn_reads(insn);
	node->writes = insn_writes(insn);
}

struct node *cfg_append(struct cfg *cfg, struct block *block)
{
	block->nodes = arena_grow(cfg->arena, block->nodes, block->count,
				  &block->capacity, sizeof(*block->nodes));
	block->nodes[block->count] = (struct node){ 0 };
	return &block->nodes[block->count++];
}

uint32_t cfg_new_block(struct cfg *cfg)
{
	cfg->blocks = arena_grow(cfg->arena, cfg->blocks, cfg->count,
				 &cfg->capacity, sizeof(*cfg->blocks));
	cfg->blocks[cfg->count] = (struct block){ .end = END_GOTO,
						  .next = CFG_NONE,
						  .taken = CFG_NONE };
	return (uint32_t)cfg->count++;
}

static void end_block(const struct builder *builder, struct block *block,
		      const struct node *node, size_t slot)
{
	enum insn_kind kind = insn_kind(&node->insn);

	block->last = *node;
	switch (kind) {
	case INSN_EXIT:
		block->end = END_EXIT;
		break;
	case INSN_GOTO:
		block->end = END_GOTO;
		block->next = builder->blocks[slot_target(builder, slot)];
		break;
	default:
		block->end = END_BRANCH;
		block->next = builder->blocks[slot_behind(builder, slot)];
		block->taken = builder->blocks[slot_target(builder, slot)];
		break;
	}
}

/* The block that starts in @slot. */
static void fill_block(const struct builder *builder, struct cfg *cfg,
		       size_t slot)
{
	struct block *block = &cfg->blocks[builder->blocks[slot]];

	for (;;) {
		struct node node = {
			.origin = (uint32_t)slot,
			.mark = builder->notes[slot].mark,
			.policy_offset = builder->notes[slot].policy_offset,
			.spared = builder->notes[slot].spared,
			.effect = true,
		};
		size_t behind = (size_t)slot_behind(builder, slot);

		node_set(&node, &builder->insns[slot]);
		if (is_jump(node.kind)) {
			end_block(builder, block, &node, slot);
			return;
		}
		*cfg_append(cfg, block) = node;
		if (builder->leads[behind]) {
			block->last.origin = node.origin;
			block->next = builder->blocks[behind];
			return;
		}
		slot = behind;
	}
}

struct cfg *cfg_build(struct arena *arena, const uint8_t *bytes, size_t slots,
		      const struct slot_note *notes)
{
	struct builder builder = {
		.arena = arena, .bytes = bytes, .notes = notes, .slots = slots
	};
	struct cfg *cfg = arena_alloc(arena, sizeof(*cfg));

	if (!slots || slots > CFG_MAX_SLOTS)
		return NULL;
	builder.insns = arena_array(arena, slots, sizeof(*builder.insns));
	builder.starts = arena_array(arena, slots, sizeof(bool));
	builder.leads = arena_array(arena, slots, sizeof(bool));
	builder.blocks = arena_array(arena, slots, sizeof(uint32_t));
	cfg->arena = arena;
	if (!decode_all(&builder) || !find_leaders(&builder))
		return NULL;
	for (size_t i = 0; i < slots; i++)
		if (builder.leads[i])
			builder.blocks[i] = cfg_new_block(cfg);
	for (size_t i = 0; i < slots; i++)
		if (builder.leads[i])
			fill_block(&builder, cfg, i);
	return cfg;
}

void cfg_note_decision(struct cfg *cfg, uint32_t origin,
		       const struct source_bits *sources)
{
	for (size_t i = 0; i < SOURCES && sources[i].mask; i++) {
		bool known = false;

		for (size_t j = 0; j < cfg->decision_count; j++) {
			const struct decision *each = &cfg->decisions[j];

			known |= each->origin == origin &&
				 each->source.word == sources[i].word &&
				 each->source.mask == sources[i].mask;
		}
		if (known)
			continue;
		cfg->decisions = arena_grow(
			cfg->arena, cfg->decisions, cfg->decision_count,
			&cfg->decision_capacity, sizeof(*cfg->decisions));
		cfg->decisions[cfg->decision_count++] =
			(struct decision){ .origin = origin,
					   .source = sources[i] };
	}
}

/* ---- simplifying ---- */

/* Where one comes to from @index by gotos alone.  A circle of them is left. */
static uint32_t follow(const struct cfg *cfg, uint32_t index)
{
	uint32_t at = index;

	for (size_t i = 0; i < cfg->count; i++) {
		const struct block *block = &cfg->blocks[at];

		if (block->count || block->end != END_GOTO)
			return at;
		at = block->next;
	}
	return index;
}

static bool redirect(const struct cfg *cfg, uint32_t *target)
{
	uint32_t to = follow(cfg, *target);

	if (to == *target)
		return false;
	*target = to;
	return true;
}

static bool simplify_end(const struct cfg *cfg, struct block *block)
{
	bool changed = false;

	if (block->end == END_EXIT)
		return false;
	changed |= redirect(cfg, &block->next);
	if (block->end == END_BRANCH) {
		changed |= redirect(cfg, &block->taken);
		if (block->taken == block->next &&
		    block->last.mark == NODE_PLAIN) {
			block->end = END_GOTO;
			block->taken = CFG_NONE;
			changed = true;
		}
	}
	if (block->end == END_GOTO) {
		const struct block *next = &cfg->blocks[block->next];

		if (next != block && !next->count && next->end == END_EXIT) {
			block->end = END_EXIT;
			block->last = next->last;
			block->next = CFG_NONE;
			changed = true;
		}
	}
	return changed;
}

/* Visits a block and all that it leads to, once each. */
struct walk {
	const struct cfg *cfg;
	uint32_t *stack; /* room for all blocks */
	size_t depth;
	uint32_t *entries; /* edges into each block; the first has one more */
};

static void walk_to(struct walk *walk, uint32_t index)
{
	if (walk->entries[index]++ == 0)
		walk->stack[walk->depth++] = index;
}

static uint32_t *count_entries(const struct cfg *cfg)
{
	struct walk walk = {
		.cfg = cfg,
		.stack = arena_array(cfg->arena, cfg->count, sizeof(uint32_t)),
		.entries =
			arena_array(cfg->arena, cfg->count, sizeof(uint32_t)),
	};

	walk_to(&walk, 0);
	while (walk.depth) {
		const struct block *block =
			&cfg->blocks[walk.stack[--walk.depth]];

		if (block->end != END_EXIT)
			walk_to(&walk, block->next);
		if (block->end == END_BRANCH)
			walk_to(&walk, block->taken);
	}
	return walk.entries;
}

/* Takes in the block behind it, where nothing else leads there. */
static bool merge_next(struct cfg *cfg, uint32_t index, uint32_t *entries)
{
	struct block *block = &cfg->blocks[index];
	struct block *next;

	if (block->end != END_GOTO || block->next == index ||
	    entries[block->next] != 1)
		return false;
	next = &cfg->blocks[block->next];
	for (size_t i = 0; i < next->count; i++)
		*cfg_append(cfg, block) = next->nodes[i];
	entries[block->next] = 0;
	next->gone = true;
	block->end = next->end;
	block->last = next->last;
	block->taken = next->taken;
	block->next = next->next;
	return true;
}

static bool simplify_once(struct cfg *cfg)
{
	bool changed = false;
	uint32_t *entries;

	for (size_t i = 0; i < cfg->count; i++)
		if (!cfg->blocks[i].gone)
			changed |= simplify_end(cfg, &cfg->blocks[i]);
	entries = count_entries(cfg);
	for (uint32_t i = 0; i < cfg->count; i++) {
		if (!entries[i] && !cfg->blocks[i].gone) {
			cfg->blocks[i].gone = true;
			changed = true;
		}
		while (entries[i] && merge_next(cfg, i, entries))
			changed = true;
	}
	return changed;
}

bool cfg_simplify(struct cfg *cfg)
{
	bool changed = false;

	while (simplify_once(cfg))
		changed = true;
	return changed;
}

/* ---- twins ---- */

static bool same_insn(const struct insn *a, const struct insn *b)
{
	return a->code == b->code && a->dst == b->dst && a->src == b->src &&
	       a->offset == b->offset && a->immediate == b->immediate &&
	       a->high == b->high;
}

static bool same_node(const struct node *a, const struct node *b)
{
	return a->mark == NODE_PLAIN && b->mark == NODE_PLAIN &&
	       same_insn(&a->insn, &b->insn);
}

static bool same_block(const struct block *a, const struct block *b)
{
	if (a->count != b->count || a->end != b->end || a->next != b->next ||
	    a->taken != b->taken)
		return false;
	if (a->end != END_GOTO && !same_node(&a->last, &b->last))
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!same_node(&a->nodes[i], &b->nodes[i]))
			return false;
	return true;
}

static void redirect_all(struct cfg *cfg, uint32_t from, uint32_t to)
{
	for (size_t i = 0; i < cfg->count; i++) {
		struct block *block = &cfg->blocks[i];

		if (block->next == from)
			block->next = to;
		if (block->taken == from)
			block->taken = to;
	}
}

bool cfg_merge_twins(struct cfg *cfg)
{
	bool changed = false;

	for (uint32_t i = 0; i < cfg->count; i++) {
		for (uint32_t j = i + 1; j < cfg->count; j++) {
			const struct block *a = &cfg->blocks[i];
			const struct block *b = &cfg->blocks[j];

			if (a->gone || b->gone || !same_block(a, b))
				continue;
			redirect_all(cfg, j, i);
			cfg->blocks[j].gone = true;
			changed = true;
		}
	}
	return changed;
}

/* ---- loops ---- */

enum colour { WHITE, GREY, BLACK };

/* A walk in depth without recursion: a program may have 65536 blocks. */
bool *cfg_loop_heads(const struct cfg *cfg)
{
	bool *heads = arena_array(cfg->arena, cfg->count, sizeof(bool));
	uint8_t *colours = arena_array(cfg->arena, cfg->count, 1);
	uint8_t *edges = arena_array(cfg->arena, cfg->count, 1);
	uint32_t *path = arena_array(cfg->arena, cfg->count, sizeof(uint32_t));
	size_t depth = 1;

	colours[0] = GREY;
	while (depth) {
		uint32_t index = path[depth - 1], to;
		const struct block *block = &cfg->blocks[index];
		unsigned edge = edges[index]++;

		if (block->end == END_EXIT ||
		    edge > (unsigned)(block->end == END_BRANCH)) {
			colours[index] = BLACK;
			depth--;
			continue;
		}
		to = edge ? block->taken : block->next;
		if (colours[to] == GREY)
			heads[to] = true;
		if (colours[to] != WHITE)
			continue;
		colours[to] = GREY;
		path[depth++] = to;
	}
	return heads;
}

/* ---- laying out ---- */

struct placing {
	const struct cfg *cfg;
	uint32_t *order; /* blocks, as they follow each other */
	size_t count;
	uint32_t *starts; /* of each block, in slots; CFG_NONE: not placed */
};

static void place_chain(struct placing *placing, uint32_t index)
{
	while (placing->starts[index] == CFG_NONE) {
		const struct block *block = &placing->cfg->blocks[index];

		placing->starts[index] = 0;
		placing->order[placing->count++] = index;
		if (block->end == END_EXIT)
			return;
		index = block->next;
	}
}

static uint32_t block_origin(const struct block *block)
{
	return block->count ? block->nodes[0].origin : block->last.origin;
}

/* The block, not placed yet, that stood first. */
static uint32_t first_left(const struct placing *placing)
{
	const struct cfg *cfg = placing->cfg;
	uint32_t best = CFG_NONE;

	for (uint32_t i = 0; i < cfg->count; i++) {
		if (cfg->blocks[i].gone || placing->starts[i] != CFG_NONE)
			continue;
		if (best == CFG_NONE ||
		    block_origin(&cfg->blocks[i]) <
			    block_origin(&cfg->blocks[best]))
			best = i;
	}
	return best;
}

static uint32_t block_behind(const struct placing *placing, size_t place)
{
	return place + 1 < placing->count ? placing->order[place + 1]
					  : CFG_NONE;
}

/*
 * Turns a branch round where that saves a goto.  A copy: the graph stays as
 * it is.
 */
static struct block as_placed(const struct placing *placing, size_t place)
{
	struct block block = placing->cfg->blocks[placing->order[place]];
	uint32_t behind = block_behind(placing, place), taken = block.taken;

	if (block.end == END_BRANCH && block.next != behind &&
	    taken == behind && block.last.mark == NODE_PLAIN &&
	    insn_invert(&block.last.insn)) {
		block.taken = block.next;
		block.next = taken;
	}
	return block;
}

static bool needs_goto(const struct placing *placing, size_t place,
		       const struct block *block)
{
	return block->end != END_EXIT &&
	       block->next != block_behind(placing, place);
}

static size_t place_all(struct placing *placing)
{
	size_t slots = 0;

	for (uint32_t next = 0; next != CFG_NONE; next = first_left(placing))
		place_chain(placing, next);
	for (size_t i = 0; i < placing->count; i++) {
		struct block block = as_placed(placing, i);

		placing->starts[placing->order[i]] = (uint32_t)slots;
		for (size_t j = 0; j < block.count; j++)
			slots += insn_slots(&block.nodes[j].insn);
		slots += block.end != END_GOTO;
		slots += needs_goto(placing, i, &block);
	}
	return slots;
}

static void put_insn(struct layout *layout, const struct insn *insn,
		     uint32_t origin)
{
	insn_encode(insn, layout->bytes + layout->slots * INSN_SIZE);
	layout->origins[layout->slots] = origin;
	if (insn_slots(insn) == 2)
		layout->origins[layout->slots + 1] = CFG_NONE;
	layout->slots += insn_slots(insn);
}

static void put_node(struct layout *layout, const struct node *node)
{
	memcpy(layout->sources[layout->slots], node->sources,
	       sizeof(node->sources));
	put_insn(layout, &node->insn, node->origin);
}

static bool put_jump(struct layout *layout, const struct insn *insn,
		     uint32_t origin, uint32_t target)
{
	long distance = (long)target - (long)layout->slots - 1;
	struct insn jump = *insn;

	jump.offset = (int16_t)distance;
	put_insn(layout, &jump, origin);
	return distance == jump.offset;
}

bool cfg_lay_out(const struct cfg *cfg, struct layout *layout)
{
	static const struct insn go_to = { .code = BPF_JMP | BPF_JA };
	struct placing placing = {
		.cfg = cfg,
		.order = arena_array(cfg->arena, cfg->count, sizeof(uint32_t)),
		.starts = arena_array(cfg->arena, cfg->count, sizeof(uint32_t)),
	};
	size_t slots;
	bool fits = true;

	memset(placing.starts, 0xff, cfg->count * sizeof(uint32_t));
	slots = place_all(&placing);
	*layout = (struct layout){
		.bytes = arena_array(cfg->arena, slots, INSN_SIZE),
		.origins = arena_array(cfg->arena, slots, sizeof(uint32_t)),
		.inserted = arena_array(cfg->arena, slots, sizeof(bool)),
		.sources = arena_array(cfg->arena, slots,
				       sizeof(*layout->sources)),
	};
	for (size_t i = 0; i < placing.count; i++) {
		struct block block = as_placed(&placing, i);
		const struct node *last = &block.last;

		for (size_t j = 0; j < block.count; j++)
			put_node(layout, &block.nodes[j]);
		memcpy(layout->sources[layout->slots], last->sources,
		       block.end == END_BRANCH ? sizeof(last->sources) : 0);
		if (block.end == END_BRANCH)
			fits &= put_jump(layout, &last->insn, last->origin,
					 placing.starts[block.taken]);
		else if (block.end == END_EXIT)
			put_insn(layout, &last->insn, last->origin);
		if (needs_goto(&placing, i, &block)) {
			layout->inserted[layout->slots] = true;
			fits &= put_jump(layout, &go_to, last->origin,
					 placing.starts[block.next]);
		}
	}
	return fits;
}
