/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trace exec: every execution of a program.  It denies nothing.
 *
 *	where			what it tells
 *	bprm_committed_creds	a program runs: its file, and its arguments as
 *				the kernel has just copied them
 *	end of bprm_execve()	an exec failed: with which error, of what
 *
 * The hook is asked once an exec cannot fail any more without killing the
 * process; what fails there after all is told of twice.  The function has no
 * hook in it that is asked after a failure, and is the only place that knows
 * every error: of the file's format, of its interpreter, of a security module
 * or a policy that denies it.  No system call's tracepoint is used: enabling
 * one costs every system call.
 *
 * What fails before, the kernel does not come here for: arguments that are too
 * long or cannot be read and, from Linux 6.8 on, a file that is not there or
 * may not be executed.
 *
 * Maps: events, drops; .rodata.policy, .rodata.boot and, where the policy
 * names cgroups, .rodata.cgroups, frozen before loading.
 *
 * Which way it fails: a subject that cannot be told is a container, and in
 * whichever class logs it; what cannot be read is marked in the event.
 */
#include "bpf/templates/include/kernel.h"
#include "bpf/templates/include/policy.h"
#include "bpf/templates/include/event.h"
#include "bpf/templates/include/function.h"

char LICENSE[] SEC("license") = "GPL";

POLICY(exec, OPERATION_MASK(exec, exec));

static __always_inline struct decision exec_decide(void)
{
	return policy_decide(&policy_exec, OP_BIT(exec, exec));
}

/* What the caller named, where that is a script: what runs is another file. */
SHARED void exec_script(void *to, const struct linux_binprm *bprm)
{
	struct event_exec *event = to;
	const void *filename = bprm->filename;
	long len;

	event->script[0] = '\0';
	if (bprm->interp == filename)
		return;
	len = string_read(event->script, sizeof(event->script), &filename);
	if (len <= 0)
		event->flags |= EVENT_SCRIPT_UNREAD;
	if (len >= (long)sizeof(event->script))
		event->flags |= EVENT_SCRIPT_CUT;
}

/* How many of the @size bytes are the first @count strings, as far as they are
 * there.  What is counted is no branch: the verifier takes each byte once. */
static __always_inline uint32_t exec_measure(const char *bytes, uint32_t count,
					     uint32_t *left)
{
	uint32_t end = 0;

#pragma clang loop unroll(disable)
	while (end < EVENT_ARGUMENTS_SIZE && count) {
		uint64_t before = (uint64_t)(uint8_t)bytes[end++] - 1;

		barrier_var(before);
		count -= (uint32_t)(before >> 63);
	}
	*left = count;
	return end;
}

/*
 * Makes what is behind the arguments zeros, word by word.  Where they end is
 * read anew for each: to the verifier it is then any number each time, and the
 * words are no ways of their own.
 */
static __always_inline void exec_clear(struct event_exec *event)
{
	const volatile uint32_t *size = &event->arguments_size;
	uint64_t *words = (uint64_t *)event->arguments;

#pragma clang loop unroll(disable)
	for (uint32_t i = 0; i < EVENT_ARGUMENTS_SIZE / 8; i++) {
		uint32_t end = *size;

		if (8 * i >= end)
			words[i] = 0;
		else if (8 * i + 8 > end)
			words[i] &= (UINT64_C(1) << 8 * (end % 8)) - 1;
	}
}

/*
 * They lie one behind the other in the new memory, and behind them what is
 * nobody's business: the environment, which is read with them and taken out
 * again.  The kernel wrote them a moment ago, so they are there.
 */
SHARED void exec_arguments(void *to, const struct linux_binprm *bprm)
{
	struct event_exec *event = to;
	uint64_t from = bprm->p, size = bprm->exec - from;
	uint32_t left, end = 0;

	if (size > EVENT_ARGUMENTS_SIZE)
		size = EVENT_ARGUMENTS_SIZE;
	event->argument_count = (uint32_t)bprm->argc;
	if (bpf_probe_read_user(event->arguments, (uint32_t)size,
				(const void *)from)) {
		event->flags |= EVENT_ARGUMENTS_UNREAD;
	} else {
		end = exec_measure(event->arguments, event->argument_count,
				   &left);
		if (left)
			event->flags |= EVENT_ARGUMENTS_CUT;
	}
	event->arguments_size = end;
	exec_clear(event);
}

SEC("lsm/bprm_committed_creds")
int BPF_PROG(exec_runs, struct linux_binprm *bprm)
{
	struct decision decision = exec_decide();
	struct event_exec *event;

	if (!decision.logged)
		return 0;
	event = event_reserve_sized(&decision, sizeof(*event));
	if (!event)
		return 0;
	event->error = 0;
	event->flags = 0;
	event_object_file(event, bprm->file);
	exec_script(event, bprm);
	exec_arguments(event, bprm);
	event_submit(&event->event);
	return 0;
}

SEC("fexit/bprm_execve")
int BPF_PROG(exec_failed, struct linux_binprm *bprm)
{
	int result = function_result(ctx);
	struct decision decision;
	struct event_exec *event;

	if (result >= 0)
		return 0;
	decision = exec_decide();
	if (!decision.logged)
		return 0;
	event = event_reserve_sized(&decision, EVENT_FAILED_EXEC_SIZE);
	if (!event)
		return 0;
	event->error = -result;
	event->flags = 0;
	event->argument_count = (uint32_t)bprm->argc;
	event->arguments_size = 0;
	event->script[0] = '\0';
	event_object_string(event, bprm->filename);
	event_submit(&event->event);
	return 0;
}
