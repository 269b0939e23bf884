/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tokens as the parser gets them: those of the lexer, but behind an error
 * only from the next statement on.
 */
#pragma once

#include <stdbool.h>

#include "compiler/parse.h"

union POLICY_STYPE;
struct tokens; /* parse->tokens */

/* What flex makes of policy.l; the parser calls policy_lex(). */
int policy_scan(union POLICY_STYPE *value, struct loc *loc, void *scanner);

/*
 * Tells that the token given last is wrong where it stands.  Where a ';' could
 * stand before it and it is the first of its line, that ';' was forgotten: it
 * comes next, and then the token once more.  Otherwise all up to the end of
 * the statement is left out, the braces in it with what they hold.
 */
void tokens_recover(struct parse *parse, bool expects_semicolon);
