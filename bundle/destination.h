/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a policy's network rules can lead: addresses and ports under a name.
 * Each is one more operation of that policy's `network`, behind those of
 * operations.def; docs/language.md says what a connection is.
 *
 * IPv4 addresses are as IPv6 maps them: ::ffff:10.0.0.0/104 is 10.0.0.0/8.  An
 * IPv6 prefix that is shorter than the mapped range does not cover it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bundle/operations.h"

#define DESTINATION_ADDRESS_SIZE 16
#define DESTINATION_ADDRESS_BITS 128
#define DESTINATION_V4_BITS	 96   /* of a prefix, before the IPv4 address */
#define DESTINATION_PREFIX_TEXT	 64   /* bytes, with the NUL */
#define DESTINATION_MAX_PARTS	 4096 /* prefixes and ports, of all */

struct destination_prefix {
	uint8_t address[DESTINATION_ADDRESS_SIZE]; /* in network order; 0 behind
						    * the bits that count */
	uint8_t bits;				   /* 0 to 128 */
};

struct destination_ports {
	uint16_t first;
	uint16_t last; /* first or more */
};

struct destination {
	const char *name;
	struct destination_prefix *prefixes; /* ascending, each once; none:
					      * every address */
	uint32_t prefix_count;
	struct destination_ports *ports; /* ascending, with gaps between them;
					  * none: every port */
	uint32_t ports_count;
};

/* Whether it is in ::ffff:0:0/96. */
bool destination_is_v4(const uint8_t address[DESTINATION_ADDRESS_SIZE]);

/* Whether it is written the one way that there is: zeros behind its bits. */
bool destination_prefix_is_valid(const struct destination_prefix *prefix);

/* IPv4 before IPv6, then by address, the longest last. */
int destination_prefix_compare(const struct destination_prefix *one,
			       const struct destination_prefix *other);

/* "10.0.0.0/8", or an address alone where all its bits count. */
void destination_prefix_text(const struct destination_prefix *prefix,
			     char text[DESTINATION_PREFIX_TEXT]);

/*
 * What @text says: an address in any way that it can be written, and `/` with
 * the bits that count, unless all do.  Returns NULL, or words for what is
 * wrong; *@prefix is then what may have been meant, or not valid.
 */
const char *destination_prefix_read(const char *text,
				    struct destination_prefix *prefix);

/* The number at *@text, which then is behind it: decimal, without leading
 * zeros, at most @most, which is under 2^27; -1 where there is none. */
int destination_number_read(const char **text, int most);

/* The most that `network` can have. */
unsigned destination_max(void);

/*
 * `network` with @count operations more, at most destination_max(), whose names
 * are @destinations'.  @operations has room for all of them; it, and the
 * destinations, must stay.
 */
struct protection destination_protection(const struct destination *destinations,
					 unsigned count,
					 struct operation *operations);
