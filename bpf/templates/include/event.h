/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tells user space of a decision, after it was made.  Nothing here can change
 * it: no room in the ring is a count in `drops`, a name that cannot be read is
 * a flag.
 */
#pragma once

#include "bundle/event.h"
#include "bpf/templates/include/kernel.h"
#include "bpf/templates/include/policy.h"
#include "bpf/templates/include/string.h"

/* One of each for all templates of a bundle: weak, so that linking keeps the
 * first. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, EVENT_RING_SIZE);
} events SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, uint64_t);
} drops SEC(".maps") __weak;

SHARED void event_count_drop(void)
{
	uint32_t key = 0;
	uint64_t *count = bpf_map_lookup_elem(&drops, &key);

	if (count)
		__sync_fetch_and_add(count, 1);
}

/* A task's name by typed reads, in two of them: byte by byte would be as many
 * instructions, each with a record for CO-RE. */
static __always_inline void event_copy_comm(char *to, const char *comm)
{
	const uint64_t *from = (const uint64_t *)comm;
	uint64_t *words = (uint64_t *)to;

	_Static_assert(EVENT_COMM_SIZE == 2 * sizeof(*words), "two words");
	words[0] = from[0];
	words[1] = from[1];
}

static __always_inline void event_parent(struct event *event)
{
	struct task_struct *task, *parent;

	event->ppid = 0;
	event->parent_comm[0] = '\0';
	if (kernel_has(get_current_task_btf)) {
		task = bpf_get_current_task_btf();
		parent = task->real_parent;
		if (!parent)
			return;
		event->ppid = (uint32_t)parent->tgid;
		event_copy_comm(event->parent_comm, parent->comm);
		event->parent_comm[EVENT_COMM_SIZE - 1] = '\0';
	} else {
		task = (void *)bpf_get_current_task();
		if (bpf_core_read(&parent, sizeof(parent), &task->real_parent))
			return;
		bpf_core_read(&event->ppid, sizeof(event->ppid), &parent->tgid);
		bpf_core_read_str(event->parent_comm,
				  sizeof(event->parent_comm), &parent->comm);
	}
}

/* Of 64 bits; each six that follow each other in it are there once, so that
 * what a bit shifts to the top tells which bit it is. */
#define DE_BRUIJN UINT64_C(0x03f79d71b4cb0a89)

#define BIT(n)	   [DE_BRUIJN << (n) >> 58] = (n)
#define BITS_4(n)  BIT(n), BIT((n) + 1), BIT((n) + 2), BIT((n) + 3)
#define BITS_16(n) BITS_4(n), BITS_4((n) + 4), BITS_4((n) + 8), BITS_4((n) + 12)

static const uint8_t event_bits[64] SEC(POLICY_SECTION) = {
	BITS_16(0), BITS_16(16), BITS_16(32), BITS_16(48)
};

/* The number of the lowest bit that is set. */
static __always_inline uint8_t event_first(uint64_t operations)
{
	return event_bits[(operations & -operations) * DE_BRUIJN >> 58];
}

/* The bytes of an event from .protection on, as event_fill() is told them: in
 * one word, .operation left out. */
#define EVENT_FACTS(protection, verdict, flags)               \
	((uint32_t)(protection) | (uint32_t)(verdict) << 16 | \
	 (uint32_t)(flags) << 24)

_Static_assert(offsetof(struct event, operation) ==
			       offsetof(struct event, protection) + 1 &&
		       offsetof(struct event, verdict) ==
			       offsetof(struct event, protection) + 2 &&
		       offsetof(struct event, flags) ==
			       offsetof(struct event, protection) + 3,
	       "as EVENT_FACTS() has them");

/*
 * These work on a struct event; a type of it would be in every bundle.  The
 * room is reserved in the program itself: when a function returns it, the
 * verifier does not know any more that it is not NULL.
 */
SHARED void event_fill(void *to, uint64_t operations, uint32_t class,
		       uint32_t facts)
{
	uint64_t ids = bpf_get_current_pid_tgid();
	struct event *event = to;

	event->version = EVENT_VERSION;
	event->size = sizeof(*event);
	*(uint32_t *)&event->protection = facts;
	event->operation = event_first(operations);
	event->class = class;
	event->uid = (uint32_t)bpf_get_current_uid_gid();
	event->time = bpf_ktime_get_boot_ns();
	event->cgroup = bpf_get_current_cgroup_id();
	event->pid = (uint32_t)ids;
	event->tgid = (uint32_t)(ids >> 32);
	event->reserved = 0;
	event->object[0] = '\0';
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	event_parent(event);
}

/*
 * An event of @decision without an object, to be handed to event_submit(), or
 * NULL where there is no room.  It is @size bytes, a constant: more than a
 * struct event where the caller has something behind it.
 */
static __always_inline void *event_reserve_sized(
	const struct decision *decision, uint32_t size)
{
	uint32_t verdict = !decision->denied ? EVENT_ALLOW
			   : decision->audit ? EVENT_WOULD_DENY
					     : EVENT_DENY;
	uint32_t flags = decision->class_unknown ? EVENT_CLASS_UNKNOWN : 0;
	struct event *event = bpf_ringbuf_reserve(&events, size, 0);

	if (!event) {
		event_count_drop();
		return NULL;
	}
	event_fill(event, decision->operations, decision->class,
		   EVENT_FACTS(decision->protection, verdict, flags));
	if (size != sizeof(*event))
		event->size = (uint16_t)size;
	return event;
}

static __always_inline struct event *event_reserve(
	const struct decision *decision)
{
	return event_reserve_sized(decision, sizeof(struct event));
}

/* The object's name is the kernel's @string. */
SHARED void event_object_string(void *to, const void *string)
{
	struct event *event = to;
	long len = string_read(event->object, sizeof(event->object), &string);

	if (len <= 0)
		event->flags |= EVENT_OBJECT_UNREAD;
	if (len >= (long)sizeof(event->object))
		event->flags |= EVENT_OBJECT_CUT;
}

/* The object's name is the last part of @file's path. */
SHARED void event_object_base(void *to, struct file *file)
{
	struct event *event = to;
	const unsigned char *name;
	struct dentry *dentry;

	if (kernel_has(get_current_task_btf)) {
		dentry = file->f_path.dentry;
		name = dentry ? dentry->d_name.name : NULL;
	} else {
		name = BPF_CORE_READ(file, f_path.dentry, d_name.name);
	}
	event->object[0] = '\0';
	event->flags |= EVENT_OBJECT_BASE;
	event_object_string(event, name);
}

/* The object's name is @file's path as current sees it, or else the last part
 * of it.  For hooks that bpf_d_path() is allowed in. */
SHARED void event_object_file(void *to, struct file *file)
{
	struct event *event = to;

	if (kernel_has(get_current_task_btf) &&
	    bpf_d_path(&file->f_path, event->object, sizeof(event->object)) > 0)
		return;
	event_object_base(event, file);
}

static __always_inline void event_submit(struct event *event)
{
	bpf_ringbuf_submit(event, 0);
}

/* What a hook returns whose object has no name. */
static __always_inline int event_decide_nameless(
	const volatile struct policy *policy, uint64_t operations)
{
	struct decision decision = policy_decide_any(policy, operations);
	struct event *event;

	if (decision.logged) {
		event = event_reserve(&decision);
		if (event)
			event_submit(event);
	}
	return policy_verdict(&decision);
}

/* The same where it is a file.  For hooks that bpf_d_path() is allowed in. */
static __always_inline int event_decide_file(
	const volatile struct policy *policy, uint64_t operations,
	struct file *file)
{
	struct decision decision = policy_decide_any(policy, operations);
	struct event *event;

	if (decision.logged) {
		event = event_reserve(&decision);
		if (event) {
			event_object_file(event, file);
			event_submit(event);
		}
	}
	return policy_verdict(&decision);
}
