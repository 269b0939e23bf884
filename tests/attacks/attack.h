/* SPDX-License-Identifier: GPL-2.0-only */
/* What the attacks share: what one is, how it ended, what it attacks. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/vm/conformance/probes/probe.h"

/* What an attack comes to, besides an errno: what refused it. */
enum {
	THROUGH = 0,	 /* the attacker got what was asked for */
	NOT_HERE = 5000, /* this kernel or machine has no such thing */
	NOT_SET_UP,	 /* what the attack needs could not be made */
};

/* What shows that an attack succeeded. */
enum aim {
	AIM_CALL,   /* its own result is THROUGH, or a canary is let through */
	AIM_POLICY, /* a canary is let through; its calls may well succeed */
	AIM_DENIAL, /* THROUGH; its control is a machine without any policy, for
		     * it is the policy that denies it, open or locked */
};

enum trait {
	EARLY = 1,  /* begins before the policy is loaded: `before` */
	ALONE = 2,  /* gets a machine of its own: the loader may well refuse */
	SPOILS = 4, /* the machine is of no use afterwards */
	SLOW = 8,   /* takes more than a second or two */
};

/* What was there before the policy was loaded; all later ids are ours. */
struct ids {
	uint32_t program, map, link;
};

struct scene {
	const char *policy; /* its name */
	pid_t kdevtmpfs;
	struct ids before;
	int go; /* an early attack: readable once the policy is loaded */
};

struct attack {
	int number;	  /* of design and document */
	const char *name; /* unique, one word */
	const char *words;
	enum aim aim;
	int (*run)(const struct scene *scene); /* errno or one of the above */
	unsigned traits;
	/* The same process, earlier.  It may go on until was_loaded(). */
	int (*before)(const struct scene *scene);
	const char *needs; /* a protection that the policy has to name */
};

/* Of traits, before and needs, those that are not 0. */
#define ATTACK(number_, name_, words_, aim_, run_, ...)                  \
	{                                                                \
		.number = (number_), .name = (name_), .words = (words_), \
		.aim = (aim_), .run = (run_), __VA_ARGS__                \
	}

/* Each ends with a NULL name. */
extern const struct attack object_attacks[];
extern const struct attack program_attacks[];
extern const struct attack map_attacks[];
extern const struct attack mount_attacks[];
extern const struct attack vault_attacks[];
extern const struct attack kernel_attacks[];
extern const struct attack tracing_attacks[];
extern const struct attack policy_attacks[];
extern const struct attack exempt_attacks[];
extern const struct attack race_attacks[];
extern const struct attack umount_race_attacks[];

/* Whether an early attack's policy is loaded; waits for it, or only looks. */
bool was_loaded(const struct scene *scene);
void wait_for_load(const struct scene *scene);

/* Says more about the result: one line in the log. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

/* Several uses of one thing: through if any of them is. */
struct tally {
	int tried, through, error; /* error: the last one that refused */
};
/* Counts a call that returned @result, with errno; says which went through. */
bool tally_add(struct tally *tally, long result, const char *what);
int tally_result(const struct tally *tally);

/* Writes @text to the file, in one call.  Returns 0 or -1 with errno. */
int write_text(const char *path, const char *text);
/* What the first line holds, as a number; -1 where it cannot be read. */
long read_number(const char *path);

/* ---- canary.c: one harmless operation of each hook that must be denied ----
 */

struct canary_report {
	unsigned denied, let_through;
	char names[256]; /* of those let through, and what they came to */
};

/* Starts the process that tries them, in mounts of its own.  Returns 0. */
int canaries_start(const char *const *names);
/* Tries them all; false where the process that does it is gone. */
bool canaries_try(struct canary_report *report);
void canaries_stop(void);
/* Tries one by name in this process's children. */
int canary_try(const char *name, bool container);

/* ---- machine.c: loading, unloading, putting right ---- */

#define FTRACE_ENABLED "/proc/sys/kernel/ftrace_enabled"
#define HOST_BPFFS     "/sys/fs/bpf"

/* Loads the modules that attacks need, while that is still allowed. */
void machine_prepare(void);
/* bpflock-load's status; what it says goes to the log. */
int machine_load(const char *bundle);
/* Takes an open policy away, and whatever an attack left of it. */
void machine_unload(const char *policy);
/* Mounts what is missing, and sets what attacks set.  False: that cannot be
 * done any more. */
bool machine_mend(const struct scene *scene);
pid_t machine_find_kdevtmpfs(void);
