/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The words of accesses.def become initialisers.  What they point to are
 * compound literals outside of functions: constant, and there for good.
 */
#include "compiler/proof/access.h"

/* clang-format off */
#define FIELDS(...) ((const struct access_field[]){ __VA_ARGS__, { .path = NULL } })
#define FIELD(name, is) { .path = (name), .value = is }
#define NUMBER(is) { .kind = VALUE_NUMBER, .number = (is) }
#define STRING(is) { .kind = VALUE_STRING, .text = (is) }
#define BYTES(is) { .kind = VALUE_BYTES, .text = (is), .number = sizeof(is) - 1 }
#define ENUMERATOR(is) { .kind = VALUE_ENUMERATOR, .text = (is) }
#define OTHERS(of) { .kind = VALUE_OTHERS, .text = (of) }
#define OBJECT(type, ...) { .kind = VALUE_OBJECT, .text = (type), .fields = FIELDS(__VA_ARGS__) }
#define USER(bytes, size) { .kind = VALUE_USER, .text = (bytes), .number = (size) }
#define BEHIND(path, size) { .kind = VALUE_BEHIND, .text = (path), .number = (size) }
#define ARGUMENT(is) { .kind = VALUE_ARGUMENT, .number = (is) }
#define SAME(path) { .kind = VALUE_SAME, .text = (path) }

#define ARGUMENTS(...) \
	.arguments = (const struct access_value[]){ __VA_ARGS__ }, \
	.argument_count = sizeof((const struct access_value[]){ __VA_ARGS__ }) / sizeof(struct access_value)
#define OPERATION(of, name) { .protection = PROTECTION_##of, .bit = OP_BIT(of, name) }
#define TRACED(of, name) { .protection = TRACE_##of, .bit = OP_BIT(of, name) }
#define EXECUTED(...) .exec = &(const struct access_exec){ __VA_ARGS__ }
#define USED(...) .use = &(const struct access_use){ __VA_ARGS__ }
#define OPERATIONS(...) \
	.operations = (const struct access_operation[]){ __VA_ARGS__ }, \
	.operation_count = sizeof((const struct access_operation[]){ __VA_ARGS__ }) / sizeof(struct access_operation)
#define WHEN_UNBOUND(...) \
	.unbound_operations = (const struct access_operation[]){ __VA_ARGS__ }, \
	.unbound_count = sizeof((const struct access_operation[]){ __VA_ARGS__ }) / sizeof(struct access_operation)
#define NOTHING .operation_count = 0

#define BOUND .unbound = false
#define UNBOUND .unbound = true
#define LOADER .loader = true
#define LOST .lost = true

const struct access accesses[] = {
#define ACCESS(asked, what, is, with, ...) { .hook = HOOK_##asked, .words = (what), is, with, __VA_ARGS__ },
#include "compiler/proof/accesses.def"
};

const struct access_subject access_subjects[] = {
#define SUBJECT(where, who, how, ...) { .place = PLACE_##where, .words = (who), how, .task = FIELDS(__VA_ARGS__) },
#include "compiler/proof/accesses.def"
};

const struct kernel_kind access_kernels[] = {
#define KIND(which, all, probe, ...) { .words = (which), .has_all = (all), .may_probe = (probe), .except = (const char *const[]){ __VA_ARGS__, NULL } },
#include "compiler/proof/accesses.def"
};
/* clang-format on */

const size_t access_count = sizeof(accesses) / sizeof(accesses[0]);
const size_t access_subject_count =
	sizeof(access_subjects) / sizeof(access_subjects[0]);
const size_t access_kernel_count =
	sizeof(access_kernels) / sizeof(access_kernels[0]);
