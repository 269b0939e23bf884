/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a bundle's programs tell user space: a struct event for each access
 * that the policy logs, through the ring buffer map `events`, and the number
 * of events that found no room there in drops[0].  BPF includes this too.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define EVENT_VERSION	  1
#define EVENT_COMM_SIZE	  16
#define EVENT_OBJECT_SIZE 256

/* The maps' names, and the ring's bytes: room for some 700 events. */
#define EVENT_RING_MAP	"events"
#define EVENT_RING_SIZE (256 << 10)
#define EVENT_DROPS_MAP "drops" /* an array of one uint64_t */

enum event_verdict {
	EVENT_ALLOW, /* of a trace: it was seen */
	EVENT_DENY,
	EVENT_WOULD_DENY, /* mode audit: let through */
};

#define EVENT_OBJECT_CUT    1 /* too long: only its beginning is there */
#define EVENT_OBJECT_BASE   2 /* a path, of which only the last part is there */
#define EVENT_OBJECT_UNREAD 4 /* it has a name that could not be read */
/* Which cgroup could not be told: decided as the strictest of the place, which
 * .class is. */
#define EVENT_CLASS_UNKNOWN  8
#define EVENT_OBJECT_ADDRESS 16 /* it is a struct event_address, no string */
#define EVENT_OBJECT_SOCKET  32 /* it is a struct event_socket */

/*
 * Numbers as of the machine that wrote them; the same layout everywhere.
 * Strings end in NUL, within their field, and the bytes after it mean nothing.
 */
struct event {
	uint16_t version;   /* EVENT_VERSION; comes first in every version */
	uint16_t size;	    /* of this struct: later versions only append */
	uint8_t protection; /* index into the bundle's table.protections */
	uint8_t operation;  /* bit within that protection, 0 to 63 */
	uint8_t verdict;    /* enum event_verdict */
	uint8_t flags;	    /* EVENT_OBJECT_* */
	uint32_t class;	    /* within that protection, as bundle/table.h has */
	uint32_t uid;	    /* in the initial user namespace */
	uint64_t time;	    /* ns since boot, suspend included */
	uint64_t cgroup;    /* id in the cgroup v2 hierarchy; 0 unknown */
	uint32_t pid;	    /* of the thread; in the initial pid namespace, */
	uint32_t tgid;	    /* as are the process's */
	uint32_t ppid;	    /* and its parent's, 0 unknown */
	uint32_t reserved;  /* 0 */
	char comm[EVENT_COMM_SIZE];
	char parent_comm[EVENT_COMM_SIZE];
	char object[EVENT_OBJECT_SIZE]; /* what was accessed; "" where it has no
					 * name: a module from memory */
};

_Static_assert(sizeof(struct event) == 336, "no padding");

/* What .object begins with where .flags say so: making text of it would take
 * programs some 2,000 instructions. */
struct event_address {
	uint16_t family; /* AF_INET or AF_INET6 */
	uint16_t port;
	uint32_t reserved; /* 0 */
	uint64_t high;	   /* of an IPv6 address; else 0 */
	uint64_t low;	   /* of it, or the IPv4 address */
};

struct event_socket {
	int32_t family;
	int32_t type; /* with flags like SOCK_NONBLOCK */
	int32_t protocol;
};

#define EVENT_SCRIPT_SIZE    256
#define EVENT_ARGUMENTS_SIZE 512

#define EVENT_SCRIPT_CUT       1
#define EVENT_SCRIPT_UNREAD    2
#define EVENT_ARGUMENTS_CUT    4 /* not all of them are there */
#define EVENT_ARGUMENTS_UNREAD 8

/*
 * What one of `trace exec` has behind the rest.  An exec that failed has no
 * arguments: the size says so, and ends before them.
 */
struct event_exec {
	struct event event; /* .object is the file that runs now, or, of an exec
			     * that failed, what the caller named */
	int32_t error;	    /* an errno; 0: it did not fail */
	uint32_t flags;	    /* EVENT_SCRIPT_*, EVENT_ARGUMENTS_* */
	uint32_t argument_count;	/* of all that it was given */
	uint32_t arguments_size;	/* bytes of those that are there */
	char script[EVENT_SCRIPT_SIZE]; /* what the caller named, where the
					 * file that runs is its interpreter */
	char arguments[EVENT_ARGUMENTS_SIZE]; /* a NUL behind each */
};

#define EVENT_FAILED_EXEC_SIZE offsetof(struct event_exec, arguments)

_Static_assert(sizeof(struct event_exec) == 1120, "no padding");

#define EVENT_CAPABILITY_INNER 1 /* in no initial user namespace */

/* What one of `trace privileged` has behind the rest: it has no object. */
struct event_capability {
	struct event event;
	int32_t error;	     /* an errno; 0: it was granted */
	uint32_t flags;	     /* EVENT_CAPABILITY_* */
	uint64_t suppressed; /* that were alike, and no event, since the last */
};

_Static_assert(sizeof(struct event_capability) == 352, "no padding");
