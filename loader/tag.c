/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As bpf_prog_calc_tag() of the kernel does it: descriptors of maps, and
 * offsets into them, are zeros.  So the tag says nothing of which map, or which
 * place in it, an instruction means.
 *
 * SHA-1 is here by hand (FIPS 180-4) because no library of ours has it.
 */
#include "loader/tag.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

#include "bundle/digest.h"
#include "loader/cleanup.h"

#define BLOCK_SIZE 64

static uint32_t rotate(uint32_t word, unsigned bits)
{
	return word << bits | word >> (32 - bits);
}

static void add_block(uint32_t state[5], const uint8_t *block)
{
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
	uint32_t e = state[4], words[80];

	memcpy(words, block, BLOCK_SIZE);
	for (unsigned i = 0; i < 80; i++) {
		uint32_t mixed, next;

		words[i] =
			i < 16 ? be32toh(words[i])
			       : rotate(words[i - 3] ^ words[i - 8] ^
						words[i - 14] ^ words[i - 16],
					1);
		if (i < 20)
			mixed = ((b & c) | (~b & d)) + 0x5a827999;
		else if (i < 40)
			mixed = (b ^ c ^ d) + 0x6ed9eba1;
		else if (i < 60)
			mixed = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
		else
			mixed = (b ^ c ^ d) + 0xca62c1d6;
		next = rotate(a, 5) + mixed + e + words[i];
		e = d;
		d = c;
		c = rotate(b, 30);
		b = a;
		a = next;
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
	state[4] += e;
}

void sha1(const void *bytes, size_t size, uint8_t digest[SHA1_SIZE])
{
	uint32_t state[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
			      0xc3d2e1f0 };
	uint64_t bits = htobe64((uint64_t)size * 8);
	size_t whole = size - size % BLOCK_SIZE, rest = size - whole;
	uint8_t last[2 * BLOCK_SIZE] = { 0 };
	size_t padded = rest + 1 + sizeof(bits) > BLOCK_SIZE ? 2 * BLOCK_SIZE
							     : BLOCK_SIZE;

	for (size_t at = 0; at < whole; at += BLOCK_SIZE)
		add_block(state, (const uint8_t *)bytes + at);
	if (rest)
		memcpy(last, (const uint8_t *)bytes + whole, rest);
	last[rest] = 0x80;
	memcpy(last + padded - sizeof(bits), &bits, sizeof(bits));
	for (size_t at = 0; at < padded; at += BLOCK_SIZE)
		add_block(state, last + at);
	for (unsigned i = 0; i < 5; i++)
		state[i] = htobe32(state[i]);
	memcpy(digest, state, SHA1_SIZE);
}

static bool is_tag(const uint8_t *tag, const struct bpf_insn *instructions,
		   size_t count)
{
	size_t size = count * sizeof(*instructions);
	uint8_t old[SHA1_SIZE];
	struct digest new = digest_of(instructions, size);

	sha1(instructions, size, old);
	return !memcmp(tag, old, BPF_TAG_SIZE) ||
	       !memcmp(tag, new.bytes, BPF_TAG_SIZE);
}

/*
 * libbpf calls bpf_probe_read() where it finds that a program with
 * bpf_probe_read_kernel() is refused, and so it is to whom a loaded policy
 * denies kernel_secrets.bpf_read: to who loads another bundle, or to who
 * verifies this one.  Of the kernel's memory both read the same.
 */
static void name_reads(struct bpf_insn *instructions, size_t count, int from,
		       int to)
{
	for (size_t i = 0; i < count; i++)
		if (instructions[i].code == (BPF_JMP | BPF_CALL) &&
		    !instructions[i].src_reg && instructions[i].imm == from)
			instructions[i].imm = to;
}

bool tag_is_of(const uint8_t *tag, const struct bpf_insn *instructions,
	       size_t count)
{
	CLEANUP(free_memory) struct bpf_insn *copy = NULL;
	size_t size = count * sizeof(*copy);

	copy = malloc(size + 1);
	if (!copy)
		return false;
	memcpy(copy, instructions, size);
	for (size_t i = 0; i + 1 < count; i++) {
		if (copy[i].code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if (copy[i].src_reg == BPF_PSEUDO_MAP_FD ||
		    copy[i].src_reg == BPF_PSEUDO_MAP_VALUE)
			copy[i].imm = copy[i + 1].imm = 0;
		i++;
	}
	if (is_tag(tag, copy, count))
		return true;
	name_reads(copy, count, BPF_FUNC_probe_read_kernel,
		   BPF_FUNC_probe_read);
	name_reads(copy, count, BPF_FUNC_probe_read_kernel_str,
		   BPF_FUNC_probe_read_str);
	if (is_tag(tag, copy, count))
		return true;
	name_reads(copy, count, BPF_FUNC_probe_read,
		   BPF_FUNC_probe_read_kernel);
	name_reads(copy, count, BPF_FUNC_probe_read_str,
		   BPF_FUNC_probe_read_kernel_str);
	return is_tag(tag, copy, count);
}
