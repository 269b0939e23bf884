/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/layout.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"

bool layout_name_is_safe(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= LAYOUT_NAME_MAX && strchr(LETTERS, *name) &&
	       strspn(name, LETTERS "0123456789-") == len;
}

int layout_path(char path[LAYOUT_PATH_SIZE], bool staged, const char *policy,
		const char *part, const char *name)
{
	char sign[2] = { staged ? LAYOUT_STAGED : '\0' };
	int len = snprintf(path, LAYOUT_PATH_SIZE, LAYOUT_HOME "/%s%s%s%s%s%s",
			   sign, policy, part ? "/" : "", part ? part : "",
			   name ? "/" : "", name ? name : "");

	if (len >= LAYOUT_PATH_SIZE)
		return -ENAMETOOLONG;
	for (char *dot = path; (dot = strchr(dot, '.'));)
		*dot = '_';
	return 0;
}
