/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A kernel without a reason never asks about it, whether or not it has what the
 * reason is about: the device tree of some machines could be changed before
 * there was one.  So what a policy denies or logs is refused where the reason
 * is missing, by the operation's name.  The programs would not load either, but
 * could only say that an instruction is invalid.
 *
 * A kernel may have a reason and still never ask about it: that of modules'
 * signatures where it was built to check none.  Only such a kernel lacks the
 * parameter that has it insist on them.
 */
#include "loader/reasons.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "bpf/lockdown_reasons.h"
#include "loader/names.h"
#include "loader/report.h"

#define SIGNATURE "LOCKDOWN_MODULE_SIGNATURE"
#define MODULES	  "/proc/modules" /* not there: none can be loaded */

static const struct reason {
	enum protection_id protection;
	unsigned bit;
	const char *name, *former; /* @former: NULL without */
} reasons[] = {
#define REASON(protection, operation, name)                       \
	{ PROTECTION_##protection, OP_BIT(protection, operation), \
	  "LOCKDOWN_" #name, NULL },
#define RENAMED(protection, operation, name, former)              \
	{ PROTECTION_##protection, OP_BIT(protection, operation), \
	  "LOCKDOWN_" #name, "LOCKDOWN_" #former },
	LOCKDOWN_REASONS(REASON, RENAMED)
};

static bool has_reason(const struct btf *kernel, const char *name)
{
	return name && kernel_names(kernel, "lockdown_reason", name);
}

uint64_t reasons_missing(const struct btf *kernel,
			 const struct protection *protection)
{
	uint64_t missing = 0;

	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (protection->id == reasons[i].protection &&
		    !has_reason(kernel, reasons[i].name) &&
		    !has_reason(kernel, reasons[i].former))
			missing |= UINT64_C(1) << reasons[i].bit;
	return missing;
}

uint64_t reasons_of_signatures(const struct protection *protection)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (protection->id == reasons[i].protection &&
		    !strcmp(reasons[i].name, SIGNATURE))
			bits |= UINT64_C(1) << reasons[i].bit;
	return bits;
}

bool reasons_have_signatures(void)
{
	return !access(REASONS_SIG_ENFORCE, F_OK) || access(MODULES, F_OK);
}

/* Up to 5.13 the helpers asked at each read.  Later ones ask when a program is
 * loaded, and so do 5.10.43 and its followers; all that have BPF_WRITE_USER,
 * which came a little later to both, are such. */
uint64_t reasons_without_end(const struct btf *kernel,
			     const struct protection *protection)
{
	if (protection->id != PROTECTION_kernel_secrets ||
	    has_reason(kernel, "LOCKDOWN_BPF_WRITE_USER"))
		return 0;
	return UINT64_C(1) << OP_BIT(kernel_secrets, bpf_read);
}

static int probe_protection(const struct btf *kernel, const struct load *load,
			    const struct table_protection *row)
{
	const struct protection *protection = row->protection;
	uint64_t used = table_used_operations(row);
	uint64_t missing = used & reasons_missing(kernel, protection);
	uint64_t without_end =
		used & reasons_without_end(kernel, protection) & ~missing;
	uint64_t unasked = used & reasons_of_signatures(protection) & ~missing;
	int err = 0;

	if (missing)
		err = refuse_operations(load->path, "probe", protection,
					missing,
					"run a newer kernel, or leave it out "
					"of what the policy denies and logs",
					"this kernel has no lockdown reason "
					"for");
	if (without_end)
		err = refuse_operations(load->path, "probe", protection,
					without_end,
					"run Linux 5.14 or newer, or leave "
					"it out of what the policy denies "
					"and logs",
					"this kernel may ask about each read "
					"of our programs themselves, which "
					"would never end, for");
	if (unasked && !reasons_have_signatures())
		err = refuse_operations(
			load->path, "probe", protection, unasked,
			"run a kernel with CONFIG_MODULE_SIG=y, "
			"or leave it out of what the policy "
			"denies and logs",
			"this kernel checks no signatures of "
			"modules, and never asks about");
	return err;
}

int probe_reasons(struct run *run, struct load *load)
{
	const struct table *table = &load->bundle->note->table;
	int first = 0;

	for (uint32_t i = 0; i < table->protection_count; i++) {
		int err = probe_protection(run->kernel, load,
					   &table->protections[i]);

		first = first ? first : err;
	}
	return first;
}
