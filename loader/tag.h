/* SPDX-License-Identifier: GPL-2.0-only */
/* The tag that the kernel gives a program: the first 8 bytes of a hash of its
 * instructions as they were given to it, but for what names maps. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_insn;

/* Whether @tag (BPF_TAG_SIZE bytes) is the one of these instructions, whichever
 * helper libbpf has them read the kernel's memory with: SHA-1 up to Linux 6.17,
 * SHA-256 later.  false where there is no memory to tell. */
bool tag_is_of(const uint8_t *tag, const struct bpf_insn *instructions,
	       size_t count);

#define SHA1_SIZE 20

void sha1(const void *bytes, size_t size, uint8_t digest[SHA1_SIZE]);
