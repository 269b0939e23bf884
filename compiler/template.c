/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A template states the operations that it decides in its policy variable.
 * What a policy needs beyond these is refused: it must never enforce less than
 * it says because a template is not there yet.
 */
#include "compiler/template.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/object.h"
#include "bundle/policy.h"
#include "compiler/arena.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "struct policy is copied as BPF objects have it");
_Static_assert((int)POLICY_CLASSES == (int)PLACE_COUNT,
	       "a class a place, while templates know no cgroups");

/* compiler/embed.py writes these, in the order of their names. */
struct embedded {
	const char *name;
	struct blob object;
};
_Static_assert(sizeof(struct embedded) == 24, "as embed.py has it");

extern const struct embedded embedded_templates[];
extern const size_t embedded_template_count;

const struct blob *template_find(const struct protection *protection)
{
	for (size_t i = 0; i < embedded_template_count; i++)
		if (!strcmp(embedded_templates[i].name, protection->name))
			return &embedded_templates[i].object;
	return NULL;
}

/* Where the policy variable of @protection is, and what it holds now. */
static int find_policy(struct arena *arena, const struct blob *template,
		       const struct protection *protection, uint64_t *offset,
		       struct policy *policy, const char **why)
{
	const char *symbol = arena_printf(arena, POLICY_SYMBOL_PREFIX "%s",
					  protection->name);
	struct object_section section;
	struct object object;
	uint64_t size;

	if (object_open(template->bytes, template->size, &object, why))
		return -EBADMSG;
	if (object_find_symbol(&object, symbol, &section, offset, &size)) {
		*why = arena_printf(arena, "its template defines no %s",
				    symbol);
		return -EBADMSG;
	}
	if (strcmp(section.name, POLICY_SECTION) || size != sizeof(*policy)) {
		*why = arena_printf(arena, "its template has another %s",
				    symbol);
		return -EBADMSG;
	}
	memcpy(policy, object.bytes + *offset, sizeof(*policy));
	if (!policy->operations ||
	    policy->operations & ~protection_all(protection)) {
		*why = "its template decides operations that there are not";
		return -EBADMSG;
	}
	return 0;
}

uint64_t template_operations(const struct protection *protection)
{
	const struct blob *template = template_find(protection);
	struct policy policy = { 0 };
	struct arena *arena;
	const char *why;
	uint64_t offset;

	if (!template)
		return 0;
	arena = arena_new();
	if (find_policy(arena, template, protection, &offset, &policy, &why))
		policy.operations = 0;
	arena_free(arena);
	return policy.operations;
}

struct digest template_digest(void)
{
	struct digest digests[2 * embedded_template_count + 1];
	size_t count = 0;

	for (size_t i = 0; i < embedded_template_count; i++) {
		const struct embedded *each = &embedded_templates[i];

		digests[count++] = digest_of(each->name, strlen(each->name));
		digests[count++] =
			digest_of(each->object.bytes, each->object.size);
	}
	return digest_of(digests, count * sizeof(digests[0]));
}

/* The names of the operations in @mask, for people. */
static const char *list_operations(struct arena *arena,
				   const struct protection *protection,
				   uint64_t mask)
{
	const char *list = "";

	for (unsigned i = 0; i < protection_operation_count(protection); i++)
		if (mask >> i & 1)
			list = arena_printf(arena, "%s%s%s", list,
					    *list ? ", " : "",
					    protection->operations[i].name);
	return list;
}

int template_instantiate(struct arena *arena, const struct table *table,
			 uint32_t index, struct blob *object, const char **why)
{
	const struct table_protection *row = &table->protections[index];
	const struct protection *protection = row->protection;
	const struct blob *template = template_find(protection);
	uint32_t classes = table_class_count(row);
	struct policy policy;
	uint64_t offset, needed = 0;
	char *bytes;
	int err;

	if (!template) {
		*why = arena_printf(arena,
				    "%s cannot be enforced by this bpflockc",
				    protection->name);
		return -EOPNOTSUPP;
	}
	err = find_policy(arena, template, protection, &offset, &policy, why);
	if (err)
		return err;
	if (classes != POLICY_CLASSES) {
		*why = arena_printf(
			arena,
			"%s for a cgroup cannot be enforced by this bpflockc",
			protection->name);
		return -EOPNOTSUPP;
	}
	for (uint32_t i = 0; i < classes; i++)
		needed |= row->denied[i] | row->logged[i];
	if (needed & ~policy.operations) {
		*why = arena_printf(
			arena,
			"these operations of %s cannot be enforced by this bpflockc: %s",
			protection->name,
			list_operations(arena, protection,
					needed & ~policy.operations));
		return -EOPNOTSUPP;
	}
	policy.protection = index;
	policy.audit = table->audit;
	policy.class_count = classes;
	policy.reserved = 0;
	for (uint32_t i = 0; i < classes; i++) {
		policy.classes[i].denied = row->denied[i];
		policy.classes[i].logged = row->logged[i];
	}
	bytes = arena_copy(arena, template->bytes, template->size);
	memcpy(bytes + offset, &policy, sizeof(policy));
	*object = (struct blob){ .bytes = bytes, .size = template->size };
	return 0;
}
