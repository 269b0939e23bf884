/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table's side is worked out for each protection alone: which of the
 * access's operations it denies and logs for the subject's class there.  An
 * event must say exactly that, and all else that it says must be true.
 */
#include "compiler/proof/verdict.h"

#include <arpa/inet.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "bundle/reader.h"
#include "compiler/arena.h"

struct expectation {
	uint64_t operations; /* of the access, in this protection */
	uint64_t denied;
	uint64_t told; /* that an event is about; 0: there is none */
};

static uint32_t find_cgroup(const struct table_protection *protection,
			    const char *path)
{
	uint32_t first = 0, behind = protection->cgroup_count;

	while (first < behind) {
		uint32_t middle = first + (behind - first) / 2;
		int order =
			table_cgroup_compare(path, protection->cgroups[middle]);

		if (!order)
			return middle + 1;
		if (order < 0)
			behind = middle;
		else
			first = middle + 1;
	}
	return 0;
}

uint32_t verdict_class(const struct table_protection *protection,
		       enum place place, const char *path)
{
	char above[4200];
	size_t len = strlen(path);
	uint32_t cgroup = 0;

	if (!protection->cgroup_count || len >= sizeof(above))
		return place;
	memcpy(above, path, len + 1);
	while (len && !cgroup) {
		cgroup = find_cgroup(protection, above);
		while (len && above[--len] != '/')
			;
		above[len] = '\0';
	}
	return place + PLACE_COUNT * cgroup;
}

struct masks {
	uint64_t denied;
	uint64_t logged;
};

/* All that is denied or logged in one class of the place. */
static struct masks masks_of_place(const struct table_protection *row,
				   enum place place)
{
	struct masks masks = { 0 };

	for (uint32_t class = place; class < table_class_count(row);
	     class += PLACE_COUNT) {
		masks.denied |= row->denied[class];
		masks.logged |= row->logged[class];
	}
	return masks;
}

static uint64_t operations_of(const struct deed *deed, uint32_t index)
{
	return deed->operations[2 * index + deed->subject->unbound];
}

/* It counts for whom it is only where not all are decided alike. */
static bool is_for_anyone(const struct deed *deed, uint32_t index)
{
	const struct table_protection *row = &deed->table->protections[index];
	uint64_t differ = 0;

	if (!deed->anyone)
		return false;
	for (uint32_t class = 1; class < table_class_count(row); class ++)
		differ |= (row->denied[class] ^ row->denied[0]) |
			  (row->logged[class] ^ row->logged[0]);
	return operations_of(deed, index) & differ;
}

static bool is_lost(const struct deed *deed, uint32_t index)
{
	return (deed->lost || is_for_anyone(deed, index)) &&
	       deed->table->protections[index].cgroup_count;
}

/* The class that an event names: of those who may have asked, a place that is
 * denied it. */
static uint32_t class_of(const struct deed *deed, uint32_t index)
{
	const struct table_protection *row = &deed->table->protections[index];
	uint64_t operations = operations_of(deed, index);

	if (!is_for_anyone(deed, index))
		return deed->classes[index];
	return masks_of_place(row, PLACE_CONTAINER).denied & operations &&
			       !(masks_of_place(row, PLACE_HOST).denied &
				 operations)
		       ? PLACE_CONTAINER
		       : PLACE_HOST;
}

/* Of the class that is decided; where it cannot be told, of all of its place.
 */
static struct masks masks_of(const struct deed *deed, uint32_t index)
{
	const struct table_protection *row = &deed->table->protections[index];
	uint32_t class = class_of(deed, index);

	if (is_lost(deed, index))
		return masks_of_place(row, table_class_place(class));
	return (struct masks){ row->denied[class], row->logged[class] };
}

static struct expectation expect(const struct deed *deed, uint32_t index)
{
	struct expectation expected = { 0 };
	struct masks masks;

	if (deed->exempt)
		return expected;
	masks = masks_of(deed, index);
	expected.operations = operations_of(deed, index);
	expected.denied = expected.operations & masks.denied;
	expected.told = masks.logged & (expected.denied ? expected.denied
							: expected.operations);
	return expected;
}

/* ---- words ---- */

const char *verdict_class_words(struct arena *arena,
				const struct table_protection *row,
				uint32_t class)
{
	const char *cgroup = table_class_cgroup(row, class);

	return arena_printf(arena, "%s%s%s",
			    table_place_name(table_class_place(class)),
			    cgroup ? " in " : "", cgroup ? cgroup : "");
}

/* The protection whose operation the access first is: its index, or the count
 * where the policy has none of them. */
static uint32_t first_protection(const struct deed *deed)
{
	uint32_t i = 0;

	while (i < deed->table->protection_count && !expect(deed, i).operations)
		i++;
	return i;
}

static const char *subject_words(struct arena *arena, const struct deed *deed,
				 uint32_t index)
{
	const struct table_protection *row;
	uint64_t operations;

	if (index == deed->table->protection_count)
		return arena_printf(arena, "the code for %s",
				    table_place_name(deed->subject->place));
	row = &deed->table->protections[index];
	operations = expect(deed, index).operations;
	return arena_printf(
		arena, "the code of %s.%s for %s", row->protection->name,
		row->protection->operations[__builtin_ctzll(operations)].name,
		verdict_class_words(arena, row, class_of(deed, index)));
}

const char *verdict_context(struct arena *arena, const struct deed *deed,
			    const struct world *world)
{
	return arena_printf(arena, " (%s, by %s in %s, on %s%s%s)",
			    deed->access->words, deed->subject->words,
			    deed->cgroup, world->kind->words,
			    world->ring_full ? ", no room for events" : "",
			    world->names_fail ? ", names unreadable" : "");
}

static const char *says(struct arena *arena, const struct deed *deed,
			const struct world *world, uint32_t index,
			const char *does, const char *should)
{
	return arena_printf(arena, "%s %s, the policy says %s%s",
			    subject_words(arena, deed, index), does, should,
			    verdict_context(arena, deed, world));
}

/* ---- events ---- */

static bool is_orphan(const struct access_subject *subject)
{
	const struct access_field *field = subject->task;

	while (field->path && strcmp(field->path, "real_parent"))
		field++;
	return field->path;
}

static size_t size_of_event(const struct access *access)
{
	if (access->use)
		return sizeof(struct event_capability);
	if (!access->exec)
		return sizeof(struct event);
	return access->exec->arguments ? sizeof(struct event_exec)
				       : EVENT_FAILED_EXEC_SIZE;
}

/* As bundle/event.h has it, read on its own. */
static const char *wrong_field(const struct deed *deed,
			       const struct world *world,
			       const struct world_event *event,
			       const struct expectation *expected,
			       uint32_t index)
{
	struct reader reader = reader_of(event->bytes, event->size);
	bool orphan = is_orphan(deed->subject);
	unsigned flags;
	unsigned verdict = !expected->denied	? EVENT_ALLOW
			   : deed->table->audit ? EVENT_WOULD_DENY
						: EVENT_DENY;

	if (reader_u16(&reader) != EVENT_VERSION)
		return "version";
	if (reader_u16(&reader) != event->size ||
	    event->size != size_of_event(deed->access))
		return "size";
	reader_u8(&reader); /* the protection, by which it was found */
	if (reader_u8(&reader) != __builtin_ctzll(expected->told))
		return "operation";
	if (reader_u8(&reader) != verdict)
		return "verdict";
	flags = reader_u8(&reader);
	if (!(flags & EVENT_CLASS_UNKNOWN) == is_lost(deed, index))
		return "flag of its class";
	if (reader_u32(&reader) != class_of(deed, index))
		return "class";
	if (reader_u32(&reader) != WORLD_UID)
		return "uid";
	if (reader_u64(&reader) != WORLD_TIME)
		return "time";
	if (reader_u64(&reader) != world->cgroup)
		return "cgroup";
	if (reader_u32(&reader) != ACCESS_PID)
		return "pid";
	if (reader_u32(&reader) != ACCESS_TGID)
		return "tgid";
	if (reader_u32(&reader) != (orphan ? 0 : ACCESS_PARENT))
		return "ppid";
	return reader_u32(&reader) ? "reserved" : NULL;
}

/* Whether the access is one of a file. */
static bool is_file(const struct access *access)
{
	static const char *const types[] = { "file", "linux_binprm",
					     "vm_area_struct" };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!access->as_named && access->argument_count &&
		    access->arguments[0].kind == VALUE_OBJECT &&
		    !strcmp(access->arguments[0].text, types[i]))
			return true;
	return false;
}

/* What an event's numbers say, as text. */
static void say_numbers(const char *object, unsigned flags, char *text,
			size_t size)
{
	struct event_address address;
	struct event_socket socket;
	char number[INET6_ADDRSTRLEN];
	struct in_addr v4;
	uint64_t words[2];

	memcpy(&address, object, sizeof(address));
	memcpy(&socket, object, sizeof(socket));
	words[0] = htobe64(address.high);
	words[1] = htobe64(address.low);
	if (flags == EVENT_OBJECT_SOCKET) {
		snprintf(text, size, "family %d, type %d, protocol %d",
			 socket.family, socket.type, socket.protocol);
	} else if (address.reserved) {
		snprintf(text, size, "what was there before");
	} else if (address.family == AF_INET && !address.high) {
		v4.s_addr = htonl((uint32_t)address.low);
		inet_ntop(AF_INET, &v4, number, sizeof(number));
		snprintf(text, size, "%s:%u", number, address.port);
	} else if (address.family == AF_INET6) {
		inet_ntop(AF_INET6, words, number, sizeof(number));
		snprintf(text, size, "[%s]:%u", number, address.port);
	}
}

static bool is_numbers(const struct access *access, const char *object,
		       unsigned flags)
{
	char text[64] = "";

	if (!*access->object)
		return !*object && flags == EVENT_OBJECT_UNREAD;
	if (flags != EVENT_OBJECT_ADDRESS && flags != EVENT_OBJECT_SOCKET)
		return false;
	say_numbers(object, flags, text, sizeof(text));
	return !strcmp(text, access->object);
}

/*
 * The object that an event should name: a file's whole path where the kernel
 * tells it and it fits, or else the name alone, cut where that does not fit.
 */
static bool is_object(const struct access *access, const struct world *world,
		      const char *object, unsigned flags)
{
	size_t len = strlen(access->object), prefix = strlen(WORLD_PATH);
	bool file = is_file(access);
	bool whole = file && !access->base_only && world->kind->has_all &&
		     !world->names_fail && prefix + len < EVENT_OBJECT_SIZE;
	unsigned expected = file && !whole ? EVENT_OBJECT_BASE : 0;

	if (access->numbers)
		return is_numbers(access, object, flags);
	if (whole)
		return !strncmp(object, WORLD_PATH, prefix) &&
		       !strcmp(object + prefix, access->object) &&
		       flags == expected;
	if (len && world->names_fail && !access->own)
		return !*object && flags == (expected | EVENT_OBJECT_UNREAD);
	if (len + 1 >= EVENT_OBJECT_SIZE)
		expected |= EVENT_OBJECT_CUT;
	return !strncmp(object, access->object, EVENT_OBJECT_SIZE - 1) &&
	       flags == expected;
}

static const char *wrong_string(const struct deed *deed,
				const struct world *world,
				const struct world_event *event)
{
	const char *bytes = (const char *)event->bytes;
	const char *comm = bytes + offsetof(struct event, comm);
	const char *parent = bytes + offsetof(struct event, parent_comm);
	const char *object = bytes + offsetof(struct event, object);
	bool known = !is_orphan(deed->subject) &&
		     (world->kind->has_all || !world->names_fail);
	unsigned flags;

	if (strncmp(comm, ACCESS_COMM, EVENT_COMM_SIZE))
		return "comm";
	if (strncmp(parent, known ? ACCESS_PARENT_COMM : "", EVENT_COMM_SIZE))
		return "parent_comm";
	if (!memchr(object, '\0', EVENT_OBJECT_SIZE))
		return "object";
	if (!deed->access->object)
		return NULL;
	flags = (uint8_t)bytes[offsetof(struct event, flags)] &
		~(unsigned)EVENT_CLASS_UNKNOWN;
	return is_object(deed->access, world, object, flags) ? NULL : "object";
}

/* What of it is there, and nothing that is not: all behind is zeros. */
static bool are_arguments(const struct access_exec *expected,
			  const struct event_exec *exec, uint32_t size)
{
	if (exec->arguments_size != size ||
	    memcmp(exec->arguments, expected->arguments, size))
		return false;
	for (; size < EVENT_ARGUMENTS_SIZE; size++)
		if (exec->arguments[size])
			return false;
	return true;
}

static const char *wrong_exec(const struct access_exec *expected,
			      const struct world *world,
			      const struct world_event *event)
{
	uint32_t flags = expected->flags, size = expected->arguments_size;
	const char *script = expected->script ? expected->script : "";
	struct event_exec exec = { 0 };

	memcpy(&exec, event->bytes, event->size);
	if (*script && world->names_fail) {
		flags = EVENT_SCRIPT_UNREAD |
			(flags & ~(uint32_t)EVENT_SCRIPT_CUT);
		script = "";
	}
	if (expected->arguments && world->names_fail) {
		flags = EVENT_ARGUMENTS_UNREAD |
			(flags & ~(uint32_t)EVENT_ARGUMENTS_CUT);
		size = 0;
	}
	if (exec.error != expected->error)
		return "error";
	if (strncmp(exec.script, script, EVENT_SCRIPT_SIZE - 1) ||
	    !memchr(exec.script, '\0', EVENT_SCRIPT_SIZE))
		return "script";
	if (exec.argument_count != expected->argument_count)
		return "count of arguments";
	if (exec.flags != flags)
		return "flag of its exec";
	if (expected->arguments && !are_arguments(expected, &exec, size))
		return "argument";
	return NULL;
}

static const char *wrong_use(const struct access_use *expected,
			     const struct world_event *event)
{
	struct event_capability use;

	memcpy(&use, event->bytes, sizeof(use));
	if (use.error != expected->error)
		return "error";
	if (use.flags != expected->flags)
		return "flag of its namespace";
	return use.suppressed ? "count of those suppressed" : NULL;
}

/* The event of that protection; NULL where there is none, or two. */
static const struct world_event *find_event(const struct world *world,
					    uint32_t index)
{
	const struct world_event *found = NULL;

	for (size_t i = 0; i < world->event_count; i++) {
		const struct world_event *each = &world->events[i];

		if (each->size < sizeof(struct event) ||
		    each->bytes[offsetof(struct event, protection)] != index)
			continue;
		if (found)
			return NULL;
		found = each;
	}
	return found;
}

static const char *compare_event(struct arena *arena, const struct deed *deed,
				 const struct world *world, uint32_t index,
				 const struct expectation *expected)
{
	const struct world_event *event = find_event(world, index);
	const char *wrong;

	if (!event)
		return says(arena, deed, world, index, "logs nothing",
			    "that it is logged");
	wrong = wrong_field(deed, world, event, expected, index);
	if (!wrong)
		wrong = wrong_string(deed, world, event);
	if (!wrong && deed->access->exec)
		wrong = wrong_exec(deed->access->exec, world, event);
	if (!wrong && deed->access->use)
		wrong = wrong_use(deed->access->use, event);
	if (!wrong)
		return NULL;
	return arena_printf(arena, "%s sends an event with another %s%s",
			    subject_words(arena, deed, index), wrong,
			    verdict_context(arena, deed, world));
}

const char *verdict_compare(struct arena *arena, const struct deed *deed,
			    const struct world *world,
			    const struct outcome *outcome)
{
	uint32_t count = deed->table->protection_count, decides = count;
	uint64_t events = 0, places = world->ring_full ? 0 : UINT64_MAX;

	for (uint32_t i = 0; i < count; i++) {
		struct expectation expected = expect(deed, i);

		if (expected.denied && decides == count)
			decides = i;
		events += expected.told != 0;
	}
	if (outcome->denied != (decides < count && !deed->table->audit))
		return says(arena, deed, world,
			    decides < count ? decides : first_protection(deed),
			    outcome->denied ? "decides deny" : "decides allow",
			    outcome->denied ? "allow" : "deny");
	if (world->event_count > (events & places))
		return says(arena, deed, world, first_protection(deed),
			    "is logged", "that it is not");
	for (uint32_t i = 0; i < count && places; i++) {
		struct expectation expected = expect(deed, i);
		const char *wrong = expected.told
					    ? compare_event(arena, deed, world,
							    i, &expected)
					    : NULL;

		if (wrong)
			return wrong;
	}
	if (outcome->dropped != (places ? 0 : events))
		return says(arena, deed, world, first_protection(deed),
			    "counts other events as lost",
			    "which ones are logged");
	return NULL;
}
