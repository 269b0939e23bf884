/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is wrong, in plain words on stderr:
 *
 *	bpflock-load: edge.o: attach: what was found, what was wanted
 *	  mend: what to do about it
 *	  | detail, from the kernel or libbpf
 */
#pragma once

/* @where is a bundle, a policy or "this machine"; @step what was tried. */
__attribute__((format(printf, 3, 4))) void report_refusal(const char *where,
							  const char *step,
							  const char *format,
							  ...);

/* Lines that belong to the refusal before them. */
__attribute__((format(printf, 1, 2))) void report_mend(const char *format, ...);
void report_detail(const char *line, int len);

/* Something to know, with nothing refused. */
__attribute__((format(printf, 1, 2))) void report_note(const char *format, ...);

/* strerror(), and words for what the kernel answers and libc does not know;
 * @err is negative.  Constant, or valid until the next call. */
const char *error_words(int err);
