/* SPDX-License-Identifier: GPL-2.0-only */
#include "sample.h"

#include <stdlib.h>
#include <string.h>

static void set_protection(struct sample *sample, unsigned index,
			   enum protection_id id)
{
	sample->protections[index] = (struct table_protection){
		.protection = &protections[id],
		.denied = sample->denied[index],
		.logged = sample->logged[index],
		.decided_by = sample->decided_by[index],
	};
}

static void set_table(struct sample *sample)
{
	memset(sample, 0, sizeof(*sample));
	memset(sample->note.source.bytes, 0x5a, DIGEST_SIZE);
	memset(sample->note.compiler.bytes, 0xc3, DIGEST_SIZE);
	sample->sources[0] = "sample.bpflock";
	sample->sources[1] = "lib/caf\xc3\xa9.bpflock";
	sample->statements[0] =
		(struct table_statement){ .source = 0, .line = 7, .column = 9 };
	sample->statements[1] = (struct table_statement){
		.source = 1,
		.line = 300,
		.column = 1,
		.reason = "the camera, until it is replaced",
		.until = 20300630,
	};
	sample->statements[2] = (struct table_statement){
		.source = 0, .line = 8, .column = 9, .until = 20310101
	};
	sample->note.table = (struct table){
		.policy = "sample-1",
		.description = "one of everything",
		.language = 1,
		.version = 3,
		.locked = true,
		.until = 20300630,
		.sources = sample->sources,
		.source_count = 2,
		.statements = sample->statements,
		.statement_count = 3,
		.protections = sample->protections,
	};
	set_protection(sample, 0, PROTECTION_kernel_modules);
	sample->protections[0].profile = PROFILE_BASELINE;
	sample->denied[0][PLACE_CONTAINER] = 3;
	sample->logged[0][PLACE_HOST] = 3;
	sample->logged[0][PLACE_CONTAINER] = 3;
}

void sample_make_simple(struct sample *sample)
{
	set_table(sample);
	sample->note.table.protection_count = 1;
}

void sample_make(struct sample *sample)
{
	struct table_protection *usb = &sample->protections[1];

	set_table(sample);
	sample->note.table.protection_count = 3;
	set_protection(sample, 1, PROTECTION_usb);
	set_protection(sample, 2, TRACE_exec);
	sample->cgroups[0] = "/a";
	sample->cgroups[1] = "/a/b";
	sample->cgroups[2] = "/a-b";
	sample->devices[0] = "0951:1666";
	sample->devices[1] = "0951:1667";
	usb->profile = PROFILE_RESTRICTED;
	usb->log = LOG_NONE;
	usb->cgroups = sample->cgroups;
	usb->cgroup_count = 3;
	usb->devices = sample->devices;
	usb->device_count = 2;
	for (unsigned i = 0; i < SAMPLE_CLASSES; i++) {
		sample->denied[1][i] = i % 4;
		sample->decided_by[1][2 * i] = i % 3;
		sample->decided_by[1][2 * i + 1] = TABLE_NO_STATEMENT;
	}
	sample->logged[2][PLACE_HOST] = 1;
	sample->decided_by[2][PLACE_CONTAINER] = TABLE_NO_STATEMENT;
}

static void set_prefix(struct destination_prefix *prefix, const char *text)
{
	const char *wrong = destination_prefix_read(text, prefix);

	if (wrong)
		abort();
}

void sample_make_network(struct sample *sample)
{
	struct destination *inside = &sample->destinations[0];
	struct destination *mail = &sample->destinations[1];
	unsigned built_in =
		protection_operation_count(&protections[PROTECTION_network]);
	uint64_t all;

	sample_make_simple(sample);
	set_prefix(&sample->prefixes[0], "10.0.0.0/8");
	set_prefix(&sample->prefixes[1], "10.1.0.0/16");
	set_prefix(&sample->prefixes[2], "2001:db8::/32");
	sample->ports[0] = (struct destination_ports){ 443, 443 };
	sample->ports[1] = (struct destination_ports){ 8000, 8080 };
	sample->ports[2] = (struct destination_ports){ 25, 25 };
	*inside = (struct destination){ "inside", sample->prefixes, 3,
					sample->ports, 2 };
	*mail = (struct destination){ .name = "mail",
				      .ports = &sample->ports[2],
				      .ports_count = 1 };
	sample->network = destination_protection(sample->destinations, 2,
						 sample->operations);
	set_protection(sample, 0, PROTECTION_network);
	sample->protections[0].protection = &sample->network;
	sample->protections[0].profile = PROFILE_BASELINE;
	sample->protections[0].destinations = sample->destinations;
	all = protection_all(&sample->network) & ~(UINT64_C(1) << built_in);
	sample->denied[0][PLACE_HOST] = 0;
	sample->logged[0][PLACE_HOST] = 0;
	sample->denied[0][PLACE_CONTAINER] = all;
	sample->logged[0][PLACE_CONTAINER] = all;
}
