/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libbpf's print function takes no context: where it writes to has to be known
 * by itself.  That makes the one variable that this program has.
 */
#include "loader/detail.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "loader/cleanup.h"
#include "loader/report.h"

static _Thread_local struct detail *listener;

void detail_append(struct detail *detail, const char *text, size_t size)
{
	size_t keep = detail->len;

	if (size > sizeof(detail->text)) {
		text += size - sizeof(detail->text);
		size = sizeof(detail->text);
	}
	if (keep > sizeof(detail->text) - size)
		keep = sizeof(detail->text) - size;
	memmove(detail->text, detail->text + detail->len - keep, keep);
	memcpy(detail->text + keep, text, size);
	detail->len = keep + size;
}

__attribute__((format(printf, 2, 0))) static int capture(
	enum libbpf_print_level level, const char *format, va_list arguments)
{
	CLEANUP(free_memory) char *text = NULL;
	int size;

	if (level != LIBBPF_WARN || !listener)
		return 0;
	size = vasprintf(&text, format, arguments);
	if (size < 0) {
		text = NULL;
		return 0;
	}
	detail_append(listener, text, (size_t)size);
	return 0;
}

void detail_silence(void)
{
	/* Later versions would load with that token, from that folder. */
	unsetenv("LIBBPF_BPF_TOKEN_PATH");
	libbpf_set_print(NULL);
}

void detail_begin(struct detail *detail)
{
	detail->len = 0;
	listener = detail;
	libbpf_set_print(capture);
}

void detail_end(struct detail *detail)
{
	(void)detail;
	libbpf_set_print(NULL);
	listener = NULL;
}

void detail_show(const struct detail *detail)
{
	const char *end = detail->text + detail->len;
	const char *line = end;
	unsigned lines = 0;

	while (line > detail->text) {
		if (line[-1] == '\n' && line != end && ++lines == DETAIL_LINES)
			break;
		line--;
	}
	while (line < end) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));

		if (!stop)
			stop = end;
		if (stop > line)
			report_detail(line, (int)(stop - line));
		line = stop + (stop < end);
	}
}
