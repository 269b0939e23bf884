/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf: the real system call, without a library between.  What a probe needs
 * besides its own call is made before any policy is loaded.
 */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TOKEN_CREATE	36  /* BPF_TOKEN_CREATE, 6.9 */
#define HELPER_WRITE	36  /* bpf_probe_write_user */
#define HELPER_READ	113 /* bpf_probe_read_kernel */
#define TRACEPOINT_NAME "sched_process_wait"
#define BAD_FD		65000U

static struct {
	int map;
	int cgroup_program;
	int tracepoint_program;
	int cgroup;
	char pinned[64];
	char unpinned[64];
} ready;

static int call(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int make_map(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_HASH,
		.key_size = 4,
		.value_size = 4,
		.max_entries = 4,
	};

	return call(BPF_MAP_CREATE, &attr);
}

static int load_instructions(int type, int attach,
			     const struct bpf_insn *instructions, size_t count)
{
	union bpf_attr attr = {
		.prog_type = (uint32_t)type,
		.expected_attach_type = (uint32_t)attach,
		.insns = (uintptr_t)instructions,
		.insn_cnt = (uint32_t)count,
		.license = (uintptr_t) "GPL",
	};

	return call(BPF_PROG_LOAD, &attr);
}

/* return 1; or 0 */
static int load_program(int type, int attach, int value)
{
	const struct bpf_insn instructions[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = value },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return load_instructions(type, attach, instructions, 2);
}

static int closed(int fd)
{
	int result = fd < 0 ? errno : 0;

	if (fd >= 0)
		close(fd);
	return result;
}

void bpf_prepare(const struct subject *subject)
{
	union bpf_attr attr = { 0 };
	char path[64];

	ready.map = make_map();
	ready.cgroup_program = load_program(BPF_PROG_TYPE_CGROUP_SKB,
					    BPF_CGROUP_INET_EGRESS, 1);
	ready.tracepoint_program =
		load_program(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0);
	snprintf(path, sizeof(path), "/sys/fs/cgroup/probe-%s", subject->name);
	mkdir(path, 0755);
	ready.cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(ready.pinned, sizeof(ready.pinned), "/sys/fs/bpf/pinned-%s",
		 subject->name);
	snprintf(ready.unpinned, sizeof(ready.unpinned), "/sys/fs/bpf/new-%s",
		 subject->name);
	attr.pathname = (uintptr_t)ready.pinned;
	attr.bpf_fd = (uint32_t)ready.map;
	call(BPF_OBJ_PIN, &attr);
}

static int map_create(const struct subject *subject)
{
	(void)subject;
	return closed(make_map());
}

/* Without attach_btf_id: EINVAL or so, when the hook lets it through. */
static int prog_load_lsm(const struct subject *subject)
{
	(void)subject;
	return closed(load_program(BPF_PROG_TYPE_LSM, BPF_LSM_MAC, 0));
}

static int prog_load_tracing(const struct subject *subject)
{
	(void)subject;
	return closed(load_program(BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, 0));
}

static int prog_load_kprobe(const struct subject *subject)
{
	(void)subject;
	return closed(load_program(BPF_PROG_TYPE_KPROBE, 0, 0));
}

static int prog_load_tracepoint(const struct subject *subject)
{
	(void)subject;
	return closed(load_program(BPF_PROG_TYPE_TRACEPOINT, 0, 0));
}

static int prog_load_perf_event(const struct subject *subject)
{
	(void)subject;
	return closed(load_program(BPF_PROG_TYPE_PERF_EVENT, 0, 0));
}

static int prog_load_cgroup(const struct subject *subject)
{
	(void)subject;
	return closed(load_program(BPF_PROG_TYPE_CGROUP_SKB,
				   BPF_CGROUP_INET_EGRESS, 1));
}

static int prog_load_cgroup_device(const struct subject *subject)
{
	(void)subject;
	return closed(load_program(BPF_PROG_TYPE_CGROUP_DEVICE,
				   BPF_CGROUP_DEVICE, 1));
}

static int prog_load_socket(const struct subject *subject)
{
	(void)subject;
	return closed(load_program(BPF_PROG_TYPE_SOCKET_FILTER, 0, 0));
}

static int prog_load_xdp(const struct subject *subject)
{
	(void)subject;
	return closed(load_program(BPF_PROG_TYPE_XDP, 0, 0));
}

/* Its control fails too: there is no such struct. */
static int prog_load_struct_ops(const struct subject *subject)
{
	(void)subject;
	return closed(load_program(BPF_PROG_TYPE_STRUCT_OPS, 0, 0));
}

static int btf_load(const struct subject *subject)
{
	static const struct {
		struct {
			uint16_t magic;
			uint8_t version, flags;
			uint32_t header, type_at, type_size, text_at, text_size;
		} header;
		uint32_t type[4];
		char text[4];
	} btf = {
		{ 0xeb9f, 1, 0, sizeof(btf.header), 0, 16, 16, 4 },
		{ 0, 1U << 24, 4, 32 }, /* an int; its name follows */
		"\0i",
	};
	uint8_t bytes[sizeof(btf)];
	union bpf_attr attr = {
		.btf = (uintptr_t)bytes,
		.btf_size = sizeof(bytes),
	};
	const uint32_t name = 1;

	(void)subject;
	memcpy(bytes, &btf, sizeof(btf));
	memcpy(bytes + sizeof(btf.header), &name, sizeof(name));
	return closed(call(BPF_BTF_LOAD, &attr));
}

/* bpf_probe_read_kernel(r10 - 8, 8, r10 - 8), or
 * bpf_probe_write_user(r10 - 8, r10 - 8, 8) */
static int load_call(int helper, bool reads)
{
	const struct bpf_insn instructions[] = {
		{ .code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = 10, .off = -8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 1,
		  .src_reg = 10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 1,
		  .imm = -8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 2,
		  .src_reg = 1 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 3,
		  .src_reg = 1 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K,
		  .dst_reg = reads ? 2 : 3, .imm = 8 },
		{ .code = BPF_JMP | BPF_CALL, .imm = helper },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return closed(load_instructions(BPF_PROG_TYPE_KPROBE, 0, instructions,
					sizeof(instructions) /
						sizeof(*instructions)));
}

int bpf_write(const struct subject *subject)
{
	(void)subject;
	return load_call(HELPER_WRITE, false);
}

int bpf_read(const struct subject *subject)
{
	(void)subject;
	return load_call(HELPER_READ, true);
}

static int map_update(const struct subject *subject)
{
	uint32_t key = 1, value = 2;
	union bpf_attr attr = {
		.map_fd = (uint32_t)ready.map,
		.key = (uintptr_t)&key,
		.value = (uintptr_t)&value,
	};

	(void)subject;
	return call(BPF_MAP_UPDATE_ELEM, &attr) ? errno : 0;
}

static int map_delete(const struct subject *subject)
{
	uint32_t key = 3; /* not there: ENOENT */
	union bpf_attr attr = {
		.map_fd = (uint32_t)ready.map,
		.key = (uintptr_t)&key,
	};

	(void)subject;
	return call(BPF_MAP_DELETE_ELEM, &attr) ? errno : 0;
}

static int obj_pin(const struct subject *subject)
{
	union bpf_attr attr = {
		.pathname = (uintptr_t)ready.unpinned,
		.bpf_fd = (uint32_t)ready.map,
	};
	int result = call(BPF_OBJ_PIN, &attr) ? errno : 0;

	(void)subject;
	unlink(ready.unpinned);
	return result;
}

static int obj_get(const struct subject *subject)
{
	union bpf_attr attr = { .pathname = (uintptr_t)ready.pinned };

	(void)subject;
	return closed(call(BPF_OBJ_GET, &attr));
}

static int prog_attach(const struct subject *subject)
{
	union bpf_attr attr = {
		.target_fd = (uint32_t)ready.cgroup,
		.attach_bpf_fd = (uint32_t)ready.cgroup_program,
		.attach_type = BPF_CGROUP_INET_EGRESS,
	};
	int result = call(BPF_PROG_ATTACH, &attr) ? errno : 0;

	(void)subject;
	if (!result) {
		prctl(PR_SET_NAME, "clean-up"); /* its events are not ours */
		call(BPF_PROG_DETACH, &attr);
	}
	return result;
}

/* Nothing is attached: ENOENT. */
static int prog_detach(const struct subject *subject)
{
	union bpf_attr attr = {
		.target_fd = (uint32_t)ready.cgroup,
		.attach_bpf_fd = (uint32_t)ready.cgroup_program,
		.attach_type = BPF_CGROUP_INET_INGRESS,
	};

	(void)subject;
	return call(BPF_PROG_DETACH, &attr) ? errno : 0;
}

static int link_create(const struct subject *subject)
{
	union bpf_attr attr = {
		.link_create = {
			.prog_fd = (uint32_t)ready.cgroup_program,
			.target_fd = (uint32_t)ready.cgroup,
			.attach_type = BPF_CGROUP_INET_EGRESS,
		},
	};

	(void)subject;
	return closed(call(BPF_LINK_CREATE, &attr));
}

static int link_update(const struct subject *subject)
{
	union bpf_attr attr = {
		.link_update = {
			.link_fd = BAD_FD,
			.new_prog_fd = (uint32_t)ready.cgroup_program,
		},
	};

	(void)subject;
	return call(BPF_LINK_UPDATE, &attr) ? errno : 0;
}

static int raw_tracepoint_open(const struct subject *subject)
{
	union bpf_attr attr = {
		.raw_tracepoint = {
			.name = (uintptr_t)TRACEPOINT_NAME,
			.prog_fd = (uint32_t)ready.tracepoint_program,
		},
	};

	(void)subject;
	return closed(call(BPF_RAW_TRACEPOINT_OPEN, &attr));
}

/* token_create.flags, token_create.bpffs_fd */
static int token_create(const struct subject *subject)
{
	union bpf_attr attr = { 0 };
	uint32_t words[2] = { 0, BAD_FD };

	(void)subject;
	memcpy(&attr, words, sizeof(words));
	return closed(call(TOKEN_CREATE, &attr));
}

static int map_lookup(const struct subject *subject)
{
	uint32_t key = 3, value; /* not there: ENOENT */
	union bpf_attr attr = {
		.map_fd = (uint32_t)ready.map,
		.key = (uintptr_t)&key,
		.value = (uintptr_t)&value,
	};

	(void)subject;
	return call(BPF_MAP_LOOKUP_ELEM, &attr) ? errno : 0;
}

static int obj_info(const struct subject *subject)
{
	struct bpf_map_info info;
	union bpf_attr attr = {
		.info = {
			.bpf_fd = (uint32_t)ready.map,
			.info_len = sizeof(info),
			.info = (uintptr_t)&info,
		},
	};

	(void)subject;
	memset(&info, 0, sizeof(info));
	return call(BPF_OBJ_GET_INFO_BY_FD, &attr) ? errno : 0;
}

static int prog_next_id(const struct subject *subject)
{
	union bpf_attr attr = { 0 };

	(void)subject;
	return call(BPF_PROG_GET_NEXT_ID, &attr) ? errno : 0;
}

/* Asks what lockdown is asked, for another reason. */
static int other_lockdown(const struct subject *subject)
{
	(void)subject;
#ifdef SYS_ioperm
	return syscall(SYS_ioperm, 0x80L, 1L, 1) ? errno : 0;
#else
	return 0; /* no machine but x86 has it */
#endif
}

/* The neighbour: a packet filter of the old kind needs no bpf(). */
static int classic_filter(const struct subject *subject)
{
	struct sock_filter code = { .code = BPF_RET | BPF_K, .k = 0 };
	struct sock_fprog filter = { 1, &code };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int result = 0;

	(void)subject;
	if (fd < 0)
		return RESULT_SETUP;
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter,
		       sizeof(filter)))
		result = errno;
	close(fd);
	return result;
}

static int list_pins(const struct subject *subject)
{
	(void)subject;
	return access(ready.pinned, F_OK) ? errno : 0;
}

const struct probe bpf_probes[] = {
	{ "map_create", map_create },
	{ "prog_load_lsm", prog_load_lsm },
	{ "prog_load_tracing", prog_load_tracing },
	{ "prog_load_kprobe", prog_load_kprobe },
	{ "prog_load_tracepoint", prog_load_tracepoint },
	{ "prog_load_perf_event", prog_load_perf_event },
	{ "prog_load_cgroup", prog_load_cgroup },
	{ "prog_load_cgroup_device", prog_load_cgroup_device },
	{ "prog_load_socket", prog_load_socket },
	{ "prog_load_xdp", prog_load_xdp },
	{ "prog_load_struct_ops", prog_load_struct_ops },
	{ "btf_load", btf_load },
	{ "bpf_write", bpf_write },
	{ "map_update", map_update },
	{ "map_delete", map_delete },
	{ "obj_pin", obj_pin },
	{ "obj_get", obj_get },
	{ "prog_attach", prog_attach },
	{ "prog_detach", prog_detach },
	{ "link_create", link_create },
	{ "link_update", link_update },
	{ "raw_tracepoint_open", raw_tracepoint_open },
	{ "token_create", token_create },
	{ "map_lookup", map_lookup },
	{ "obj_info", obj_info },
	{ "prog_next_id", prog_next_id },
	{ "classic_filter", classic_filter },
	{ "list_pins", list_pins },
	{ "other_lockdown", other_lockdown },
	{ NULL, NULL },
};

long flood_bpf(long count, int *other)
{
	union bpf_attr attr = { 0 };
	long denied = 0;

	for (long i = 0; i < count; i++) {
		if (!call(BPF_MAP_CREATE, &attr))
			*other = RESULT_LOADED;
		else if (errno == EPERM)
			denied++;
		else
			*other = errno;
	}
	return denied;
}
