/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * accesses.def against the templates: nothing that one decides is forgotten,
 * and nothing that is written there is a slip.  And that the evaluator sees
 * what is wrong, and says it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "bundle/object.h"
#include "bundle/policy.h"
#include "compiler/arena.h"
#include "compiler/link.h"
#include "compiler/proof/access.h"
#include "compiler/proof/evaluate.h"
#include "compiler/proof/specimen.h"
#include "compiler/proof/world.h"
#include "compiler/template.h"
#include "sample.h"

/* Every operation that a template decides is in accesses.def. */
static void test_nothing_forgotten(void **state)
{
	unsigned missing = 0;

	(void)state;
	for (unsigned i = 0; i < PROTECTION_COUNT; i++) {
		const struct protection *protection = &protections[i];
		uint64_t decided = template_operations(protection);

		for (unsigned bit = 0; decided; bit++, decided >>= 1) {
			if (!(decided & 1) ||
			    evaluate_access(protection, bit, NULL))
				continue;
			print_error("accesses.def has nothing for %s.%s\n",
				    protection->name,
				    protection->operations[bit].name);
			missing++;
		}
	}
	assert_int_equal(missing, 0);
}

/* A hook that operations.def names for an operation is asked somewhere. */
static void test_every_hook(void **state)
{
	unsigned missing = 0;

	(void)state;
	for (unsigned i = 0; i < PROTECTION_COUNT; i++) {
		const struct protection *protection = &protections[i];
		uint64_t decided = template_operations(protection);

		for (unsigned bit = 0; decided; bit++, decided >>= 1) {
			uint64_t left = protection->operations[bit].hooks;
			const struct access *access = NULL;

			if (!(decided & 1))
				continue;
			while ((access = evaluate_access(protection, bit,
							 access)))
				left &= ~(UINT64_C(1) << access->hook);
			if (!left)
				continue;
			print_error("%s.%s: a hook is never asked for it\n",
				    protection->name,
				    protection->operations[bit].name);
			missing++;
		}
	}
	assert_int_equal(missing, 0);
}

static struct blob instantiate(struct arena *arena, struct sample *sample)
{
	struct blob object, linked = { 0 };
	const char *why = "";

	if (template_instantiate(arena, &sample->note.table, 0, &object,
				 &why) ||
	    link_objects(arena, &object, 1, &linked, &why))
		fail_msg("%s", why);
	return linked;
}

static void assert_differs(struct arena *arena, const struct blob *object,
			   const struct sample *sample, const char *words)
{
	const char *why = "";

	assert_int_equal(evaluate_object(arena, object->bytes, object->size,
					 &sample->note.table, NULL, &why),
			 -EBADMSG);
	if (!strstr(why, words))
		fail_msg("'%s' does not say '%s'", why, words);
}

static void test_agrees(void **state)
{
	struct arena *arena = arena_new();
	struct evaluation evaluation = { 0 };
	struct sample sample;
	struct blob object;
	const char *why = "";

	(void)state;
	sample_make_simple(&sample);
	object = instantiate(arena, &sample);
	if (evaluate_object(arena, object.bytes, object.size,
			    &sample.note.table, &evaluation, &why))
		fail_msg("%s", why);
	assert_true(evaluation.runs > 100);
	arena_free(arena);
}

/* The table is another than the one that the object was made of. */
static void test_differs(void **state)
{
	struct arena *arena = arena_new();
	struct sample sample, other;
	struct blob object;

	(void)state;
	sample_make_simple(&sample);
	object = instantiate(arena, &sample);
	sample_make_simple(&other);
	other.denied[0][PLACE_HOST] = 1;
	assert_differs(
		arena, &object, &other,
		"the code of kernel_modules.load_module for host decides allow, the policy says deny");
	sample_make_simple(&other);
	other.denied[0][PLACE_CONTAINER] = 1;
	assert_differs(
		arena, &object, &other,
		"the code of kernel_modules.autoload_module for container decides deny, the policy says allow");
	sample_make_simple(&other);
	other.logged[0][PLACE_HOST] = 1;
	assert_differs(arena, &object, &other, "for host is logged");
	sample_make_simple(&other);
	other.note.table.audit = true;
	assert_differs(arena, &object, &other, "decides deny");
	sample_make_simple(&other);
	other.logged[0][PLACE_HOST] |= UINT64_C(1) << 63;
	assert_differs(arena, &object, &other, "no such operation");
	arena_free(arena);
}

/* Bytes cut or changed never crash it. */
static void test_damaged(void **state)
{
	struct sample sample;
	struct arena *arena = arena_new();
	struct blob object;
	const char *why;

	(void)state;
	sample_make_simple(&sample);
	object = instantiate(arena, &sample);
	for (size_t i = 0; i < object.size; i += 97) {
		struct arena *inner = arena_new();
		char *bytes = arena_copy(inner, object.bytes, object.size);

		bytes[i] = (char)~bytes[i];
		evaluate_object(inner, bytes, object.size, &sample.note.table,
				NULL, &why);
		evaluate_object(inner, bytes, i, &sample.note.table, NULL,
				&why);
		arena_free(inner);
	}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_forgotten),
		cmocka_unit_test(test_every_hook),
		cmocka_unit_test(test_agrees),
		cmocka_unit_test(test_differs),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
