/* SPDX-License-Identifier: GPL-2.0-only */
/* What probes of fileless_exec share. */
#pragma once

#include "probe.h"

#define SHM  "/dev/shm/"
#define DISK "/tmp/disk/"

/* A program that ld.so starts, and which ld.so it names. */
#define DYNAMIC "/usr/bin/setpriv"
#ifdef __x86_64__
#define LD_SO "/lib64/ld-linux-x86-64.so.2"
#else
#define LD_SO "/lib/ld-linux-aarch64.so.1"
#endif

/* A file with @script in it or else, where that is NULL, what @from holds. */
int make_file(const char *path, const char *from, const char *script);

/* Becomes that program, or returns why not. */
int run_path(const char *path);

/* The same in a child, after which @removed goes. */
int run_and_remove(const char *path, const char *removed);

/* The errno of mapping the beginning of @fd, which may be -1: no setup. */
int map_fd(int fd, int protection);

/* The errno of making it executable once it is mapped for reading; @flags as
 * mmap() has them. */
int protect_fd(int fd, int flags);
