/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/run.h"

#include <errno.h>
#include <stdlib.h>

#include <bpf/libbpf.h>

#include "loader/home.h"
#include "loader/pin.h"
#include "loader/report.h"

int run_start(struct run *run, const struct options *options)
{
	run->loads = calloc(options->operand_count, sizeof(*run->loads));
	if (!run->loads) {
		report_refusal("this machine", "start", "out of memory");
		return -ENOMEM;
	}
	run->options = options;
	run->count = options->operand_count;
	for (size_t i = 0; i < run->count; i++)
		run->loads[i].path = options->operands[i];
	return 0;
}

/* Pins first: with the last of pin and link, a program goes. */
void run_free(struct run *run)
{
	if (!run->done)
		unpin_policies(run);
	for (size_t i = 0; i < run->count; i++) {
		struct load *load = &run->loads[i];

		for (size_t j = 0; j < load->link_count; j++)
			bpf_link__destroy(load->links[j]);
		free(load->links);
		bpf_object__close(load->object);
		bundle_close(load->bundle);
		free(load->bytes);
	}
	free(run->loads);
	home_close(&run->home);
}
