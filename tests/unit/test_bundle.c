/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Small bundles made by hand: a note in an ELF object of three sections, so
 * that each bit can be flipped, with the digest as it was and with one that
 * was made again, which is what an attacker would do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/bundle.h"
#include "bundle/object.h"
#include "sample.h"

#define SECTIONS 4
#define DAMAGED	 "it is damaged: its digest differs"

/* What a test may have otherwise in the object. */
struct shape {
	uint16_t machine;
	uint32_t types[SECTIONS];
	const char *names[SECTIONS];
	unsigned sections; /* the last one holds the names */
};

static const struct shape usual = {
	.machine = EM_BPF,
	.types = { SHT_NULL, SHT_NOTE, SHT_STRTAB },
	.names = { "", ".note.bpflock", ".strtab" },
	.sections = 3,
};

/* A bundle of that shape, each of its notes the sample's; to be freed. */
static uint8_t *make(const struct shape *shape, size_t *size)
{
	Elf64_Shdr headers[SECTIONS] = { 0 };
	Elf64_Ehdr elf = { .e_type = ET_REL,
			   .e_version = EV_CURRENT,
			   .e_ehsize = sizeof(elf),
			   .e_shentsize = sizeof(headers[0]) };
	struct sample sample;
	size_t note_size, end = sizeof(elf);
	uint8_t *bytes;
	void *note;

	sample_make(&sample);
	assert_int_equal(note_encode(&sample.note, &note, &note_size), 0);
	bytes = calloc(1, 4096 + SECTIONS * note_size);
	memcpy(elf.e_ident, ELFMAG, SELFMAG);
	elf.e_ident[EI_CLASS] = ELFCLASS64;
	elf.e_ident[EI_DATA] = ELFDATA2LSB;
	elf.e_ident[EI_VERSION] = EV_CURRENT;
	elf.e_machine = shape->machine;
	elf.e_shnum = (uint16_t)shape->sections;
	elf.e_shstrndx = (uint16_t)(shape->sections - 1);
	for (unsigned i = 1; i < shape->sections - 1; i++) {
		headers[i].sh_offset = end;
		headers[i].sh_size = note_size;
		memcpy(bytes + end, note, note_size);
		end += note_size;
	}
	headers[shape->sections - 1].sh_offset = end;
	for (unsigned i = 0; i < shape->sections; i++) {
		Elf64_Shdr *strings = &headers[shape->sections - 1];

		headers[i].sh_type = shape->types[i];
		headers[i].sh_name = (Elf64_Word)(end - strings->sh_offset);
		strcpy((char *)bytes + end, shape->names[i]);
		end += strlen(shape->names[i]) + 1;
		strings->sh_size = end - strings->sh_offset;
	}
	elf.e_shoff = end;
	memcpy(bytes, &elf, sizeof(elf));
	memcpy(bytes + end, headers, shape->sections * sizeof(headers[0]));
	end += shape->sections * sizeof(headers[0]);
	bundle_finish(bytes, end);
	free(note);
	*size = end + BUNDLE_TRAILER_SIZE;
	return bytes;
}

static void assert_refused(const void *bytes, size_t size, const char *reason)
{
	struct bundle *bundle = NULL;
	const char *why = NULL;

	assert_int_equal(bundle_open(bytes, size, &bundle, &why), -EBADMSG);
	assert_null(bundle);
	assert_non_null(why);
	if (reason)
		assert_string_equal(why, reason);
}

static void assert_shape_refused(const struct shape *shape, const char *reason)
{
	size_t size;
	uint8_t *bytes = make(shape, &size);

	assert_refused(bytes, size, reason);
	free(bytes);
}

static void test_opens(void **state)
{
	struct digest digest;
	struct bundle *bundle;
	const char *why;
	size_t size;
	uint8_t *bytes = make(&usual, &size);

	(void)state;
	assert_int_equal(bundle_open(bytes, size, &bundle, &why), 0);
	assert_string_equal(bundle->note->table.policy, "sample-1");
	assert_ptr_equal(bundle->elf, bytes);
	assert_int_equal(bundle->elf_size, size - BUNDLE_TRAILER_SIZE);
	digest = digest_of(bytes, size);
	assert_memory_equal(&bundle->digest, &digest, sizeof(digest));
	bundle_close(bundle);
	bundle_close(NULL);
	free(bytes);
}

static void test_digest(void **state)
{
	char hex[DIGEST_HEX_SIZE];
	struct digest digest = bundle_digest("abc", 3);

	(void)state;
	digest_to_hex(&digest, hex);
	assert_string_equal(
		hex,
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void test_each_bit(void **state)
{
	size_t size;
	uint8_t *bytes = make(&usual, &size);

	(void)state;
	for (size_t bit = 0; bit < size * 8; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_refused(bytes, size,
			       bit / 8 < size - BUNDLE_TRAILER_SIZE ? DAMAGED
								    : NULL);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	free(bytes);
}

/* Refused or not, but never a crash, nor a byte read outside. */
static void test_each_bit_and_digest(void **state)
{
	struct bundle *bundle;
	const char *why;
	size_t size;
	uint8_t *bytes = make(&usual, &size);
	uint8_t *exact = malloc(size);

	(void)state;
	for (size_t bit = 0; bit < (size - BUNDLE_TRAILER_SIZE) * 8; bit++) {
		memcpy(exact, bytes, size);
		exact[bit / 8] ^= (uint8_t)(1u << bit % 8);
		bundle_finish(exact, size - BUNDLE_TRAILER_SIZE);
		if (!bundle_open(exact, size, &bundle, &why))
			bundle_close(bundle);
	}
	free(exact);
	free(bytes);
}

static void test_cut_at_each_length(void **state)
{
	size_t size;
	uint8_t *bytes = make(&usual, &size);

	(void)state;
	for (size_t cut = 0; cut < size; cut++) {
		uint8_t *part = malloc(cut ? cut : 1);

		memcpy(part, bytes, cut);
		assert_refused(part, cut,
			       cut <= BUNDLE_TRAILER_SIZE
				       ? "it is too short to be a bundle"
				       : "it does not end as a bundle does");
		free(part);
	}
	free(bytes);
}

/* The object cut, and a trailer made for what is left. */
static void test_object_cut_at_each_length(void **state)
{
	size_t size;
	uint8_t *bytes = make(&usual, &size);

	(void)state;
	for (size_t cut = 1; cut < size - BUNDLE_TRAILER_SIZE; cut++) {
		uint8_t *part = malloc(cut + BUNDLE_TRAILER_SIZE);

		memcpy(part, bytes, cut);
		bundle_finish(part, cut);
		assert_refused(part, cut + BUNDLE_TRAILER_SIZE, NULL);
		free(part);
	}
	free(bytes);
}

static void test_appended(void **state)
{
	size_t size;
	uint8_t *bytes = make(&usual, &size);
	uint8_t *longer = calloc(1, 3 * size);

	(void)state;
	memcpy(longer, bytes, size);
	for (size_t more = 1; more <= 2 * BUNDLE_TRAILER_SIZE; more++)
		assert_refused(longer, size + more,
			       "it does not end as a bundle does");
	memcpy(longer + size, bytes, size);
	assert_refused(longer, 2 * size, "it is not as long as it says");
	memcpy(longer + size, bytes + size - BUNDLE_TRAILER_SIZE,
	       BUNDLE_TRAILER_SIZE);
	assert_refused(longer, size + BUNDLE_TRAILER_SIZE,
		       "it is not as long as it says");
	free(longer);
	free(bytes);
}

static void test_other_format(void **state)
{
	size_t size;
	uint8_t *bytes = make(&usual, &size);

	(void)state;
	bytes[size - BUNDLE_TRAILER_SIZE + 8]++;
	assert_refused(bytes, size, "it is a bundle of another format");
	free(bytes);
}

static void test_foreign_elf(void **state)
{
	struct shape shape = usual;
	size_t size;
	uint8_t *bytes;

	(void)state;
	shape.machine = EM_X86_64;
	assert_shape_refused(&shape, "it is not a relocatable BPF object");
	bytes = make(&usual, &size);
	bytes[0]++;
	bundle_finish(bytes, size - BUNDLE_TRAILER_SIZE);
	assert_refused(bytes, size,
		       "it is not a 64-bit little-endian ELF object");
	free(bytes);
}

static void test_notes(void **state)
{
	static const char none[] = "it has no bpflock note";
	static const char other[] = "it has other notes than bpflock's";
	struct shape shape = usual;

	(void)state;
	shape.types[1] = SHT_PROGBITS;
	shape.names[1] = ".data";
	assert_shape_refused(&shape, none);
	shape.names[1] = ".note.bpflock";
	assert_shape_refused(&shape, other);
	shape.types[1] = SHT_NOTE;
	shape.names[1] = ".note.other";
	assert_shape_refused(&shape, other);
	shape = (struct shape){
		.machine = EM_BPF,
		.types = { SHT_NULL, SHT_NOTE, SHT_NOTE, SHT_STRTAB },
		.names = { "", ".note.bpflock", ".note.bpflock", ".strtab" },
		.sections = 4,
	};
	assert_shape_refused(&shape, other);
	shape.names[1] = ".note.gnu";
	assert_shape_refused(&shape, other);
}

static void test_no_symbols(void **state)
{
	struct object_section section;
	struct object object;
	const char *why;
	uint64_t offset, length;
	size_t size;
	uint8_t *bytes = make(&usual, &size);

	(void)state;
	assert_int_equal(object_open(bytes, size, &object, &why), 0);
	assert_int_equal(object_find_section(&object, ".strtab", &section), 0);
	assert_int_equal(section.index, 2);
	assert_int_equal(object_find_section(&object, ".text", &section),
			 -ENOENT);
	assert_int_equal(object_section(&object, 3, &section), -EBADMSG);
	assert_int_equal(
		object_find_symbol(&object, "boot", &section, &offset, &length),
		-ENOENT);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opens),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_each_bit),
		cmocka_unit_test(test_each_bit_and_digest),
		cmocka_unit_test(test_cut_at_each_length),
		cmocka_unit_test(test_object_cut_at_each_length),
		cmocka_unit_test(test_appended),
		cmocka_unit_test(test_other_format),
		cmocka_unit_test(test_foreign_elf),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_no_symbols),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
