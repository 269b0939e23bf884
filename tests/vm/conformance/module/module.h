/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a module of ours is made of: one parameter, which does its work when it
 * is written.
 *
 * It is built without the kernel's headers, which are 60 MB for each kernel:
 * LAYOUT_SIZE and VERMAGIC come from a module of that kernel (built.py), and
 * the rest has been the same since 2012.
 */
#pragma once

#define MODINFO(name, text)                                                   \
	static const char name[] __attribute__((section(".modinfo"), used)) = \
		text

MODINFO(license, "license=GPL");
MODINFO(own_name, "name=" NAME);
MODINFO(retpoline, "retpoline=Y"); /* they make no indirect call */
MODINFO(vermagic, "vermagic=" VERMAGIC);

#define NAME_OFFSET 24 /* of struct module's name */

struct module {
	char before[NAME_OFFSET];
	char name[LAYOUT_SIZE - NAME_OFFSET];
};

struct module __this_module
	__attribute__((section(".gnu.linkonce.this_module"), aligned(64))) = {
		.name = NAME,
	};

struct parameter;

struct operations {
	unsigned flags;
	int (*set)(const char *text, const struct parameter *parameter);
	int (*get)(char *text, const struct parameter *parameter);
	void (*free)(void *argument);
};

struct parameter {
	const char *name;
	struct module *module;
	const struct operations *operations;
	unsigned short permissions;
	signed char level; /* -1: when the module is loaded */
	unsigned char flags;
	void *argument;
};

/* The parameter of that name; @set gets what is written. */
#define PARAMETER(called, setter)                                          \
	static const struct operations operations = { .set = setter };     \
	static const struct parameter parameter                            \
		__attribute__((section("__param"), used, aligned(8))) = {  \
			.name = called,                                    \
			.module = &__this_module,                          \
			.operations = &operations,                         \
			.permissions = 0200,                               \
			.level = -1,                                       \
	}

#ifdef __aarch64__
/* Calls out of reach go through these, and a module has to have them. */
__asm__(".pushsection .plt, \"ax\"; .byte 0; .popsection\n"
	".pushsection .init.plt, \"a\"; .byte 0; .popsection\n"
	".pushsection .text.ftrace_trampoline, \"ax\"; .byte 0; .popsection\n"
	".pushsection .init.text.ftrace_trampoline, \"a\"; .byte 0; .popsection");
#endif
