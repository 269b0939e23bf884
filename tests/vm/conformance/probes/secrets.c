/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kernel_secrets: each call comes to the kernel's question of lockdown, and
 * then tells, or would tell, what the kernel keeps.
 */
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TRACEFS	    "/sys/kernel/tracing/"
#define KPROBE_TYPE "/sys/bus/event_source/devices/kprobe/type"
#define PROBED	    "kernel_clone"
#define SPI	    0x1000
#define KEY	    "a key of 20 letters."

int open_kcore(const struct subject *subject)
{
	(void)subject;
	return try_open("/proc/kcore", O_RDONLY);
}

static int perf_open(struct perf_event_attr *attr)
{
	int fd, result = 0;

	attr->size = sizeof(*attr);
	attr->disabled = 1;
	fd = (int)syscall(SYS_perf_event_open, attr, 0, -1, -1,
			  PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		result = errno;
	else
		close(fd);
	return result;
}

/* A kprobe that is gone with its descriptor. */
static int kprobe_perf(const struct subject *subject)
{
	struct perf_event_attr attr = {
		.kprobe_func = (uintptr_t)PROBED,
	};
	size_t size;
	char *type = read_whole(KPROBE_TYPE, &size);

	(void)subject;
	if (!type)
		return RESULT_SETUP;
	attr.type = (uint32_t)strtoul(type, NULL, 10);
	free(type);
	return perf_open(&attr);
}

/* The same by name; it is taken away by what is still open. */
static int kprobe_tracefs(const struct subject *subject)
{
	int fd = open(TRACEFS "kprobe_events", O_WRONLY | O_APPEND | O_CLOEXEC);
	char text[64];
	int size, result = 0;

	if (fd < 0)
		return errno == ENOENT ? RESULT_SETUP : errno;
	size = snprintf(text, sizeof(text), "p:conformance/probe%d " PROBED,
			subject->number);
	if (write(fd, text, (size_t)size) != size)
		result = errno;
	size = snprintf(text, sizeof(text), "-:conformance/probe%d",
			subject->number);
	if (!result && write(fd, text, (size_t)size) != size)
		result = RESULT_STALE;
	close(fd);
	return result;
}

static int perf_registers(const struct subject *subject)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_type = PERF_SAMPLE_REGS_INTR,
		.sample_regs_intr = 1,
		.sample_period = 1000000,
	};

	(void)subject;
	return perf_open(&attr);
}

static int perf_plain(const struct subject *subject)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
	};

	(void)subject;
	return perf_open(&attr);
}

static int tracefs_open(const struct subject *subject)
{
	(void)subject;
	return try_open(TRACEFS "current_tracer", O_RDONLY);
}

struct xfrm_request {
	struct nlmsghdr header;
	union {
		struct xfrm_usersa_info state;
		struct xfrm_usersa_id id;
	};
	struct rtattr attribute; /* aligned, as the state is */
	struct xfrm_algo algorithm;
	char key[sizeof(KEY) - 1];
};

struct xfrm_reply {
	struct nlmsghdr header;
	union {
		struct nlmsgerr error;
		struct xfrm_usersa_info state;
	};
	char rest[4096];
};

/* Asks once, in @subject's network namespace; 0 where the reply came. */
static int xfrm_ask(const void *request, size_t size, struct xfrm_reply *reply)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_XFRM);
	int result = 0;

	if (fd < 0)
		return errno;
	if (send(fd, request, size, 0) != (ssize_t)size ||
	    recv(fd, reply, sizeof(*reply), 0) < 0)
		result = errno;
	else if (reply->header.nlmsg_type == NLMSG_ERROR)
		result = -reply->error.error;
	close(fd);
	return result;
}

/* A security association of each network namespace. */
void secrets_prepare(void)
{
	struct xfrm_request request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = XFRM_MSG_NEWSA,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.state = { .family = AF_INET,
			   .id = { .spi = htonl(SPI),
				   .proto = IPPROTO_AH,
				   .daddr.a4 = htonl(INADDR_LOOPBACK) },
			   .saddr.a4 = htonl(INADDR_LOOPBACK),
			   .lft = { XFRM_INF, XFRM_INF, XFRM_INF, XFRM_INF } },
		.attribute = { .rta_len = sizeof(struct rtattr) +
					  sizeof(struct xfrm_algo) +
					  sizeof(KEY) - 1,
			       .rta_type = XFRMA_ALG_AUTH },
		.algorithm = { .alg_name = "hmac(sha1)",
			       .alg_key_len = 8 * (sizeof(KEY) - 1) },
	};
	struct xfrm_reply reply;

	memcpy(request.key, KEY, sizeof(request.key));
	xfrm_ask(&request, sizeof(request), &reply);
}

static int xfrm_key(const struct subject *subject)
{
	struct {
		struct nlmsghdr header;
		struct xfrm_usersa_id id;
	} request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = XFRM_MSG_GETSA,
			    .nlmsg_flags = NLM_F_REQUEST },
		.id = { .family = AF_INET,
			.spi = htonl(SPI),
			.proto = IPPROTO_AH,
			.daddr.a4 = htonl(INADDR_LOOPBACK) },
	};
	struct xfrm_reply reply = { 0 };
	int result = xfrm_ask(&request, sizeof(request), &reply);

	(void)subject;
	if (result)
		return result == ESRCH ? RESULT_SETUP : result;
	return memmem(&reply, sizeof(reply), KEY, sizeof(KEY) - 1)
		       ? 0
		       : RESULT_REDACTED;
}

static int ask_dbg_read(const struct subject *subject)
{
	(void)subject;
	return ask_lockdown("DBG_READ_KERNEL");
}

static int ask_xmon_rw(const struct subject *subject)
{
	(void)subject;
	return ask_lockdown("XMON_RW");
}

static int secrets_xen(const struct subject *subject)
{
	(void)subject;
	return ask_lockdown("XEN_USER_ACTIONS");
}

const struct probe secrets_probes[] = {
	{ "kcore", open_kcore },
	{ "kprobe_perf", kprobe_perf },
	{ "kprobe_tracefs", kprobe_tracefs },
	{ "bpf_read", bpf_read },
	{ "perf_registers", perf_registers },
	{ "tracefs_open", tracefs_open },
	{ "xfrm_key", xfrm_key },
	{ "ask_dbg_read", ask_dbg_read },
	{ "ask_xmon_rw", ask_xmon_rw },
	{ "perf_plain", perf_plain },
	{ "secrets_xen", secrets_xen },
	{ "secrets_dev_mem", open_dev_mem },
	{ "secrets_bpf_write", bpf_write },
	{ NULL, NULL },
};
