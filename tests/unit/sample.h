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
	struct destination destinations[2];
	struct destination_prefix prefixes[3];
	struct destination_ports ports[3];
	struct operation operations[64];
	struct protection network;
};

/* The protections: kernel_modules without cgroups, usb with three and with two
 * devices, the trace exec. */
void sample_make(struct sample *sample);

/* kernel_modules alone, with no more than its template decides: denied for
 * containers, logged for all. */
void sample_make_simple(struct sample *sample);

/*
 * network alone, with two destinations:
 *
 *	inside	10.0.0.0/8, 10.1.0.0/16, 2001:db8::/32; ports 443, 8000-8080
 *	mail	every address; port 25
 *
 * Containers are denied and logged all but `inside`, the host nothing.
 */
void sample_make_network(struct sample *sample);
