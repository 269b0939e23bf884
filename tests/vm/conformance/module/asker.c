/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A kernel module that asks lockdown: for what a machine of ours has no
 * hardware.  `echo 3 >/sys/module/asker/parameters/ask` ends as the kernel's
 * own question of reason 3 would.
 *
 * It is built without the kernel's headers, which are 60 MB for each kernel:
 * LAYOUT_SIZE and VERMAGIC come from a module of that kernel (asker.py), and
 * the rest has been the same since 2012.
 */

#define MODINFO(name, text)                                                   \
	static const char name[] __attribute__((section(".modinfo"), used)) = \
		text

MODINFO(license, "license=GPL");
MODINFO(own_name, "name=asker");
MODINFO(retpoline, "retpoline=Y"); /* it makes no indirect call */
MODINFO(vermagic, "vermagic=" VERMAGIC);

#define NAME_OFFSET 24 /* of struct module's name */

struct module {
	char before[NAME_OFFSET];
	char name[LAYOUT_SIZE - NAME_OFFSET];
};

struct module __this_module
	__attribute__((section(".gnu.linkonce.this_module"), aligned(64))) = {
		.name = "asker",
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

int security_locked_down(unsigned reason);

static int set(const char *text, const struct parameter *parameter)
{
	unsigned reason = 0;

	(void)parameter;
	for (; *text >= '0' && *text <= '9'; text++)
		reason = 10 * reason + (unsigned)(*text - '0');
	return security_locked_down(reason);
}

static const struct operations operations = { .set = set };

static const struct parameter ask
	__attribute__((section("__param"), used, aligned(8))) = {
		.name = "ask",
		.module = &__this_module,
		.operations = &operations,
		.permissions = 0200,
		.level = -1,
	};

#ifdef __aarch64__
/* Calls out of reach go through these, and a module has to have them. */
__asm__(".pushsection .plt, \"ax\"; .byte 0; .popsection\n"
	".pushsection .init.plt, \"a\"; .byte 0; .popsection\n"
	".pushsection .text.ftrace_trampoline, \"ax\"; .byte 0; .popsection\n"
	".pushsection .init.text.ftrace_trampoline, \"a\"; .byte 0; .popsection");
#endif
