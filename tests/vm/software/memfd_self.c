/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * memfd-self: copies itself into a memfd, seals that, and executes it, as
 * container runtimes do so that a container cannot write to their file, and as
 * programs do that mean to leave none.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int main(int argc, char **argv, char **environment)
{
	int self, copy;
	struct stat st;

	(void)argv;
	if (argc > 1) {
		puts("from the memfd");
		return 0;
	}
	self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (self < 0 || fstat(self, &st))
		err(1, "/proc/self/exe");
	copy = memfd_create("self", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (copy < 0)
		err(1, "memfd_create");
	while (st.st_size > 0) {
		ssize_t copied = sendfile(copy, self, NULL, (size_t)st.st_size);

		if (copied <= 0)
			err(1, "sendfile");
		st.st_size -= copied;
	}
	if (fcntl(copy, F_ADD_SEALS, SEALS))
		err(1, "F_ADD_SEALS");
	fexecve(copy, (char *[]){ "memfd-self", "again", NULL }, environment);
	err(1, "fexecve");
}
