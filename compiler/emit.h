/* SPDX-License-Identifier: GPL-2.0-only */
/* Makes a bundle of a linked object, and writes it. */
#pragma once

#include "bundle/digest.h"
#include "bundle/table.h"
#include "compiler/blob.h"

struct arena;

/*
 * Adds the note, of @table, @source and template_digest(), and the trailer to
 * @linked.  Returns 0 with *@bundle set, in the arena, or -errno with *@why
 * set, in the arena or constant.
 */
int emit_bundle(struct arena *arena, const struct blob *linked,
		const struct table *table, const struct digest *source,
		struct blob *bundle, const char **why);

/*
 * Writes @bundle to @path, all or nothing: the file appears under its name
 * when all of it is on the disk, in place of one that was there, with the mode
 * of any new file.  What is neither a regular file nor missing is written
 * straight (a pipe, /dev/stdout); a folder is refused.  Returns 0, or -errno
 * with *@why set, in the arena or constant, without @path: the caller names it.
 */
int emit_write(struct arena *arena, const char *path, const struct blob *bundle,
	       const char **why);
