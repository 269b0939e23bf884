/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names stand for protections and operations: what another build numbers in
 * another way is refused, never read as something else.  Each table has one
 * encoding and decoding insists on it, so that a bundle can be made again and
 * compared.
 */
#include "bundle/note.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/note_format.h"
#include "bundle/reader.h"
#include "bundle/utf8.h"

#define CGROUP_COMPONENT_MAX 255

/* All that a note owns hangs on one list, so that one loop frees it. */
struct owned {
	struct owned *next;
	max_align_t bytes[];
};

struct decoded {
	struct note note; /* comes first: note_free() gets its address */
	struct owned *owned;
};

struct decoder {
	struct reader reader;
	struct decoded *decoded;
	const char *why; /* the first thing that was wrong; NULL: nothing */
	bool no_memory;
};

/* Each step does nothing once one has failed, and reads what is then spent. */
static bool failed(const struct decoder *decoder)
{
	return decoder->why || decoder->no_memory || decoder->reader.spent;
}

static void refuse(struct decoder *decoder, const char *why)
{
	if (!failed(decoder))
		decoder->why = why;
	decoder->reader.spent = true;
}

static void require(struct decoder *decoder, bool holds, const char *why)
{
	if (!holds)
		refuse(decoder, why);
}

/* Zeroed; NULL once something has failed. */
static void *own(struct decoder *decoder, size_t count, size_t size)
{
	struct owned *owned;

	if (failed(decoder))
		return NULL;
	/* reader_count() has bounded count. */
	owned = calloc(1, sizeof(*owned) + count * size);
	if (!owned) {
		decoder->no_memory = true;
		decoder->reader.spent = true;
		return NULL;
	}
	owned->next = decoder->decoded->owned;
	decoder->decoded->owned = owned;
	return owned->bytes;
}

/* A string's bytes where they lie; *@size is 0 once something has failed. */
static const uint8_t *read_text(struct decoder *decoder, size_t *size)
{
	uint32_t len = reader_count(&decoder->reader, 1);
	const uint8_t *bytes = reader_bytes(&decoder->reader, len);

	*size = 0;
	if (failed(decoder))
		return NULL;
	if (!utf8_valid((const char *)bytes, len) || memchr(bytes, 0, len)) {
		refuse(decoder,
		       "its note has a string that is not UTF-8, or holds a NUL");
		return NULL;
	}
	*size = len;
	return bytes;
}

/* Never NULL. */
static const char *read_string(struct decoder *decoder)
{
	size_t len;
	const uint8_t *bytes = read_text(decoder, &len);
	char *string = own(decoder, len + 1, 1);

	if (!string)
		return "";
	if (len)
		memcpy(string, bytes, len);
	return string;
}

static const char *read_optional(struct decoder *decoder)
{
	uint8_t present = reader_u8(&decoder->reader);

	require(decoder, present <= 1, "its note is damaged");
	return present ? read_string(decoder) : NULL;
}

/* Whether the next string is @name. */
static bool read_name(struct decoder *decoder, const char *name)
{
	size_t len;
	const uint8_t *bytes = read_text(decoder, &len);

	return bytes && len == strlen(name) && !memcmp(bytes, name, len);
}

/* A list of strings.  Each takes 4 bytes or more. */
static const char **read_strings(struct decoder *decoder, uint32_t *count)
{
	uint32_t number = reader_count(&decoder->reader, 4);
	const char **strings = own(decoder, number, sizeof(*strings));

	*count = strings ? number : 0;
	for (uint32_t i = 0; i < *count; i++)
		strings[i] = read_string(decoder);
	return strings;
}

static bool is_date(uint32_t date)
{
	uint32_t month = date / 100 % 100, day = date % 100;

	return date <= 99991231 && month >= 1 && month <= 12 && day >= 1 &&
	       day <= 31;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* As the language spells a NAME: a policy's is part of paths. */
static bool is_language_name(const char *name)
{
	if (!is_letter(*name))
		return false;
	for (const char *c = name + 1; *c; c++)
		if (!is_letter(*c) && !(*c >= '0' && *c <= '9') &&
		    !(*c == '-' && c[1] && c[1] != '-'))
			return false;
	return true;
}

static bool is_cgroup(const char *path)
{
	size_t len;

	do {
		if (*path++ != '/')
			return false;
		len = strcspn(path, "/");
		if (!len || len > CGROUP_COMPONENT_MAX ||
		    (path[0] == '.' &&
		     (len == 1 || (len == 2 && path[1] == '.'))))
			return false;
		path += len;
	} while (*path);
	return true;
}

/* "0951:1666" */
static bool is_device(const char *device)
{
	if (strlen(device) != 9 || device[4] != ':')
		return false;
	return strspn(device, "0123456789abcdef") == 4 &&
	       strspn(device + 5, "0123456789abcdef") == 4;
}

static void read_statements(struct decoder *decoder, struct table *table)
{
	uint32_t count = reader_count(&decoder->reader, 17);
	uint32_t earliest = 0;

	table->statements = own(decoder, count, sizeof(*table->statements));
	table->statement_count = table->statements ? count : 0;
	for (uint32_t i = 0; i < table->statement_count; i++) {
		struct table_statement *statement = &table->statements[i];

		statement->source = reader_u32(&decoder->reader);
		statement->line = reader_u32(&decoder->reader);
		statement->column = reader_u32(&decoder->reader);
		statement->until = reader_u32(&decoder->reader);
		statement->reason = read_optional(decoder);
		require(decoder,
			statement->source < table->source_count &&
				statement->line && statement->column,
			"its note has a statement without a place");
		require(decoder, !statement->until || is_date(statement->until),
			"its note has a date that is none");
		if (statement->until &&
		    (!earliest || statement->until < earliest))
			earliest = statement->until;
	}
	require(decoder, table->until == earliest,
		"its note has another day than its statements");
}

/* None that an operation has, which a reader would take it for. */
static bool is_destination_name(const char *name)
{
	if (!is_language_name(name))
		return false;
	for (unsigned i = 0; i < PROTECTION_COUNT; i++)
		if (!strcmp(name, protections[i].name) ||
		    protection_mask(&protections[i], name, strlen(name)))
			return false;
	return strcmp(name, "all") && strcmp(name, "host") &&
	       strcmp(name, "container");
}

/* The kind that has destinations of these names too. */
static const struct protection *read_destination_names(
	struct decoder *decoder, uint32_t count,
	struct destination **destinations)
{
	struct operation *operations =
		own(decoder, 64, sizeof(struct operation));
	struct protection *kind = own(decoder, 1, sizeof(*kind));

	*destinations = own(decoder, count, sizeof(**destinations));
	for (uint32_t i = 0; !failed(decoder) && i < count; i++) {
		const char *name = read_string(decoder);

		require(decoder, is_destination_name(name),
			"its note has a destination with a name that is none");
		for (uint32_t j = 0; !failed(decoder) && j < i; j++)
			require(decoder, strcmp(name, (*destinations)[j].name),
				"its note has two destinations of one name");
		if (!failed(decoder))
			(*destinations)[i].name = name;
	}
	if (failed(decoder))
		return NULL;
	*kind = destination_protection(*destinations, count, operations);
	return kind;
}

/* The kind that the next strings name: this build's, with these operations,
 * and with the destinations that it has besides. */
static const struct protection *read_kind(struct decoder *decoder,
					  struct destination **destinations)
{
	const struct protection *kind = NULL;
	uint32_t operations, built_in;
	const uint8_t *name;
	size_t len;

	name = read_text(decoder, &len);
	if (failed(decoder))
		return NULL;
	for (unsigned i = 0; i < PROTECTION_COUNT; i++)
		if (strlen(protections[i].name) == len &&
		    !memcmp(protections[i].name, name, len))
			kind = &protections[i];
	if (!kind) {
		refuse(decoder,
		       "it was made by another bpflockc: it has a protection that is unknown here");
		return NULL;
	}
	built_in = protection_operation_count(kind);
	operations = reader_count(&decoder->reader, 4);
	require(decoder,
		operations == built_in ||
			(kind->id == PROTECTION_network &&
			 operations > built_in &&
			 operations - built_in <= destination_max()),
		"it was made by another bpflockc: a protection has other operations");
	for (uint32_t i = 0; !failed(decoder) && i < built_in; i++)
		require(decoder, read_name(decoder, kind->operations[i].name),
			"it was made by another bpflockc: a protection has other operations");
	if (!failed(decoder) && operations > built_in)
		kind = read_destination_names(decoder, operations - built_in,
					      destinations);
	return failed(decoder) ? NULL : kind;
}

static uint64_t *read_masks(struct decoder *decoder, uint32_t classes,
			    uint64_t all)
{
	uint64_t *masks;

	if (reader_left(&decoder->reader) / sizeof(*masks) < classes)
		decoder->reader.spent = true;
	masks = own(decoder, classes, sizeof(*masks));
	for (uint32_t i = 0; masks && i < classes; i++) {
		masks[i] = reader_u64(&decoder->reader);
		require(decoder, !(masks[i] & ~all),
			"its note decides operations that there are not");
	}
	return masks;
}

/* @cells is at most TABLE_MAX_CLASSES * 64, whatever the input's size. */
static uint32_t *read_runs(struct decoder *decoder, size_t cells,
			   uint32_t statements)
{
	uint32_t *values = own(decoder, cells, sizeof(*values));
	uint32_t before = 0;

	for (size_t cell = 0; values && cell < cells;) {
		uint32_t len = reader_u32(&decoder->reader);
		uint32_t value = reader_u32(&decoder->reader);

		require(decoder,
			len && len <= cells - cell &&
				(!cell || value != before),
			"its note's table is damaged");
		require(decoder,
			value == TABLE_NO_STATEMENT || value < statements,
			"its note names a statement that there is not");
		if (failed(decoder))
			return values;
		for (uint32_t i = 0; i < len; i++)
			values[cell++] = value;
		before = value;
	}
	return values;
}

static void read_cgroups(struct decoder *decoder,
			 struct table_protection *protection)
{
	const char **cgroups = read_strings(decoder, &protection->cgroup_count);

	protection->cgroups = cgroups;
	require(decoder,
		protection->cgroup_count <= TABLE_MAX_CLASSES / PLACE_COUNT - 1,
		"its note has too many cgroups");
	for (uint32_t i = 0; !failed(decoder) && i < protection->cgroup_count;
	     i++) {
		require(decoder, is_cgroup(cgroups[i]),
			"its note has a cgroup that is no absolute path");
		require(decoder,
			!i || table_cgroup_compare(cgroups[i - 1], cgroups[i]) <
					0,
			"its note has cgroups out of order");
	}
}

static void read_devices(struct decoder *decoder,
			 struct table_protection *protection)
{
	const char **devices = read_strings(decoder, &protection->device_count);

	protection->devices = devices;
	require(decoder,
		!protection->device_count ||
			protection->protection->id == PROTECTION_usb,
		"its note has devices for what is not usb");
	for (uint32_t i = 0; !failed(decoder) && i < protection->device_count;
	     i++) {
		require(decoder, is_device(devices[i]),
			"its note has a device that is none");
		require(decoder, !i || strcmp(devices[i - 1], devices[i]) < 0,
			"its note has devices out of order");
	}
}

static void read_prefixes(struct decoder *decoder,
			  struct destination *destination)
{
	uint32_t count =
		reader_count(&decoder->reader, DESTINATION_ADDRESS_SIZE + 1);
	struct destination_prefix *prefixes =
		own(decoder, count, sizeof(*prefixes));

	destination->prefixes = prefixes;
	destination->prefix_count = prefixes ? count : 0;
	for (uint32_t i = 0; i < destination->prefix_count; i++) {
		const uint8_t *address = reader_bytes(&decoder->reader,
						      DESTINATION_ADDRESS_SIZE);

		if (address)
			memcpy(prefixes[i].address, address,
			       DESTINATION_ADDRESS_SIZE);
		prefixes[i].bits = reader_u8(&decoder->reader);
		require(decoder, destination_prefix_is_valid(&prefixes[i]),
			"its note has a prefix that is none");
		require(decoder,
			!i || destination_prefix_compare(&prefixes[i - 1],
							 &prefixes[i]) < 0,
			"its note has prefixes out of order");
	}
}

static void read_ports(struct decoder *decoder, struct destination *destination)
{
	uint32_t count = reader_count(&decoder->reader, 2 * sizeof(uint16_t));
	struct destination_ports *ports = own(decoder, count, sizeof(*ports));

	destination->ports = ports;
	destination->ports_count = ports ? count : 0;
	for (uint32_t i = 0; i < destination->ports_count; i++) {
		ports[i].first = reader_u16(&decoder->reader);
		ports[i].last = reader_u16(&decoder->reader);
		require(decoder,
			ports[i].first <= ports[i].last &&
				(!i || ports[i].first > ports[i - 1].last + 1),
			"its note has ports out of order");
	}
}

static void read_destinations(struct decoder *decoder,
			      struct destination *destinations,
			      struct table_protection *protection)
{
	unsigned count = protection->protection->destination_count;

	uint32_t parts = 0;

	protection->destinations = destinations;
	for (unsigned i = 0; !failed(decoder) && i < count; i++) {
		read_prefixes(decoder, &destinations[i]);
		read_ports(decoder, &destinations[i]);
		parts += destinations[i].prefix_count +
			 destinations[i].ports_count;
		require(decoder, parts <= DESTINATION_MAX_PARTS,
			"its note has too many prefixes and ports");
		require(decoder,
			destinations[i].prefix_count ||
				destinations[i].ports_count,
			"its note has a destination with nothing in it");
	}
}

static void read_protection(struct decoder *decoder, const struct table *table,
			    struct table_protection *protection)
{
	struct destination *destinations = NULL;
	const struct protection *kind = read_kind(decoder, &destinations);
	uint32_t classes;
	uint8_t profile, log;

	if (!kind)
		return;
	protection->protection = kind;
	profile = reader_u8(&decoder->reader);
	log = reader_u8(&decoder->reader);
	require(decoder,
		kind->trace ? !profile && !log
			    : profile <= PROFILE_RESTRICTED && log <= LOG_NONE,
		"its note has a profile or log that is none");
	protection->profile = profile;
	protection->log = log;
	read_cgroups(decoder, protection);
	if (failed(decoder))
		return;
	classes = table_class_count(protection);
	protection->denied = read_masks(decoder, classes,
					kind->trace ? 0 : protection_all(kind));
	protection->logged = read_masks(decoder, classes, protection_all(kind));
	protection->decided_by = read_runs(
		decoder, (size_t)classes * protection_operation_count(kind),
		table->statement_count);
	read_devices(decoder, protection);
	read_destinations(decoder, destinations, protection);
}

static void read_protections(struct decoder *decoder, struct table *table)
{
	uint32_t count = reader_count(&decoder->reader, 1);

	require(decoder, count >= 1 && count <= PROTECTION_COUNT,
		"its note has no protections, or too many");
	table->protections = own(decoder, count, sizeof(*table->protections));
	table->protection_count = table->protections ? count : 0;
	for (uint32_t i = 0; i < table->protection_count; i++) {
		read_protection(decoder, table, &table->protections[i]);
		require(decoder,
			!i || failed(decoder) ||
				table->protections[i - 1].protection->id <
					table->protections[i].protection->id,
			"its note has protections out of order");
	}
}

static struct digest read_digest(struct decoder *decoder)
{
	const uint8_t *bytes = reader_bytes(&decoder->reader, DIGEST_SIZE);
	struct digest digest = { 0 };

	if (bytes)
		memcpy(digest.bytes, bytes, DIGEST_SIZE);
	return digest;
}

static void read_table(struct decoder *decoder, struct table *table)
{
	uint32_t flags;

	table->policy = read_string(decoder);
	require(decoder, is_language_name(table->policy),
		"its note has a policy name that is none");
	table->description = read_optional(decoder);
	table->language = reader_u32(&decoder->reader);
	table->version = reader_u32(&decoder->reader);
	flags = reader_u32(&decoder->reader);
	table->until = reader_u32(&decoder->reader);
	require(decoder, table->language == 1,
		"it was made by another bpflockc: its language is unknown here");
	require(decoder, table->version <= INT32_MAX,
		"its note has a version that is none");
	require(decoder, !(flags & ~(NOTE_AUDIT | NOTE_LOCKED)),
		"it was made by another bpflockc: it has a mode that is unknown here");
	table->audit = flags & NOTE_AUDIT;
	table->locked = flags & NOTE_LOCKED;
	require(decoder, !table->locked || table->version,
		"its note is locked without a version");
	table->sources = read_strings(decoder, &table->source_count);
	read_statements(decoder, table);
	read_protections(decoder, table);
}

/* The ELF note's header; leaves the reader on the description alone. */
static void read_header(struct decoder *decoder)
{
	struct reader *reader = &decoder->reader;
	uint32_t owner_size = reader_u32(reader);
	uint32_t size = reader_u32(reader);
	uint32_t type = reader_u32(reader);
	const uint8_t *owner = reader_bytes(reader, sizeof(NOTE_OWNER));

	require(decoder,
		owner && owner_size == sizeof(NOTE_OWNER) &&
			!memcmp(owner, NOTE_OWNER, sizeof(NOTE_OWNER)) &&
			type == NOTE_TYPE,
		"its note is not bpflock's");
	reader_bytes(reader, note_padding(sizeof(NOTE_OWNER)));
	require(decoder,
		reader_left(reader) == (size_t)size + note_padding(size),
		"its note is not as long as it says");
	for (unsigned i = 0; !failed(decoder) && i < note_padding(size); i++)
		require(decoder, !reader->end[-1 - (int)i],
			"its note is damaged");
	if (!failed(decoder))
		reader->end -= note_padding(size);
}

static void read_description(struct decoder *decoder, struct note *note)
{
	uint32_t encoding = reader_u32(&decoder->reader);

	require(decoder, encoding == NOTE_ENCODING,
		"it was made by another bpflockc: its note is in another encoding");
	note->source = read_digest(decoder);
	note->compiler = read_digest(decoder);
	read_table(decoder, &note->table);
	require(decoder, !reader_left(&decoder->reader),
		"its note goes on after its end");
}

int note_decode(const void *bytes, size_t size, struct note **note,
		const char **why)
{
	struct decoder decoder = { .reader = reader_of(bytes, size) };

	decoder.decoded = calloc(1, sizeof(*decoder.decoded));
	if (!decoder.decoded)
		return -ENOMEM;
	read_header(&decoder);
	read_description(&decoder, &decoder.decoded->note);
	if (failed(&decoder)) {
		note_free(&decoder.decoded->note);
		if (decoder.no_memory)
			return -ENOMEM;
		*why = decoder.why ? decoder.why : "its note is cut short";
		return -EBADMSG;
	}
	*note = &decoder.decoded->note;
	return 0;
}

void note_free(struct note *note)
{
	struct decoded *decoded = (struct decoded *)note;
	struct owned *owned, *next;

	if (!note)
		return;
	for (owned = decoded->owned; owned; owned = next) {
		next = owned->next;
		free(owned);
	}
	free(decoded);
}
