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
 *	connect, destinations		socket_connect, sctp_bind_connect;
 *					socket_sendmsg where the call names an
 *					address
 *
 * What a socket is decides once, when it is made; where it leads decides for
 * IPv4 and IPv6 alone, and for the families that take their addresses, SMC and
 * RDS.  A socket that was handed over is not decided again.
 *
 * Loopback is 127.0.0.0/8, ::1 and ::ffff:127.0.0.0/104; where something is
 * sent to or connected, 0.0.0.0, :: and ::ffff:0.0.0.0 too, which the kernel
 * takes for it.  To bind to these is to bind to every address.  But sockets
 * without ports (raw ones, ping, L2TP) do not all take what is mapped for IPv4,
 * nor :: for ::1: there, of IPv6, ::1 alone is loopback.  A listening
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
 * A policy's destinations are operations of its own, and connect is what is in
 * none of them.  An address that may be read otherwise, or that the packet need
 * not have, as on a raw socket, is in all of them, and connect.  A port counts
 * where it is sure to be the packet's; elsewhere all destinations with the
 * address do, and connect, unless one of them has every port.
 *
 * A port under 1024 is bind_low and bind.  Port 0, where the kernel chooses,
 * is bind.  To connect to AF_UNSPEC ends a connection, and is nothing.
 *
 * What the kernel makes for itself (VXLAN, NFS) is not the task's doing, and
 * is nothing: neither such a socket, nor what is sent by it.  But SMC hands out
 * the TCP socket that the kernel made for it: so what counts where something is
 * sent is that no process has the socket.
 *
 * Maps: events, drops; .rodata.policy, .rodata.boot and, where the policy
 * names cgroups or destinations, .rodata.cgroups and .rodata.destinations,
 * frozen before loading.
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
#include "bpf/templates/include/destination.h"
#include "bpf/templates/include/event.h"

char LICENSE[] SEC("license") = "GPL";

#define MASK(operation) OPERATION_MASK(network, operation)

POLICY(network, (MASK(other_family) << 1) - 1);

_Static_assert(OP_BIT(network, raw_socket) == 0, "all operations are decided");

#define LOW_PORTS 1024
#define V4_MAPPED (UINT64_C(0xffff) << 32)
#define V4_SIZE	  16 /* bytes of an address that the kernel takes as IPv4 */
#define V6_SIZE	  24

/* ---- addresses ---- */

/* What is known of an address, in a word: family and port are what was read,
 * and of an address that is not whole they may be anything.  A word, for where
 * cgroups are named a program's stack has room for little more. */
#define FACTS(family, port) ((uint64_t)(family) << 16 | (port))
#define FACT_WHOLE	    (UINT64_C(1) << 32)
#define FACT_LOOPBACK	    (UINT64_C(1) << 33)
#define FACT_ANY	    (UINT64_C(1) << 34) /* 0.0.0.0 and :: */
#define FACT_MAPPED	    (UINT64_C(1) << 35) /* IPv4 written as IPv6 */

static __always_inline uint16_t facts_family(uint64_t facts)
{
	return (uint16_t)(facts >> 16);
}

static __always_inline uint16_t facts_port(uint64_t facts)
{
	return (uint16_t)facts;
}

/* The parts of an address, of this machine's byte order.  Each read is a call
 * of a helper in old kernels: only what is asked for is read. */

static __always_inline uint64_t address_label(const void *from)
{
	const struct sockaddr_in6 *at = from;
	uint16_t family, port;

	if (can_cast()) {
		at = CAST(from, sockaddr_in6);
		family = at->sin6_family;
		port = at->sin6_port;
	} else {
		bpf_core_read(&family, sizeof(family), &at->sin6_family);
		bpf_core_read(&port, sizeof(port), &at->sin6_port);
	}
	return FACTS(family, bpf_ntohs(port));
}

static __always_inline uint32_t address_v4(const void *from)
{
	const struct sockaddr_in6 *at = from;
	uint32_t v4;

	if (can_cast())
		v4 = CAST(from, sockaddr_in6)->sin6_flowinfo;
	else
		bpf_core_read(&v4, sizeof(v4), &at->sin6_flowinfo);
	return bpf_ntohl(v4);
}

static __always_inline void address_v6(uint64_t to[2], const void *from)
{
	const struct sockaddr_in6 *at = from;
	const uint64_t *v6;

	if (can_cast()) {
		at = CAST(from, sockaddr_in6);
		v6 = (const uint64_t *)at->sin6_addr.in6_u.u6_addr8;
		to[0] = v6[0];
		to[1] = v6[1];
	} else {
		bpf_core_read(to, 2 * sizeof(*to),
			      &at->sin6_addr.in6_u.u6_addr8);
	}
	to[0] = bpf_be64_to_cpu(to[0]);
	to[1] = bpf_be64_to_cpu(to[1]);
}

static __always_inline uint64_t v4_facts(uint32_t v4)
{
	if (v4 >> 24 == 127)
		return FACT_LOOPBACK;
	return v4 ? 0 : FACT_ANY;
}

static __always_inline uint64_t v6_facts(uint64_t high, uint64_t low)
{
	if (high)
		return 0;
	if (low >> 32 == 0xffff)
		return FACT_MAPPED | v4_facts((uint32_t)low);
	if (low == 1)
		return FACT_LOOPBACK;
	return low ? 0 : FACT_ANY;
}

/* Of the address at @from, of which the kernel has @size bytes. */
SHARED uint64_t address_facts(const void *from, int size)
{
	uint64_t facts = address_label(from);
	uint64_t v6[2];

	if (facts_family(facts) == AF_INET6 && size >= V6_SIZE) {
		address_v6(v6, from);
		return facts | FACT_WHOLE | v6_facts(v6[0], v6[1]);
	}
	if (facts_family(facts) == AF_INET6 || size < V4_SIZE)
		return facts;
	facts |= FACT_WHOLE;
	if (facts_family(facts) == AF_INET)
		facts |= v4_facts(address_v4(from));
	return facts;
}

/* The object is the address at @where; one of another family, or that is not
 * whole, cannot be read. */
SHARED void address_object(void *to, const void *where, uint64_t facts)
{
	struct event *event = to;
	struct event_address *object = (void *)event->object;
	uint16_t family = facts & FACT_WHOLE ? facts_family(facts) : AF_UNSPEC;
	uint64_t v6[2] = { 0 };

	if (family == AF_INET) {
		v6[1] = address_v4(where);
	} else if (family == AF_INET6) {
		address_v6(v6, where);
	} else {
		event->flags |= EVENT_OBJECT_UNREAD;
		return;
	}
	object->family = family;
	object->port = facts_port(facts);
	object->reserved = 0;
	object->high = v6[0];
	object->low = v6[1];
	event->flags |= EVENT_OBJECT_ADDRESS;
}

/* What the hook returns where the access is about an address. */
static __always_inline int address_decide(uint64_t operations,
					  const void *where, uint64_t facts)
{
	struct decision decision =
		policy_decide_any(&policy_network, operations);
	struct event *event;

	if (decision.logged) {
		event = event_reserve(&decision);
		if (event) {
			address_object(event, where, facts);
			event_submit(event);
		}
	}
	return policy_verdict(&decision);
}

/* What it is to bind to an address that is not loopback. */
static __always_inline uint64_t bind_operations(uint64_t facts)
{
	uint16_t port = facts_port(facts);

	if (!(facts & FACT_WHOLE) || (port && port < LOW_PORTS))
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

/* Whether @sk reads an address of that family as what it is, and has no other
 * address besides. */
static __always_inline bool sock_agrees(const struct sock *sk, uint64_t facts)
{
	return sk->sk_protocol != IPPROTO_SCTP &&
	       !(facts_family(facts) == AF_INET6 &&
		 sk->__sk_common.skc_family == AF_INET);
}

/* Whether the port that an address names is the packet's. */
static __always_inline bool sock_has_ports(const struct sock *sk)
{
	if (sk->__sk_common.skc_family == AF_SMC)
		return true;
	if (sk->sk_type == SOCK_RAW)
		return false;
	switch (sk->sk_protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_DCCP:
	case IPPROTO_SMC:
	case IPPROTO_MPTCP:
		return true;
	default:
		return false;
	}
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
		return v4_facts(bpf_ntohl(common->skc_rcv_saddr)) &
		       FACT_LOOPBACK;
	return common->skc_family == AF_INET6 &&
	       v6_facts(bpf_be64_to_cpu(v6[0]), bpf_be64_to_cpu(v6[1])) &
		       FACT_LOOPBACK;
}

/* Whether the address is @loopback, a mask of what counts as that, to @sk. */
static __always_inline bool sock_passes(const struct sock *sk, uint64_t facts,
					uint64_t loopback)
{
	if (!sock_agrees(sk, facts) || !(facts & loopback))
		return false;
	return facts_family(facts) != AF_INET6 ||
	       !(facts & (FACT_ANY | FACT_MAPPED)) || sock_has_ports(sk);
}

/* ---- destinations ---- */

/* Those with the address at @where, which is whole, whatever their ports. */
SHARED uint64_t address_destinations(const void *where, uint64_t facts)
{
	uint64_t v6[2];

	if (facts_family(facts) == AF_INET)
		return destinations_of_address(0,
					       V4_MAPPED | address_v4(where));
	address_v6(v6, where);
	return destinations_of_address(v6[0], v6[1]);
}

/* What it is to connect or send to the address at @where. */
static __always_inline uint64_t connect_operations(const struct sock *sk,
						   const void *where,
						   uint64_t facts)
{
	uint64_t all = destination_index.all, found, sure;

	if (!all)
		return MASK(connect);
	if (!(facts & FACT_WHOLE) || !sock_agrees(sk, facts) ||
	    sk->sk_type == SOCK_RAW ||
	    (facts_family(facts) != AF_INET && facts_family(facts) != AF_INET6))
		return all | MASK(connect);
	found = address_destinations(where, facts);
	if (sock_has_ports(sk)) {
		found &= destinations_of_port(facts_port(facts));
		sure = found;
	} else {
		sure = found & destination_index.any_port;
	}
	return sure ? found : found | MASK(connect);
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

/* The object is what was asked for. */
static __always_inline void socket_object(struct event *event, int family,
					  int type, int protocol)
{
	struct event_socket *object = (void *)event->object;

	object->family = family;
	object->type = type;
	object->protocol = protocol;
	event->flags |= EVENT_OBJECT_SOCKET;
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
			socket_object(event, family, type, protocol);
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
	uint64_t facts = 0;

	if (sk) {
		if (!sock_is_ip(sk))
			return 0;
		facts = address_facts(where, size);
		if (sock_passes(sk, facts, FACT_LOOPBACK))
			return 0;
	}
	return address_decide(bind_operations(facts), where, facts);
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
	uint64_t operations = MASK(connect) | destination_index.all;
	const struct sock *sk = sock->sk;
	uint64_t facts = 0;

	if (sk) {
		if (!sock_is_ip(sk))
			return 0;
		facts = address_facts(where, size);
		if (facts_family(facts) == AF_UNSPEC &&
		    size >= (int)sizeof(uint16_t))
			return 0;
		if (sock_passes(sk, facts, FACT_LOOPBACK | FACT_ANY))
			return 0;
		operations = connect_operations(sk, where, facts);
	}
	return address_decide(operations, where, facts);
}

/* Of all that is sent, what names an address: datagrams of a socket that is not
 * connected, and a TCP connection that begins with data. */
SEC("lsm/socket_sendmsg")
int BPF_PROG(network_send, struct socket *sock, struct msghdr *message,
	     int bytes)
{
	uint64_t operations = MASK(connect) | destination_index.all;
	const void *where = message->msg_name;
	const struct sock *sk;
	uint64_t facts = 0;
	int size;

	if (!where)
		return 0;
	sk = sock->sk;
	if (sk) {
		size = message->msg_namelen;
		if (!sock_is_ip(sk) || !size || !sock->file)
			return 0;
		facts = address_facts(where, size);
		if (sock_passes(sk, facts, FACT_LOOPBACK | FACT_ANY))
			return 0;
		operations = connect_operations(sk, where, facts);
	}
	return address_decide(operations, where, facts);
}

/* sctp_bindx() and sctp_connectx(), with one address or more. */
SEC("lsm/sctp_bind_connect")
int BPF_PROG(network_sctp, struct sock *sk, int option, struct sockaddr *where,
	     int size)
{
	uint64_t operations = MASK(connect) | destination_index.all, facts;

	if ((option != SCTP_BINDX_ADD && option != SCTP_CONNECTX) ||
	    BPF_CORE_READ_BITFIELD(sk, sk_kern_sock))
		return 0;
	facts = address_facts(where, size);
	if (option == SCTP_BINDX_ADD)
		operations = bind_operations(facts);
	return address_decide(operations, where, facts);
}
