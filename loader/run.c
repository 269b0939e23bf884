/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "loader/cleanup.h"
#include "loader/fault.h"
#include "loader/home.h"
#include "loader/guard.h"
#include "loader/pin.h"
#include "loader/report.h"
#include "loader/vault.h"

int run_start(struct run *run, const struct options *options)
{
	run->loads = calloc(options->operand_count, sizeof(*run->loads));
	if (!run->loads)
		return refuse(-ENOMEM, MACHINE, "start", NULL, "out of memory");
	run->options = options;
	run->count = options->operand_count;
	for (size_t i = 0; i < run->count; i++)
		run->loads[i].path = options->operands[i];
	return 0;
}

int run_home_of(const struct run *run, const struct load *load)
{
	return !load->bundle || load->bundle->note->table.locked ? run->vault
								 : run->home;
}

int run_find_home(const struct run *run, const char *name)
{
	if (run->vault >= 0 && !faccessat(run->vault, name, F_OK, 0))
		return run->vault;
	if (run->home >= 0 && !faccessat(run->home, name, F_OK, 0))
		return run->home;
	return -1;
}

static int ask_fault(const struct stage *stage, const char *where)
{
	int err = stage->name ? fault(stage->name) : 0;

	return err ? refuse(err, where, stage->name, NULL, "failed on purpose")
		   : 0;
}

static int run_stage(struct run *run, const struct stage *stage)
{
	if (stage->machine) {
		int err = ask_fault(stage, MACHINE);

		return err ? err : stage->machine(run);
	}
	for (size_t i = 0; i < run->count; i++) {
		struct load *load = &run->loads[i];
		int err = load->already ? 0 : ask_fault(stage, load->path);

		if (!err && !load->already)
			err = stage->bundle(run, load);
		if (err)
			return err;
	}
	return 0;
}

int run_stages(struct run *run, const struct stage *stages)
{
	int err = 0;

	for (; !err && (stages->machine || stages->bundle); stages++)
		err = run_stage(run, stages);
	return err;
}

static void free_load(struct load *load)
{
	for (size_t i = 0; i < load->link_count; i++)
		bpf_link__destroy(load->links[i]);
	free(load->links);
	free(load->old.ids);
	bpf_object__close(load->object);
	bundle_close(load->bundle);
	free(load->bytes);
}

/* Pins first: with the last of pin and link, a program goes.  The guard, which
 * is asked by bpf() too, is taken off last. */
void run_free(struct run *run)
{
	stand_ins_stop(&run->stand_ins);
	if (!run->done)
		unpin_policies(run);
	for (size_t i = 0; i < run->count; i++)
		free_load(&run->loads[i]);
	free(run->loads);
	/* Behind them: a policy may deny what that takes. */
	if (!run->done)
		remove_vault(run);
	remove_guard(run);
	free_load(&run->guard);
	close_fd(&run->vault);
	close_fd(&run->gate);
	btf__free(run->kernel);
	if (run->options && run->options->command != COMMAND_LOAD)
		close_fd(&run->home);
	else
		home_close(&run->home);
}
