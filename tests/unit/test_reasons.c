/* SPDX-License-Identifier: GPL-2.0-only */
/* Which lockdown reasons a kernel lacks, by types that are made up here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <bpf/btf.h>
#include <string.h>

#include "bpf/lockdown_reasons.h"
#include "loader/reasons.h"

#define IMAGE	(&protections[PROTECTION_kernel_image])
#define SECRETS (&protections[PROTECTION_kernel_secrets])
#define BIT(protection, operation) \
	(UINT64_C(1) << OP_BIT(protection, operation))

#define REASON(protection, operation, name)	     "LOCKDOWN_" #name,
#define RENAMED(protection, operation, name, former) "LOCKDOWN_" #name,
static const char *const all[] = { LOCKDOWN_REASONS(REASON, RENAMED) };

/* A kernel with all reasons but one, and perhaps one more. */
static struct btf *make_kernel(const char *without, const char *with)
{
	struct btf *kernel = btf__new_empty();

	assert_non_null(kernel);
	assert_true(btf__add_enum(kernel, "lockdown_reason", 4) > 0);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (strcmp(all[i], without) != 0)
			btf__add_enum_value(kernel, all[i], (int64_t)i);
	if (with)
		btf__add_enum_value(kernel, with, 1000);
	return kernel;
}

static void nothing_is_missing(void **state)
{
	struct btf *kernel = make_kernel("", NULL);

	(void)state;
	for (unsigned i = 0; i < PROTECTION_COUNT; i++) {
		assert_int_equal(reasons_missing(kernel, &protections[i]), 0);
		assert_int_equal(reasons_without_end(kernel, &protections[i]),
				 0);
	}
	btf__free(kernel);
}

static void one_is_missing(void **state)
{
	struct btf *kernel = make_kernel("LOCKDOWN_DEVICE_TREE", NULL);

	(void)state;
	assert_int_equal(reasons_missing(kernel, IMAGE),
			 BIT(kernel_image, device_tree));
	assert_int_equal(reasons_missing(kernel, SECRETS), 0);
	btf__free(kernel);
}

static void all_are_missing(void **state)
{
	struct btf *kernel = btf__new_empty();

	(void)state;
	assert_int_equal(reasons_missing(kernel, IMAGE), protection_all(IMAGE));
	assert_int_equal(reasons_missing(kernel, SECRETS),
			 protection_all(SECRETS));
	btf__free(kernel);
}

static void either_name_will_do(void **state)
{
	struct btf *kernel =
		make_kernel("LOCKDOWN_BPF_READ_KERNEL", "LOCKDOWN_BPF_READ");

	(void)state;
	assert_int_equal(reasons_missing(kernel, SECRETS), 0);
	btf__free(kernel);
	kernel = make_kernel("LOCKDOWN_BPF_READ_KERNEL", NULL);
	assert_int_equal(reasons_missing(kernel, SECRETS),
			 BIT(kernel_secrets, bpf_read));
	btf__free(kernel);
}

/* One that asks at each read. */
static void reads_may_not_end(void **state)
{
	struct btf *kernel = make_kernel("LOCKDOWN_BPF_WRITE_USER", NULL);

	(void)state;
	assert_int_equal(reasons_without_end(kernel, SECRETS),
			 BIT(kernel_secrets, bpf_read));
	assert_int_equal(reasons_without_end(kernel, IMAGE), 0);
	assert_int_equal(reasons_missing(kernel, IMAGE),
			 BIT(kernel_image, bpf_write));
	btf__free(kernel);
}

/* What a kernel has a reason for and, built without signatures, never asks. */
static void signatures_are_of_two_protections(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PROTECTION_COUNT; i++) {
		uint64_t bits = reasons_of_signatures(&protections[i]);

		if (i == PROTECTION_kernel_image)
			assert_int_equal(bits,
					 BIT(kernel_image, unsigned_module));
		else if (i == PROTECTION_kernel_modules)
			assert_int_equal(bits,
					 BIT(kernel_modules, unsigned_module));
		else
			assert_int_equal(bits, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_missing),
		cmocka_unit_test(one_is_missing),
		cmocka_unit_test(all_are_missing),
		cmocka_unit_test(either_name_will_do),
		cmocka_unit_test(reads_may_not_end),
		cmocka_unit_test(signatures_are_of_two_protections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
