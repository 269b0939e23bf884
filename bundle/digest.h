/* SPDX-License-Identifier: GPL-2.0-only */
/* SHA-256, by libsodium: what sha256sum prints. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define DIGEST_SIZE 32
#define DIGEST_HEX_SIZE (2 * DIGEST_SIZE + 1) /* with the NUL */

struct digest {
	uint8_t bytes[DIGEST_SIZE];
};

struct digest digest_of(const void *bytes, size_t size);

/* 64 lower-case digits and a NUL into @hex. */
void digest_to_hex(const struct digest *digest, char hex[DIGEST_HEX_SIZE]);
