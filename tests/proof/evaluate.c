/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The evaluator by itself, for tests:
 *
 *	evaluate [-s] BUNDLE [OBJECT...]
 *
 * says, a line for each OBJECT (without one, for BUNDLE itself), whether its
 * code decides what BUNDLE's note says: "agrees", or "differs: " and why.  An
 * OBJECT is an ELF file, or a bundle whose note nobody looks at.  -s: with the
 * time, runs and instructions that it took, and what no run came to.
 *
 *	evaluate -r SEED COUNT BUNDLE OBJECT...
 *
 * says of each OBJECT whether it does what BUNDLE does in COUNT random
 * environments: "same", or "other: " and what.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bundle/bundle.h"
#include "compiler/arena.h"
#include "compiler/blob.h"
#include "compiler/memfile.h"
#include "compiler/proof/access.h"
#include "compiler/proof/evaluate.h"
#include "compiler/proof/specimen.h"
#include "compiler/proof/world.h"
#include "differ.h"

/* What the command line asks for. */
struct question {
	bool statistics;
	bool random;
	uint64_t seed;
	uint32_t count;
};

static int read_file(struct arena *arena, const char *path, struct blob *blob)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err = fd < 0 ? -errno : memfile_read(arena, fd, blob);

	if (fd >= 0)
		close(fd);
	if (err)
		fprintf(stderr, "evaluate: %s: %s\n", path, strerror(-err));
	return err;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* Instructions that no run in any kernel came to. */
static void print_unreached(const struct evaluation *evaluation)
{
	const struct specimen *specimen = evaluation->specimen;

	for (size_t i = 0; i < specimen->program_count; i++) {
		const struct specimen_program *program = &specimen->programs[i];
		unsigned wide = 0;

		for (uint32_t j = 0; j < program->count; j++) {
			bool reached = wide > 0;

			for (size_t k = 0; k < access_kernel_count; k++)
				reached |= evaluation->worlds[k]
						   .code[i]
						   .reached[j];
			if (!reached)
				printf("unreached: %s %u\n", program->name, j);
			wide = !wide && program->code[j].code == 0x18;
		}
	}
}

static void print_statistics(const struct evaluation *evaluation,
			     double milliseconds)
{
	printf("%.2f ms, %llu runs, %llu instructions\n", milliseconds,
	       (unsigned long long)evaluation->runs,
	       (unsigned long long)evaluation->steps);
}

static void evaluate(const struct table *table, const void *elf, size_t size,
		     bool statistics)
{
	struct arena *arena = arena_new();
	struct evaluation evaluation = { 0 };
	double begin = now();
	const char *why;
	int err;

	err = evaluate_object(arena, elf, size, table, &evaluation, &why);
	if (err)
		printf("differs: %s\n", why);
	else
		puts("agrees");
	if (statistics)
		print_statistics(&evaluation, now() - begin);
	if (statistics && !err)
		print_unreached(&evaluation);
	arena_free(arena);
}

static void compare(const struct question *question,
		    const struct bundle *bundle, const struct blob *object)
{
	struct blob elf = { .bytes = bundle->elf, .size = bundle->elf_size };
	struct arena *arena = arena_new();
	const char *how;

	if (differ_same(arena, &elf, object, &bundle->note->table,
			question->seed, question->count, &how))
		puts("same");
	else
		printf("other: %s\n", how);
	arena_free(arena);
}

static int run(struct arena *arena, char **paths,
	       const struct question *question)
{
	struct bundle *bundle;
	struct blob bytes;
	const char *why = "";

	if (!*paths || read_file(arena, *paths, &bytes))
		return 2;
	if (bundle_open(bytes.bytes, bytes.size, &bundle, &why)) {
		fprintf(stderr, "evaluate: %s: %s\n", *paths, why);
		return 2;
	}
	if (!paths[1])
		evaluate(&bundle->note->table, bundle->elf, bundle->elf_size,
			 question->statistics);
	while (*++paths && !read_file(arena, *paths, &bytes))
		if (question->random)
			compare(question, bundle, &bytes);
		else
			evaluate(&bundle->note->table, bytes.bytes, bytes.size,
				 question->statistics);
	bundle_close(bundle);
	return *paths ? 2 : 0;
}

int main(int argc, char **argv)
{
	struct question question = { 0 };
	struct arena *arena = arena_new();
	int status;

	argv++;
	if (argc > 1 && !strcmp(argv[0], "-s")) {
		question.statistics = true;
		argv++;
	} else if (argc > 3 && !strcmp(argv[0], "-r")) {
		question.random = true;
		question.seed = strtoull(argv[1], NULL, 10);
		question.count = (uint32_t)strtoul(argv[2], NULL, 10);
		argv += 3;
	}
	status = run(arena, argv, &question);
	arena_free(arena);
	return status;
}
