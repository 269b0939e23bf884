/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Destinations are looked for one after another, and every prefix bit by bit:
 * slow, and nothing like the search of the programs.
 */
#include "compiler/proof/reach.h"

#include <netinet/in.h>
#include <string.h>

#include "compiler/arena.h"

#define ADDRESS_SIZE  DESTINATION_ADDRESS_SIZE
#define V4_SIZE	      16 /* bytes of the least that is an IPv4 address */
#define V6_SIZE	      24
#define SMC	      43 /* AF_SMC */
#define SMC_PROTOCOL  256
#define MPTCP	      262
#define CONNECT_PORT  9 /* where every port will do */
#define MORE_ACCESSES 5 /* of a prefix or of some ports */
#define SOCKETS	      6 /* of other kinds with ports */
#define MANY_PARTS    64
#define MANY_APART                                                 \
	7 /* of many, one in so many is tried: tables.c has looked \
	   * at all of them */
#define WHERE_FIELDS  6
#define SOCKET_FIELDS 4

/* ---- where an access leads ---- */

struct target {
	bool known;	/* the address */
	bool has_ports; /* the packet has the port */
	uint8_t address[ADDRESS_SIZE];
	uint16_t port;
};

/* The field of @object whose path ends in @name; NULL where none is set. */
static const struct access_value *find_field(const struct access_value *object,
					     const char *name)
{
	size_t len = strlen(name), path;

	for (const struct access_field *field = object->fields; field->path;
	     field++) {
		path = strlen(field->path);
		if (path >= len && !strcmp(field->path + path - len, name))
			return &field->value;
	}
	return NULL;
}

/* What is not set is nothing that counts here. */
static uint64_t number_of(const struct access_value *object, const char *name)
{
	const struct access_value *value = find_field(object, name);

	return value ? value->number : UINT64_MAX;
}

static void read_address(const struct access_value *where, bool v4,
			 uint8_t address[ADDRESS_SIZE])
{
	uint64_t number = number_of(where, "sin6_flowinfo");

	if (!v4) {
		memcpy(address, find_field(where, "u6_addr8")->text,
		       ADDRESS_SIZE);
		return;
	}
	memset(address, 0, ADDRESS_SIZE);
	memset(address + 10, 0xff, 2);
	for (size_t i = 0; i < 4; i++)
		address[12 + i] = (uint8_t)(number >> 8 * i);
}

static struct target target_of(const struct access *access)
{
	const struct access_value *socket = &access->arguments[0];
	const struct access_value *where = &access->arguments[1];
	uint64_t family, protocol, label, size;
	struct target target = { 0 };

	if (access->hook == HOOK_socket_connect)
		size = access->arguments[2].number;
	else if (access->hook == HOOK_socket_sendmsg)
		size = number_of(where, "msg_namelen");
	else
		return target;
	family = number_of(socket, "skc_family");
	protocol = number_of(socket, "sk_protocol");
	label = number_of(where, "sin6_family");
	if (family == UINT64_MAX || protocol == IPPROTO_SCTP ||
	    number_of(socket, "sk_type") == SOCK_RAW)
		return target;
	target.known = label == AF_INET ? size >= V4_SIZE
		       : label == AF_INET6
			       ? size >= V6_SIZE && family != AF_INET
			       : false;
	if (!target.known)
		return target;
	read_address(where, label == AF_INET, target.address);
	target.port = ntohs((uint16_t)number_of(where, "sin6_port"));
	target.has_ports = family == SMC || protocol == IPPROTO_TCP ||
			   protocol == IPPROTO_UDP ||
			   protocol == IPPROTO_DCCP ||
			   protocol == IPPROTO_UDPLITE ||
			   protocol == SMC_PROTOCOL || protocol == MPTCP;
	return target;
}

/* ---- which destinations that is ---- */

/* An IPv4 address is in prefixes alone that say so in all of its 96 bits. */
static bool is_below(const struct destination_prefix *prefix,
		     const uint8_t address[ADDRESS_SIZE])
{
	unsigned whole = prefix->bits / 8, rest = prefix->bits % 8;

	if (prefix->bits < DESTINATION_V4_BITS && destination_is_v4(address))
		return false;
	if (memcmp(prefix->address, address, whole))
		return false;
	return !rest || prefix->address[whole] >> (8 - rest) ==
				address[whole] >> (8 - rest);
}

static bool has_address(const struct destination *destination,
			const uint8_t address[ADDRESS_SIZE])
{
	for (uint32_t i = 0; i < destination->prefix_count; i++)
		if (is_below(&destination->prefixes[i], address))
			return true;
	return !destination->prefix_count;
}

static bool has_port(const struct destination *destination, uint16_t port)
{
	for (uint32_t i = 0; i < destination->ports_count; i++)
		if (port >= destination->ports[i].first &&
		    port <= destination->ports[i].last)
			return true;
	return !destination->ports_count;
}

/* Of the operation that the destination of that number is. */
static uint64_t bit_of(const struct table_protection *row, unsigned number)
{
	unsigned count = row->protection->destination_count;

	return UINT64_C(1) << (protection_operation_count(row->protection) -
			       count + number);
}

uint64_t reach_address(const struct table_protection *row,
		       const uint8_t address[ADDRESS_SIZE])
{
	uint64_t found = 0;

	for (unsigned i = 0; i < row->protection->destination_count; i++)
		if (has_address(&row->destinations[i], address))
			found |= bit_of(row, i);
	return found;
}

uint64_t reach_port(const struct table_protection *row, uint16_t port)
{
	uint64_t found = 0;

	for (unsigned i = 0; i < row->protection->destination_count; i++)
		if (has_port(&row->destinations[i], port))
			found |= bit_of(row, i);
	return found;
}

uint64_t reach_any_port(const struct table_protection *row)
{
	uint64_t found = 0;

	for (unsigned i = 0; i < row->protection->destination_count; i++)
		if (!row->destinations[i].ports_count)
			found |= bit_of(row, i);
	return found;
}

static uint64_t find_destinations(const struct table_protection *row,
				  const struct target *target)
{
	const uint64_t connect = UINT64_C(1) << OP_BIT(network, connect);
	uint64_t found, sure;

	if (!target->known)
		return protection_destinations(row->protection) | connect;
	found = reach_address(row, target->address);
	if (target->has_ports) {
		found &= reach_port(row, target->port);
		sure = found;
	} else {
		sure = found & reach_any_port(row);
	}
	return sure ? found : found | connect;
}

uint64_t reach_operations(const struct table_protection *row,
			  const struct access *access, bool unbound)
{
	const uint64_t connect = UINT64_C(1) << OP_BIT(network, connect);
	const struct access_operation *each = access->operations;
	size_t count = access->operation_count;
	struct target target;
	uint64_t stated = 0;

	if (unbound && access->unbound_count) {
		each = access->unbound_operations;
		count = access->unbound_count;
	}
	for (size_t i = 0; i < count; i++)
		if (each[i].protection == row->protection->id)
			stated |= UINT64_C(1) << each[i].bit;
	if (!row->protection->destination_count || !(stated & connect))
		return stated;
	target = target_of(access);
	return find_destinations(row, &target) | (stated & ~connect);
}

/* ---- more accesses ---- */

struct more {
	struct arena *arena;
	struct access *list;
	size_t count;
	bool many;   /* parts: some are tried */
	size_t ways; /* so far */
};

/* Loopback, and what leads to it. */
static bool passes(const uint8_t address[ADDRESS_SIZE])
{
	static const uint8_t zeros[ADDRESS_SIZE];

	if (destination_is_v4(address))
		return address[12] == 127 ||
		       !memcmp(address + 12, zeros, ADDRESS_SIZE - 12);
	return !memcmp(address, zeros, ADDRESS_SIZE - 1) && address[15] <= 1;
}

/* The first of the hook's arguments; the others are to be filled in. */
static struct access_value *make_arguments(struct more *more, unsigned family,
					   unsigned protocol)
{
	struct access_field *fields =
		arena_array(more->arena, SOCKET_FIELDS, sizeof(*fields));
	struct access_value *arguments =
		arena_array(more->arena, ACCESS_ARGUMENTS, sizeof(*arguments));

	fields[0] = (struct access_field){ "sk.__sk_common.skc_family",
					   { .number = family } };
	fields[1] = (struct access_field){ "sk.sk_protocol",
					   { .number = protocol } };
	fields[2] = (struct access_field){
		"sk.sk_type",
		{ .number = protocol == IPPROTO_RAW ? SOCK_RAW : SOCK_STREAM }
	};
	arguments[0] = (struct access_value){ .kind = VALUE_OBJECT,
					      .text = "socket",
					      .fields = fields };
	return arguments;
}

/* The object with the address: at @path of it, which is "" or ends in a dot. */
static struct access_value make_where(struct more *more, const char *type,
				      const char *path, unsigned label,
				      const uint8_t address[ADDRESS_SIZE],
				      uint16_t port)
{
	struct access_field *fields =
		arena_array(more->arena, WHERE_FIELDS, sizeof(*fields));
	struct access_value bytes = {
		.kind = VALUE_BYTES,
		.text = arena_copy(more->arena, (const char *)address,
				   ADDRESS_SIZE),
		.number = ADDRESS_SIZE,
	};
	uint32_t v4;

	memcpy(&v4, address + 12, sizeof(v4));
	fields[0] = (struct access_field){ arena_printf(more->arena,
							"%ssin6_family", path),
					   { .number = label } };
	fields[1] = (struct access_field){ arena_printf(more->arena,
							"%ssin6_port", path),
					   { .number = htons(port) } };
	fields[2] =
		(struct access_field){ arena_printf(more->arena,
						    "%ssin6_flowinfo", path),
				       { .number = v4 } };
	fields[3] = (struct access_field){
		arena_printf(more->arena, "%ssin6_addr.in6_u.u6_addr8", path),
		bytes
	};
	if (*path)
		fields[4] = (struct access_field){
			"msg_namelen",
			{ .number = label == AF_INET ? V4_SIZE : V6_SIZE }
		};
	return (struct access_value){ .kind = VALUE_OBJECT,
				      .text = type,
				      .fields = fields };
}

static void add_hook(struct more *more, enum hook_id hook,
		     const uint8_t address[ADDRESS_SIZE], uint16_t port,
		     unsigned family, unsigned protocol)
{
	static const struct access_operation connects = {
		PROTECTION_network, OP_BIT(network, connect)
	};
	struct destination_prefix whole = { .bits = DESTINATION_ADDRESS_BITS };
	bool sends = hook == HOOK_socket_sendmsg;
	struct access_value *arguments;
	char text[DESTINATION_PREFIX_TEXT];
	unsigned label = family == AF_INET6 || !destination_is_v4(address)
				 ? AF_INET6
				 : AF_INET;

	memcpy(whole.address, address, ADDRESS_SIZE);
	destination_prefix_text(&whole, text);
	arguments = make_arguments(more, family, protocol);
	arguments[1] =
		sends ? make_where(more, "msghdr", "msg_name:sockaddr_in6.",
				   label, address, port)
		      : make_where(more, "sockaddr_in6", "", label, address,
				   port);
	arguments[2].number = sends		 ? 100
			      : label == AF_INET ? V4_SIZE
						 : V6_SIZE;
	more->list[more->count++] = (struct access){
		.hook = hook,
		.words = arena_printf(
			more->arena,
			"%s to %s, port %u, family %u, protocol %u",
			sends ? "send" : "connect", text, port, family,
			protocol),
		.arguments = arguments,
		.argument_count = 3,
		.operations = &connects,
		.operation_count = 1,
	};
}

static void add_access(struct more *more, const uint8_t address[ADDRESS_SIZE],
		       uint16_t port, unsigned family, unsigned protocol)
{
	if ((more->many && more->ways++ % MANY_APART) || passes(address))
		return;
	add_hook(more, HOOK_socket_connect, address, port, family, protocol);
	add_hook(more, HOOK_socket_sendmsg, address, port, family, protocol);
}

/* As the family is that it is of. */
static void add_tcp(struct more *more, const uint8_t address[ADDRESS_SIZE],
		    uint16_t port)
{
	add_access(more, address, port,
		   destination_is_v4(address) ? AF_INET : AF_INET6,
		   IPPROTO_TCP);
}

/* The address before or behind, around the end of all addresses too. */
void reach_step(uint8_t address[ADDRESS_SIZE], int change)
{
	for (unsigned i = ADDRESS_SIZE; i--;) {
		address[i] = (uint8_t)(address[i] + change);
		if (address[i] != (change > 0 ? 0 : 0xff))
			return;
	}
}

void reach_last(const struct destination_prefix *prefix,
		uint8_t address[ADDRESS_SIZE])
{
	memcpy(address, prefix->address, ADDRESS_SIZE);
	for (unsigned bit = prefix->bits; bit < DESTINATION_ADDRESS_BITS; bit++)
		address[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
}

/* Its first and last address, those around it, and its first through IPv6. */
static void add_prefix(struct more *more,
		       const struct destination_prefix *prefix, uint16_t port)
{
	uint8_t address[ADDRESS_SIZE];

	memcpy(address, prefix->address, ADDRESS_SIZE);
	add_tcp(more, address, port);
	add_access(more, address, port, AF_INET6, IPPROTO_TCP);
	reach_step(address, -1);
	add_tcp(more, address, port);
	reach_last(prefix, address);
	add_tcp(more, address, port);
	reach_step(address, 1);
	add_tcp(more, address, port);
}

/* The first and the last port, those around them, and a socket without. */
static void add_ports(struct more *more, const uint8_t address[ADDRESS_SIZE],
		      const struct destination_ports *ports)
{
	add_tcp(more, address, ports->first);
	add_tcp(more, address, ports->last);
	add_tcp(more, address, (uint16_t)(ports->first - 1));
	add_tcp(more, address, (uint16_t)(ports->last + 1));
	add_access(more, address, ports->first,
		   destination_is_v4(address) ? AF_INET : AF_INET6,
		   IPPROTO_RAW);
}

/* All that have ports; on one without, this would be `connect` too. */
static void add_sockets(struct more *more, const uint8_t address[ADDRESS_SIZE],
			uint16_t port)
{
	static const unsigned protocols[SOCKETS - 1] = {
		IPPROTO_UDP, IPPROTO_UDPLITE, IPPROTO_DCCP, SMC_PROTOCOL, MPTCP
	};
	unsigned family = destination_is_v4(address) ? AF_INET : AF_INET6;

	for (size_t i = 0; i < SOCKETS - 1; i++)
		add_access(more, address, port, family, protocols[i]);
	add_access(more, address, port, SMC, 0);
}

static void add_destination(struct more *more,
			    const struct destination *destination)
{
	static const uint8_t anywhere[ADDRESS_SIZE] = {
		[10] = 0xff, [11] = 0xff, 10, 1, 2, 3
	};
	uint16_t port = destination->ports_count ? destination->ports[0].first
						 : CONNECT_PORT;
	uint8_t last[ADDRESS_SIZE];

	for (uint32_t i = 0; i < destination->prefix_count; i++)
		add_prefix(more, &destination->prefixes[i], port);
	memcpy(last, anywhere, ADDRESS_SIZE);
	if (destination->prefix_count)
		reach_last(&destination->prefixes[0], last);
	for (uint32_t i = 0; i < destination->ports_count; i++)
		add_ports(more, last, &destination->ports[i]);
	if (destination->ports_count)
		add_sockets(more, last, port);
}

static size_t count_parts(const struct table_protection *row)
{
	size_t parts = 0;

	for (unsigned i = 0; i < row->protection->destination_count; i++)
		parts += row->destinations[i].prefix_count +
			 row->destinations[i].ports_count;
	return parts;
}

const struct access *reach_accesses(struct arena *arena,
				    const struct table *table, size_t *count)
{
	struct more more = { .arena = arena, .count = access_count };
	size_t parts = 0;

	*count = access_count;
	for (uint32_t i = 0; i < table->protection_count; i++)
		parts += count_parts(&table->protections[i]);
	if (!parts)
		return accesses;
	more.many = parts > MANY_PARTS;
	more.list =
		arena_array(arena,
			    access_count + 2 * (MORE_ACCESSES * parts +
						SOCKETS * destination_max()),
			    sizeof(*more.list));
	memcpy(more.list, accesses, access_count * sizeof(*accesses));
	for (uint32_t i = 0; i < table->protection_count; i++) {
		const struct table_protection *row = &table->protections[i];

		for (unsigned j = 0; j < row->protection->destination_count;
		     j++)
			add_destination(&more, &row->destinations[j]);
	}
	*count = more.count;
	return more.list;
}
