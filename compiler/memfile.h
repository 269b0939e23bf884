/* SPDX-License-Identifier: GPL-2.0-only */
/* Files in memory, for libraries that only take files. */
#pragma once

#include "compiler/blob.h"

struct arena;

/* A file that holds @blob (NULL: nothing), at its start.  Returns a file
 * descriptor, the caller's to close, or -errno. */
int memfile_new(const struct blob *blob);

/* A name under which this process can open it while it stays open. */
const char *memfile_path(struct arena *arena, int fd);

/* All that is in the file, from its start.  Returns 0 or -errno. */
int memfile_read(struct arena *arena, int fd, struct blob *blob);

/* For a variable with cleanup(memfile_close): closes *@fd where it is not
 * negative. */
void memfile_close(int *fd);
