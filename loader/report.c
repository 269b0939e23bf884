/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/report.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bundle/text.h"
#include "loader/cleanup.h"

#define ENOTSUPP 524 /* the kernel's own, never in a libc */

bool stand_alone(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return false;
	return true;
}

static const char *error_words(int err)
{
	return err == -ENOTSUPP ? "not supported by this kernel"
				: strerror(-err);
}

/* Names in it may come from a bundle that nobody of ours made. */
__attribute__((format(printf, 1, 0))) static void put(const char *format,
						      va_list arguments)
{
	CLEANUP(free_memory) char *text = NULL;
	int len = vasprintf(&text, format, arguments);

	if (len < 0)
		text = NULL;
	else
		text_shown(stderr, text, (size_t)len);
}

int refuse(int err, const char *where, const char *step, const char *mend,
	   const char *format, ...)
{
	size_t len = strlen(format);
	va_list arguments;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	text_shown(stderr, where, strlen(where));
	fprintf(stderr, ": %s: ", step);
	va_start(arguments, format);
	put(format, arguments);
	va_end(arguments);
	if (len && format[len - 1] == ':')
		fprintf(stderr, " %s", error_words(err));
	fputc('\n', stderr);
	if (mend)
		report_mend("%s", mend);
	return err;
}

int refuse_operations(const char *where, const char *step,
		      const struct protection *protection, uint64_t operations,
		      const char *mend, const char *why)
{
	int err = 0;

	for (; operations; operations &= operations - 1)
		err = refuse(-EOPNOTSUPP, where, step, mend, "%s %s.%s", why,
			     protection->name,
			     protection->operations[__builtin_ctzll(operations)]
				     .name);
	return err;
}

void report_mend(const char *format, ...)
{
	va_list arguments;

	fputs("  mend: ", stderr);
	va_start(arguments, format);
	put(format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

void report_detail(const char *line, int len)
{
	fputs("  | ", stderr);
	text_shown(stderr, line, (size_t)len);
	fputc('\n', stderr);
}

void report_note(const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(arguments, format);
	put(format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

int report_end(void)
{
	bool failed = ferror(stdout);
	int err = fflush(stdout) ? -errno : failed ? -EIO : 0;

	return err ? refuse(err, MACHINE, "write", NULL,
			    "standard output does not take all of it:")
		   : 0;
}

/* A letter is named by itself: it may be in the middle of an argument that is
 * not done yet. */
int report_option(int code, char **argv)
{
	const char letter[] = { '-', (char)optopt, '\0' };
	bool is_letter = optopt && optopt < REPORT_CODES;
	const char *option = is_letter ? letter : argv[optind - 1];

	report_note("'%s' %s; see %s --help", option,
		    code == ':' ? "misses its value"
		    : optopt >= REPORT_CODES
			    ? "is given a value, and takes none"
			    : "is no option",
		    program_invocation_short_name);
	return -EINVAL;
}
