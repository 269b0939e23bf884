/* SPDX-License-Identifier: GPL-2.0-only */
/* What preflight makes of texts: no machine is asked. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#include "loader/cmdline.h"
#include "loader/layout.h"
#include "loader/lsm.h"
#include "loader/mount.h"
#include "loader/process.h"
#include "loader/subjects.h"

static void finds_whole_words(void **state)
{
	(void)state;
	assert_true(cmdline_has_word("ro quiet bpflock=off\n", "bpflock=off"));
	assert_true(cmdline_has_word("bpflock=off", "bpflock=off"));
	assert_true(cmdline_has_word("a\tbpflock=off b", "bpflock=off"));
	assert_false(cmdline_has_word("", "bpflock=off"));
	assert_false(cmdline_has_word("bpflock=offline", "bpflock=off"));
	assert_false(cmdline_has_word("nobpflock=off", "bpflock=off"));
	assert_false(cmdline_has_word("x.bpflock=off", "bpflock=off"));
}

static void quoted_blanks_split_nothing(void **state)
{
	(void)state;
	assert_false(cmdline_has_word("dyndbg=\"a bpflock=off b\" ro",
				      "bpflock=off"));
	assert_true(
		cmdline_has_word("dyndbg=\"a b\" bpflock=off", "bpflock=off"));
	assert_false(cmdline_has_word("\"bpflock=off", "bpflock=off"));
}

static void the_last_value_counts(void **state)
{
	const char *value;
	size_t len;

	(void)state;
	value = cmdline_value("lsm=a,b ro lsm=c\n", "lsm", &len);
	assert_non_null(value);
	assert_int_equal(len, 1);
	assert_memory_equal(value, "c", 1);
	assert_null(cmdline_value("lsmx=a xlsm=b lsm", "lsm", &len));
	assert_non_null(cmdline_value("lsm=", "lsm", &len));
	assert_int_equal(len, 0);
}

static void lists_have_whole_names(void **state)
{
	(void)state;
	assert_true(lsm_has("lockdown,capability,bpf\n", "bpf"));
	assert_true(lsm_has("bpf", "bpf"));
	assert_false(lsm_has("lockdown,bpfilter,xbpf", "bpf"));
	assert_false(lsm_has("", "bpf"));
	assert_false(lsm_has(",,", "bpf"));
}

static void writes_the_lsm_line(void **state)
{
	static const struct {
		const char *active, *cmdline, *line;
	} rows[] = {
		{ "landlock,lockdown,capability,yama,apparmor", "ro quiet",
		  "lsm=landlock,lockdown,yama,integrity,apparmor,bpf" },
		{ "lockdown,capability,yama,apparmor,tomoyo\n", "",
		  "lsm=lockdown,yama,integrity,apparmor,tomoyo,bpf" },
		{ "capability,selinux", "", "lsm=integrity,selinux,bpf" },
		{ "capability,yama", "", "lsm=yama,integrity,bpf" },
		{ "capability", "", "lsm=integrity,bpf" },
		{ "lockdown,capability,yama,integrity,apparmor", "",
		  "lsm=lockdown,yama,integrity,apparmor,bpf" },
		/* booted with a list: that one, as it stands */
		{ "lockdown,capability,yama", "ro lsm=lockdown,yama,apparmor x",
		  "lsm=lockdown,yama,apparmor,bpf" },
		{ "capability", "lsm=\"yama,apparmor\"",
		  "lsm=yama,apparmor,bpf" },
		{ "capability,yama", "lsm=bpf lsm=yama", "lsm=yama,bpf" },
		{ "capability", "lsm=", "lsm=bpf" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *line = NULL;

		assert_int_equal(
			lsm_line(rows[i].active, rows[i].cmdline, &line), 0);
		assert_string_equal(line, rows[i].line);
		free(line);
	}
}

static void tells_a_kernel_without_bpf(void **state)
{
	char *line = NULL;

	(void)state;
	assert_int_equal(lsm_line("capability,yama", "lsm=yama,bpf", &line),
			 -EALREADY);
	assert_null(line);
}

static void finds_what_hides_a_mount(void **state)
{
	static const char alone[] =
		"22 1 0:20 / /sys rw shared:7 - sysfs sysfs rw\n"
		"30 22 0:27 / /sys/fs/bpf rw shared:11 - bpf bpf rw,mode=700\n";
	static const char elsewhere[] =
		"30 22 0:27 / /sys/fs/bpf rw - bpf bpf rw\n"
		"31 1 0:28 / /sys/fs/bpf2 rw - bpf bpf rw\n"
		"32 1 0:29 / /run/x rw - bpf bpf rw\n"
		"33 22 0:30 / /sys/fs/bpf rw - tmpfs t rw";
	static const char twice[] =
		"30 22 0:27 / /sys/fs/bpf rw - bpf bpf rw\n"
		"34 30 0:31 / /sys/fs/bpf rw master:1 shared:2 - bpf b rw";

	(void)state;
	assert_false(mount_is_covered(alone, "/sys/fs/bpf", makedev(0, 27)));
	assert_false(
		mount_is_covered(elsewhere, "/sys/fs/bpf", makedev(0, 27)));
	assert_true(mount_is_covered(twice, "/sys/fs/bpf", makedev(0, 31)));
	assert_true(mount_is_covered(twice, "/sys/fs/bpf", makedev(0, 27)));
	/* bound to itself */
	assert_false(mount_is_covered("30 22 0:27 / /b rw - bpf bpf rw\n"
				      "34 30 0:27 / /b rw - bpf bpf rw\n",
				      "/b", makedev(0, 27)));
	assert_false(mount_is_covered("", "/b", makedev(0, 27)));
	assert_false(mount_is_covered("\nx\n - bpf ", "/b", makedev(0, 27)));
}

static void reads_the_stat_of_kthreadd(void **state)
{
	struct process process;

	(void)state;
	assert_int_equal(process_parse("2 (kthreadd) S 0 0 0 0 -1 2129984 0 0",
				       &process),
			 0);
	assert_true(process_is_kthreadd(&process));
	assert_int_equal(process.start, 0);
}

static void finds_the_start(void **state)
{
	struct process process;

	(void)state;
	assert_int_equal(
		process_parse(
			"77 (a) b) R 1 77 77 34816 77 4194304 96 1 2 3 4 5 6 7 -20 0 1 0 18446744073709551615 10 11",
			&process),
		0);
	assert_true(process.start == UINT64_MAX);
}

static void is_not_fooled_by_names(void **state)
{
	static const char *const rows[] = {
		/* a program of that name, and one with worse */
		"2 (kthreadd) S 1 2 2 0 -1 4194560 0",
		"2 (a) S 0 0 0 0 -1 2129984 0 (b) S 1 2 2 0 -1 4194560 0",
		/* a kernel thread, but not the first */
		"3 (rcu_gp) I 2 0 0 0 -1 69238880 0",
		/* the first of a container: its parent is outside */
		"2 (sh) S 0 1 1 0 -1 4194560 0",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct process process;

		assert_int_equal(process_parse(rows[i], &process), 0);
		assert_false(process_is_kthreadd(&process));
	}
}

static void refuses_other_stats(void **state)
{
	static const char *const rows[] = { "", "2", "2 (kthreadd",
					    "2 (kthreadd) S",
					    "2 (kthreadd) S x 0 0 0 -1 1" };
	struct process process = { 7, 7, 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(process_parse(rows[i], &process), -EBADMSG);
	assert_int_equal(process.parent, 7);
}

static void names_that_name_folders(void **state)
{
	char name[LAYOUT_NAME_MAX + 2];

	(void)state;
	assert_true(layout_name_is_safe("edge-gateway"));
	assert_true(layout_name_is_safe("_Edge_2"));
	assert_false(layout_name_is_safe(""));
	assert_false(layout_name_is_safe("."));
	assert_false(layout_name_is_safe(".."));
	assert_false(layout_name_is_safe("../bpflock"));
	assert_false(layout_name_is_safe("a/b"));
	assert_false(layout_name_is_safe("a.b"));
	assert_false(layout_name_is_safe("-a"));
	assert_false(layout_name_is_safe("7a"));
	assert_false(layout_name_is_safe("+edge"));
	assert_false(layout_name_is_safe("a\n"));
	assert_false(layout_name_is_safe("a\xc3\xa4"));

	memset(name, 'a', sizeof(name));
	name[LAYOUT_NAME_MAX] = '\0';
	assert_true(layout_name_is_safe(name));
	name[LAYOUT_NAME_MAX] = 'a';
	name[LAYOUT_NAME_MAX + 1] = '\0';
	assert_false(layout_name_is_safe(name));
}

static void paths_of_pins(void **state)
{
	char path[LAYOUT_PATH_SIZE];
	char name[LAYOUT_PATH_SIZE];

	(void)state;
	assert_int_equal(
		layout_path(path, 7, LAYOUT_IN_PLACE, "edge", NULL, NULL), 0);
	assert_string_equal(path, "/proc/self/fd/7/edge");
	assert_int_equal(layout_path(path, 7, LAYOUT_STAGED, "edge",
				     LAYOUT_MAPS, ".rodata.policy"),
			 0);
	assert_string_equal(path, "/proc/self/fd/7/+edge/maps/_rodata_policy");

	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(
		layout_path(path, 7, LAYOUT_IN_PLACE, name, NULL, NULL),
		-ENAMETOOLONG);
}

static void finds_the_v2_hierarchy(void **state)
{
	(void)state;
	assert_true(subjects_have_cgroup2("0::/init.scope\n"));
	assert_true(subjects_have_cgroup2("4:cpu:/\n1:name=systemd:/\n0::/\n"));
	assert_false(subjects_have_cgroup2("10::/\n"));
	assert_false(subjects_have_cgroup2("4:cpu:/0::/\n1:name=systemd:/\n"));
	assert_false(subjects_have_cgroup2(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_v2_hierarchy),
		cmocka_unit_test(finds_whole_words),
		cmocka_unit_test(quoted_blanks_split_nothing),
		cmocka_unit_test(the_last_value_counts),
		cmocka_unit_test(lists_have_whole_names),
		cmocka_unit_test(writes_the_lsm_line),
		cmocka_unit_test(tells_a_kernel_without_bpf),
		cmocka_unit_test(finds_what_hides_a_mount),
		cmocka_unit_test(reads_the_stat_of_kthreadd),
		cmocka_unit_test(finds_the_start),
		cmocka_unit_test(is_not_fooled_by_names),
		cmocka_unit_test(refuses_other_stats),
		cmocka_unit_test(names_that_name_folders),
		cmocka_unit_test(paths_of_pins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
