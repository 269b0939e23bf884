/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * accesses.def as tables: who does what to which kernel.  All of it is
 * constant.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/event.h"
#include "bundle/operations.h"
#include "bundle/table.h"
#include "compiler/proof/kernel.h"

/* What a field or an argument of a hook is. */
enum access_value_kind {
	VALUE_NUMBER,
	VALUE_STRING,	  /* text: bytes, or a pointer to them */
	VALUE_BYTES,	  /* text: as many of them as the number says */
	VALUE_ENUMERATOR, /* text: "enum.value" */
	VALUE_OTHERS,	  /* text: "enum"; each number that none of it has */
	VALUE_OBJECT,	  /* text: its type */
	VALUE_ARGUMENT,	  /* in a field: the hook's argument of that number */
	VALUE_USER,	  /* in a field: the address of that many bytes of text
			   * in current's memory */
	VALUE_BEHIND,	  /* in a field: what another one holds, of that path,
			   * and that much more */
	VALUE_SAME,	  /* in a field: what this path leads to */
};

struct access_field;

struct access_value {
	enum access_value_kind kind;
	uint64_t number;
	const char *text;
	const struct access_field *fields; /* NULL path at its end */
};

/*
 * A field of the kernel's, by names: "a.b.c" follows pointers as it follows
 * members, and "a:type.b" takes what a points to for that type.
 */
struct access_field {
	const char *path;
	struct access_value value;
};

struct access_operation {
	enum protection_id protection;
	unsigned bit;
};

/* What an event of `trace exec` has besides. */
struct access_exec {
	int error;
	const char *script;
	const char *arguments; /* that are there; NULL: of one that failed */
	uint32_t arguments_size;
	uint32_t argument_count;
	uint32_t flags;
};

/* What one of `trace privileged` has besides. */
struct access_use {
	int error;
	uint32_t flags;
};

#define ACCESS_ARGUMENTS 8

#define ACCESS_CALL_ARGUMENTS 3

/* A system call, as the kernel saved it. */
struct access_call {
	int64_t x86, arm64; /* its number there */
	bool i386;	    /* on x86 it is one of that ABI */
	uint64_t arguments[ACCESS_CALL_ARGUMENTS];
};

/* Whom an access is decided for. */
enum access_asker {
	ASKER_CURRENT,
	ASKER_ANYONE,	     /* who cannot be told */
	ASKER_ANYONE_UNREAD, /* the same where names cannot be read */
};

struct access {
	enum hook_id hook;
	const char *words; /* for people: what is done */
	const struct access_value *arguments;
	size_t argument_count;
	const struct access_operation *operations; /* all that it is */
	size_t operation_count;
	/* Where no boot facts are bound, these instead, if any are given. */
	const struct access_operation *unbound_operations;
	size_t unbound_count;
	const char *needs;  /* "enum.value": not done by kernels without it */
	const char *lacks;  /* the same: not done by kernels with it */
	const char *object; /* that an event names; NULL: not looked at */
	bool own;	    /* the template has it itself: it is always read */
	bool numbers;	/* no string, but what says the same; or "": unread */
	bool base_only; /* where the hook may not ask for a whole path */
	bool as_named;	/* it is the caller's name for a file, no path */
	enum access_asker asker;
	const struct access_exec *exec;	 /* NULL: it has none of it */
	const struct access_use *use;	 /* the same */
	const struct access_field *task; /* of current meanwhile, or NULL */
	struct access_call call;	 /* that current is in meanwhile */
	bool loader_may;		 /* the loader, before it is done */
	bool loader_done; /* and this is how it says that it is */
};

/* Which current: a place, and what makes a task be there. */
struct access_subject {
	enum place place;
	const char *words;
	bool unbound; /* the loader bound no boot facts */
	bool loader;  /* it is the task that the boot facts name */
	bool lost;    /* which cgroup it is in cannot be told */
	const struct access_field *task;
};

extern const struct access accesses[];
extern const size_t access_count;
extern const struct access_subject access_subjects[];
extern const size_t access_subject_count;
extern const struct kernel_kind access_kernels[];
extern const size_t access_kernel_count;

/* What the boot facts say of the machine, and tasks have or have not. */
#define ACCESS_HOST_NETNS   0xf0000098
#define ACCESS_OTHER_NETNS  0xf0000123
#define ACCESS_ROOT_DEV	    (8 << 20 | 1)
#define ACCESS_OTHER_DEV    (8 << 20 | 2)
#define ACCESS_PID	    4711
#define ACCESS_TGID	    4709
#define ACCESS_PARENT	    4242
#define ACCESS_LOADER_START 12345 /* ticks since boot */
#define ACCESS_COMM	    "subject-of-test"
#define ACCESS_PARENT_COMM  "subject-parents"
