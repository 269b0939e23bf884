/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asks for what a policy denies as often as it can, until the file named on
 * the command line is there, or once where none is named:
 *
 *	hammer /tmp/stop
 *
 * It loads a module from memory that is none: -EPERM is a denial, and anything
 * else says that the call went past the hook.  Status 0: it was always denied.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static const char module[4096];
	unsigned long tries = 0, passed = 0;

	do {
		tries++;
		if (!syscall(SYS_init_module, module, sizeof(module), "") ||
		    errno != EPERM)
			passed++;
	} while (argc > 1 && access(argv[1], F_OK));
	printf("%lu tries, %lu passed\n", tries, passed);
	return passed ? 1 : 0;
}
