/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A kernel module that asks lockdown: for what a machine of ours has no
 * hardware.  `echo 3 >/sys/module/asker/parameters/ask` ends as the kernel's
 * own question of reason 3 would.
 */
#define NAME "asker"

#include "module.h"

int security_locked_down(unsigned reason);

static int set(const char *text, const struct parameter *parameter)
{
	unsigned reason = 0;

	(void)parameter;
	for (; *text >= '0' && *text <= '9'; text++)
		reason = 10 * reason + (unsigned)(*text - '0');
	return security_locked_down(reason);
}

PARAMETER("ask", set);
