/* SPDX-License-Identifier: GPL-2.0-only */
/* record_parse() on anything: with a note, as of a policy, and without. */
#include <stdint.h>

#include "loader/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct record record = { 0 };

	if (!record_parse(bytes, size, true, &record))
		record_free(&record);
	if (!record_parse(bytes, size, false, &record))
		record_free(&record);
	return 0;
}
