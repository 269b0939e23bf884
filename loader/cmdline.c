/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/cmdline.h"

#include <ctype.h>
#include <string.h>

#include "loader/cleanup.h"
#include "loader/read.h"

#define CMDLINE_MAX 65536 /* no architecture's is that long */

/* The next word from *@at on, which then stands behind it; NULL at the end. */
static const char *next_word(const char **at, size_t *len)
{
	const char *word = *at;
	const char *end;
	bool quoted = false;

	while (isspace((unsigned char)*word))
		word++;
	if (!*word)
		return NULL;
	for (end = word; *end && (quoted || !isspace((unsigned char)*end));
	     end++)
		quoted ^= *end == '"';
	*len = (size_t)(end - word);
	*at = end;
	return word;
}

bool cmdline_has_word(const char *cmdline, const char *word)
{
	const char *found;
	size_t len;

	while ((found = next_word(&cmdline, &len)))
		if (len == strlen(word) && !memcmp(found, word, len))
			return true;
	return false;
}

bool cmdline_is_off(void)
{
	CLEANUP(free_memory) char *cmdline = NULL;

	return !read_text("/proc/cmdline", CMDLINE_MAX, &cmdline) &&
	       cmdline_has_word(cmdline, "bpflock=off");
}

const char *cmdline_value(const char *cmdline, const char *name, size_t *len)
{
	size_t name_len = strlen(name);
	const char *value = NULL;
	const char *word;
	size_t word_len;

	while ((word = next_word(&cmdline, &word_len))) {
		if (word_len <= name_len || memcmp(word, name, name_len) ||
		    word[name_len] != '=')
			continue;
		value = word + name_len + 1;
		*len = word_len - name_len - 1;
	}
	return value;
}
