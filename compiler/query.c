/* SPDX-License-Identifier: GPL-2.0-only */
#include "compiler/query.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/arena.h"
#include "compiler/diag.h"
#include "compiler/eval.h"
#include "compiler/memfile.h"
#include "compiler/prove.h"

bool query_is_bundle(const char *path)
{
	char magic[SELFMAG] = { 0 };
	struct stat status;
	bool elf;
	int fd;

	/* to open a pipe would let its writer go ahead */
	if (stat(path, &status) || !S_ISREG(status.st_mode))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return false;
	elf = pread(fd, magic, SELFMAG, 0) == SELFMAG &&
	      !memcmp(magic, ELFMAG, SELFMAG);
	close(fd);
	return elf;
}

struct bundle *query_open_bundle(struct arena *arena, struct diag *diag,
				 const char *path, struct blob *bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct bundle *bundle;
	struct stat status;
	int err = 0;
	const char *why;

	if (fd < 0 || fstat(fd, &status))
		err = -errno;
	else if (status.st_size > BUNDLE_MAX_SIZE)
		err = -EFBIG;
	else
		err = memfile_read(arena, fd, bytes);
	if (fd >= 0)
		close(fd);
	if (err) {
		diag_report(diag, CHECK_UNREADABLE, LOC_NONE,
			    "cannot read '%s': %s", path, strerror(-err));
		return NULL;
	}
	err = bundle_open(bytes->bytes, bytes->size, &bundle, &why);
	if (!err)
		return bundle;
	diag_report(diag, CHECK_UNREADABLE, LOC_NONE,
		    "'%s' is no bundle: %s", path,
		    err == -EBADMSG ? why : strerror(-err));
	return NULL;
}

bool query_assertion(struct parse *parse, struct resolve *resolve,
		     const char *text, struct policy_assertion *assertion)
{
	struct assertion *parsed = parse_assertion(parse, "--prove", text);

	return parsed && !diag_failed(parse->diag) &&
	       resolve_assertion(resolve, parsed, parsed->subjects->loc,
				 assertion);
}

bool query_subjects(struct parse *parse, struct resolve *resolve,
		    const char *text, struct subjects *subjects)
{
	struct expr *expr;

	if (text[0] == '/') { /* a path alone is a cgroup's */
		expr = expr_new(parse->arena, EXPR_CGROUP, LOC_NONE);
		expr->left = expr_text(parse->arena, EXPR_STRING, LOC_NONE,
				       text);
	} else {
		expr = parse_value(parse, PARSE_QUERY, "--why", text);
	}
	return expr && !diag_failed(parse->diag) &&
	       eval_subjects(&resolve->lets, expr, subjects);
}

bool query_reference(struct resolve *resolve, const char *text,
		     struct policy_reference *reference)
{
	const char *dot = strchr(text, '.');
	struct operation_reference from = { .protection = { .loc = LOC_NONE },
					    .operation = { .loc = LOC_NONE } };

	if (!dot) {
		diag_report(resolve->diag, CHECK_SYNTAX, LOC_NONE,
			    "'%s' is not PROTECTION.OPERATION", text);
		return false;
	}
	from.protection.text =
		arena_copy(resolve->arena, text, (size_t)(dot - text));
	from.operation.text = dot + 1;
	return resolve_reference(resolve, &from, reference);
}

bool query_prove(FILE *out, struct arena *arena, const struct table *table,
		 const struct policy_assertion *assertion)
{
	const struct table_statement *by;
	struct counterexample found;

	if (prove(arena, table, assertion, &found)) {
		fputs("holds\n", out);
		return true;
	}
	fprintf(out, "does not hold: %s\n", prove_words(arena, table, &found));
	if (found.protection) {
		by = table_decided_by(table, found.protection, found.class,
				      found.operation);
		fprintf(out, "decided at %s:%u:%u\n",
			table->sources[by->source], by->line, by->column);
	}
	return false;
}
