/* SPDX-License-Identifier: GPL-2.0-only */
#include "bundle/digest.h"

#include <sodium.h>

_Static_assert(DIGEST_SIZE == crypto_hash_sha256_BYTES, "SHA-256");

/* Needs no sodium_init(): that chooses faster code and seeds random numbers,
 * and SHA-256 has one implementation. */
struct digest digest_of(const void *bytes, size_t size)
{
	struct digest digest;

	crypto_hash_sha256(digest.bytes, bytes, size);
	return digest;
}

void digest_to_hex(const struct digest *digest, char hex[DIGEST_HEX_SIZE])
{
	sodium_bin2hex(hex, DIGEST_HEX_SIZE, digest->bytes, DIGEST_SIZE);
}
