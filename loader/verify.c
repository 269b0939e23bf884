/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/verify.h"

#include <errno.h>
#include <string.h>

#include "loader/fault.h"
#include "loader/layout.h"
#include "loader/read.h"
#include "loader/report.h"

static void report_unread(const char *path, int err)
{
	const char *words = error_words(err);

	switch (err) {
	case -ELOOP:
		words = "it is a symbolic link; name the file itself";
		break;
	case -EINVAL:
		words = "it is not a regular file";
		break;
	case -EFBIG:
		words = "it is larger than 16 MiB, no bundle is";
		break;
	case -ENODATA:
		words = "it is empty";
		break;
	case -ESTALE:
		words = "it changed while it was read";
		break;
	}
	report_refusal(path, "read", "%s", words);
}

int read_bundles(struct run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		struct load *load = &run->loads[i];
		int err = fault("read");

		if (!err)
			err = read_file(load->path, READ_BUNDLE_MAX,
					&load->bytes, &load->size);
		if (err) {
			report_unread(load->path, err);
			return err;
		}
	}
	return 0;
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
	report_refusal(load->path, "verify",
		       "its digest is %s, which --digest does not name", hex);
	return -EBADMSG;
}

/* Whether this loader does all that the policy says. */
static int check_policy(const struct load *load)
{
	const struct table *table = &load->bundle->note->table;

	if (!layout_name_is_safe(table->policy)) {
		report_refusal(load->path, "verify",
			       "the policy's name cannot name a folder");
		return -EBADMSG;
	}
	if (table->locked) {
		report_refusal(load->path, "verify",
			       "%s says 'seal locked', and this loader "
			       "cannot seal yet; it never enforces less than "
			       "the policy says",
			       table->policy);
		report_mend("say 'seal open' in the policy and compile it "
			    "again");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int check_twice(const struct run *run, size_t index)
{
	const char *name = run->loads[index].bundle->note->table.policy;

	for (size_t i = 0; i < index; i++) {
		if (strcmp(run->loads[i].bundle->note->table.policy, name))
			continue;
		report_refusal(run->loads[index].path, "verify",
			       "%s holds the policy %s as well",
			       run->loads[i].path, name);
		report_mend("name one of the two");
		return -EEXIST;
	}
	return 0;
}

int verify_bundles(struct run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		struct load *load = &run->loads[i];
		const char *why = "failed on purpose";
		int err = check_digest(run, load);

		if (err)
			return err;
		err = fault("verify");
		if (!err)
			err = bundle_open(load->bytes, load->size,
					  &load->bundle, &why);
		if (err) {
			report_refusal(load->path, "verify", "%s",
				       err == -ENOMEM ? error_words(err) : why);
			return err;
		}
		err = check_policy(load);
		if (!err)
			err = check_twice(run, i);
		if (err)
			return err;
	}
	return 0;
}
