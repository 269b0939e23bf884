/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trace privileged: every use of a capability that the policy names.  It denies
 * nothing.
 *
 *	where				what it tells
 *	end of security_capable()	somebody was asked for a capability, and
 *					has it or not
 *
 * That is where all security modules have answered, commoncap first: the hook
 * `capable` is not asked any more where one of them said no, and a later one
 * may still say it.
 *
 * What the kernel asks for without meaning it (CAP_OPT_NOAUDIT), to find out
 * what somebody might do, is no use of a capability.
 *
 * It is asked often.  Of each task, capability and answer there is one event in
 * a second; what comes meanwhile is counted, and the next one says how many
 * these were.  A task keeps that itself, so that no task can push out what is
 * known of another.
 *
 * Maps: events, drops; privileged_told, which no verdict depends on;
 * .rodata.policy, .rodata.boot and, where the policy names cgroups,
 * .rodata.cgroups, frozen before loading.
 *
 * Which way it fails: a subject that cannot be told is a container, and in
 * whichever class logs it; where a task can keep nothing, each use is an event.
 */
#include "bpf/templates/include/kernel.h"
#include "bpf/templates/include/policy.h"
#include "bpf/templates/include/event.h"
#include "bpf/templates/include/function.h"

char LICENSE[] SEC("license") = "GPL";

/* All that there are, by their numbers; operations.def has them in that order,
 * and the kernel's will not change. */
#define LAST	     OP_BIT(privileged, cap_checkpoint_restore)
#define CAPABILITIES (LAST + 1)
#define ALL	     ((UINT64_C(1) << CAPABILITIES) - 1)

POLICY(privileged, ALL);

_Static_assert(OP_BIT(privileged, cap_chown) == 0 && LAST == 40,
	       "bits are the kernel's numbers");

#define CAP_OPT_NOAUDIT 2
#define INTERVAL	UINT64_C(1000000000) /* ns */

/* What a task keeps of one capability and one answer. */
struct privileged_use {
	uint64_t told;	     /* when the last event was; 0: never */
	uint64_t suppressed; /* uses since */
};

struct privileged_uses {
	struct privileged_use granted[CAPABILITIES];
	struct privileged_use refused[CAPABILITIES];
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct privileged_uses);
} privileged_told SEC(".maps");

/* The loader refuses kernels that have no such thing. */
static __always_inline struct privileged_uses *uses_of_current(void)
{
	if (!kernel_has(get_current_task_btf))
		return NULL;
	return bpf_task_storage_get(&privileged_told,
				    bpf_get_current_task_btf(), NULL,
				    BPF_LOCAL_STORAGE_GET_F_CREATE);
}

#define SUPPRESSED UINT64_MAX

/* How many uses before this one were no events; or that this is none. */
static __always_inline uint64_t count_use(uint64_t number, bool granted)
{
	struct privileged_uses *uses = uses_of_current();
	uint64_t now = bpf_ktime_get_boot_ns(), suppressed;
	struct privileged_use *use;

	if (!uses)
		return 0;
	use = granted ? &uses->granted[number] : &uses->refused[number];
	if (use->told && now - use->told < INTERVAL) {
		use->suppressed++;
		return SUPPRESSED;
	}
	suppressed = use->suppressed;
	use->told = now;
	use->suppressed = 0;
	return suppressed;
}

SEC("fexit/security_capable")
int BPF_PROG(privileged_use, const struct cred *cred, struct user_namespace *ns,
	     int cap, unsigned int opts)
{
	uint64_t number = (uint32_t)cap, suppressed;
	struct event_capability *event;
	struct decision decision;
	int result;

	/* of 64 bits, for verifiers that forget what is known of half of it */
	barrier_var(number);
	if (opts & CAP_OPT_NOAUDIT || number >= CAPABILITIES)
		return 0;
	decision = policy_decide_any(&policy_privileged, UINT64_C(1) << number);
	if (!decision.logged)
		return 0;
	result = function_result(ctx);
	suppressed = count_use(number, !result);
	if (suppressed == SUPPRESSED)
		return 0;
	event = event_reserve_sized(&decision, sizeof(*event));
	if (!event)
		return 0;
	event->suppressed = suppressed;
	event->error = result < 0 ? -result : 0;
	event->flags = ns->level ? EVENT_CAPABILITY_INNER : 0;
	event_submit(&event->event);
	return 0;
}
