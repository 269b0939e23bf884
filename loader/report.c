/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ENOTSUPP 524 /* the kernel's own, never in a libc */

void report_refusal(const char *where, const char *step, const char *format,
		    ...)
{
	va_list arguments;

	fprintf(stderr, "%s: %s: %s: ", program_invocation_short_name, where,
		step);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

void report_mend(const char *format, ...)
{
	va_list arguments;

	fputs("  mend: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

void report_detail(const char *line, int len)
{
	fprintf(stderr, "  | %.*s\n", len, line);
}

void report_note(const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

const char *error_words(int err)
{
	return err == -ENOTSUPP ? "not supported by this kernel"
				: strerror(-err);
}
