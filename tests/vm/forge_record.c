/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Linked into a loader that lies (--wrap=record_create): what it records as the
 * digest of the bundle that it loaded is BPFLOCK_FORGE, 64 digits. So what
 * --verify says of the rest stands by itself. Canaries, which would keep it
 * from loading what was tampered with, it has none (--wrap=attach_and_prove).
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "loader/attach.h"
#include "loader/prove.h"
#include "loader/record.h"

int __real_record_create(const struct digest *bundle, const struct note *note,
			 const struct record_objects *objects, int *fd);
int __wrap_record_create(const struct digest *bundle, const struct note *note,
			 const struct record_objects *objects, int *fd);

int __wrap_record_create(const struct digest *bundle, const struct note *note,
			 const struct record_objects *objects, int *fd)
{
	const char *hex = getenv("BPFLOCK_FORGE");
	struct digest forged = *bundle;

	if (hex)
		sodium_hex2bin(forged.bytes, DIGEST_SIZE, hex, strlen(hex),
			       NULL, NULL, NULL);
	return __real_record_create(&forged, note, objects, fd);
}

int __wrap_attach_and_prove(struct run *run, struct load *load);

int __wrap_attach_and_prove(struct run *run, struct load *load)
{
	return attach_programs(run, load);
}
