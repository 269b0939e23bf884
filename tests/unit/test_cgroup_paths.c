/* SPDX-License-Identifier: GPL-2.0-only */
/* Which container a cgroup is of, by its path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "loader/cgroup_paths.h"

#define A_16 "0123456789abcdef"
#define A    A_16 A_16 A_16 A_16
#define B_16 "fedcba9876543210"
#define B    B_16 B_16 B_16 B_16

static void ids_are_what_runtimes_name_cgroups_after(void **state)
{
	static const struct {
		const char *path, *id; /* NULL: none */
	} rows[] = {
		{ "/system.slice/docker-" A ".scope", A },
		{ "/docker/" A, A },
		{ "/machine.slice/libpod-" A ".scope", A },
		{ "/machine.slice/libpod-" A ".scope/container", A },
		{ "/machine.slice/libpod-conmon-" B ".scope", NULL },
		{ "/libpod_parent/libpod-" A, A },
		{ "/libpod_parent/" B "/libpod-" A, A },
		{ "/libpod_parent/" B, NULL },
		{ "/docker/" A "/libpod_parent/" B "/libpod-" B, A },
		{ "/machine.slice/crio-conmon-" B ".scope", NULL },
		{ "/kubepods.slice/kubepods-burstable.slice/"
		  "kubepods-burstable-pod01234567_89ab.slice/"
		  "cri-containerd-" A ".scope",
		  A },
		{ "/kubepods/besteffort/pod0123/" A, A },
		{ "/kubepods.slice/crio-" A ".scope", A },
		/* what a container may name as it likes */
		{ "/docker-" A ".scope/docker/" B "/init", A },
		{ "/machine.slice/libpod-" A ".scope/docker-" B ".scope", A },
		{ "/x/libpod-conmon-" B ".scope/docker-" A ".scope", A },
		{ "/docker/" A "/system.slice/x.service", A },
		{ "/", NULL },
		{ "", NULL },
		{ "/system.slice/sshd.service", NULL },
		{ "/docker/" A_16 A_16 A_16, NULL },
		{ "/docker/" A "0", NULL },
		{ "/docker-0" A ".scope", NULL },
		{ "/docker_" A ".scope", NULL },
		{ "/docker-" A ".slice", NULL },
		{ "/docker-" A "-x", NULL },
		{ "/docker-0123456789ABCDEF" A_16 A_16 A_16 ".scope", NULL },
		{ "/docker-" A_16 A_16 A_16 "/" A_16 ".scope", NULL },
		{ "/.scope", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char id[CONTAINER_ID_SIZE];
		bool found = cgroup_container_id(rows[i].path, id);

		if (found != !!rows[i].id || (found && strcmp(id, rows[i].id)))
			fail_msg("'%s'", rows[i].path);
	}
}

static void without_a_hierarchy_nothing_is_known(void **state)
{
	struct cgroup_paths paths = { .mount = -1 };

	(void)state;
	assert_null(cgroup_path_of(&paths, 1));
	cgroup_paths_free(&paths);
}

/* Where this machine shows one. */
static void the_root_has_the_first_id(void **state)
{
	struct cgroup_paths paths;

	(void)state;
	cgroup_paths_open(&paths);
	assert_null(cgroup_path_of(&paths, 0));
	if (paths.mount >= 0 && cgroup_path_of(&paths, 1))
		assert_string_equal(cgroup_path_of(&paths, 1), "/");
	cgroup_paths_free(&paths);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_what_runtimes_name_cgroups_after),
		cmocka_unit_test(without_a_hierarchy_nothing_is_known),
		cmocka_unit_test(the_root_has_the_first_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
