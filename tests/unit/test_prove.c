/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "compiler/prove.h"
#include "compiler/query.h"
#include "tests/unit/front.h"

#define POLICY(mode)                                                   \
	"language 1; policy p { seal open; " mode                      \
	" bpf { profile baseline; allow map_create for cgroup \"/a\";" \
	" block map_create for cgroup \"/a/b\"; block obj_get for host; } }"

/* What is said against @text: NULL where it holds. */
static const char *against(struct front *front, const char *text)
{
	struct policy_assertion assertion;
	struct counterexample found;

	assert_true(query_assertion(&front->parse, front->resolve, text,
				    &assertion));
	if (prove(front->arena, &front->plan->table, &assertion, &found))
		return NULL;
	return prove_words(front->arena, &front->plan->table, &found);
}

static void test_every_class_must_keep_it(void **state)
{
	front_plan(*state, POLICY(""));
	assert_null(against(*state, "host can bpf.map_create"));
	assert_null(against(*state, "container cannot bpf.*"));
	assert_null(against(*state, "cgroup \"/a/b\" cannot bpf.map_create"));
	assert_null(against(*state, "cgroup \"/a/c\" can bpf.map_create"));
	assert_null(against(*state, "host, container cannot bpf.obj_get"));
	assert_string_equal(
		against(*state, "cgroup \"/a\" can bpf.map_create"),
		"bpf.map_create for host in cgroup \"/a/b\" is denied");
	assert_string_equal(against(*state, "all cannot bpf.map_create"),
			    "bpf.map_create for host is allowed");
	assert_string_equal(
		against(*state,
			"container cannot bpf.map_create, bpf.obj_get, usb.add"),
		"usb.add is allowed to all, as usb is not in the policy");
	assert_string_equal(against(*state, "container, host can bpf.obj_get"),
			    "bpf.obj_get for host is denied");
	assert_string_equal(against(*state, "host can bpf.*"),
			    "bpf.obj_get for host is denied");
}

static void test_a_cgroup_has_both_places(void **state)
{
	front_plan(*state, POLICY(""));
	assert_string_equal(against(*state, "cgroup \"/x\" can bpf.map_create"),
			    "bpf.map_create for container is denied");
	assert_string_equal(
		against(*state, "cgroup \"/x\" cannot bpf.map_create"),
		"bpf.map_create for host is allowed");
}

static void test_what_is_not_attached_can(void **state)
{
	front_plan(*state, POLICY(""));
	assert_null(against(*state, "all can usb.*, network.connect"));
	assert_non_null(against(*state, "host cannot usb.add"));
}

static void test_audit_asks_for_what_would_be(void **state)
{
	front_plan(*state, POLICY("mode audit;"));
	assert_null(against(*state, "container cannot bpf.other"));
	assert_string_equal(
		against(*state, "container can bpf.other"),
		"bpf.other for container is denied, were it not for the audit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_class_must_keep_it,
						front_set_up, front_tear_down),
		cmocka_unit_test_setup_teardown(test_a_cgroup_has_both_places,
						front_set_up, front_tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_not_attached_can,
						front_set_up, front_tear_down),
		cmocka_unit_test_setup_teardown(
			test_audit_asks_for_what_would_be, front_set_up,
			front_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
