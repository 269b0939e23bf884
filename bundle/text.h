/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writing what others named: paths, commands, reasons.  Whatever bytes it
 * holds, it stays within its quotes and its line, and moves no cursor.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

/* As a JSON string; a byte that is not UTF-8 becomes U+FFFD. */
void text_json(FILE *out, const char *text);

/* In double quotes, with \" and \\, and \xHH for each byte of what cannot be
 * shown as it is. */
void text_quoted(FILE *out, const char *text);

/* As it is, but '?' for each character that cannot be shown, or byte that is
 * none; a tab stays.  @len is in bytes. */
void text_shown(FILE *out, const char *text, size_t len);
