/* SPDX-License-Identifier: GPL-2.0-only */
/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes the character at @bytes, of which @left are readable.  Returns its
 * length in bytes, or 0 where there is no valid one. */
size_t utf8_decode(const char *bytes, size_t left, uint32_t *codepoint);

/* Whether all of it is valid UTF-8. */
bool utf8_valid(const char *bytes, size_t size);

/* The controls that change the direction of text: what is read is then not
 * what is there. */
bool utf8_is_bidirectional(uint32_t codepoint);
