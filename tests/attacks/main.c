/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs attacks in a machine that is thrown away.
 *
 *	attack list
 *	attack locked POLICY BUNDLE CANARY,... NAME...
 *		loads the bundle, then runs all of them
 *	attack control POLICY BUNDLE CANARY,... NAME...
 *		loads the bundle anew for each, or runs it without any
 *	attack try PROBE
 *		one probe, for helpers that the kernel starts
 *
 * Each attack says a line, "R NAME RESULT DENIED LET-THROUGH WHICH", when the
 * canaries were tried behind it: RESULT is its own.  "S NAME" is a machine that
 * cannot be put right: the rest needs another one.  Lines with "#" are for
 * people.  Status 0 unless nothing could be done.
 */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bpf.h"

#define PATIENCE_S 60 /* for one attack */
/* The kernel lets go of what nobody holds any more some time later. */
#define LET_GO_MS    200
#define LET_GO_TRIES 5
#define CANARIES_MAX 32
#define THROUGH_SAID 8 /* of one attack */

static const struct attack *const tables[] = {
	object_attacks, program_attacks, map_attacks,	      mount_attacks,
	vault_attacks,	kernel_attacks,	 tracing_attacks,     policy_attacks,
	exempt_attacks, race_attacks,	 umount_race_attacks,
};

/* The name of whose output it is. */
static const struct attack *find_attack(const char *name)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		for (const struct attack *a = tables[i]; a->name; a++)
			if (!strcmp(a->name, name))
				return a;
	return NULL;
}

void say(const char *format, ...)
{
	va_list arguments;

	fputs("#   ", stdout);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	fflush(stdout);
}

bool tally_add(struct tally *tally, long result, const char *what)
{
	tally->tried++;
	if (result < 0) {
		tally->error = errno;
		return false;
	}
	if (tally->through++ < THROUGH_SAID)
		say("through: %s", what);
	return true;
}

int tally_result(const struct tally *tally)
{
	if (!tally->tried)
		return NOT_HERE;
	return tally->through ? THROUGH : tally->error;
}

int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t size = strlen(text);
	ssize_t done = fd < 0 ? -1 : write(fd, text, size);
	int error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
	return done < 0 ? -1 : 0;
}

long read_number(const char *path)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	return size > 0 ? strtol(text, NULL, 10) : -1;
}

bool was_loaded(const struct scene *scene)
{
	struct pollfd polled = { .fd = scene->go, .events = POLLIN };

	return poll(&polled, 1, 0) == 1;
}

void wait_for_load(const struct scene *scene)
{
	struct pollfd polled = { .fd = scene->go, .events = POLLIN };

	while (poll(&polled, 1, -1) != 1)
		;
}

/* An attack that runs, or waits to. */
struct runner {
	const struct attack *attack;
	pid_t pid;
	int go;	    /* a byte in it says that the policy is loaded */
	int result; /* the reading end */
};

static int attack_process(const struct attack *attack,
			  const struct scene *scene)
{
	int result = 0;

	if (attack->before) {
		result = attack->before(scene);
		wait_for_load(scene);
	}
	alarm(PATIENCE_S);
	return result ? result : attack->run(scene);
}

static int start(struct runner *runner, const struct attack *attack,
		 struct scene *scene)
{
	int go[2], result[2], value;

	if (pipe2(go, O_CLOEXEC) || pipe2(result, O_CLOEXEC))
		return -1;
	fflush(stdout);
	*runner = (struct runner){ attack, fork(), go[1], result[0] };
	if (runner->pid == 0) {
		setpgid(0, 0);
		close(go[1]);
		scene->go = go[0];
		prctl(PR_SET_NAME, attack->name);
		value = attack_process(attack, scene);
		alarm(0);
		(void)!write(result[1], &value, sizeof(value));
		for (;;)
			pause(); /* until end() */
	}
	setpgid(runner->pid, runner->pid);
	close(go[0]);
	close(result[1]);
	return runner->pid < 0 ? -1 : 0;
}

/* What it came to.  It goes on: what it attached is there while it is. */
static int wait_for_result(struct runner *runner)
{
	int value = NOT_SET_UP, status = 0;

	/* Closing it is not enough: later ones have it too. */
	(void)!write(runner->go, "g", 1);
	close(runner->go);
	if (read(runner->result, &value, sizeof(value)) != sizeof(value)) {
		waitpid(runner->pid, &status, 0);
		value = WIFSIGNALED(status) ? RESULT_SIGNAL + WTERMSIG(status)
					    : NOT_SET_UP;
	}
	close(runner->result);
	return value;
}

/* Ends it, with all that it started. */
static void end(const struct runner *runner)
{
	kill(-runner->pid, SIGKILL);
	waitpid(runner->pid, NULL, 0);
}

static void print_result(int result)
{
	if (result == NOT_HERE)
		fputs("NOT-HERE", stdout);
	else if (result == NOT_SET_UP)
		fputs("NOT-SET-UP", stdout);
	else
		probe_print(stdout, result);
}

/* Killed with everything else, they are started anew.  In a control the first
 * one that is let through is waited for. */
static void try_canaries(struct canary_report *canary,
			 const char *const *canaries, unsigned tries)
{
	for (unsigned i = 0; i < tries && !canary->let_through; i++) {
		if (i)
			usleep(LET_GO_MS * 1000);
		memset(canary, 0, sizeof(*canary));
		if (!canaries_try(canary) &&
		    (canaries_start(canaries) || !canaries_try(canary)))
			printf("# the canaries cannot be tried\n");
	}
}

enum outcome {
	POLICY_OFF,
	POLICY_ON, /* but the attacker got something */
	UNHARMED,
};

/* While the attacker is there, who holds what is attached, and afterwards, when
 * nobody holds any more what was unmounted. */
static enum outcome conclude(struct runner *runner, const char *const *canaries,
			     unsigned tries)
{
	struct canary_report canary = { 0 };
	int result = wait_for_result(runner);

	try_canaries(&canary, canaries, 1);
	end(runner);
	usleep(LET_GO_MS * 1000);
	try_canaries(&canary, canaries, tries);
	printf("R %s ", runner->attack->name);
	print_result(result);
	printf(" %u %u %s\n", canary.denied, canary.let_through, canary.names);
	fflush(stdout);
	if (canary.let_through)
		return POLICY_OFF;
	return result == NOT_HERE || (result > 0 && result < RESULT_SIGNAL)
		       ? UNHARMED
		       : POLICY_ON;
}

static int load(struct scene *scene, const char *bundle)
{
	int status;

	scene->before = bpf_last_ids();
	status = machine_load(bundle);
	printf("L %d\n", status);
	fflush(stdout);
	return status;
}

static int run_locked(struct scene *scene, const char *bundle,
		      const char *const *canaries, char **names)
{
	struct runner early[64] = { 0 };
	size_t count = 0;
	int loaded;

	for (char **name = names; *name && count < 64; name++) {
		const struct attack *attack = find_attack(*name);

		if (attack && attack->traits & EARLY)
			start(&early[count++], attack, scene);
	}
	loaded = load(scene, bundle);
	for (char **name = names; *name; name++) {
		const struct attack *attack = find_attack(*name);
		struct runner runner = { 0 };

		if (!attack || loaded)
			continue;
		for (size_t i = 0; i < count; i++)
			if (early[i].attack == attack)
				runner = early[i];
		if (!runner.attack)
			start(&runner, attack, scene);
		if (conclude(&runner, canaries, 1) == POLICY_OFF ||
		    !machine_mend(scene) || attack->traits & SPOILS) {
			printf("S %s\n", *name);
			return 0;
		}
	}
	for (size_t i = 0; i < count; i++)
		end(&early[i]);
	return 0;
}

static bool is_clean(void)
{
	struct canary_report canary = { 0 };

	for (int tries = 0; tries < 100; tries++) {
		if (!canaries_try(&canary))
			return false;
		if (!canary.denied)
			return !strstr(canary.names, "=SETUP");
		usleep(100000);
	}
	return false;
}

/* Whether the machine is as before any policy. */
static bool take_off(const struct scene *scene)
{
	machine_unload(scene->policy);
	return is_clean();
}

/* The policy stays loaded from one attack to the next as long as none of them
 * got anything: loading it takes most of the time. */
static int run_control(struct scene *scene, const char *bundle,
		       const char *const *canaries, char **names)
{
	bool loaded = false;

	for (char **name = names; *name; name++) {
		const struct attack *attack = find_attack(*name);
		bool bare = attack && attack->aim == AIM_DENIAL;
		bool early = attack && attack->traits & EARLY;
		enum outcome outcome = POLICY_OFF;
		struct runner runner = { 0 };

		if (!attack)
			continue;
		if (loaded && (bare || early)) {
			loaded = false;
			if (!take_off(scene)) {
				printf("# the policy cannot be taken off\n");
				return 0;
			}
		}
		if (early)
			start(&runner, attack, scene);
		if (!bare && !loaded && load(scene, bundle)) {
			if (runner.attack)
				end(&runner);
			printf("R %s LOADER-REFUSES 0 0\n", *name);
		} else {
			if (!runner.attack)
				start(&runner, attack, scene);
			outcome = conclude(&runner, canaries,
					   bare ? 1 : LET_GO_TRIES);
		}
		loaded = !bare && outcome == UNHARMED;
		if (machine_mend(scene) && !(attack->traits & SPOILS) &&
		    (bare || loaded || take_off(scene)))
			continue;
		printf("S %s\n", *name);
		return 0;
	}
	return 0;
}

static void list(void)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		for (const struct attack *a = tables[i]; a->name; a++)
			printf("%d\t%s\t%s\t%d\t%u\t%s\n", a->number, a->name,
			       a->words, a->aim, a->traits,
			       a->needs ? a->needs : "");
}

static int try_probe(const char *name)
{
	int result = canary_try(name, false);

	print_result(result);
	putchar('\n');
	return result ? 1 : 0;
}

/* The canaries' names, of which there are as many as commas and one. */
static void split(char *text, const char **canaries)
{
	size_t count = 0;

	for (char *rest, *name = strtok_r(text, ",", &rest);
	     name && count + 1 < CANARIES_MAX;
	     name = strtok_r(NULL, ",", &rest))
		canaries[count++] = name;
}

int main(int argc, char **argv)
{
	const struct rlimit memory = { RLIM_INFINITY, RLIM_INFINITY };
	const struct rlimit files = { 65536, 65536 }; /* probes number theirs */
	const char *canaries[CANARIES_MAX] = { 0 };
	struct scene scene = { 0 };

	if (argc == 2 && !strcmp(argv[1], "list")) {
		list();
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "try"))
		return try_probe(argv[2]); /* with what limits there are */
	if (argc < 5) {
		fputs("usage: attack list | attack try PROBE |\n"
		      "       attack locked|control POLICY BUNDLE CANARY,... "
		      "NAME...\n",
		      stderr);
		return 2;
	}
	setrlimit(RLIMIT_MEMLOCK, &memory); /* up to 5.10 it counts maps */
	setrlimit(RLIMIT_NOFILE, &files);
	signal(SIGPIPE, SIG_IGN);
	machine_prepare();
	split(argv[4], canaries);
	scene.policy = argv[2];
	scene.kdevtmpfs = machine_find_kdevtmpfs();
	if (canaries_start(canaries) || !is_clean()) {
		printf("# a canary does not work without any policy\n");
		return 1;
	}
	if (!strcmp(argv[1], "locked"))
		return run_locked(&scene, argv[3], canaries, argv + 5);
	return run_control(&scene, argv[3], canaries, argv + 5);
}
