/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is tried, in every kernel:
 *
 *	every access, by an ordinary subject of each place, in no named cgroup;
 *	one access of each kind, which is a hook and a set of operations, by
 *	every subject, and with the ring full, and with names unreadable.
 *
 * Where the policy has destinations, all of their tables is looked at, and
 * accesses at the edges of them are added: of many, some, each in one of the
 * kernels.
 *
 * And where the policy names cgroups, in the newest kernel and in the oldest:
 * one access of each kind, by an ordinary subject of each place in each of the
 * cgroups, below it, beside it and above it.  With so many cgroups that this
 * would take too long, and in the oldest kernel always, a cgroup is tried with
 * one access of the protection that names it, the next cgroup with the next,
 * and with all of them where its masks are new.  The tables that programs find
 * a class in are looked at whole.
 */
#include "compiler/proof/evaluate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/arena.h"
#include "compiler/proof/classes.h"
#include "compiler/proof/reach.h"
#include "compiler/proof/specimen.h"
#include "compiler/proof/tables.h"
#include "compiler/proof/verdict.h"
#include "compiler/proof/world.h"

#define EPERM_RESULT (-EPERM)
#define MANY_CGROUPS 9
#define MANY_REACHED 64
#define MAX_PATH     4096
#define MAX_NAME     255
#define DEEP	     20 /* levels below a named cgroup */

/* What the arguments of an access can be, made once in each kernel: nothing
 * that a program does changes them. */
struct arguments {
	uint64_t list[ACCESS_ARGUMENTS];
	bool good; /* there are such */
};

struct made {
	struct arguments *ranks;
	size_t count, capacity;
};

struct run {
	struct arena *arena;
	const struct table *table;
	const struct access *accesses; /* reach_accesses() */
	size_t access_count;
	uint64_t *operations; /* of each, as struct deed has them */
	struct specimen *specimen;
	struct world *world;
	uint64_t *tasks;     /* as access_subjects */
	uint32_t *classes;   /* of who is tried, as table->protections */
	bool *first_of_kind; /* as accesses */
	struct made *made;   /* as accesses, in this kernel */
	struct deed deed;
	uint64_t arguments[ACCESS_ARGUMENTS];
	struct evaluation *evaluation;
	const char *why;
};

/* A destination is as much one as connect is. */
static bool is_operation(const struct access *access,
			 const struct protection *protection, unsigned bit)
{
	if (protection_destinations(protection) >> bit & 1)
		bit = OP_BIT(network, connect);
	for (size_t i = 0; i < access->operation_count; i++)
		if (access->operations[i].protection == protection->id &&
		    access->operations[i].bit == bit)
			return true;
	return false;
}

const struct access *evaluate_access(const struct protection *protection,
				     unsigned operation,
				     const struct access *after)
{
	const struct access *access = after ? after + 1 : accesses;

	for (; access < accesses + access_count; access++)
		if (is_operation(access, protection, operation))
			return access;
	return NULL;
}

static const uint64_t *operations_of(const struct run *run,
				     const struct access *access)
{
	return run->operations + (size_t)(access - run->accesses) * 2 *
					 run->table->protection_count;
}

static void find_operations(struct run *run)
{
	uint32_t rows = run->table->protection_count;
	uint64_t *next = arena_array(run->arena, run->access_count * 2 * rows,
				     sizeof(*next));

	run->operations = next;
	for (size_t i = 0; i < run->access_count; i++) {
		for (uint32_t j = 0; j < rows; j++) {
			const struct table_protection *row =
				&run->table->protections[j];

			next[0] =
				reach_operations(row, &run->accesses[i], false);
			next[1] = run->accesses[i].unbound_count
					  ? reach_operations(row,
							     &run->accesses[i],
							     true)
					  : next[0];
			next += 2;
		}
	}
}

static void choose_access(struct run *run, const struct access *access)
{
	run->deed.access = access;
	run->deed.operations = operations_of(run, access);
}

/* ---- one access by one subject ---- */

static uint64_t dropped(const struct world *world)
{
	const struct specimen *specimen = world->specimen;
	const uint8_t *bytes;

	for (size_t i = 0; i < specimen->map_count; i++) {
		if (strcmp(specimen->maps[i].name, EVENT_DROPS_MAP))
			continue;
		bytes = memory_at(&world->memory, world->cells[i], 8,
				  MEMORY_READ);
		return bytes ? memory_get(bytes, 8) : 0;
	}
	return 0;
}

/* All programs of the hook: those behind one that denies too, since each has
 * to be right alone. */
static bool run_hook(struct run *run, struct outcome *outcome)
{
	const char *hook = hooks[run->deed.access->hook].name;
	struct world *world = run->world;

	*outcome = (struct outcome){ 0 };
	world->event_count = 0;
	for (size_t i = 0; i < run->specimen->program_count; i++) {
		const struct specimen_program *program =
			&run->specimen->programs[i];
		int32_t result;

		if (strcmp(program->hook, hook))
			continue;
		run->evaluation->runs++;
		if (!world_run(world, i, run->arguments,
			       run->deed.access->argument_count, &result)) {
			run->why = arena_printf(
				run->arena, "program %s: %s%s", program->name,
				world->machine.why,
				verdict_context(run->arena, &run->deed, world));
			return false;
		}
		run->evaluation->steps += world->machine.steps;
		if (result != 0 && result != EPERM_RESULT) {
			run->why = arena_printf(
				run->arena, "program %s returns %d%s",
				program->name, result,
				verdict_context(run->arena, &run->deed, world));
			return false;
		}
		outcome->denied |= result != 0;
	}
	outcome->dropped = dropped(world);
	return true;
}

static bool try(struct run *run)
{
	struct outcome outcome;

	if (!run_hook(run, &outcome))
		return false;
	run->why =
		verdict_compare(run->arena, &run->deed, run->world, &outcome);
	return !run->why;
}

/* Puts the subject there, with all that the access says of it. */
static void enter(struct run *run, size_t subject, const char *path)
{
	const struct access *access = run->deed.access;
	const struct access_subject *who = &access_subjects[subject];

	run->deed.subject = who;
	run->deed.cgroup = path;
	run->deed.lost =
		who->lost || (run->world->names_fail && strcmp(path, "/"));
	run->deed.anyone = access->asker == ASKER_ANYONE ||
			   (access->asker == ASKER_ANYONE_UNREAD &&
			    run->world->names_fail);
	for (uint32_t i = 0; i < run->table->protection_count; i++)
		run->classes[i] =
			verdict_class(&run->table->protections[i], who->place,
				      run->deed.lost ? "/" : path);
	run->deed.exempt = who->loader && access->loader_may;
	world_bind(run->world, who->unbound, who->loader);
	world_enter(run->world, run->tasks[subject], who->lost ? NULL : path);
	for (const struct access_field *field = access->task;
	     field && field->path; field++)
		world_set(run->world, run->tasks[subject], field,
			  run->arguments);
	world_call(run->world, &access->call);
	world_reset(run->world);
}

/* The task as it was, where the access set something of it. */
static void leave(struct run *run, size_t subject)
{
	if (run->deed.access->task)
		run->tasks[subject] =
			world_task(run->world, access_subjects[subject].task);
}

static bool make_arguments(struct run *run, uint64_t rank);

/*
 * What the loader may do for as long as it loads it may do again, until it did
 * something else, or said that it is done: then it is as anybody else.
 */
static bool try_after_loading(struct run *run)
{
	const struct access *did = run->deed.access, *each = run->accesses;
	uint64_t arguments[ACCESS_ARGUMENTS];
	bool good;

	if (!run->deed.subject->loader)
		return true;
	while (each < run->accesses + run->access_count &&
	       (!each->loader_may || each->hook != did->hook))
		each++;
	if (each == run->accesses + run->access_count)
		return true;
	memcpy(arguments, run->arguments, sizeof(arguments));
	choose_access(run, each);
	run->deed.exempt = did->loader_may && !did->loader_done;
	good = make_arguments(run, 0) && try(run);
	choose_access(run, did);
	memcpy(run->arguments, arguments, sizeof(arguments));
	return good;
}

static bool try_as(struct run *run, size_t subject, const char *path)
{
	bool good;

	enter(run, subject, path);
	good = try(run) && try_after_loading(run);
	leave(run, subject);
	return good;
}

/* ---- one access ---- */

static bool fill_arguments(struct run *run, uint64_t rank, uint64_t *list)
{
	const struct access *access = run->deed.access;
	bool varies = false;

	for (size_t i = 0; i < access->argument_count; i++) {
		struct access_value value = access->arguments[i];

		if (value.kind == VALUE_OTHERS) {
			value.number = rank;
			varies = true;
		}
		if (!world_argument(run->world, &value, &list[i]))
			return false;
	}
	return varies || rank == 0;
}

/* The next combination of what arguments can be; false behind the last, or
 * where the kernel has none.  They are asked for one after another. */
static bool make_arguments(struct run *run, uint64_t rank)
{
	struct made *made = &run->made[run->deed.access - run->accesses];
	struct arguments *arguments;

	if (rank == made->count) {
		made->ranks = arena_grow(run->arena, made->ranks, made->count,
					 &made->capacity, sizeof(*made->ranks));
		arguments = &made->ranks[made->count++];
		*arguments = (struct arguments){ 0 };
		arguments->good = fill_arguments(run, rank, arguments->list);
	}
	arguments = &made->ranks[rank];
	if (arguments->good)
		memcpy(run->arguments, arguments->list, sizeof(run->arguments));
	return arguments->good;
}

/* The first of each place is ordinary. */
static bool is_ordinary(size_t subject)
{
	size_t first = 0;

	while (access_subjects[first].place != access_subjects[subject].place)
		first++;
	return first == subject;
}

static bool names_cgroups(const struct run *run)
{
	for (uint32_t i = 0; i < run->table->protection_count; i++)
		if (run->table->protections[i].cgroup_count)
			return true;
	return false;
}

static bool try_weather(struct run *run, size_t subject, const char *path)
{
	struct world *world = run->world;
	bool good;

	world->ring_full = true;
	good = try_as(run, subject, path);
	world->ring_full = false;
	if (!good)
		return false;
	world->names_fail = true;
	good = try_as(run, subject, path);
	world->names_fail = false;
	return good;
}

/* 0 for two of one kind. */
static int compare_kinds(const struct run *run, const struct access *one,
			 const struct access *other)
{
	size_t size = 2 * run->table->protection_count * sizeof(uint64_t);

	if (one->hook != other->hook)
		return one->hook < other->hook ? -1 : 1;
	if (one->loader_may != other->loader_may)
		return one->loader_may - other->loader_may;
	if (one->loader_done != other->loader_done)
		return one->loader_done - other->loader_done;
	if (one->asker != other->asker)
		return one->asker < other->asker ? -1 : 1;
	if (one->operation_count != other->operation_count)
		return one->operation_count < other->operation_count ? -1 : 1;
	if (one->unbound_count != other->unbound_count)
		return one->unbound_count < other->unbound_count ? -1 : 1;
	if (one->operation_count &&
	    memcmp(one->operations, other->operations,
		   one->operation_count * sizeof(*one->operations)))
		return memcmp(one->operations, other->operations,
			      one->operation_count * sizeof(*one->operations));
	return memcmp(operations_of(run, one), operations_of(run, other), size);
}

static int compare_accesses(const void *a, const void *b, void *context)
{
	const struct access *one = *(const struct access *const *)a;
	const struct access *other = *(const struct access *const *)b;
	int order = compare_kinds(context, one, other);

	return order ? order : one < other ? -1 : one > other;
}

/* For each access whether none before it is of its kind. */
static bool *find_first(struct run *run)
{
	size_t count = run->access_count;
	bool *first = arena_array(run->arena, count, sizeof(*first));
	const struct access **sorted =
		arena_array(run->arena, count, sizeof(*sorted));

	for (size_t i = 0; i < count; i++)
		sorted[i] = &run->accesses[i];
	qsort_r(sorted, count, sizeof(*sorted), compare_accesses, run);
	for (size_t i = 0; i < count; i++)
		first[sorted[i] - run->accesses] =
			!i || compare_kinds(run, sorted[i - 1], sorted[i]);
	return first;
}

static bool is_first_of_kind(const struct run *run, const struct access *access)
{
	return run->first_of_kind[access - run->accesses];
}

static bool try_subjects(struct run *run)
{
	bool first = is_first_of_kind(run, run->deed.access);

	for (size_t i = 0; i < access_subject_count; i++) {
		if (access_subjects[i].lost && !names_cgroups(run))
			continue;
		if ((first || is_ordinary(i)) && !try_as(run, i, "/"))
			return false;
		if (first && is_ordinary(i) && !try_weather(run, i, "/"))
			return false;
	}
	return true;
}

static bool try_path(struct run *run, const char *path)
{
	for (size_t i = 0; i < access_subject_count; i++)
		if (is_ordinary(i) && !try_as(run, i, path))
			return false;
	return true;
}

/* The same with all that can go wrong. */
static bool try_path_weather(struct run *run, const char *path)
{
	for (size_t i = 0; i < access_subject_count; i++)
		if (is_ordinary(i) &&
		    !(try_as(run, i, path) && try_weather(run, i, path)))
			return false;
	return true;
}

static bool has(struct run *run, const char *enumerator)
{
	struct access_value value = { .kind = VALUE_ENUMERATOR,
				      .text = enumerator };
	uint64_t number;

	return world_argument(run->world, &value, &number);
}

/* @access in all that it can be, as @who tries it. */
static bool try_access(struct run *run, const struct access *access,
		       bool (*who)(struct run *, const char *),
		       const char *path)
{
	if ((access->needs && !has(run, access->needs)) ||
	    (access->lacks && has(run, access->lacks)))
		return true;
	choose_access(run, access);
	for (uint64_t rank = 0; make_arguments(run, rank); rank++)
		if (!(who ? who(run, path) : try_subjects(run)))
			return false;
	if (run->world->full)
		run->why = "cannot evaluate: the policy is too large";
	return !run->world->full;
}

/* ---- cgroups ---- */

struct path {
	const char *text;
	uint32_t row; /* of the table, whose cgroups it is about */
	uint32_t of;  /* which of them, as class numbers count them; 0: none */
};

struct paths {
	struct path *list;
	size_t count, capacity;
	bool many; /* more cgroups than all accesses are tried in */
};

/* No cgroup's name is longer, and old helpers tell no longer ones apart. */
static bool has_names(const char *path)
{
	for (size_t len; *path; path += len) {
		path += *path == '/';
		len = strcspn(path, "/");
		if (len > MAX_NAME)
			return false;
	}
	return true;
}

static void add_path(struct run *run, struct paths *paths,
		     const struct path *about, const char *text)
{
	struct path *path;

	if (strlen(text) > MAX_PATH || !has_names(text))
		return;
	paths->list = arena_grow(run->arena, paths->list, paths->count,
				 &paths->capacity, sizeof(*paths->list));
	path = &paths->list[paths->count++];
	*path = *about;
	path->text = text;
}

/* A path of the same length whose last letter is another. */
static const char *change_last(struct run *run, const char *path)
{
	size_t len = strlen(path);
	char *changed = arena_copy(run->arena, path, len);

	if (len)
		changed[len - 1] = changed[len - 1] == 'x' ? 'y' : 'x';
	return changed;
}

/* Below it, beside it, above it, and far below. */
static void add_near(struct run *run, struct paths *paths,
		     const struct path *path)
{
	const char *text = path->text, *slash = strrchr(text, '/');
	char *deep = arena_alloc(run->arena, 2 * DEEP + 1);

	add_path(run, paths, path, arena_printf(run->arena, "%s/other", text));
	add_path(run, paths, path, arena_printf(run->arena, "%s-other", text));
	if (slash && slash != text)
		add_path(run, paths, path,
			 arena_copy(run->arena, text, (size_t)(slash - text)));
	if (slash && slash[1] && slash[2])
		add_path(run, paths, path,
			 arena_copy(run->arena, text, strlen(text) - 1));
	for (unsigned i = 0; i < DEEP; i++)
		memcpy(deep + 2 * i, "/d", 2);
	add_path(run, paths, path,
		 arena_printf(run->arena, "%s%s", text, deep));
}

static uint32_t count_cgroups(const struct run *run)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < run->table->protection_count; i++)
		count += run->table->protections[i].cgroup_count;
	return count;
}

/* Of many, one in so many as leave few has all that is near it tried; those
 * alone are tried where @few. */
static void find_paths(struct run *run, bool few, struct paths *paths)
{
	uint32_t count = count_cgroups(run), number = 0;
	uint32_t step = (count + MANY_CGROUPS - 1) / MANY_CGROUPS;

	paths->many = count > MANY_CGROUPS;
	for (uint32_t i = 0; i < run->table->protection_count; i++) {
		const struct table_protection *row =
			&run->table->protections[i];
		struct path path = { .row = i };

		for (uint32_t j = 0; j < row->cgroup_count; j++) {
			bool near = number++ % step == 0;

			if (few && !near)
				continue;
			path.text = row->cgroups[j];
			path.of = j + 1;
			add_path(run, paths, &path, path.text);
			add_path(run, paths, &path,
				 change_last(run, path.text));
			if (near)
				add_near(run, paths, &path);
		}
		path.of = 0;
		if (row->cgroup_count)
			add_path(run, paths, &path, "/other");
	}
}

static bool same_masks(const struct table_protection *row, uint32_t one,
		       uint32_t other)
{
	size_t size = PLACE_COUNT * sizeof(*row->denied);

	return !memcmp(&row->denied[one], &row->denied[other], size) &&
	       !memcmp(&row->logged[one], &row->logged[other], size);
}

/* For each cgroup that is named, as class numbers count them, whether no one
 * before it had its masks. */
static bool *find_new(struct run *run, const struct table_protection *row)
{
	uint32_t count = table_class_count(row) / PLACE_COUNT;
	bool *new = arena_array(run->arena, count, sizeof(*new));

	for (uint32_t i = 1; i < count; i++) {
		uint32_t j = 0;

		while (j < i &&
		       !same_masks(row, j * PLACE_COUNT, i * PLACE_COUNT))
			j++;
		new[i] = j == i;
	}
	return new;
}

/* Whether that path is in a class with masks that no class before it had. */
static bool is_new(const struct run *run, bool *const *new, const char *path)
{
	for (uint32_t i = 0; i < run->table->protection_count; i++) {
		const struct table_protection *row =
			&run->table->protections[i];

		if (new[i][verdict_class(row, 0, path) / PLACE_COUNT])
			return true;
	}
	return false;
}

static bool has_program(const struct run *run, const struct access *access)
{
	for (size_t i = 0; i < run->specimen->program_count; i++)
		if (!strcmp(run->specimen->programs[i].hook,
			    hooks[access->hook].name))
			return true;
	return false;
}

/* Whether a cgroup is found in that kernel as in one before it. */
static bool finds_alike(size_t kernel)
{
	const struct kernel_kind *kind = &access_kernels[kernel];

	for (size_t i = 0; i < kernel; i++)
		if (access_kernels[i].has_all == kind->has_all &&
		    access_kernels[i].may_probe == kind->may_probe)
			return true;
	return false;
}

/* The operations that are not decided for the class as for who is in no named
 * cgroup. */
static uint64_t special(const struct table_protection *row, uint32_t class)
{
	uint32_t none = table_class_place(class);

	return (row->denied[class] ^ row->denied[none]) |
	       (row->logged[class] ^ row->logged[none]);
}

/* The accesses that paths are tried with. */
struct choice {
	const struct access **list;
	size_t count;
	size_t *next; /* where to begin, by row of the table */
};

static struct choice find_choice(struct run *run)
{
	struct choice choice = {
		.list = arena_array(run->arena, run->access_count,
				    sizeof(*choice.list)),
		.next = arena_array(run->arena, run->table->protection_count,
				    sizeof(*choice.next)),
	};

	for (size_t i = 0; i < run->access_count; i++) {
		const struct access *access = &run->accesses[i];

		if (access->operation_count && is_first_of_kind(run, access) &&
		    has_program(run, access))
			choice.list[choice.count++] = access;
	}
	return choice;
}

/*
 * The next access of the choice that is, of the protection which names the
 * path, one of @operations; NULL where there is none.
 */
static const struct access *choose_next(const struct run *run,
					struct choice *choice, uint32_t row,
					uint64_t operations)
{
	for (size_t i = 0; i < choice->count; i++) {
		size_t at = (choice->next[row] + i) % choice->count;

		if (!(operations_of(run, choice->list[at])[2 * row] &
		      operations))
			continue;
		choice->next[row] = at + 1;
		return choice->list[at];
	}
	return NULL;
}

/* One access that shows whether the class was found, or else one that is
 * decided at all: of the protection which names the path. */
static bool try_one(struct run *run, struct choice *choice,
		    const struct path *path)
{
	const struct table_protection *row =
		&run->table->protections[path->row];
	uint32_t class = PLACE_COUNT * path->of;
	const struct access *access = choose_next(
		run, choice, path->row,
		special(row, class) | special(row, class + PLACE_CONTAINER));

	if (!access)
		access = choose_next(run, choice, path->row,
				     table_used_operations(row));
	return !access || try_access(run, access, try_path, path->text);
}

static bool try_all(struct run *run, const struct choice *choice,
		    bool (*who)(struct run *, const char *),
		    const struct path *path)
{
	for (size_t i = 0; i < choice->count; i++)
		if (!try_access(run, choice->list[i], who, path->text))
			return false;
	return true;
}

/* How a cgroup is found differs between kernels: few are tried in others than
 * the first. */
static bool try_paths(struct run *run, size_t kernel)
{
	struct choice choice = find_choice(run);
	struct paths paths = { 0 };
	uint32_t count = run->table->protection_count;
	bool **new = arena_array(run->arena, count, sizeof(*new));

	if (finds_alike(kernel))
		return true;
	find_paths(run, kernel > 0, &paths);
	for (uint32_t i = 0; i < count; i++)
		new[i] = find_new(run, &run->table->protections[i]);
	for (size_t i = 0; i < paths.count; i++) {
		const struct path *path = &paths.list[i];
		bool all = !(paths.many || kernel) || !i ||
			   is_new(run, new, path->text);

		if (all ? !try_all(run, &choice,
				   i ? try_path : try_path_weather, path)
			: !try_one(run, &choice, path))
			return false;
	}
	return true;
}

/* ---- all of it ---- */

/* The operations that some class is denied, or that are logged. */
static uint64_t decided(const struct table_protection *row)
{
	uint64_t set = 0;

	for (uint32_t i = 0; i < table_class_count(row); i++)
		set |= row->denied[i] | row->logged[i];
	return set;
}

/* What no program is asked about is allowed, whatever the table says. */
static bool check_unasked(struct run *run, const struct access *access)
{
	const uint64_t *operations = operations_of(run, access);

	for (uint32_t i = 0; i < run->table->protection_count; i++) {
		const struct table_protection *row =
			&run->table->protections[i];
		uint64_t set = decided(row) & operations[2 * i];

		if (!set)
			continue;
		run->why = arena_printf(
			run->arena, "there is no code of %s.%s for the hook %s",
			row->protection->name,
			row->protection->operations[__builtin_ctzll(set)].name,
			hooks[access->hook].name);
		return false;
	}
	return true;
}

/* Every operation that the table decides must be in accesses.def, and so must
 * every hook that a program is for. */
static bool check_known(struct run *run)
{
	for (uint32_t i = 0; i < run->table->protection_count; i++) {
		const struct table_protection *row =
			&run->table->protections[i];
		uint64_t set = decided(row);

		if (set & ~protection_all(row->protection)) {
			run->why = "the table has no such operation";
			return false;
		}
		for (unsigned bit = 0; set; bit++, set >>= 1) {
			if (!(set & 1) ||
			    evaluate_access(row->protection, bit, NULL))
				continue;
			run->why = arena_printf(
				run->arena,
				"cannot evaluate: accesses.def has nothing for %s.%s",
				row->protection->name,
				row->protection->operations[bit].name);
			return false;
		}
	}
	for (size_t i = 0; i < run->specimen->program_count; i++) {
		const char *hook = run->specimen->programs[i].hook;
		size_t j = 0;

		if (!*hook) /* of a function */
			continue;
		while (j < access_count &&
		       strcmp(hooks[accesses[j].hook].name, hook))
			j++;
		if (j < access_count)
			continue;
		run->why = arena_printf(
			run->arena,
			"cannot evaluate: accesses.def has nothing for hook %s",
			hook);
		return false;
	}
	return true;
}

/* Where there are many accesses to destinations, each is tried in one kernel.
 */
static bool is_for_another(const struct run *run, size_t index, size_t kernel)
{
	return run->access_count - access_count > MANY_REACHED &&
	       index >= access_count && index % access_kernel_count != kernel;
}

static bool check_tables(struct run *run)
{
	for (uint32_t i = 0; i < run->table->protection_count; i++) {
		const struct table_protection *row =
			&run->table->protections[i];

		if (!classes_agree(run->arena, &run->specimen->object, row,
				   &run->why))
			return false;
		if (row->protection->id == PROTECTION_network &&
		    !tables_agree(run->arena, &run->specimen->object, row,
				  &run->why))
			return false;
	}
	return true;
}

static bool run_kernel(struct run *run, size_t kernel)
{
	struct world *world = &run->evaluation->worlds[kernel];

	run->world = world;
	run->made =
		arena_array(run->arena, run->access_count, sizeof(*run->made));
	if (!world_new(run->arena, run->specimen, &access_kernels[kernel],
		       world)) {
		run->why = world->why;
		return false;
	}
	for (size_t i = 0; i < access_subject_count; i++)
		run->tasks[i] = world_task(world, access_subjects[i].task);
	for (size_t i = 0; i < run->access_count; i++) {
		const struct access *access = &run->accesses[i];

		if (is_for_another(run, i, kernel))
			continue;
		if (has_program(run, access)
			    ? !try_access(run, access, NULL, NULL)
			    : !check_unasked(run, access))
			return false;
	}
	return try_paths(run, kernel);
}

static bool evaluate(struct run *run, const void *elf, size_t size)
{
	run->specimen = arena_alloc(run->arena, sizeof(*run->specimen));
	run->evaluation->specimen = run->specimen;
	run->evaluation->worlds = arena_array(run->arena, access_kernel_count,
					      sizeof(*run->evaluation->worlds));
	run->tasks = arena_array(run->arena, access_subject_count,
				 sizeof(*run->tasks));
	run->classes = arena_array(run->arena, run->table->protection_count,
				   sizeof(*run->classes));
	run->accesses =
		reach_accesses(run->arena, run->table, &run->access_count);
	find_operations(run);
	run->first_of_kind = find_first(run);
	run->deed.table = run->table;
	run->deed.classes = run->classes;
	if (!specimen_open(run->arena, elf, size, run->specimen)) {
		run->why = run->specimen->why;
		return false;
	}
	if (!check_known(run) || !check_tables(run))
		return false;
	for (size_t i = 0; i < access_kernel_count; i++)
		if (!run_kernel(run, i))
			return false;
	return true;
}

int evaluate_object(struct arena *arena, const void *elf, size_t size,
		    const struct table *table, struct evaluation *evaluation,
		    const char **why)
{
	struct evaluation nobody = { 0 };
	struct run run = { .arena = arena,
			   .table = table,
			   .evaluation = evaluation ? evaluation : &nobody };

	if (evaluate(&run, elf, size))
		return 0;
	*why = run.why ? run.why : "cannot evaluate";
	return -EBADMSG;
}
