/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/verify.h"

#include <errno.h>
#include <string.h>

#include "loader/layout.h"
#include "loader/read.h"
#include "loader/report.h"

static const struct {
	int err;
	const char *words;
} unread[] = {
	{ -ELOOP, "it is a symbolic link; name the file itself" },
	{ -EINVAL, "it is not a regular file" },
	{ -EFBIG, "it is larger than 16 MiB, no bundle is" },
	{ -ENODATA, "it is empty" },
	{ -ESTALE, "it changed while it was read" },
};

int read_bundle(struct run *run, struct load *load)
{
	int err = read_file(load->path, BUNDLE_MAX_SIZE, &load->bytes,
			    &load->size);

	(void)run;
	if (!err)
		return 0;
	for (size_t i = 0; i < sizeof(unread) / sizeof(*unread); i++)
		if (unread[i].err == err)
			return refuse(err, load->path, "read", NULL, "%s",
				      unread[i].words);
	return refuse(err, load->path, "read", NULL, "it cannot be read:");
}

static int check_digest(const struct run *run, const struct load *load)
{
	const struct options *options = run->options;
	struct digest digest;
	char hex[DIGEST_HEX_SIZE];

	if (!options->digest_count)
		return 0;
	digest = digest_of(load->bytes, load->size);
	for (size_t i = 0; i < options->digest_count; i++)
		if (!memcmp(&digest, &options->digests[i], sizeof(digest)))
			return 0;
	digest_to_hex(&digest, hex);
	return refuse(-EBADMSG, load->path, "verify", NULL,
		      "its digest is %s, which --digest does not name", hex);
}

/* Whether this loader does all that the policy says. */
static int check_policy(const struct load *load)
{
	const struct table *table = &load->bundle->note->table;

	if (!layout_name_is_safe(table->policy))
		return refuse(-EBADMSG, load->path, "verify", NULL,
			      "the policy's name cannot name a folder");
	return 0;
}

static int check_twice(const struct run *run, const struct load *load)
{
	for (const struct load *other = run->loads; other < load; other++)
		if (!strcmp(policy_name(other), policy_name(load)))
			return refuse(-EEXIST, load->path, "verify",
				      "name one of the two",
				      "%s holds the policy %s as well",
				      other->path, policy_name(load));
	return 0;
}

int verify_bundle(struct run *run, struct load *load)
{
	const char *why = "out of memory";
	int err = check_digest(run, load);

	if (err)
		return err;
	err = bundle_open(load->bytes, load->size, &load->bundle, &why);
	if (err)
		return refuse(err, load->path, "verify", NULL, "%s", why);
	err = check_policy(load);
	return err ? err : check_twice(run, load);
}
