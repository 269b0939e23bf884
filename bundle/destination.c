/* SPDX-License-Identifier: GPL-2.0-only */
#include "bundle/destination.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

static const uint8_t mapped[DESTINATION_V4_BITS / 8] = {
	[10] = 0xff, [11] = 0xff
};

bool destination_is_v4(const uint8_t address[DESTINATION_ADDRESS_SIZE])
{
	return !memcmp(address, mapped, sizeof(mapped));
}

/* The address with zeros behind its first @bits. */
static void cut(uint8_t address[DESTINATION_ADDRESS_SIZE], unsigned bits)
{
	for (unsigned i = 0; i < DESTINATION_ADDRESS_SIZE; i++) {
		unsigned kept = bits > 8 * i ? bits - 8 * i : 0;

		if (kept < 8)
			address[i] &= (uint8_t)(0xff00 >> kept);
	}
}

bool destination_prefix_is_valid(const struct destination_prefix *prefix)
{
	struct destination_prefix valid = *prefix;

	if (prefix->bits > DESTINATION_ADDRESS_BITS)
		return false;
	cut(valid.address, valid.bits);
	return !memcmp(valid.address, prefix->address, sizeof(valid.address));
}

int destination_prefix_compare(const struct destination_prefix *one,
			       const struct destination_prefix *other)
{
	bool v4 = destination_is_v4(one->address);
	int order;

	if (v4 != destination_is_v4(other->address))
		return v4 ? -1 : 1;
	order = memcmp(one->address, other->address, sizeof(one->address));
	return order ? order : one->bits - other->bits;
}

void destination_prefix_text(const struct destination_prefix *prefix,
			     char text[DESTINATION_PREFIX_TEXT])
{
	bool v4 = destination_is_v4(prefix->address) &&
		  prefix->bits >= DESTINATION_V4_BITS;
	unsigned bits = prefix->bits - (v4 ? DESTINATION_V4_BITS : 0U);
	size_t len;

	inet_ntop(v4 ? AF_INET : AF_INET6,
		  prefix->address + (v4 ? sizeof(mapped) : 0), text,
		  DESTINATION_PREFIX_TEXT);
	len = strlen(text);
	if (prefix->bits != DESTINATION_ADDRESS_BITS)
		snprintf(text + len, DESTINATION_PREFIX_TEXT - len, "/%u",
			 bits);
}

/* Its address as IPv6 has it; how many bits are before what the text counts, or
 * -1 where it is none. */
static int read_address(const char *text,
			uint8_t address[DESTINATION_ADDRESS_SIZE])
{
	memcpy(address, mapped, sizeof(mapped));
	if (inet_pton(AF_INET, text, address + sizeof(mapped)) == 1)
		return DESTINATION_V4_BITS;
	return inet_pton(AF_INET6, text, address) == 1 ? 0 : -1;
}

int destination_number_read(const char **text, int most)
{
	const char *c = *text;
	int number = 0;

	if (*c < '0' || *c > '9')
		return -1;
	for (; *c >= '0' && *c <= '9' && number <= most; c++)
		number = 10 * number + (*c - '0');
	if (number > most || (**text == '0' && c > *text + 1))
		return -1;
	*text = c;
	return number;
}

/* All of @text. */
static int read_bits(const char *text, int most)
{
	int bits = destination_number_read(&text, most);

	return *text ? -1 : bits;
}

const char *destination_prefix_read(const char *text,
				    struct destination_prefix *prefix)
{
	char copy[INET6_ADDRSTRLEN];
	const char *slash = strchrnul(text, '/');
	size_t len = (size_t)(slash - text);
	uint8_t whole[DESTINATION_ADDRESS_SIZE];
	int before = -1, bits;

	prefix->bits = UINT8_MAX; /* not valid, for the time being */
	if (len < sizeof(copy)) {
		memcpy(copy, text, len);
		copy[len] = '\0';
		before = read_address(copy, prefix->address);
	}
	if (before < 0)
		return "it is no IPv4 or IPv6 address";
	bits = DESTINATION_ADDRESS_BITS - before;
	if (*slash)
		bits = read_bits(slash + 1, bits);
	if (bits < 0)
		return before ? "an IPv4 prefix has 0 to 32 bits"
			      : "an IPv6 prefix has 0 to 128 bits";
	prefix->bits = (uint8_t)(before + bits);
	memcpy(whole, prefix->address, sizeof(whole));
	cut(prefix->address, prefix->bits);
	if (memcmp(whole, prefix->address, sizeof(whole)))
		return "bits behind the prefix are not 0";
	/* what is the IPv4 addresses' own, written as IPv6 */
	if (!before && destination_is_v4(prefix->address) &&
	    prefix->bits >= DESTINATION_V4_BITS)
		return "IPv4 addresses are written as IPv4";
	return NULL;
}

unsigned destination_max(void)
{
	return 64 -
	       protection_operation_count(&protections[PROTECTION_network]);
}

struct protection destination_protection(const struct destination *destinations,
					 unsigned count,
					 struct operation *operations)
{
	struct protection network = protections[PROTECTION_network];
	unsigned built_in = protection_operation_count(&network);

	assert(count <= destination_max());
	memcpy(operations, network.operations, built_in * sizeof(*operations));
	for (unsigned i = 0; i < count; i++) {
		operations[built_in + i] =
			network.operations[OP_BIT(network, connect)];
		operations[built_in + i].name = destinations[i].name;
	}
	network.operations = operations;
	network.destination_count = count;
	return network;
}
