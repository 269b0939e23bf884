/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * network: sockets, beyond AF_UNIX and loopback.
 *
 *	operation			hook
 *	raw_socket			socket_create: SOCK_RAW of IPv4 and IPv6
 *	packet_socket, netlink_*,	socket_create: by family, and netlink by
 *	vsock, bluetooth, can,		protocol
 *	other_family
 *	bind_low, bind			socket_bind, sctp_bind_connect
 *	listen				socket_listen
 *	connect				socket_connect, sctp_bind_connect;
 *					socket_sendmsg where the call names an
 *					address
 *
 * What a socket is decides once, when it is made; where it leads decides for
 * IPv4 and IPv6 alone, and for the families that take their addresses, SMC and
 * RDS.  A socket that was handed over is not decided again.
 *
 * Loopback is 127.0.0.0/8, ::1 and ::ffff:127.0.0.0/104; where something is
 * sent to or connected, 0.0.0.0, :: and ::ffff:0.0.0.0 too, which the kernel
 * takes for it.  To bind to these is to bind to every address.  A listening
 * socket is where bind() put it: what connect() made of its address goes when
 * the connection does, perhaps between our look and the kernel's.
 *
 * The kernel reads an address by the family that it has, but not everywhere: on
 * raw IPv4 sockets bind() reads every one as IPv4, and sending one without a
 * family as the socket's.  So only an address whose family says how it will
 * be read is loopback.  An SCTP socket may have addresses that no hook is shown
 * with the first: there nothing is loopback.  Nor is an MPTCP or SMC socket
 * that listens, whose address is another socket's.  SCTP's lists of addresses
 * all have one port; when the peer or sendmsg() names them, nobody is asked or
 * has been.
 *
 * A port under 1024 is bind_low and bind.  Port 0, where the kernel chooses,
 * is bind.  To connect to AF_UNSPEC ends a connection, and is nothing.
 *
 * What the kernel makes for itself (VXLAN, NFS) is not the task's doing, and
 * is nothing: neither such a socket, nor what is sent by it.
 *
 * Maps: events, drops; .rodata.policy, .rodata.boot and, where the policy
 * names cgroups, .rodata.cgroups, frozen before loading.
 *
 * Which way it fails: a subject that cannot be told is a container; a policy
 * that was never written in denies everything; a socket without a family takes
 * IP addresses; an address that is too short is not loopback and has a low
 * port.  All others are the kernel's own copies, and can be read.
 *
 * Kernels before 6.2 refuse to read addresses, and the programs with that,
 * under lockdown=confidentiality.
 */
#include <bpf/bpf_endian.h>

#include "bpf/templates/include/kernel.h"
#include "bpf/templates/include/cast.h"
#include "bpf/templates/include/policy.h"
#include "bpf/templates/include/event.h"

char LICENSE[] SEC("license") = "GPL";

#define MASK(operation) OPERATION_MASK(network, operation)

POLICY(network, (MASK(other_family) << 1) - 1);

_Static_assert(OP_BIT(network, raw_socket) == 0, "all operations are decided");

#define LOW_PORTS 1024
#define V4_SIZE	  16 /* bytes of an address that the kernel takes as IPv4 */
#define V6_SIZE	  24

/* ---- addresses ---- */

struct address {
	uint16_t family;
	uint16_t port; /* as the next two, of this machine's byte order */
	uint32_t v4;
	uint64_t v6[2];
};

static const char address_v4_format[] SEC(POLICY_SECTION) = "%pI4:%u";
static const char address_v6_format[] SEC(POLICY_SECTION) = "[%pI6]:%u";

SHARED void address_read(void *into, const void *from)
{
	const struct sockaddr_in6 *at = from;
	struct address *to = into;
	const uint64_t *v6;

	if (can_cast()) {
		at = CAST(from, sockaddr_in6);
		v6 = (const uint64_t *)at->sin6_addr.in6_u.u6_addr8;
		to->family = at->sin6_family;
		to->port = at->sin6_port;
		to->v4 = at->sin6_flowinfo;
		to->v6[0] = v6[0];
		to->v6[1] = v6[1];
	} else {
		bpf_core_read(&to->family, sizeof(to->family),
			      &at->sin6_family);
		bpf_core_read(&to->port, sizeof(to->port), &at->sin6_port);
		bpf_core_read(&to->v4, sizeof(to->v4), &at->sin6_flowinfo);
		bpf_core_read(to->v6, sizeof(to->v6),
			      &at->sin6_addr.in6_u.u6_addr8);
	}
	to->port = bpf_ntohs(to->port);
	to->v4 = bpf_ntohl(to->v4);
	to->v6[0] = bpf_be64_to_cpu(to->v6[0]);
	to->v6[1] = bpf_be64_to_cpu(to->v6[1]);
}

/* Whether all of it is there that the kernel would read. */
static __always_inline bool address_is_whole(const struct address *address,
					     int size)
{
	return address->family == AF_INET6 ? size >= V6_SIZE : size >= V4_SIZE;
}

/* With @any, 0.0.0.0 and :: are loopback. */
static __always_inline bool v4_is_loopback(uint32_t v4, bool any)
{
	return v4 >> 24 == 127 || (any && !v4);
}

static __always_inline bool v6_is_loopback(uint64_t high, uint64_t low,
					   bool any)
{
	if (high)
		return false;
	if (low >> 32 == 0xffff)
		return v4_is_loopback((uint32_t)low, any);
	return low == 1 || (any && !low);
}

static __always_inline bool address_is_loopback(const struct sock *sk,
						const struct address *address,
						int size, bool any)
{
	if (sk->sk_protocol == IPPROTO_SCTP || !address_is_whole(address, size))
		return false;
	if (address->family == AF_INET)
		return v4_is_loopback(address->v4, any);
	if (address->family == AF_INET6 &&
	    sk->__sk_common.skc_family != AF_INET)
		return v6_is_loopback(address->v6[0], address->v6[1], any);
	return false;
}

/* The object's name is the address at @where, which was read before; one of
 * another family has none. */
SHARED void address_name(void *to, const void *where, uint32_t family,
			 uint32_t port)
{
	const struct sockaddr_in6 *at = where;
	struct event *event = to;
	uint64_t arguments[2] = { 0, port };
	long len = 0;

	if (kernel_has(snprintf) && family == AF_INET) {
		arguments[0] = (uint64_t)&at->sin6_flowinfo;
		len = bpf_snprintf(event->object, sizeof(event->object),
				   address_v4_format, arguments,
				   sizeof(arguments));
	} else if (kernel_has(snprintf) && family == AF_INET6) {
		arguments[0] = (uint64_t)at->sin6_addr.in6_u.u6_addr8;
		len = bpf_snprintf(event->object, sizeof(event->object),
				   address_v6_format, arguments,
				   sizeof(arguments));
	}
	if (len <= 0)
		event->flags |= EVENT_OBJECT_UNREAD;
}

/* What the hook returns where the access is about an address. */
static __always_inline int address_decide(uint64_t operations,
					  const struct address *address,
					  const void *where, int size)
{
	struct decision decision =
		policy_decide_any(&policy_network, operations);
	struct event *event;

	if (decision.logged) {
		event = event_reserve(&decision);
		if (event) {
			address_name(event, where,
				     address_is_whole(address, size)
					     ? address->family
					     : AF_UNSPEC,
				     address->port);
			event_submit(event);
		}
	}
	return policy_verdict(&decision);
}

/* What it is to bind to an address that is not loopback. */
static __always_inline uint64_t bind_operations(const struct address *address,
						int size)
{
	if (size < V4_SIZE || (address->port && address->port < LOW_PORTS))
		return MASK(bind) | MASK(bind_low);
	return MASK(bind);
}

/* ---- sockets ---- */

/* Whether it takes IPv4 or IPv6 addresses. */
static __always_inline bool sock_is_ip(const struct sock *sk)
{
	unsigned short family = sk->__sk_common.skc_family;

	return family == AF_INET || family == AF_INET6 || family == AF_SMC ||
	       family == AF_RDS || family == AF_UNSPEC;
}

static __always_inline bool bound_to_loopback(const struct sock *sk)
{
	const struct sock_common *common = &sk->__sk_common;
	const uint64_t *v6 =
		(const uint64_t *)common->skc_v6_rcv_saddr.in6_u.u6_addr8;

	if (!(BPF_CORE_READ_BITFIELD(sk, sk_userlocks) & SOCK_BINDADDR_LOCK) ||
	    sk->sk_protocol == IPPROTO_SCTP)
		return false;
	if (common->skc_family == AF_INET)
		return v4_is_loopback(bpf_ntohl(common->skc_rcv_saddr), false);
	return common->skc_family == AF_INET6 &&
	       v6_is_loopback(bpf_be64_to_cpu(v6[0]), bpf_be64_to_cpu(v6[1]),
			      false);
}

static __always_inline uint64_t netlink_operation(int protocol)
{
	switch (protocol) {
	case NETLINK_ROUTE:
		return MASK(netlink_route);
	case NETLINK_NETFILTER:
		return MASK(netlink_netfilter);
	case NETLINK_AUDIT:
		return MASK(netlink_audit);
	default:
		return MASK(netlink_other);
	}
}

/* What it is to make a socket that is not AF_UNIX. */
static __always_inline uint64_t create_operation(int family, int type,
						 int protocol)
{
	switch (family) {
	case AF_INET:
	case AF_INET6:
		return type == SOCK_RAW ? MASK(raw_socket) : 0;
	case AF_NETLINK:
		return netlink_operation(protocol);
	case AF_PACKET: /* SOCK_PACKET of AF_INET too */
		return MASK(packet_socket);
	case AF_VSOCK:
		return MASK(vsock);
	case AF_BLUETOOTH:
		return MASK(bluetooth);
	case AF_CAN:
		return MASK(can);
	default:
		return MASK(other_family);
	}
}

static const char socket_format[] SEC(POLICY_SECTION) =
	"family %d, type %d, protocol %d";

/* The object's name is what was asked for. */
SHARED void socket_name(void *to, int family, int type, int protocol)
{
	uint64_t arguments[3] = { (uint32_t)family, (uint32_t)type,
				  (uint32_t)protocol };
	struct event *event = to;
	long len = 0;

	if (kernel_has(snprintf))
		len = bpf_snprintf(event->object, sizeof(event->object),
				   socket_format, arguments, sizeof(arguments));
	if (len <= 0)
		event->flags |= EVENT_OBJECT_UNREAD;
}

/* ---- hooks ---- */

SEC("lsm/socket_create")
int BPF_PROG(network_create, int family, int type, int protocol, int kern)
{
	struct decision decision;
	uint64_t operations;
	struct event *event;

	if (family == AF_UNIX || kern)
		return 0;
	operations = create_operation(family, type, protocol);
	if (!operations)
		return 0;
	decision = policy_decide_any(&policy_network, operations);
	if (decision.logged) {
		event = event_reserve(&decision);
		if (event) {
			socket_name(event, family, type, protocol);
			event_submit(event);
		}
	}
	return policy_verdict(&decision);
}

/* Newer verifiers want to see that a socket's sk is not NULL, which it never
 * is: it would be decided as the most that it could be. */

SEC("lsm/socket_bind")
int BPF_PROG(network_bind, struct socket *sock, struct sockaddr *where,
	     int size)
{
	const struct sock *sk = sock->sk;
	struct address address = {};

	if (sk) {
		if (!sock_is_ip(sk))
			return 0;
		address_read(&address, where);
		if (address_is_loopback(sk, &address, size, false))
			return 0;
	} else {
		size = 0;
	}
	return address_decide(bind_operations(&address, size), &address, where,
			      size);
}

SEC("lsm/socket_listen")
int BPF_PROG(network_listen, struct socket *sock, int backlog)
{
	const struct sock *sk = sock->sk;

	if (sk && (!sock_is_ip(sk) || bound_to_loopback(sk)))
		return 0;
	return event_decide_nameless(&policy_network, MASK(listen));
}

SEC("lsm/socket_connect")
int BPF_PROG(network_connect, struct socket *sock, struct sockaddr *where,
	     int size)
{
	const struct sock *sk = sock->sk;
	struct address address = {};

	if (sk) {
		if (!sock_is_ip(sk))
			return 0;
		address_read(&address, where);
		if (address.family == AF_UNSPEC &&
		    size >= (int)sizeof(address.family))
			return 0;
		if (address_is_loopback(sk, &address, size, true))
			return 0;
	}
	return address_decide(MASK(connect), &address, where, size);
}

/* Of all that is sent, what names an address: datagrams of a socket that is not
 * connected, and a TCP connection that begins with data. */
SEC("lsm/socket_sendmsg")
int BPF_PROG(network_send, struct socket *sock, struct msghdr *message,
	     int bytes)
{
	const void *where = message->msg_name;
	struct address address = {};
	const struct sock *sk;
	int size;

	if (!where)
		return 0;
	sk = sock->sk;
	size = message->msg_namelen;
	if (sk) {
		if (!sock_is_ip(sk) || !size ||
		    BPF_CORE_READ_BITFIELD(sk, sk_kern_sock))
			return 0;
		address_read(&address, where);
		if (address_is_loopback(sk, &address, size, true))
			return 0;
	}
	return address_decide(MASK(connect), &address, where, size);
}

/* sctp_bindx() and sctp_connectx(), with one address or more. */
SEC("lsm/sctp_bind_connect")
int BPF_PROG(network_sctp, struct sock *sk, int option, struct sockaddr *where,
	     int size)
{
	uint64_t operations = MASK(connect);
	struct address address = {};

	if ((option != SCTP_BINDX_ADD && option != SCTP_CONNECTX) ||
	    BPF_CORE_READ_BITFIELD(sk, sk_kern_sock))
		return 0;
	address_read(&address, where);
	if (option == SCTP_BINDX_ADD)
		operations = bind_operations(&address, size);
	return address_decide(operations, &address, where, size);
}
