/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fold_guest [PROGRAM]...: what finit_module() and init_module() of no module
 * cost, in nanoseconds a call, least of three runs.  Under QEMU's -icount a
 * nanosecond is an instruction.  The pinned LSM programs are attached for as
 * long.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CALLS 3000

static int file;
static char bytes[256];

static void read_file(void)
{
	syscall(SYS_finit_module, file, "", 0);
}

static void load_data(void)
{
	syscall(SYS_init_module, bytes, sizeof(bytes), "");
}

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static long long cost(void (*call)(void))
{
	long long least = 0;

	for (int run = 0; run < 3; run++) {
		long long begin = now(), each;

		for (int i = 0; i < CALLS; i++)
			call();
		each = (now() - begin) / CALLS;
		if (!run || each < least)
			least = each;
	}
	return least;
}

static int attach(const char *path)
{
	union bpf_attr get = { .pathname = (uintptr_t)path };
	union bpf_attr open = { 0 };
	long program = syscall(SYS_bpf, BPF_OBJ_GET, &get, sizeof(get));

	if (program < 0)
		return -1;
	open.raw_tracepoint.prog_fd = (uint32_t)program;
	return (int)syscall(SYS_bpf, BPF_RAW_TRACEPOINT_OPEN, &open,
			    sizeof(open));
}

int main(int argc, char **argv)
{
	int out = open("/tmp/no-module", O_RDWR | O_CREAT | O_TRUNC, 0600);

	for (int i = 1; i < argc; i++) {
		if (attach(argv[i]) >= 0)
			continue;
		perror(argv[i]);
		return 1;
	}
	memset(bytes, 'x', sizeof(bytes));
	if (out < 0 || write(out, bytes, sizeof(bytes)) != sizeof(bytes))
		return 1;
	close(out);
	file = open("/tmp/no-module", O_RDONLY);
	if (file < 0)
		return 1;
	printf("%lld %lld\n", cost(read_file), cost(load_data));
	return 0;
}
