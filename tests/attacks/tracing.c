/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Other switches that root has, and tracers on the functions that our programs
 * hang on: none of them may keep the kernel from calling these.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attack.h"

#define TRACING "/sys/kernel/tracing/"
#define DEBUG	"/sys/kernel/debug/"
#define SYSCTL	"/proc/sys/"

struct setting {
	const char *path, *text;
};

static int write_all(const struct setting *settings)
{
	struct tally tally = { 0 };

	for (; settings->path; settings++) {
		int done = write_text(settings->path, settings->text);

		if (done && errno == ENOENT)
			continue;
		tally_add(&tally, done, settings->path);
	}
	return tally_result(&tally);
}

static int function_tracer(const struct scene *scene)
{
	static const struct setting on[] = {
		{ TRACING "set_ftrace_filter", "bpf_lsm_*\n" },
		{ TRACING "current_tracer", "function\n" },
		{ TRACING "current_tracer", "function_graph\n" },
		{ TRACING "current_tracer", "nop\n" },
		{ TRACING "set_ftrace_notrace", "bpf_lsm_*\n" },
		{ TRACING "set_ftrace_filter", "security_*\n" },
		{ TRACING "current_tracer", "function\n" },
		{ NULL, NULL },
	};

	(void)scene;
	return write_all(on);
}

static int kprobe_events(const struct scene *scene)
{
	static const struct setting events[] = {
		{ TRACING "kprobe_events", "p:attack1 bpf_lsm_bpf\n" },
		{ TRACING "kprobe_events",
		  "r:attack2 bpf_lsm_kernel_read_file\n" },
		{ TRACING "kprobe_events", "p:attack3 security_bpf\n" },
		{ TRACING "events/kprobes/enable", "1\n" },
		{ DEBUG "kprobes/enabled", "0\n" },
		{ DEBUG "kprobes/enabled", "1\n" },
		{ SYSCTL "debug/kprobes-optimization", "0\n" },
		{ NULL, NULL },
	};

	(void)scene;
	return write_all(events);
}

static int fail_functions(const struct scene *scene)
{
	static const struct setting settings[] = {
		{ DEBUG "fail_function/inject", "security_bpf\n" },
		{ DEBUG "fail_function/inject", "bpf_lsm_bpf\n" },
		{ DEBUG "fail_function/inject", "security_kernel_load_data\n" },
		{ DEBUG "fail_function/probability", "100\n" },
		{ DEBUG "fail_function/times", "-1\n" },
		{ NULL, NULL },
	};
	struct stat status;

	(void)scene;
	if (stat(DEBUG "fail_function", &status))
		return NOT_HERE;
	return write_all(settings);
}

static int jit(const struct scene *scene)
{
	static const struct setting settings[] = {
		{ SYSCTL "net/core/bpf_jit_harden", "2\n" },
		{ SYSCTL "net/core/bpf_jit_kallsyms", "0\n" },
		{ SYSCTL "net/core/bpf_jit_limit", "1\n" },
		{ SYSCTL "net/core/bpf_jit_enable", "0\n" },
		{ SYSCTL "net/core/bpf_jit_enable", "2\n" },
		{ SYSCTL "kernel/bpf_stats_enabled", "1\n" },
		{ SYSCTL "kernel/unprivileged_bpf_disabled", "0\n" },
		{ NULL, NULL },
	};

	(void)scene;
	return write_all(settings);
}

static int other_switches(const struct scene *scene)
{
	static const struct setting settings[] = {
		{ SYSCTL "kernel/stack_tracer_enabled", "1\n" },
		{ SYSCTL "kernel/stack_tracer_enabled", "0\n" },
		{ SYSCTL "kernel/kptr_restrict", "0\n" },
		{ SYSCTL "kernel/perf_event_paranoid", "-1\n" },
		{ SYSCTL "kernel/yama/ptrace_scope", "0\n" },
		{ SYSCTL "fs/mount-max", "1\n" },
		{ SYSCTL "kernel/sched_rt_runtime_us", "1000\n" },
		{ SYSCTL "vm/drop_caches", "3\n" },
		{ SYSCTL "vm/compact_memory", "1\n" },
		{ "/sys/kernel/security/apparmor/.remove", "x\n" },
		{ TRACING "tracing_on", "0\n" },
		{ TRACING "events/enable", "0\n" },
		{ TRACING "free_buffer", "\n" },
		{ "/sys/devices/system/cpu/cpu1/online", "0\n" },
		{ "/sys/devices/system/cpu/cpu1/online", "1\n" },
		{ NULL, NULL },
	};

	(void)scene;
	return write_all(settings);
}

/* Up is the only way: from 5.14 on what was loaded keeps on reading. */
static int raise_lockdown(const struct scene *scene)
{
	(void)scene;
	return write_text("/sys/kernel/security/lockdown", "confidentiality\n")
		       ? errno
		       : THROUGH;
}

const struct attack tracing_attacks[] = {
	ATTACK(77, "function-tracer", "the function tracer on our hooks",
	       AIM_POLICY, function_tracer, .traits = SLOW),
	ATTACK(77, "kprobe-events", "kprobes on our hooks, switched off and on",
	       AIM_POLICY, kprobe_events, .traits = SLOW),
	ATTACK(77, "fail-function", "error injection into our hooks",
	       AIM_POLICY, fail_functions),
	ATTACK(96, "jit-settings", "every setting of the BPF JIT", AIM_POLICY,
	       jit),
	ATTACK(96, "other-settings", "sysctl, tracefs, a processor off and on",
	       AIM_POLICY, other_switches, .traits = SLOW),
	ATTACK(95, "raise-lockdown", "lockdown=confidentiality after loading",
	       AIM_POLICY, raise_lockdown, .traits = SPOILS),
	{ 0 },
};
