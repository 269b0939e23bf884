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

int layout_path(char path[LAYOUT_PATH_SIZE], int home, const char *sign,
		const char *policy, const char *part, const char *name)
{
	int len = snprintf(path, LAYOUT_PATH_SIZE,
			   "/proc/self/fd/%d/%s%s%s%s%s%s", home, sign, policy,
			   part ? "/" : "", part ? part : "", name ? "/" : "",
			   name ? name : "");

	if (len >= LAYOUT_PATH_SIZE)
		return -ENAMETOOLONG;
	for (char *dot = path; (dot = strchr(dot, '.'));)
		*dot = '_';
	return 0;
}
