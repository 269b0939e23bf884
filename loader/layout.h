/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the pins are, in the bpf file system:
 *
 *	/sys/fs/bpf/bpflock/		root's alone; locked while it changes
 *		edge-gateway/		one folder a policy
 *			links/		one pin a program, by its name
 *			maps/		one pin a map, dots as underscores
 *			record		what --status and --verify know it by
 *		+edge-gateway/		the same on its way in, or out
 *		-edge-gateway/		stepped aside for a moment
 *
 * A folder is replaced by exchanging NAME and +NAME.  Where the kernel cannot
 * do that at once, NAME steps aside; home_open() brings it back where a loader
 * was killed before the new one had its place.
 */
#pragma once

#include <stdbool.h>

#define LAYOUT_BPFFS	 "/sys/fs/bpf"
#define LAYOUT_HOME	 LAYOUT_BPFFS "/bpflock"
#define LAYOUT_LINKS	 "links"
#define LAYOUT_MAPS	 "maps"
#define LAYOUT_RECORD	 "record"
#define LAYOUT_GUARD	 "@guard" /* its folder; no policy has that name */
#define LAYOUT_NAME_MAX	 128
#define LAYOUT_PATH_SIZE 512

/* What a folder's name begins with; no policy's does. */
#define LAYOUT_IN_PLACE ""
#define LAYOUT_STAGED	"+"
#define LAYOUT_ASIDE	"-"

/* Whether a policy of that name can have a folder: [A-Za-z_][A-Za-z0-9_-]*, at
 * most LAYOUT_NAME_MAX bytes.  The bpf file system keeps dots to itself. */
bool layout_name_is_safe(const char *name);

/*
 * The path of a policy's folder or, where they are not NULL, of @part in it
 * and of @name in that, whose dots turn into underscores.  It goes through the
 * open folder @home, so that it is the same one whatever becomes of its name;
 * below 0, nothing is there.  Returns 0, or -ENAMETOOLONG.
 */
int layout_path(char path[LAYOUT_PATH_SIZE], int home, const char *sign,
		const char *policy, const char *part, const char *name);
