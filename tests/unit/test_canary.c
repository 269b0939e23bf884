/* SPDX-License-Identifier: GPL-2.0-only */
/* What canaries expect, and what they take for a proof. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/bpf.h>

#include "bundle/event.h"
#include "compiler/template.h"
#include "loader/canary.h"
#include "loader/trial.h"
#include "sample.h"

#define MODULES(operation) (UINT64_C(1) << OP_BIT(kernel_modules, operation))

/* The first trial at that hook. */
static size_t trial_at(enum protection_id protection, enum hook_id hook)
{
	for (size_t i = 0; i < trial_count; i++)
		if (trials[i].protection == protection &&
		    trials[i].hook == hook)
			return i;
	fail();
	return 0;
}

static void every_hook_of_a_template_has_a_trial(void **state)
{
	(void)state;
	for (unsigned id = 0; id < PROTECTION_COUNT; id++) {
		uint64_t hooks_needed = 0;
		unsigned count = protection_operation_count(&protections[id]);

		for (unsigned i = 0; i < count; i++)
			hooks_needed |= protections[id].operations[i].hooks;
		for (size_t i = 0; i < trial_count; i++)
			if (trials[i].protection == id)
				hooks_needed &=
					~(UINT64_C(1) << trials[i].hook);
		if (template_find(&protections[id]))
			assert_int_equal(hooks_needed, 0);
	}
}

static void a_trial_is_what_its_hook_decides(void **state)
{
	(void)state;
	for (size_t i = 0; i < trial_count; i++) {
		const struct trial *trial = &trials[i];
		const struct protection *protection =
			&protections[trial->protection];
		unsigned count = protection_operation_count(protection);

		assert_true(trial->operations);
		assert_false(trial->operations & trial->before);
		assert_false(trial->operations & ~protection_all(protection));
		for (unsigned bit = 0; bit < count; bit++)
			if (trial->operations >> bit & 1)
				assert_true(protection->operations[bit].hooks &
					    UINT64_C(1) << trial->hook);
	}
}

/* ---- what is expected ---- */

static void most_is_shown_by_a_denial_and_its_event(void **state)
{
	size_t load =
		trial_at(PROTECTION_kernel_modules, HOOK_kernel_load_data);
	size_t autoload =
		trial_at(PROTECTION_kernel_modules, HOOK_kernel_module_request);
	struct expectation expected;
	struct sample sample;

	(void)state;
	sample_make_simple(&sample);
	assert_int_equal(canary_expect(&sample.note.table, 0, load,
				       PLACE_CONTAINER, &expected),
			 3);
	assert_true(expected.denied && expected.logged);
	assert_int_equal(expected.verdict, EVENT_DENY);
	assert_int_equal(expected.operation,
			 OP_BIT(kernel_modules, load_module));
	assert_int_equal(canary_expect(&sample.note.table, 0, load, PLACE_HOST,
				       &expected),
			 1);
	assert_int_equal(expected.verdict, EVENT_ALLOW);

	sample.logged[0][PLACE_CONTAINER] = 0;
	assert_int_equal(canary_expect(&sample.note.table, 0, load,
				       PLACE_CONTAINER, &expected),
			 2);
	assert_int_equal(canary_expect(&sample.note.table, 0, autoload,
				       PLACE_CONTAINER, &expected),
			 0);

	sample.note.table.audit = true;
	assert_int_equal(canary_expect(&sample.note.table, 0, load,
				       PLACE_CONTAINER, &expected),
			 0);
	sample.logged[0][PLACE_CONTAINER] = MODULES(load_module);
	assert_int_equal(canary_expect(&sample.note.table, 0, load,
				       PLACE_CONTAINER, &expected),
			 3);
	assert_false(expected.denied);
	assert_int_equal(expected.verdict, EVENT_WOULD_DENY);
}

/* An unsigned module that may not be loaded at all is not asked about. */
static void what_is_denied_before_is_blocked(void **state)
{
	size_t number = trial_at(PROTECTION_kernel_modules, HOOK_locked_down);
	struct expectation expected;
	struct sample sample;

	(void)state;
	sample_make_simple(&sample);
	sample.denied[0][PLACE_CONTAINER] =
		MODULES(load_module) | MODULES(unsigned_module);
	sample.logged[0][PLACE_CONTAINER] = sample.denied[0][PLACE_CONTAINER];
	assert_int_equal(canary_expect(&sample.note.table, 0, number,
				       PLACE_CONTAINER, &expected),
			 0);
	assert_true(expected.blocked);
	sample.note.table.audit = true;
	assert_int_equal(canary_expect(&sample.note.table, 0, number,
				       PLACE_CONTAINER, &expected),
			 3);
	assert_false(expected.blocked);
}

static void each_used_hook_has_one(void **state)
{
	struct canaries canaries;
	struct sample sample;

	(void)state;
	sample_make_simple(&sample);
	assert_int_equal(canaries_of(&sample.note.table, &canaries), 0);
	/* load_module has two, autoload_module one */
	assert_int_equal(canaries.count, 3);
	assert_int_equal(canaries_proven(&canaries, UINT32_MAX), 0);
	canaries_free(&canaries);
}

/* ---- what is a proof ---- */

enum { LIVE = NO_CONTROL };

static const struct judgement {
	bool denied, logged;
	int control, result;
	enum sight sight;
	bool alone;
	enum proof proof;
	enum doubt doubt; /* of PROOF_NONE */
} judgements[] = {
	/* the event, and the denial */
	{ true, true, EFAULT, EPERM, SIGHT_SEEN, false, PROOF_EVENT, 0 },
	{ true, true, EFAULT, EFAULT, SIGHT_SEEN, false, PROOF_REFUTED, 0 },
	{ true, true, EFAULT, EFAULT, SIGHT_NONE, false, PROOF_REFUTED, 0 },
	{ true, true, EFAULT, EPERM, SIGHT_NONE, false, PROOF_REFUTED, 0 },
	/* something denied it before, too */
	{ true, true, EPERM, EPERM, SIGHT_SEEN, false, PROOF_EVENT, 0 },
	{ true, true, EPERM, EPERM, SIGHT_NONE, false, PROOF_NONE,
	  DOUBT_ANOTHER },
	/* no room for the event: the error, where it is another one */
	{ true, true, EFAULT, EPERM, SIGHT_LOST, false, PROOF_ERROR, 0 },
	{ true, true, EFAULT, EFAULT, SIGHT_LOST, false, PROOF_REFUTED, 0 },
	{ true, true, EPERM, EPERM, SIGHT_LOST, false, PROOF_NONE,
	  DOUBT_ANOTHER },
	/* nothing is denied: the event alone */
	{ false, true, EFAULT, EFAULT, SIGHT_SEEN, false, PROOF_EVENT, 0 },
	{ false, true, EFAULT, EFAULT, SIGHT_NONE, false, PROOF_REFUTED, 0 },
	{ false, true, EFAULT, EFAULT, SIGHT_LOST, false, PROOF_NONE,
	  DOUBT_LOST },
	/* nothing is logged: the error alone */
	{ true, false, EFAULT, EPERM, SIGHT_NONE, false, PROOF_ERROR, 0 },
	{ true, false, EFAULT, EFAULT, SIGHT_NONE, false, PROOF_REFUTED, 0 },
	{ true, false, EPERM, EPERM, SIGHT_NONE, false, PROOF_NONE,
	  DOUBT_ANOTHER },
	/* it was answered before, and now is not */
	{ true, true, EFAULT, -ETIMEDOUT, SIGHT_NONE, false, PROOF_REFUTED, 0 },
	/* later, without a control */
	{ true, true, LIVE, EPERM, SIGHT_SEEN, false, PROOF_EVENT, 0 },
	{ true, true, LIVE, EPERM, SIGHT_NONE, false, PROOF_NONE,
	  DOUBT_ANOTHER },
	{ true, true, LIVE, EFAULT, SIGHT_NONE, false, PROOF_REFUTED, 0 },
	{ true, false, LIVE, EPERM, SIGHT_NONE, false, PROOF_ERROR, 0 },
	{ true, false, LIVE, EFAULT, SIGHT_NONE, false, PROOF_REFUTED, 0 },
	{ true, false, LIVE, ENOSYS, SIGHT_NONE, false, PROOF_NONE,
	  DOUBT_ANOTHER },
	{ true, true, LIVE, -ESRCH, SIGHT_NONE, false, PROOF_NONE,
	  DOUBT_CANNOT },
};

static void only_what_proves_is_a_proof(void **state)
{
	size_t load =
		trial_at(PROTECTION_kernel_modules, HOOK_kernel_load_data);

	(void)state;
	for (size_t i = 0; i < sizeof(judgements) / sizeof(*judgements); i++) {
		const struct judgement *row = &judgements[i];
		struct expectation expected = {
			.trial = load,
			.denied = row->denied,
			.logged = row->logged,
		};
		enum doubt doubt;

		assert_int_equal(canary_judge(&expected, row->control,
					      row->result, row->sight,
					      row->alone, &doubt),
				 row->proof);
		if (row->proof == PROOF_NONE)
			assert_int_equal(doubt, row->doubt);
	}
}

/* An autoload ends in the same error either way. */
static void what_tells_nothing_needs_its_event(void **state)
{
	struct expectation expected = {
		.trial = trial_at(PROTECTION_kernel_modules,
				  HOOK_kernel_module_request),
		.denied = true,
		.logged = true,
	};
	enum doubt doubt;

	(void)state;
	assert_false(trial_tells(&trials[expected.trial]));
	assert_int_equal(canary_judge(&expected, ENODEV, ENODEV, SIGHT_SEEN,
				      false, &doubt),
			 PROOF_EVENT);
	assert_int_equal(canary_judge(&expected, ENODEV, ENODEV, SIGHT_NONE,
				      false, &doubt),
			 PROOF_REFUTED);
	assert_int_equal(canary_judge(&expected, NO_CONTROL, ENODEV, SIGHT_NONE,
				      false, &doubt),
			 PROOF_NONE);
	assert_int_equal(canary_judge(&expected, NO_CONTROL, ENODEV, SIGHT_NONE,
				      true, &doubt),
			 PROOF_REFUTED);
	/* its control was never tried */
	assert_int_equal(canary_judge(&expected, ENODEV, -EOPNOTSUPP,
				      SIGHT_NONE, false, &doubt),
			 PROOF_NONE);
	assert_int_equal(doubt, DOUBT_CANNOT);
	expected.logged = false;
	assert_int_equal(canary_judge(&expected, ENODEV, ENODEV, SIGHT_NONE,
				      false, &doubt),
			 PROOF_NONE);
	assert_int_equal(doubt, DOUBT_SILENT);
}

/* ---- rings ---- */

#define SIZE   4096U
#define RECORD (sizeof(struct event) + BPF_RINGBUF_HDR_SZ)

/* A file that is laid out as the kernel lays out a ring. */
struct model {
	int fd;
	size_t page;
	struct ring ring;
};

static void put(const struct model *model, const void *bytes, size_t size,
		size_t offset)
{
	assert_int_equal(pwrite(model->fd, bytes, size, (off_t)offset), size);
}

static void put_event(const struct model *model, uint64_t at, uint32_t flags,
		      uint32_t pid)
{
	uint32_t header[2] = { sizeof(struct event) | flags, 0 };
	struct event event = { .version = EVENT_VERSION, .tgid = pid };
	uint8_t record[RECORD];

	memcpy(record, header, sizeof(header));
	memcpy(record + sizeof(header), &event, sizeof(event));
	for (size_t i = 0; i < RECORD; i++) {
		size_t place = 2 * model->page + (at + i) % SIZE;

		put(model, &record[i], 1, place);
		put(model, &record[i], 1, place + SIZE);
	}
}

static void move(const struct model *model, uint64_t read, uint64_t written)
{
	put(model, &read, sizeof(read), 0);
	put(model, &written, sizeof(written), model->page);
}

static int make_model(void **state)
{
	static struct model model;

	model.page = (size_t)sysconf(_SC_PAGESIZE);
	model.fd = memfd_create("ring", MFD_CLOEXEC);
	assert_true(model.fd >= 0);
	assert_int_equal(
		ftruncate(model.fd, (off_t)(2 * model.page + 2 * SIZE)), 0);
	assert_int_equal(ring_open(model.fd, SIZE, &model.ring), 0);
	*state = &model;
	return 0;
}

static int end_model(void **state)
{
	struct model *model = *state;

	ring_close(&model->ring);
	return close(model->fd);
}

static bool has_pid(const struct event *event, const void *pid)
{
	return event->tgid == *(const uint32_t *)pid;
}

static bool is_there(const struct model *model, uint64_t position, uint32_t pid,
		     bool *lost)
{
	*lost = false;
	return ring_find(&model->ring, position, has_pid, &pid, lost);
}

static void an_event_is_found_where_it_is(void **state)
{
	const struct model *model = *state;
	uint64_t start = 100 * SIZE - RECORD / 2 / 8 * 8; /* over the end */
	bool lost;

	put_event(model, start, 0, 1);
	put_event(model, start + RECORD, BPF_RINGBUF_BUSY_BIT, 2);
	put_event(model, start + 2 * RECORD, BPF_RINGBUF_DISCARD_BIT, 3);
	put_event(model, start + 3 * RECORD, 0, 4);
	move(model, start, start + 4 * RECORD);
	assert_int_equal(ring_position(&model->ring), start + 4 * RECORD);
	assert_true(is_there(model, start, 1, &lost));
	assert_false(is_there(model, start, 2, &lost));
	assert_false(is_there(model, start, 3, &lost));
	assert_true(is_there(model, start, 4, &lost));
	assert_false(is_there(model, start + RECORD, 1, &lost));
	assert_false(is_there(model, start, 5, &lost));
	assert_false(lost);
}

static void what_was_written_over_is_lost(void **state)
{
	const struct model *model = *state;
	bool lost;

	put_event(model, 0, 0, 1);
	move(model, SIZE, SIZE + RECORD);
	assert_false(is_there(model, 0, 1, &lost));
	assert_true(lost);
}

static void a_ring_is_full_when_no_event_fits(void **state)
{
	const struct model *model = *state;
	uint64_t room = SIZE - sizeof(struct event_exec) - BPF_RINGBUF_HDR_SZ;

	move(model, 8 * RECORD, 8 * RECORD + room - 8);
	assert_false(ring_is_full(&model->ring));
	move(model, 8 * RECORD, 8 * RECORD + room);
	assert_true(ring_is_full(&model->ring));
}

/* ---- stand-ins ---- */

/* As any user: what it tries here is allowed to all. */
static void a_stand_in_tries_and_ends(void **state)
{
	struct stand_ins all = { 0 };
	size_t map = trial_at(PROTECTION_fileless_exec, HOOK_mmap_file);
	struct stat own;
	char path[64];

	(void)state;
	assert_int_equal(stat("/proc/self/ns/net", &own), 0);
	stand_ins_start(&all, (uint32_t)own.st_ino);
	assert_int_equal(all.of[PLACE_HOST].err, 0);
	assert_int_equal(stand_in_try(&all.of[PLACE_HOST], map), 0);
	snprintf(path, sizeof(path), "/proc/%d", (int)all.of[PLACE_HOST].pid);
	assert_int_equal(access(path, F_OK), 0);
	stand_ins_stop(&all);
	assert_int_equal(access(path, F_OK), -1);
	assert_true(stand_in_try(&all.of[PLACE_HOST], map) < 0);
}

/* The address that a trial connects to cannot be told, so it is all of them. */
static void a_trial_is_every_destination(void **state)
{
	size_t connect = trial_at(PROTECTION_network, HOOK_socket_connect);
	size_t listen = trial_at(PROTECTION_network, HOOK_socket_listen);
	struct expectation expected;
	struct sample sample;

	(void)state;
	sample_make_network(&sample);
	sample.denied[0][PLACE_CONTAINER] = UINT64_C(1) << 15;
	sample.logged[0][PLACE_CONTAINER] = UINT64_C(1) << 15;
	assert_int_equal(canary_expect(&sample.note.table, 0, connect,
				       PLACE_CONTAINER, &expected),
			 3);
	assert_int_equal(expected.operation, 15);
	assert_int_equal(canary_expect(&sample.note.table, 0, listen,
				       PLACE_CONTAINER, &expected),
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_hook_of_a_template_has_a_trial),
		cmocka_unit_test(a_trial_is_what_its_hook_decides),
		cmocka_unit_test(most_is_shown_by_a_denial_and_its_event),
		cmocka_unit_test(a_trial_is_every_destination),
		cmocka_unit_test(what_is_denied_before_is_blocked),
		cmocka_unit_test(each_used_hook_has_one),
		cmocka_unit_test(only_what_proves_is_a_proof),
		cmocka_unit_test(what_tells_nothing_needs_its_event),
		cmocka_unit_test_setup_teardown(an_event_is_found_where_it_is,
						make_model, end_model),
		cmocka_unit_test_setup_teardown(what_was_written_over_is_lost,
						make_model, end_model),
		cmocka_unit_test_setup_teardown(
			a_ring_is_full_when_no_event_fits, make_model,
			end_model),
		cmocka_unit_test(a_stand_in_tries_and_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
