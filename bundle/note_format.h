/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The note's description, after the ELF note's own header, is
 *
 *	u32	NOTE_ENCODING
 *	digest	source, compiler
 *	string	policy
 *	text	description
 *	u32	language, version, audit | locked << 1, until
 *	list	of sources: string
 *	list	of statements: u32 source, line, column, until; text reason
 *	list	of protections:
 *		string	name
 *		list	of its operations, in the order of their bits: string;
 *			of network destinations are the last ones
 *		u8	profile, log
 *		list	of cgroups: string
 *		u64	denied, a class; u64 logged, a class
 *		runs	of decided_by: u32 length, u32 value, to the last cell
 *		list	of devices: string
 *		a destination:
 *			list	of prefixes: 16 bytes, u8
 *			list	of ports: u16 first, last
 *
 * all little-endian and unaligned.  A list is a u32 count and that many items;
 * a string is a u32 length and UTF-8 without NUL; a text is a u8, 0 where
 * there is none, or 1 and a string.  Nothing is behind the last protection.
 *
 * Only note_encode.c and note_decode.c know this.
 */
#pragma once

#include <stddef.h>

#define NOTE_ENCODING 1
#define NOTE_AUDIT    1u
#define NOTE_LOCKED   2u

/* ELF wants the next note aligned; there is none, but readers look. */
static inline size_t note_padding(size_t size)
{
	return -size & 3;
}
