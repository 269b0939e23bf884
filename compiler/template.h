/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The BPF objects that were compiled when bpflockc was built and embedded in
 * it: two a protection, and what makes a policy's own object of one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bundle/digest.h"
#include "bundle/table.h"
#include "compiler/blob.h"

struct arena;

/* The template of @protection; NULL where there is none yet.  Constant, and
 * lives as long as the program. */
const struct blob *template_find(const struct protection *protection);

/* The operations that the template of @protection decides, as a mask; 0 where
 * there is no template.  A policy that needs others must not be compiled. */
uint64_t template_operations(const struct protection *protection);

/* Whether the template of @protection tells the devices that a policy names.
 * None does: nothing here writes them in, so that a bundle would be the same
 * with and without them.  Who adds a template for usb changes both. */
bool template_tells_devices(const struct protection *protection);

/* How many levels deep a cgroup of that path is, and may be for a template to
 * tell it from others. */
uint32_t template_depth(const char *cgroup);
#define TEMPLATE_MAX_DEPTH 16

/* Of the names and bytes of all templates: struct note.compiler. */
struct digest template_digest(void);

/*
 * A copy, in the arena, of the template of table->protections[@index], with
 * what @table decides for it written in, and without the programs that decide
 * nothing that @table denies or logs.  Returns 0 with *@object set, or with
 * *@why set (in the arena or constant):
 *
 *	-EOPNOTSUPP	there is no template, or it does not decide all that
 *			@table denies or logs, or a named cgroup is too deep,
 *			or devices are named; the words say what is missing
 *	-EBADMSG	the embedded template is not what policy.h says
 */
int template_instantiate(struct arena *arena, const struct table *table,
			 uint32_t index, struct blob *object, const char **why);
