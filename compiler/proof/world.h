/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine with a bundle loaded: one of the made-up kernels, its objects with
 * their fields, the bundle's data and maps, and current.  Programs run in it,
 * and what they did is looked at.
 *
 * A field that nobody set has a value of its own: a pointer points to an
 * object like that, a string is "other", and a number is no special one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/event.h"
#include "compiler/proof/access.h"
#include "compiler/proof/kernel.h"
#include "compiler/proof/machine.h"
#include "compiler/proof/specimen.h"

struct arena;

#define WORLD_EVENTS 4 /* that one access may give */

struct world_event {
	uint8_t bytes[sizeof(struct event_exec)]; /* the largest */
	uint64_t size;
	bool submitted;
};

struct world {
	struct arena *arena;
	struct specimen *specimen;
	const struct kernel_kind *kind;
	struct kernel *kernel;
	struct memory memory;
	struct machine machine;
	struct machine_code *code; /* as specimen->programs */
	uint64_t *maps;		   /* addresses, as specimen->maps */
	uint64_t *cells;	   /* addresses of their values; 0: none */
	uint64_t *others;	   /* by type: what nobody set */
	uint64_t other_string;
	uint64_t other_bytes; /* zeros, behind a pointer to what has no type */
	size_t used;	      /* bytes of objects */
	bool full; /* there was no room for an object */
	uint64_t context;
	uint8_t context_bytes[8 * ACCESS_ARGUMENTS];
	uint8_t *boot; /* the bytes of the boot facts, or NULL */
	size_t boot_size;
	/* current */
	uint64_t task;
	uint64_t registers; /* of its system call; 0 where nothing reads them */
	uint32_t registers_type;
	struct access_call call; /* what is in them */
	bool called;
	uint64_t missing; /* helpers that this kernel has not, by rank */
	uint64_t cgroup;  /* its number */
	/* what goes wrong today */
	bool ring_full;
	bool names_fail;
	/* what the programs did */
	struct world_event events[WORLD_EVENTS];
	uint64_t event_addresses[WORLD_EVENTS];
	size_t event_count;
	/* paths of cgroups that there are, a hash table */
	struct world_cgroup *cgroups;
	size_t cgroup_count, cgroup_capacity;
	const char *why;
};

/* The numbers that a world answers with. */
#define WORLD_PATH "/there/" /* where all files are */
#define WORLD_UID  1000
#define WORLD_TIME UINT64_C(1234567890123)

/*
 * A world of that @kind for @specimen, which must stay.  In the arena.
 * Returns false with world->why set where the bundle does not load there.
 */
bool world_new(struct arena *arena, struct specimen *specimen,
	       const struct kernel_kind *kind, struct world *world);

/* The number of a value for an argument; false where this kernel has no such
 * value. */
bool world_argument(struct world *world, const struct access_value *value,
		    uint64_t *argument);

/* Sets a field of the object there.  False where the object's types have no
 * such field: no program can read it then. */
bool world_set(struct world *world, uint64_t object,
	       const struct access_field *field, const uint64_t *arguments);

/* A task, from its fields; and a cgroup, of an absolute path. */
uint64_t world_task(struct world *world, const struct access_field *fields);
uint64_t world_cgroup(struct world *world, const char *path);

/* Makes @task be current, in the cgroup @path; NULL: in what its fields say,
 * which has no number. */
void world_enter(struct world *world, uint64_t task, const char *path);

/* What the loader binds: @unbound, nothing; @loader, current itself. */
void world_bind(struct world *world, bool unbound, bool loader);

/* The system call that current is in. */
void world_call(struct world *world, const struct access_call *call);

/*
 * Runs the program as the hook would, with what maps hold as when loaded if
 * @fresh.  Returns false with machine.why set; else the hook's result is in
 * *@result and what it sent in world->events.
 */
bool world_run(struct world *world, size_t program, const uint64_t *arguments,
	       size_t count, int32_t *result);

/* Forgets what programs did: events, and what is in maps. */
void world_reset(struct world *world);

/* ---- for helpers.c ---- */

/* Finds out which helpers there are not. */
void helpers_prepare(struct world *world);

/* The call of machine.h. */
bool helpers_call(struct machine *machine, const struct machine_insn *insn);

/* Room for an event; 0 where there is none. */
uint64_t world_reserve(struct world *world, uint64_t size);
struct world_event *world_event_at(struct world *world, uint64_t address);
