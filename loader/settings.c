/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/settings.h"

#include <stdio.h>
#include <string.h>

#include "bundle/text.h"
#include "loader/cleanup.h"
#include "loader/read.h"

#define TEXT_MAX 256
#define SYSCTL	 "/proc/sys/"

static const struct setting {
	const char *name, *path;
	const char *good; /* one of these words, or for lockdown a part of it */
	const char *mend;
} settings[] = {
	{ "lockdown", "/sys/kernel/security/lockdown",
	  "[integrity] [confidentiality]",
	  "boot with lockdown=integrity: root may write the kernel's memory" },
	{ "module.sig_enforce", "/sys/module/module/parameters/sig_enforce",
	  "Y",
	  "boot with module.sig_enforce=1: root may load modules of its own" },
	{ "kernel.kexec_load_disabled", SYSCTL "kernel/kexec_load_disabled",
	  "1", "sysctl kernel.kexec_load_disabled=1" },
	{ "kernel.unprivileged_bpf_disabled",
	  SYSCTL "kernel/unprivileged_bpf_disabled", "1 2",
	  "sysctl kernel.unprivileged_bpf_disabled=1" },
	{ "kernel.io_uring_disabled", SYSCTL "kernel/io_uring_disabled", "1 2",
	  "sysctl kernel.io_uring_disabled=2" },
	{ "kernel.yama.ptrace_scope", SYSCTL "kernel/yama/ptrace_scope",
	  "1 2 3", "sysctl kernel.yama.ptrace_scope=1" },
	{ "kernel.sysrq", SYSCTL "kernel/sysrq", "0",
	  "sysctl kernel.sysrq=0: its keys kill and unmount" },
	{ "kernel.ftrace_enabled", SYSCTL "kernel/ftrace_enabled", "1",
	  "sysctl kernel.ftrace_enabled=1: no program is called without" },
	{ "net.core.bpf_jit_enable", SYSCTL "net/core/bpf_jit_enable", "1",
	  "sysctl net.core.bpf_jit_enable=1" },
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

void settings_show(bool json)
{
	bool first = true;

	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
		const struct setting *setting = &settings[i];
		CLEANUP(free_memory) char *value = NULL;

		if (read_text(setting->path, TEXT_MAX, &value) ||
		    has_one(value, setting->good))
			continue;
		value[strcspn(value, "\n")] = '\0';
		if (!json) {
			printf("  %s is %s\n    mend: %s\n", setting->name,
			       value, setting->mend);
			continue;
		}
		printf("%s{\"name\":\"%s\",\"value\":", first ? "" : ",",
		       setting->name);
		text_json(stdout, value);
		printf(",\"mend\":\"%s\"}", setting->mend);
		first = false;
	}
}
