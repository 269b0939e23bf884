/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Folds random programs and holds what comes out against what went in, in an
 * interpreter and, where this kernel lets us, in the kernel itself: verifier
 * and JIT included.  Programs are raw_tracepoint ones, run by
 * BPF_PROG_TEST_RUN and never attached.
 *
 *	driver CASES SEED [nokernel]
 *
 * A case is a program with an input.  The last line is
 * "N passed, N failed, N skipped".
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "compiler/arena.h"
#include "compiler/fold.h"
#include "generate.h"
#include "interpret.h"

#define INPUTS	    8
#define TRACE_WORDS 12 /* of a raw_tracepoint's context */
#define LOG_SIZE    (1u << 20)
#define MAX_SHOWN   3

struct counts {
	unsigned long passed;
	unsigned long failed;
	unsigned long skipped;	/* programs that the kernel does not take */
	unsigned long zeroes;	/* programs that came down to returning 0 */
	unsigned long slots[2]; /* in all, before and after */
};

struct check {
	struct random random;
	uint8_t policy[POLICY_BYTES];
	int policy_fd;
	int out_fd;
	bool kernel;
	struct program before;
	struct program after;
	bool returns_zero;
	struct counts counts;
	char *log;
};

/* ---- the kernel ---- */

static int make_map(const char *name, uint32_t size, uint32_t flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = flags);

	return bpf_map_create(BPF_MAP_TYPE_ARRAY, name, 4, size, 1, &options);
}

/* A new policy, frozen as the loader does it. */
static bool make_policy(struct check *check)
{
	uint32_t key = 0;

	for (size_t i = 0; i < POLICY_BYTES; i += 8) {
		uint64_t word = random_word(&check->random);

		memcpy(check->policy + i, &word, 8);
	}
	if (!check->kernel)
		return true;
	if (check->policy_fd >= 0)
		close(check->policy_fd);
	check->policy_fd = make_map("policy", POLICY_BYTES, BPF_F_RDONLY_PROG);
	return check->policy_fd >= 0 &&
	       !bpf_map_update_elem(check->policy_fd, &key, check->policy, 0) &&
	       !bpf_map_freeze(check->policy_fd);
}

static int load(struct check *check, const struct program *program)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .log_buf = check->log,
		    .log_size = LOG_SIZE);
	int fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "fold", "GPL",
			       program->insns, program->count, NULL);

	if (fd < 0) /* again, to hear why */
		fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "fold", "GPL",
				   program->insns, program->count, &options);
	return fd;
}

static bool run_in_kernel(struct check *check, int fd, const uint64_t *input,
			  struct outcome *outcome)
{
	uint64_t context[TRACE_WORDS] = { 0 };
	static const uint8_t nothing[OUT_BYTES];
	uint32_t key = 0;
	LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = context,
		    .ctx_size_in = sizeof(context));

	memcpy(context, input, INPUT_WORDS * sizeof(*input));
	if (bpf_map_update_elem(check->out_fd, &key, nothing, 0) ||
	    bpf_prog_test_run_opts(fd, &options) ||
	    bpf_map_lookup_elem(check->out_fd, &key, outcome->out))
		return false;
	outcome->result = options.retval;
	return true;
}

/* ---- folding ---- */

static bool fold(struct check *check)
{
	struct arena *arena = arena_new();
	struct blob policy = { check->policy, POLICY_BYTES };
	struct layout layout;
	struct cfg *cfg;
	bool good = false;

	cfg = cfg_build(arena, (const uint8_t *)check->before.insns,
			check->before.count, check->before.notes);
	if (cfg) {
		check->returns_zero = fold_program(cfg, &policy);
		good = cfg_lay_out(cfg, &layout) &&
		       layout.slots <= GENERATE_MAX_SLOTS;
	}
	if (good) {
		memcpy(check->after.insns, layout.bytes,
		       layout.slots * INSN_SIZE);
		check->after.count = layout.slots;
	}
	arena_free(arena);
	return good;
}

static void print(const char *title, const struct program *program)
{
	printf("%s:\n", title);
	for (size_t i = 0; i < program->count;) {
		char text[INSN_TEXT_SIZE];
		struct insn insn;
		unsigned slots =
			insn_decode((const uint8_t *)&program->insns[i],
				    program->count - i, &insn);

		insn_text(&insn, (long)i + 1 + insn.offset, text);
		printf("  %4zu  %s%s\n", i, text,
		       insn.code == (BPF_LD | BPF_IMM | BPF_DW) && insn.src
			       ? "  (map)"
			       : "");
		i += slots ? slots : 1;
	}
}

static void fail(struct check *check, const char *what, const uint64_t *input)
{
	if (check->counts.failed++ >= MAX_SHOWN)
		return;
	printf("%s\n", what);
	for (int i = 0; input && i < INPUT_WORDS; i++)
		printf("  input %d: %#llx\n", i, (unsigned long long)input[i]);
	for (size_t i = 0; i < POLICY_BYTES; i += 8) {
		uint64_t word;

		memcpy(&word, check->policy + i, 8);
		printf("  policy + %zu: %#llx\n", i, (unsigned long long)word);
	}
	print("before", &check->before);
	print("after", &check->after);
}

/* ---- cases ---- */

static bool same(const struct outcome *a, const struct outcome *b)
{
	return a->result == b->result &&
	       !memcmp(a->out, b->out, sizeof(a->out));
}

static void check_input(struct check *check, const uint64_t *input,
			const int *fds)
{
	struct machine machine = {
		.policy = check->policy,
		.input = input,
		.pid_tgid = (uint64_t)getpid() << 32 | (uint32_t)gettid(),
	};
	struct outcome before, after, kernel_before, kernel_after;

	if (!interpret(check->before.insns, check->before.count, &machine,
		       &before)) {
		fail(check, "the program cannot be interpreted", input);
		return;
	}
	if (!interpret(check->after.insns, check->after.count, &machine,
		       &after) ||
	    !same(&before, &after) || before.writes != after.writes) {
		fail(check, "folded, it does something else", input);
		return;
	}
	if (check->returns_zero && (before.result || before.writes)) {
		fail(check, "it does not come down to returning 0", input);
		return;
	}
	if (!check->kernel) {
		check->counts.passed++;
		return;
	}
	if (!run_in_kernel(check, fds[0], input, &kernel_before) ||
	    !run_in_kernel(check, fds[1], input, &kernel_after) ||
	    !same(&kernel_before, &kernel_after)) {
		fail(check, "folded, the kernel runs it otherwise", input);
		return;
	}
	if (!same(&before, &kernel_before)) {
		fail(check, "kernel and interpreter do not agree", input);
		return;
	}
	check->counts.passed++;
}

static void check_program(struct check *check)
{
	int fds[2] = { -1, -1 };

	check->counts.slots[0] += check->before.count;
	check->counts.slots[1] += check->after.count;
	check->counts.zeroes += check->returns_zero;
	if (check->kernel) {
		fds[0] = load(check, &check->before);
		if (fds[0] < 0) {
			check->counts.skipped++;
			return;
		}
		fds[1] = load(check, &check->after);
		if (fds[1] < 0) {
			fail(check, "folded, the kernel does not take it",
			     NULL);
			if (check->counts.failed <= MAX_SHOWN)
				printf("%s\n", check->log);
		}
	}
	for (int i = 0; i < INPUTS && (!check->kernel || fds[1] >= 0); i++) {
		uint64_t input[TRACE_WORDS] = { 0 };

		for (int j = 0; j < INPUT_WORDS; j++)
			input[j] = random_word(&check->random);
		check_input(check, input, fds);
	}
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static void check_one(struct check *check)
{
	generate_program(&check->random, check->policy_fd, check->out_fd,
			 &check->before);
	if (fold(check))
		check_program(check);
	else
		fail(check, "it cannot be folded", NULL);
}

/* Whether such programs may be loaded and run here. */
static bool kernel_permits(struct check *check)
{
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct outcome outcome;
	uint64_t input[TRACE_WORDS] = { 0 };
	int fd;
	bool good;

	check->out_fd = make_map("out", OUT_BYTES, 0);
	if (check->out_fd < 0)
		return false;
	fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "fold", "GPL", nothing,
			   2, NULL);
	good = fd >= 0 && run_in_kernel(check, fd, input, &outcome);
	if (fd >= 0)
		close(fd);
	return good;
}

int main(int argc, char **argv)
{
	static struct check check = { .policy_fd = -1, .out_fd = -1 };
	unsigned long cases = argc > 2 ? strtoul(argv[1], NULL, 0) : 0;

	if (!cases) {
		fprintf(stderr, "usage: driver CASES SEED [nokernel]\n");
		return 2;
	}
	check.random.state = strtoull(argv[2], NULL, 0);
	check.log = calloc(1, LOG_SIZE);
	if (!check.log)
		return 1;
	check.kernel = argc < 4 && kernel_permits(&check);
	printf("seed %s, %s\n", argv[2],
	       check.kernel ? "interpreter and kernel" : "interpreter alone");
	for (unsigned long i = 0;
	     check.counts.passed + check.counts.failed < cases; i++) {
		if (i % 16 == 0 && !make_policy(&check)) {
			perror("a map for the policy");
			return 1;
		}
		check_one(&check);
		if (check.counts.skipped > 1000 + i / 10) {
			puts("the kernel takes too few of the programs");
			check.counts.failed++;
			break;
		}
	}
	printf("%lu slots came down to %lu; %lu programs to nothing\n",
	       check.counts.slots[0], check.counts.slots[1],
	       check.counts.zeroes);
	printf("%lu passed, %lu failed, %lu skipped\n", check.counts.passed,
	       check.counts.failed, check.counts.skipped);
	return check.counts.failed != 0;
}
