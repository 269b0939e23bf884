/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * network: real sockets.  The addresses that are not loopback are the
 * subject's own all the same, so that what is sent there arrives, or is refused
 * there: nobody listens at most of the ports.
 */
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define V4	     "198.51.100.1"
#define V4_LAST	     "198.51.100.127" /* of 198.51.100.0/25, and the next */
#define V4_NEXT	     "198.51.100.128"
#define V6	     "2001:db8::1"
#define V6_NEXT	     "2001:db8::2" /* behind 2001:db8::/127 */
#define MAPPED	     "::ffff:" V4
#define LOOPBACK     "127.0.0.1"
#define LOOPBACK_V6  "::1"
#define LOOPBACK_MAP "::ffff:127.0.0.1"
#define ANY_PORT     0
#define LOW_PORT     987
#define HIGH_PORT    4321
#define NOBODY	     9	 /* no server is at that port */
#define RANGE_FIRST  100 /* ports of a destination */
#define RANGE_LAST   200
#define SHORT	     8	 /* bytes of an address, too few */
#define PATIENCE     300 /* hundredths of a second */
#define PING	     8	 /* bytes of an echo request */
#define PING_V4	     8	 /* its type */
#define PING_V6	     128
#define MPTCP	     262 /* IPPROTO_MPTCP */
#define CAN_RAW	     1
#define HCI	     1	 /* BTPROTO_HCI */
#define BINDX_ADD    100 /* SCTP_SOCKOPT_BINDX_ADD */
#define CONNECTX     110 /* SCTP_SOCKOPT_CONNECTX */

/* Made before any policy. */
static struct {
	int bound_v4;
	int bound_v6;
	int connected;
	int raw_v4;
	int raw_v6;
	int netlink;
} ready;

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un path;
};

/* Of an address in words; its size. */
static socklen_t address_of(const char *words, int port, union address *to)
{
	memset(to, 0, sizeof(*to));
	if (inet_pton(AF_INET, words, &to->v4.sin_addr) == 1) {
		to->v4.sin_family = AF_INET;
		to->v4.sin_port = htons((in_port_t)port);
		return sizeof(to->v4);
	}
	inet_pton(AF_INET6, words, &to->v6.sin6_addr);
	to->v6.sin6_family = AF_INET6;
	to->v6.sin6_port = htons((in_port_t)port);
	return sizeof(to->v6);
}

/* What a call came to that the socket's peer may have refused: that is how far
 * it went. */
static int result_of(long returned)
{
	return returned < 0 && errno != ECONNREFUSED ? errno : 0;
}

/* ---- what is there before ---- */

/* The subject's own addresses, on its loopback device; others of the same
 * network may have been faster. */
static void take_addresses(void)
{
	struct {
		struct in6_addr address;
		uint32_t prefix;
		int index;
	} v6 = { .prefix = 128 };
	struct ifreq request = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int fd6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	union address own;

	request.ifr_flags = IFF_UP | IFF_RUNNING | IFF_LOOPBACK;
	ioctl(fd, SIOCSIFFLAGS, &request);
	ioctl(fd, SIOCGIFINDEX, &request);
	v6.index = request.ifr_ifindex;
	inet_pton(AF_INET6, V6, &v6.address);
	ioctl(fd6, SIOCSIFADDR, &v6);
	strcpy(request.ifr_name, "lo:1");
	address_of(V4, 0, &own);
	memcpy(&request.ifr_addr, &own.v4, sizeof(own.v4));
	ioctl(fd, SIOCSIFADDR, &request);
	close(fd);
	close(fd6);
}

/* Ping sockets for root, which not even it may have by itself.  In some
 * containers /proc/sys is read-only, and another /proc is not. */
static void allow_ping(void)
{
	pid_t child = fork();
	int fd;

	if (child == 0) {
		if (!unshare(CLONE_NEWNS) &&
		    !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
		    !mount("proc", "/proc", "proc", 0, NULL)) {
			fd = open("/proc/sys/net/ipv4/ping_group_range",
				  O_WRONLY | O_CLOEXEC);
			(void)!write(fd, "0 0\n", 4);
		}
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

/* An address of IPv6 may take a while to be there. */
static int make_bound(int family, int type, const char *words, int port)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0);
	union address address;
	socklen_t size = address_of(words, port, &address);

	for (int i = 0; fd >= 0 && i < PATIENCE; i++) {
		if (!bind(fd, &address.any, size))
			return fd;
		if (errno != EADDRNOTAVAIL)
			break;
		usleep(10000);
	}
	close(fd);
	return -1;
}

void network_prepare(void)
{
	union address to;
	socklen_t size = address_of(V4, NOBODY, &to);

	take_addresses();
	allow_ping();
	/* Of a protocol that has ports. */
	ready.raw_v4 = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);
	ready.raw_v6 = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);
	ready.bound_v4 = make_bound(AF_INET, SOCK_STREAM, V4, ANY_PORT);
	ready.bound_v6 = make_bound(AF_INET6, SOCK_STREAM, V6, ANY_PORT);
	ready.netlink =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	ready.connected = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	connect(ready.connected, &to.any, size);
}

/* ---- socket() ---- */

static int make(int family, int type, int protocol)
{
	int fd = socket(family, type | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

#define MAKES(name, family, type, protocol)            \
	static int name(const struct subject *subject) \
	{                                              \
		(void)subject;                         \
		return make(family, type, protocol);   \
	}

MAKES(raw_icmp, AF_INET, SOCK_RAW, IPPROTO_ICMP)
MAKES(raw_any, AF_INET, SOCK_RAW, IPPROTO_RAW)
MAKES(raw_v6, AF_INET6, SOCK_RAW, IPPROTO_ICMPV6)
MAKES(packet_raw, AF_PACKET, SOCK_RAW, 0)
MAKES(packet_cooked, AF_PACKET, SOCK_DGRAM, 0)
MAKES(packet_old, AF_INET, SOCK_PACKET, 0)
MAKES(netlink_route, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)
MAKES(netlink_dgram, AF_NETLINK, SOCK_DGRAM, NETLINK_ROUTE)
MAKES(netlink_netfilter, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER)
MAKES(netlink_audit, AF_NETLINK, SOCK_RAW, NETLINK_AUDIT)
MAKES(netlink_generic, AF_NETLINK, SOCK_RAW, NETLINK_GENERIC)
MAKES(netlink_uevent, AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT)
MAKES(make_vsock, AF_VSOCK, SOCK_STREAM, 0)
MAKES(make_bluetooth, AF_BLUETOOTH, SOCK_RAW, HCI)
MAKES(make_can, AF_CAN, SOCK_RAW, CAN_RAW)
MAKES(make_alg, AF_ALG, SOCK_SEQPACKET, 0)
MAKES(make_key, AF_KEY, SOCK_RAW, 2)
MAKES(make_unix, AF_UNIX, SOCK_STREAM, 0)
MAKES(make_tcp, AF_INET, SOCK_STREAM, 0)
MAKES(make_udp_v6, AF_INET6, SOCK_DGRAM, 0)

static int unix_pair(const struct subject *subject)
{
	int ends[2];

	(void)subject;
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends))
		return errno;
	return result_of(send(ends[0], "x", 1, 0));
}

/* ---- bind() ---- */

static int bind_to(int family, int type, const char *words, int port)
{
	const int one = 1;
	int fd = socket(family, type | SOCK_CLOEXEC, 0);
	union address address;
	socklen_t size = address_of(words, port, &address);

	if (fd < 0)
		return RESULT_SETUP;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return result_of(bind(fd, &address.any, size));
}

#define BINDS(name, family, type, words, port)             \
	static int name(const struct subject *subject)     \
	{                                                  \
		(void)subject;                             \
		return bind_to(family, type, words, port); \
	}

BINDS(bind_v4, AF_INET, SOCK_STREAM, V4, HIGH_PORT)
BINDS(bind_udp, AF_INET, SOCK_DGRAM, V4, HIGH_PORT)
BINDS(bind_every, AF_INET, SOCK_STREAM, "0.0.0.0", HIGH_PORT)
BINDS(bind_chosen, AF_INET, SOCK_DGRAM, "0.0.0.0", ANY_PORT)
BINDS(bind_v6, AF_INET6, SOCK_STREAM, V6, HIGH_PORT)
BINDS(bind_every_v6, AF_INET6, SOCK_DGRAM, "::", HIGH_PORT)
BINDS(bind_mapped, AF_INET6, SOCK_STREAM, MAPPED, HIGH_PORT)
BINDS(bind_low, AF_INET, SOCK_STREAM, V4, LOW_PORT)
BINDS(bind_low_v6, AF_INET6, SOCK_DGRAM, V6, LOW_PORT)
BINDS(bind_last_low, AF_INET, SOCK_STREAM, "0.0.0.0", 1023)
BINDS(bind_first_high, AF_INET, SOCK_STREAM, "0.0.0.0", 1024)
BINDS(bind_loopback, AF_INET, SOCK_STREAM, LOOPBACK, HIGH_PORT)
BINDS(bind_loopback_low, AF_INET, SOCK_STREAM, "127.1.2.3", LOW_PORT)
BINDS(bind_loopback_v6, AF_INET6, SOCK_DGRAM, LOOPBACK_V6, LOW_PORT)
BINDS(bind_loopback_map, AF_INET6, SOCK_STREAM, LOOPBACK_MAP, HIGH_PORT)

/* AF_UNSPEC, where the kernel takes it for AF_INET. */
static int bind_unspec(const struct subject *subject)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	union address address;
	socklen_t size = address_of("0.0.0.0", HIGH_PORT, &address);

	(void)subject;
	address.any.sa_family = AF_UNSPEC;
	return result_of(bind(fd, &address.any, size));
}

static int bind_unix(const struct subject *subject)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)subject; /* no name: the kernel chooses one */
	return result_of(bind(fd, (struct sockaddr *)&address,
			      sizeof(address.sun_family)));
}

/* ---- listen() ---- */

static int listen_unbound(const struct subject *subject)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)subject;
	return result_of(listen(fd, 1));
}

static int listen_v4(const struct subject *subject)
{
	(void)subject;
	return ready.bound_v4 < 0 ? RESULT_SETUP
				  : result_of(listen(ready.bound_v4, 1));
}

static int listen_v6(const struct subject *subject)
{
	(void)subject;
	return ready.bound_v6 < 0 ? RESULT_SETUP
				  : result_of(listen(ready.bound_v6, 1));
}

static int listen_on(int family, const char *words)
{
	int fd = make_bound(family, SOCK_STREAM, words, ANY_PORT);

	return fd < 0 ? errno : result_of(listen(fd, 1));
}

static int listen_loopback(const struct subject *subject)
{
	(void)subject;
	return listen_on(AF_INET, LOOPBACK);
}

static int listen_loopback_v6(const struct subject *subject)
{
	(void)subject;
	return listen_on(AF_INET6, LOOPBACK_V6);
}

static int listen_loopback_map(const struct subject *subject)
{
	(void)subject;
	return listen_on(AF_INET6, LOOPBACK_MAP);
}

static int listen_unix(const struct subject *subject)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)subject;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address.sun_family)))
		return errno;
	return result_of(listen(fd, 1));
}

/* ---- connect() and what sends ---- */

static int connect_to(int family, int type, const char *words, int port)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0);
	union address address;
	socklen_t size = address_of(words, port, &address);

	if (fd < 0)
		return RESULT_SETUP;
	return result_of(connect(fd, &address.any, size));
}

static int send_to(int family, int type, const char *words, int flags)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0);
	union address address;
	socklen_t size = address_of(words, NOBODY, &address);

	if (fd < 0)
		return RESULT_SETUP;
	return result_of(sendto(fd, "x", 1, flags, &address.any, size));
}

#define CONNECTS(name, family, type, words, port)             \
	static int name(const struct subject *subject)        \
	{                                                     \
		(void)subject;                                \
		return connect_to(family, type, words, port); \
	}
#define SENDS(name, family, type, words, flags)             \
	static int name(const struct subject *subject)      \
	{                                                   \
		(void)subject;                              \
		return send_to(family, type, words, flags); \
	}

CONNECTS(connect_tcp, AF_INET, SOCK_STREAM, V4, NOBODY)
CONNECTS(connect_udp, AF_INET, SOCK_DGRAM, V4, NOBODY)
CONNECTS(connect_v6, AF_INET6, SOCK_STREAM, V6, NOBODY)
CONNECTS(connect_udp_v6, AF_INET6, SOCK_DGRAM, V6, NOBODY)
CONNECTS(connect_mapped, AF_INET6, SOCK_STREAM, MAPPED, NOBODY)
CONNECTS(connect_v4_by_v6, AF_INET6, SOCK_DGRAM, V4, NOBODY)
CONNECTS(connect_v6_by_v4, AF_INET, SOCK_DGRAM, V6, NOBODY)
CONNECTS(connect_loopback, AF_INET, SOCK_STREAM, LOOPBACK, NOBODY)
CONNECTS(connect_loopback_v6, AF_INET6, SOCK_STREAM, LOOPBACK_V6, NOBODY)
CONNECTS(connect_loopback_map, AF_INET6, SOCK_DGRAM, LOOPBACK_MAP, NOBODY)
CONNECTS(connect_zero, AF_INET, SOCK_STREAM, "0.0.0.0", NOBODY)
CONNECTS(connect_zero_v6, AF_INET6, SOCK_STREAM, "::", NOBODY)
CONNECTS(connect_zero_map, AF_INET6, SOCK_STREAM, "::ffff:0.0.0.0", NOBODY)
CONNECTS(connect_range_below, AF_INET, SOCK_DGRAM, V4, RANGE_FIRST - 1)
CONNECTS(connect_range_first, AF_INET, SOCK_STREAM, V4, RANGE_FIRST)
CONNECTS(connect_range_last, AF_INET, SOCK_DGRAM, V4, RANGE_LAST)
CONNECTS(connect_range_above, AF_INET, SOCK_STREAM, V4, RANGE_LAST + 1)
CONNECTS(connect_range_mapped, AF_INET6, SOCK_DGRAM, MAPPED, RANGE_LAST)
CONNECTS(connect_prefix_last, AF_INET, SOCK_DGRAM, V4_LAST, NOBODY)
CONNECTS(connect_prefix_next, AF_INET, SOCK_DGRAM, V4_NEXT, NOBODY)
CONNECTS(connect_prefix_v6, AF_INET6, SOCK_DGRAM, V6_NEXT, NOBODY)
SENDS(sendto_udp, AF_INET, SOCK_DGRAM, V4, 0)
SENDS(sendto_v6, AF_INET6, SOCK_DGRAM, V6, 0)
SENDS(sendto_mapped, AF_INET6, SOCK_DGRAM, MAPPED, 0)
SENDS(sendto_v4_by_v6, AF_INET6, SOCK_DGRAM, V4, 0)
SENDS(sendto_fast_open, AF_INET, SOCK_STREAM, V4, MSG_FASTOPEN)
SENDS(sendto_loopback, AF_INET, SOCK_DGRAM, LOOPBACK, 0)
SENDS(sendto_loopback_v6, AF_INET6, SOCK_DGRAM, LOOPBACK_V6, 0)
SENDS(sendto_loopback_map, AF_INET6, SOCK_DGRAM, LOOPBACK_MAP, 0)
SENDS(sendto_zero, AF_INET, SOCK_DGRAM, "0.0.0.0", 0)
SENDS(sendto_zero_v6, AF_INET6, SOCK_DGRAM, "::", 0)

static int message_to(const char *words, bool many)
{
	union address address;
	char byte = 'x';
	struct iovec data = { &byte, 1 };
	struct mmsghdr message = {
		.msg_hdr = { .msg_name = &address,
			     .msg_namelen = address_of(words, NOBODY, &address),
			     .msg_iov = &data,
			     .msg_iovlen = 1 },
	};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (many)
		return result_of(sendmmsg(fd, &message, 1, 0));
	return result_of(sendmsg(fd, &message.msg_hdr, 0));
}

static int sendmsg_udp(const struct subject *subject)
{
	(void)subject;
	return message_to(V4, false);
}

static int sendmmsg_udp(const struct subject *subject)
{
	(void)subject;
	return message_to(V4, true);
}

static int sendmsg_loopback(const struct subject *subject)
{
	(void)subject;
	return message_to(LOOPBACK, false);
}

/* The second of two that is refused only ends the call. */
static int sendmmsg_two(const struct subject *subject)
{
	const char *const words[2] = { V4, V4_NEXT };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), sent;
	struct mmsghdr messages[2] = { 0 };
	union address addresses[2];
	char byte = 'x';
	struct iovec data = { &byte, 1 };

	(void)subject;
	for (int i = 0; i < 2; i++) {
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &addresses[i],
			.msg_namelen =
				address_of(words[i], NOBODY, &addresses[i]),
			.msg_iov = &data,
			.msg_iovlen = 1,
		};
	}
	sent = sendmmsg(fd, messages, 2, 0);
	return sent == 1 ? RESULT_STATUS + sent : result_of(sent);
}

/* To another address than the one that it is connected to. */
static int sendto_other(const struct subject *subject)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	union address address;
	socklen_t size = address_of(V4, NOBODY, &address);

	(void)subject;
	if (connect(fd, &address.any, size))
		return errno;
	size = address_of(V4_NEXT, NOBODY, &address);
	return result_of(sendto(fd, "x", 1, 0, &address.any, size));
}

static int connect_short(const struct subject *subject)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	union address address;

	(void)subject;
	address_of(V4, NOBODY, &address);
	return result_of(connect(fd, &address.any, SHORT));
}

static int connect_mptcp(const struct subject *subject)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, MPTCP);
	union address address;
	socklen_t size = address_of(V4, NOBODY, &address);

	(void)subject;
	if (fd < 0)
		return RESULT_SETUP;
	return result_of(connect(fd, &address.any, size));
}

/* ---- sockets without ports ---- */

static int ping(int family, int protocol, const char *words, char type)
{
	const char request[PING] = { type };
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, protocol);
	union address address;
	socklen_t size = address_of(words, NOBODY, &address);

	if (fd < 0)
		return RESULT_SETUP;
	return result_of(
		sendto(fd, request, sizeof(request), 0, &address.any, size));
}

static int sendto_ping(const struct subject *subject)
{
	(void)subject;
	return ping(AF_INET, IPPROTO_ICMP, V4, PING_V4);
}

static int sendto_ping_v6(const struct subject *subject)
{
	(void)subject;
	return ping(AF_INET6, IPPROTO_ICMPV6, V6, (char)PING_V6);
}

/* IPv6 takes a port for a protocol. */
static int send_raw(int fd, const char *words, int port)
{
	union address address;
	socklen_t size = address_of(words, port, &address);

	if (fd < 0)
		return RESULT_SETUP;
	return result_of(sendto(fd, "x", 1, 0, &address.any, size));
}

static int sendto_raw(const struct subject *subject)
{
	(void)subject;
	return send_raw(ready.raw_v4, V4, NOBODY);
}

static int sendto_raw_v6(const struct subject *subject)
{
	(void)subject;
	return send_raw(ready.raw_v6, V6, ANY_PORT);
}

/* UDP takes an address without a family for AF_INET. */
static int sendto_unspec(const struct subject *subject)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	union address address;
	socklen_t size = address_of(V4, NOBODY, &address);

	(void)subject;
	address.any.sa_family = AF_UNSPEC;
	return result_of(sendto(fd, "x", 1, 0, &address.any, size));
}

/* Twice: what was refused there is told at the next call. */
static int send_connected(const struct subject *subject)
{
	int first = result_of(send(ready.connected, "x", 1, 0));

	(void)subject;
	return first ? first : result_of(send(ready.connected, "x", 1, 0));
}

static int disconnect(const struct subject *subject)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const struct sockaddr nothing = { .sa_family = AF_UNSPEC };

	(void)subject;
	return result_of(connect(fd, &nothing, sizeof(nothing)));
}

static int sendto_netlink(const struct subject *subject)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	const struct nlmsghdr nothing = { .nlmsg_len = sizeof(nothing),
					  .nlmsg_type = NLMSG_NOOP };

	(void)subject;
	return result_of(sendto(ready.netlink, &nothing, sizeof(nothing), 0,
				(const struct sockaddr *)&kernel,
				sizeof(kernel)));
}

/* To a name that the kernel chose. */
static int sendto_unix(const struct subject *subject)
{
	int to = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int from = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t size = sizeof(address);

	(void)subject;
	if (bind(to, (struct sockaddr *)&address, sizeof(address.sun_family)) ||
	    getsockname(to, (struct sockaddr *)&address, &size))
		return errno;
	return result_of(
		sendto(from, "x", 1, 0, (struct sockaddr *)&address, size));
}

/* ---- SCTP ---- */

static int sctp_option(int option, const char *words, int port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_SCTP);
	union address address;
	socklen_t size = address_of(words, port, &address);

	if (fd < 0)
		return RESULT_SETUP;
	return result_of(
		setsockopt(fd, IPPROTO_SCTP, option, &address.any, size));
}

static int sctp_bindx(const struct subject *subject)
{
	(void)subject;
	return sctp_option(BINDX_ADD, V4, HIGH_PORT);
}

static int sctp_bindx_low(const struct subject *subject)
{
	(void)subject;
	return sctp_option(BINDX_ADD, LOOPBACK, LOW_PORT);
}

static int sctp_connectx(const struct subject *subject)
{
	(void)subject;
	return sctp_option(CONNECTX, LOOPBACK, NOBODY);
}

static int sctp_connect(const struct subject *subject)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_SCTP);
	union address address;
	socklen_t size = address_of(LOOPBACK, NOBODY, &address);

	(void)subject;
	if (fd < 0)
		return RESULT_SETUP;
	return result_of(connect(fd, &address.any, size));
}

static int sendto_sctp(const struct subject *subject)
{
	int fd = socket(AF_INET, SOCK_SEQPACKET | SOCK_CLOEXEC, IPPROTO_SCTP);
	union address address;
	socklen_t size = address_of(LOOPBACK, NOBODY, &address);

	(void)subject;
	if (fd < 0)
		return RESULT_SETUP;
	return result_of(sendto(fd, "x", 1, 0, &address.any, size));
}

const struct probe network_probes[] = {
	{ "raw_icmp", raw_icmp },
	{ "raw_any", raw_any },
	{ "raw_v6", raw_v6 },
	{ "packet_raw", packet_raw },
	{ "packet_cooked", packet_cooked },
	{ "packet_old", packet_old },
	{ "netlink_route", netlink_route },
	{ "netlink_dgram", netlink_dgram },
	{ "netlink_netfilter", netlink_netfilter },
	{ "netlink_audit", netlink_audit },
	{ "netlink_generic", netlink_generic },
	{ "netlink_uevent", netlink_uevent },
	{ "make_vsock", make_vsock },
	{ "make_bluetooth", make_bluetooth },
	{ "make_can", make_can },
	{ "make_alg", make_alg },
	{ "make_key", make_key },
	{ "make_unix", make_unix },
	{ "make_tcp", make_tcp },
	{ "make_udp_v6", make_udp_v6 },
	{ "unix_pair", unix_pair },
	{ "bind_v4", bind_v4 },
	{ "bind_udp", bind_udp },
	{ "bind_every", bind_every },
	{ "bind_chosen", bind_chosen },
	{ "bind_v6", bind_v6 },
	{ "bind_every_v6", bind_every_v6 },
	{ "bind_mapped", bind_mapped },
	{ "bind_unspec", bind_unspec },
	{ "bind_low", bind_low },
	{ "bind_low_v6", bind_low_v6 },
	{ "bind_last_low", bind_last_low },
	{ "bind_first_high", bind_first_high },
	{ "bind_loopback", bind_loopback },
	{ "bind_loopback_low", bind_loopback_low },
	{ "bind_loopback_v6", bind_loopback_v6 },
	{ "bind_loopback_map", bind_loopback_map },
	{ "bind_unix", bind_unix },
	{ "listen_unbound", listen_unbound },
	{ "listen_v4", listen_v4 },
	{ "listen_v6", listen_v6 },
	{ "listen_loopback", listen_loopback },
	{ "listen_loopback_v6", listen_loopback_v6 },
	{ "listen_loopback_map", listen_loopback_map },
	{ "listen_unix", listen_unix },
	{ "connect_tcp", connect_tcp },
	{ "connect_udp", connect_udp },
	{ "connect_v6", connect_v6 },
	{ "connect_udp_v6", connect_udp_v6 },
	{ "connect_mapped", connect_mapped },
	{ "connect_v4_by_v6", connect_v4_by_v6 },
	{ "connect_v6_by_v4", connect_v6_by_v4 },
	{ "connect_loopback", connect_loopback },
	{ "connect_loopback_v6", connect_loopback_v6 },
	{ "connect_loopback_map", connect_loopback_map },
	{ "connect_zero", connect_zero },
	{ "connect_zero_v6", connect_zero_v6 },
	{ "connect_zero_map", connect_zero_map },
	{ "disconnect", disconnect },
	{ "sendto_udp", sendto_udp },
	{ "sendto_v6", sendto_v6 },
	{ "sendto_mapped", sendto_mapped },
	{ "sendto_v4_by_v6", sendto_v4_by_v6 },
	{ "sendto_fast_open", sendto_fast_open },
	{ "sendto_unspec", sendto_unspec },
	{ "sendmsg_udp", sendmsg_udp },
	{ "sendmmsg_udp", sendmmsg_udp },
	{ "connect_range_below", connect_range_below },
	{ "connect_range_first", connect_range_first },
	{ "connect_range_last", connect_range_last },
	{ "connect_range_above", connect_range_above },
	{ "connect_range_mapped", connect_range_mapped },
	{ "connect_prefix_last", connect_prefix_last },
	{ "connect_prefix_next", connect_prefix_next },
	{ "connect_prefix_v6", connect_prefix_v6 },
	{ "connect_short", connect_short },
	{ "connect_mptcp", connect_mptcp },
	{ "sendto_other", sendto_other },
	{ "sendmmsg_two", sendmmsg_two },
	{ "sendto_ping", sendto_ping },
	{ "sendto_ping_v6", sendto_ping_v6 },
	{ "sendto_raw", sendto_raw },
	{ "sendto_raw_v6", sendto_raw_v6 },
	{ "sendto_loopback", sendto_loopback },
	{ "sendto_loopback_v6", sendto_loopback_v6 },
	{ "sendto_loopback_map", sendto_loopback_map },
	{ "sendto_zero", sendto_zero },
	{ "sendto_zero_v6", sendto_zero_v6 },
	{ "sendmsg_loopback", sendmsg_loopback },
	{ "send_connected", send_connected },
	{ "sctp_bindx", sctp_bindx },
	{ "sctp_bindx_low", sctp_bindx_low },
	{ "sctp_connectx", sctp_connectx },
	{ "sctp_connect", sctp_connect },
	{ "sendto_sctp", sendto_sctp },
	{ "sendto_netlink", sendto_netlink },
	{ "sendto_unix", sendto_unix },
	{ NULL, NULL },
};
