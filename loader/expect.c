/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libbpf has relocated all programs when it comes to load the first one, and
 * asks the handler of its section before.  The handler takes the instructions
 * of all of them, and refuses.
 *
 * Handlers stay for good: libbpf 1.1 frees its list of them twice when the last
 * one is taken back and another one comes.
 */
#include "loader/expect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "loader/bind.h"
#include "loader/cleanup.h"
#include "loader/detail.h"
#include "loader/report.h"

/* The sections of programs that there are: inspect.c, and the guard's. */
static const struct kind {
	const char *section;
	enum bpf_prog_type type;
	enum bpf_attach_type attach_type;
} kinds[] = {
	{ "lsm+", BPF_PROG_TYPE_LSM, BPF_LSM_MAC },
	{ "lsm.s+", BPF_PROG_TYPE_LSM, BPF_LSM_MAC },
	{ "fexit+", BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT },
	{ "cgroup/sysctl", BPF_PROG_TYPE_CGROUP_SYSCTL, BPF_CGROUP_SYSCTL },
};

#define KINDS (sizeof(kinds) / sizeof(*kinds))

static int map_index(const struct bpf_object *object, int fd)
{
	struct bpf_map *map;
	int index = 0;

	bpf_object__for_each_map(map, object)
	{
		if (bpf_map__fd(map) == fd)
			return index;
		index++;
	}
	return -ENOENT;
}

static int capture_program(const struct bpf_object *object,
			   const struct bpf_program *program,
			   struct expected_program *expected)
{
	size_t count = bpf_program__insn_cnt(program);
	struct bpf_insn *at;

	expected->instructions = calloc(count + 1, sizeof(*at));
	if (!expected->instructions)
		return -ENOMEM;
	expected->program = program;
	expected->count = count;
	at = expected->instructions;
	memcpy(at, bpf_program__insns(program), count * sizeof(*at));
	for (size_t i = 0; i < count; i++) {
		if (at[i].code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if (at[i].src_reg == BPF_PSEUDO_MAP_FD ||
		    at[i].src_reg == BPF_PSEUDO_MAP_VALUE)
			at[i].imm = map_index(object, at[i].imm);
		if (at[i].src_reg && at[i].imm < 0)
			return -EBADMSG;
		i++;
	}
	return 0;
}

static int capture_programs(struct bpf_program *asked,
			    struct bpf_prog_load_opts *options, long cookie)
{
	struct capture *capture = (struct capture *)cookie;
	struct expected *expected = capture->expected;
	struct bpf_program *program;
	size_t count = 0;

	(void)asked;
	(void)options;
	bpf_object__for_each_program(program, capture->object) count++;
	expected->programs = calloc(count, sizeof(*expected->programs));
	capture->err = expected->programs ? 0 : -ENOMEM;
	bpf_object__for_each_program(program, capture->object)
	{
		if (!capture->err)
			capture->err = capture_program(
				capture->object, program,
				&expected->programs[expected->count++]);
	}
	return -ECANCELED;
}

static int load_as_far(struct run *run, struct load *load,
		       int (*open)(struct run *run, struct load *load),
		       struct capture *capture)
{
	CLEANUP(detail_end) struct detail detail;
	int err;

	bpf_object__close(load->object);
	load->object = NULL;
	err = open(run, load);
	if (!err)
		err = bind_object(load, &run->facts);
	if (err)
		return refuse(err, load->path, "attest", NULL,
			      "it cannot be opened and bound anew:");
	capture->object = load->object;
	detail_begin(&detail);
	err = bpf_object__load(load->object);
	if (capture->err != 1)
		err = capture->err;
	/* One without programs has nothing to ask for. */
	if (!err)
		return 0;
	refuse(err, load->path, "attest",
	       err == -EPERM ? "run it as root; a loaded policy may deny bpf() "
			       "to this process"
			     : NULL,
	       "its instructions on this kernel cannot be worked out:");
	detail_show(&detail);
	return err;
}

int expect_begin(struct capture *capture)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, settings, .cookie = (long)capture,
		    .prog_prepare_load_fn = capture_programs);

	for (size_t i = 0; i < KINDS; i++) {
		int handler = libbpf_register_prog_handler(
			kinds[i].section, kinds[i].type, kinds[i].attach_type,
			&settings);

		if (handler < 0)
			return refuse(handler, MACHINE, "attest", NULL,
				      "libbpf does not let instructions be "
				      "taken:");
	}
	return 0;
}

int expect_programs(struct run *run, struct load *load,
		    int (*open)(struct run *run, struct load *load),
		    struct capture *capture, struct expected *expected)
{
	int err;

	*expected = (struct expected){ 0 };
	*capture = (struct capture){ .expected = expected, .err = 1 };
	err = load_as_far(run, load, open, capture);
	if (err)
		expected_free(expected);
	return err;
}

void expected_free(struct expected *expected)
{
	for (size_t i = 0; i < expected->count; i++)
		free(expected->programs[i].instructions);
	free(expected->programs);
	*expected = (struct expected){ 0 };
}
