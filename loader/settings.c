/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/settings.h"

#include <stdio.h>
#include <string.h>

#include "bundle/text.h"
#include "loader/cleanup.h"
#include "loader/read.h"
#include "loader/reasons.h"

#define TEXT_MAX 256
#define SYSCTL	 "/proc/sys/"
#define MISSING	 "missing"

static const struct setting {
	const char *name, *path;
	const char *good; /* one of these words, or for lockdown a part of it */
	const char *mend;
	const char *missing; /* the mend where no signatures are checked; NULL:
				none is needed where it is not there */
} settings[] = {
	{ "lockdown", "/sys/kernel/security/lockdown",
	  "[integrity] [confidentiality]",
	  "boot with lockdown=integrity: root may write the kernel's memory",
	  NULL },
	{ "module.sig_enforce", REASONS_SIG_ENFORCE, "Y",
	  "boot with module.sig_enforce=1: root may load modules of its own",
	  "run a kernel with CONFIG_MODULE_SIG=y, and boot with "
	  "module.sig_enforce=1: root may load modules of its own" },
	{ "kernel.kexec_load_disabled", SYSCTL "kernel/kexec_load_disabled",
	  "1", "sysctl kernel.kexec_load_disabled=1", NULL },
	{ "kernel.unprivileged_bpf_disabled",
	  SYSCTL "kernel/unprivileged_bpf_disabled", "1 2",
	  "sysctl kernel.unprivileged_bpf_disabled=1", NULL },
	{ "kernel.io_uring_disabled", SYSCTL "kernel/io_uring_disabled", "1 2",
	  "sysctl kernel.io_uring_disabled=2", NULL },
	{ "kernel.yama.ptrace_scope", SYSCTL "kernel/yama/ptrace_scope",
	  "1 2 3", "sysctl kernel.yama.ptrace_scope=1", NULL },
	{ "kernel.sysrq", SYSCTL "kernel/sysrq", "0",
	  "sysctl kernel.sysrq=0: its keys kill and unmount", NULL },
	{ "kernel.ftrace_enabled", SYSCTL "kernel/ftrace_enabled", "1",
	  "sysctl kernel.ftrace_enabled=1: no program is called without",
	  NULL },
	{ "net.core.bpf_jit_enable", SYSCTL "net/core/bpf_jit_enable", "1",
	  "sysctl net.core.bpf_jit_enable=1", NULL },
};

/* Whether one of @words is a word of @text. */
static bool has_one(const char *text, const char *words)
{
	while (*words) {
		size_t len = strcspn(words, " ");

		for (const char *at = text; *at;) {
			size_t word = strcspn(at, " \n");

			if (word == len && !memcmp(at, words, len))
				return true;
			at += word;
			at += strspn(at, " \n");
		}
		words += len;
		words += *words == ' ';
	}
	return false;
}

/* The mend that it needs, NULL for none; *@value is what it is now, and the
 * caller's to free(), NULL where the kernel does not have it. */
static const char *mend_of(const struct setting *setting, char **value)
{
	int err = read_text(setting->path, TEXT_MAX, value);

	if (err && setting->missing && !reasons_have_signatures())
		return setting->missing;
	if (err || has_one(*value, setting->good))
		return NULL;
	(*value)[strcspn(*value, "\n")] = '\0';
	return setting->mend;
}

void settings_show(bool json)
{
	bool first = true;

	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
		CLEANUP(free_memory) char *value = NULL;
		const char *mend = mend_of(&settings[i], &value);
		const char *name = settings[i].name;

		if (!mend)
			continue;
		if (!json) {
			printf("  %s is %s\n    mend: %s\n", name,
			       value ? value : MISSING, mend);
			continue;
		}
		printf("%s{\"name\":\"%s\",\"value\":", first ? "" : ",", name);
		text_json(stdout, value ? value : MISSING);
		printf(",\"mend\":\"%s\"}", mend);
		first = false;
	}
}
