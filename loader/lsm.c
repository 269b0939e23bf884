/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The active list is not what lsm= takes: it names capability, which is always
 * there, and up to 6.7 it leaves out integrity, which IMA and EVM need.  So
 * the first is dropped, and the second set before the first module that labels
 * or confines, where the kernels' own default has it.  A kernel without
 * integrity skips the word.
 */
#include "loader/lsm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "loader/cleanup.h"
#include "loader/cmdline.h"

#define BREAK ",\n\""

static bool is_module(const char *word, size_t len, const char *name)
{
	return len == strlen(name) && !memcmp(word, name, len);
}

static bool comes_after_integrity(const char *word, size_t len)
{
	static const char *const names[] = { "apparmor", "selinux", "smack",
					     "tomoyo", "bpf" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (is_module(word, len, names[i]))
			return true;
	return false;
}

bool lsm_has(const char *list, const char *name)
{
	while (*list) {
		size_t len = strcspn(list, BREAK);

		if (is_module(list, len, name))
			return true;
		list += len;
		list += strspn(list, BREAK);
	}
	return false;
}

int lsm_line(const char *active, const char *cmdline, char **line)
{
	CLEANUP(free_memory) char *list = NULL;
	CLEANUP(free_memory) char *made = NULL;
	size_t booted_len = 0;
	const char *booted = cmdline_value(cmdline, "lsm", &booted_len);
	bool integrity;
	size_t size;
	FILE *out;

	list = booted ? strndup(booted, booted_len) : strdup(active);
	if (!list)
		return -ENOMEM;
	if (booted && lsm_has(list, "bpf"))
		return -EALREADY;
	out = open_memstream(&made, &size);
	if (!out)
		return -ENOMEM;

	integrity = booted || lsm_has(list, "integrity");
	fputs("lsm=", out);
	for (const char *at = list + strspn(list, BREAK); *at;) {
		size_t len = strcspn(at, BREAK);

		if (!integrity && comes_after_integrity(at, len)) {
			fputs("integrity,", out);
			integrity = true;
		}
		if (!is_module(at, len, "capability"))
			fprintf(out, "%.*s,", (int)len, at);
		at += len;
		at += strspn(at, BREAK);
	}
	fputs(integrity ? "bpf" : "integrity,bpf", out);
	if (fclose(out))
		return -ENOMEM;
	*line = made;
	made = NULL;
	return 0;
}
