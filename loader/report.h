/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is wrong, in plain words on stderr:
 *
 *	bpflock-load: edge.o: attach: what was found, what was wanted
 *	  mend: what to do about it
 *	  | detail, from the kernel or libbpf
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bundle/operations.h"

#define MACHINE "this machine"

/* Has stdin, stdout and stderr be there, so that nothing that is opened later
 * takes their place.  Call it first; false: nothing can be done. */
bool stand_alone(void);

/*
 * @where is a bundle, a policy or MACHINE; @step what was tried; @mend what to
 * do, NULL where there is more to say with report_mend().  Where @format ends
 * in ':', the words for @err, which is negative, follow.  Returns @err.
 */
__attribute__((format(printf, 5, 6))) int refuse(int err, const char *where,
						 const char *step,
						 const char *mend,
						 const char *format, ...);

/* refuse() each of these operations of @protection, a mask, with -EOPNOTSUPP, as
 * "@why NAME.OPERATION".  Returns that; 0 where there is none. */
int refuse_operations(const char *where, const char *step,
		      const struct protection *protection, uint64_t operations,
		      const char *mend, const char *why);

/* Lines that belong to the refusal before them. */
__attribute__((format(printf, 1, 2))) void report_mend(const char *format, ...);
void report_detail(const char *line, int len);

/* What was written to stdout, to where it goes.  Returns 0, or -errno after
 * saying on stderr that not all of it got there. */
int report_end(void);

/* What is wrong with an option for which getopt_long(), whose short options are
 * ":" and whose long ones have codes from REPORT_CODES on, returned @code.
 * Returns -EINVAL. */
int report_option(int code, char **argv);
#define REPORT_CODES 256 /* behind all characters */

/* Something to know, with nothing refused. */
__attribute__((format(printf, 1, 2))) void report_note(const char *format, ...);
