/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/text.h"

/* The same line once: of several programs, say. */
static bool has_line(char *const *lines, size_t count, const char *line)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(lines[i], line))
			return true;
	return false;
}

/* Whether it is there now; @line is not the caller's any more. */
static bool add(char ***lines, size_t *count, char *line)
{
	char **grown;

	if (line && has_line(*lines, *count, line)) {
		free(line);
		return true;
	}
	grown = line ? reallocarray(*lines, *count + 1, sizeof(*grown)) : NULL;
	if (!grown) {
		free(line);
		return false;
	}
	grown[(*count)++] = line;
	*lines = grown;
	return true;
}

__attribute__((format(printf, 1, 0))) static char *make_line(const char *format,
							     va_list arguments)
{
	char *line;

	return vasprintf(&line, format, arguments) < 0 ? NULL : line;
}

void differs(struct findings *findings, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (!add(&findings->differences, &findings->difference_count,
		 make_line(format, arguments)))
		findings->failed = true;
	va_end(arguments);
}

void unseen(struct findings *findings, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (!add(&findings->unseen, &findings->unseen_count,
		 make_line(format, arguments)))
		findings->failed = true;
	va_end(arguments);
}

bool findings_are_none(const struct findings *findings)
{
	return !findings->difference_count && !findings->failed;
}

static void show_lines(char *const *lines, size_t count, const char *title)
{
	for (size_t i = 0; i < count; i++) {
		printf("  %-12s ", title);
		text_shown(stdout, lines[i], strlen(lines[i]));
		putchar('\n');
	}
}

static void show_array(char *const *lines, size_t count, const char *name)
{
	printf(",\"%s\":[", name);
	for (size_t i = 0; i < count; i++) {
		fputs(i ? "," : "", stdout);
		text_json(stdout, lines[i]);
	}
	putchar(']');
}

void findings_show(const struct findings *findings, bool json)
{
	void (*show)(char *const *, size_t, const char *) =
		json ? show_array : show_lines;

	show(findings->differences, findings->difference_count,
	     json ? "differences" : "difference");
	show(findings->unseen, findings->unseen_count,
	     json ? "unseen" : "not seen");
}

static void free_lines(char **lines, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(lines[i]);
	free(lines);
}

void findings_free(struct findings *findings)
{
	free_lines(findings->differences, findings->difference_count);
	free_lines(findings->unseen, findings->unseen_count);
	*findings = (struct findings){ 0 };
}
