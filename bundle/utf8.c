/* SPDX-License-Identifier: GPL-2.0-only */
#include "bundle/utf8.h"

size_t utf8_decode(const char *bytes, size_t left, uint32_t *codepoint)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *byte = (const unsigned char *)bytes;
	uint32_t value;
	size_t len;

	if (left == 0)
		return 0;
	if (byte[0] < 0x80) {
		*codepoint = byte[0];
		return 1;
	}
	if (byte[0] >= 0xc2 && byte[0] < 0xe0) {
		len = 2;
		value = byte[0] & 0x1f;
	} else if (byte[0] >= 0xe0 && byte[0] < 0xf0) {
		len = 3;
		value = byte[0] & 0x0f;
	} else if (byte[0] >= 0xf0 && byte[0] < 0xf5) {
		len = 4;
		value = byte[0] & 0x07;
	} else {
		return 0;
	}
	if (len > left)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((byte[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (byte[i] & 0x3f);
	}
	if (value < smallest[len] || value > 0x10ffff ||
	    (value >= 0xd800 && value < 0xe000))
		return 0;
	*codepoint = value;
	return len;
}

bool utf8_valid(const char *bytes, size_t size)
{
	uint32_t codepoint;
	size_t len;

	for (size_t i = 0; i < size; i += len) {
		len = utf8_decode(bytes + i, size - i, &codepoint);
		if (!len)
			return false;
	}
	return true;
}

bool utf8_is_bidirectional(uint32_t codepoint)
{
	return codepoint == 0x061c || codepoint == 0x200e ||
	       codepoint == 0x200f ||
	       (codepoint >= 0x202a && codepoint <= 0x202e) ||
	       (codepoint >= 0x2066 && codepoint <= 0x2069);
}
