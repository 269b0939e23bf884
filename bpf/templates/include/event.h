/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tells user space of a decision, after it was made.  Nothing here can change
 * it: no room in the ring is a count in `drops`, a name that cannot be read is
 * a flag.
 *
 * Strings come through bpf_d_path() and bpf_snprintf(), which, other than
 * bpf_probe_read_kernel_str(), load under lockdown=confidentiality.
 */
#pragma once

#include "bundle/event.h"
#include "bpf/templates/include/kernel.h"
#include "bpf/templates/include/policy.h"

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

static const char event_string_format[] SEC(POLICY_SECTION) = "%s";

static __always_inline void event_count_drop(void)
{
	uint32_t key = 0;
	uint64_t *count = bpf_map_lookup_elem(&drops, &key);

	if (count)
		__sync_fetch_and_add(count, 1);
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
		for (int i = 0; i < EVENT_COMM_SIZE; i++)
			event->parent_comm[i] = parent->comm[i];
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

/* The number of the lowest bit that is set. */
static __always_inline uint8_t event_first(uint64_t operations)
{
	uint64_t lowest = operations & -operations;

	return (uint8_t)((lowest & UINT64_C(0xaaaaaaaaaaaaaaaa) ? 1 : 0) |
			 (lowest & UINT64_C(0xcccccccccccccccc) ? 2 : 0) |
			 (lowest & UINT64_C(0xf0f0f0f0f0f0f0f0) ? 4 : 0) |
			 (lowest & UINT64_C(0xff00ff00ff00ff00) ? 8 : 0) |
			 (lowest & UINT64_C(0xffff0000ffff0000) ? 16 : 0) |
			 (lowest & UINT64_C(0xffffffff00000000) ? 32 : 0));
}

/*
 * An event of @decision without an object, to be handed to event_submit(), or
 * NULL where there is no room.
 */
static __always_inline struct event *event_reserve(
	const struct decision *decision)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	uint64_t ids = bpf_get_current_pid_tgid();

	if (!event) {
		event_count_drop();
		return NULL;
	}
	event->version = EVENT_VERSION;
	event->size = sizeof(*event);
	event->protection = decision->protection;
	event->operation = event_first(decision->operations);
	event->verdict = !decision->denied ? EVENT_ALLOW
			 : decision->audit ? EVENT_WOULD_DENY
					   : EVENT_DENY;
	event->flags = decision->class_unknown ? EVENT_CLASS_UNKNOWN : 0;
	event->class = decision->class;
	event->uid = (uint32_t)bpf_get_current_uid_gid();
	event->time = bpf_ktime_get_boot_ns();
	event->cgroup = bpf_get_current_cgroup_id();
	event->pid = (uint32_t)ids;
	event->tgid = (uint32_t)(ids >> 32);
	event->reserved = 0;
	event->object[0] = '\0';
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	event_parent(event);
	return event;
}

/* The object's name is the kernel's @string. */
static __always_inline void event_object_string(struct event *event,
						const void *string)
{
	uint64_t argument = (uint64_t)string;
	long len; /* the NUL counted */

	if (kernel_has(snprintf))
		len = bpf_snprintf(event->object, sizeof(event->object),
				   event_string_format, &argument,
				   sizeof(argument));
	else
		len = bpf_probe_read_kernel_str(event->object,
						sizeof(event->object), string);
	if (len <= 0)
		event->flags |= EVENT_OBJECT_UNREAD;
	if (len >= (long)sizeof(event->object))
		event->flags |= EVENT_OBJECT_CUT;
}

/* The object's name is the last part of @file's path. */
static __always_inline void event_object_base(struct event *event,
					      struct file *file)
{
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
static __always_inline void event_object_file(struct event *event,
					      struct file *file)
{
	if (kernel_has(get_current_task_btf) &&
	    bpf_d_path(&file->f_path, event->object, sizeof(event->object)) > 0)
		return;
	event_object_base(event, file);
}

static __always_inline void event_submit(struct event *event)
{
	bpf_ringbuf_submit(event, 0);
}
