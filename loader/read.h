/* SPDX-License-Identifier: GPL-2.0-only */
/* Bringing a file into memory, once: what is checked is what is used. */
#pragma once

#include <stddef.h>

/*
 * The regular file at @path, never through a symbolic link in its last part
 * and never more than @max bytes.  On success *@bytes is the caller's to
 * free().  Returns 0; -ELOOP (a symbolic link), -EINVAL (not a regular file),
 * -EFBIG, -ENODATA (empty), -ESTALE (it changed while being read), -ENOMEM,
 * or what the kernel says.
 */
int read_file(const char *path, size_t max, void **bytes, size_t *size);

/*
 * A file of /proc, /sys or securityfs, whose size nobody knows, up to @max - 1
 * bytes and with a NUL behind them.  On success *@text is the caller's to
 * free().  Returns 0, -ENOMEM, or what the kernel says.
 */
int read_text(const char *path, size_t max, char **text);
