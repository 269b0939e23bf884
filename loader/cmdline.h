/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's command line, its words split as the kernel splits them: at
 * blanks outside of double quotes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether @word is one of the words, whole. */
bool cmdline_has_word(const char *cmdline, const char *word);

/* Break glass: whether this kernel was booted with bpflock=off. */
bool cmdline_is_off(void);

/* What stands behind "@name=" where it stands last, for the kernel takes the
 * last one: a pointer into @cmdline and *@len, NULL where it does not stand. */
const char *cmdline_value(const char *cmdline, const char *name, size_t *len);
