/* SPDX-License-Identifier: GPL-2.0-only */
#include "bundle/text.h"

#include <stdbool.h>
#include <string.h>

#include "bundle/utf8.h"

/* Not a control, of lines, of terminals or of the direction of text. */
static bool is_shown(uint32_t codepoint)
{
	return codepoint >= 0x20 && !(codepoint >= 0x7f && codepoint < 0xa0) &&
	       codepoint != 0x2028 && codepoint != 0x2029 &&
	       !utf8_is_bidirectional(codepoint);
}

void text_json(FILE *out, const char *text)
{
	size_t left = strlen(text);

	fputc('"', out);
	while (left) {
		uint32_t codepoint = 0xfffd;
		size_t len = utf8_decode(text, left, &codepoint);

		if (!len)
			fputs("\\ufffd", out);
		else if (!is_shown(codepoint)) /* all of these have 16 bits */
			fprintf(out, "\\u%04x", codepoint);
		else
			fprintf(out, "%s%.*s",
				*text == '"' || *text == '\\' ? "\\" : "",
				(int)len, text);
		len += !len;
		text += len;
		left -= len;
	}
	fputc('"', out);
}

void text_quoted(FILE *out, const char *text)
{
	size_t left = strlen(text);

	fputc('"', out);
	while (left) {
		uint32_t codepoint = 0;
		size_t len = utf8_decode(text, left, &codepoint);
		bool shown = len && is_shown(codepoint);

		len += !len;
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		for (size_t i = 0; i < len; i++)
			fprintf(out, shown ? "%c" : "\\x%02x",
				(unsigned char)text[i]);
		text += len;
		left -= len;
	}
	fputc('"', out);
}

void text_shown(FILE *out, const char *text, size_t len)
{
	uint32_t codepoint;

	for (size_t i = 0, step; i < len; i += step) {
		step = utf8_decode(text + i, len - i, &codepoint);
		if (step && (is_shown(codepoint) || codepoint == '\t')) {
			fwrite(text + i, 1, step, out);
		} else {
			fputc('?', out);
			step += !step;
		}
	}
}
