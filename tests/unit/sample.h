/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A note with one of everything, for tests to damage: three protections, named
 * cgroups, devices, a trace, reasons and days.  All of it lives in the struct,
 * so that a test may change any part.
 */
#pragma once

#include "bundle/note.h"

#define SAMPLE_CLASSES	   8 /* room: 1 + 3 cgroups, 2 places */
#define SAMPLE_PROTECTIONS 3

struct sample {
	struct note note;
	const char *sources[2];
	struct table_statement statements[3];
	struct table_protection protections[SAMPLE_PROTECTIONS];
	const char *cgroups[3];
	const char *devices[2];
	uint64_t denied[SAMPLE_PROTECTIONS][SAMPLE_CLASSES];
	uint64_t logged[SAMPLE_PROTECTIONS][SAMPLE_CLASSES];
	uint32_t decided_by[SAMPLE_PROTECTIONS][SAMPLE_CLASSES * 64];
};

/* The protections: kernel_modules without cgroups, usb with three and with two
 * devices, the trace exec. */
void sample_make(struct sample *sample);

/* kernel_modules alone, with no more than its template decides: denied for
 * containers, logged for all. */
void sample_make_simple(struct sample *sample);
