/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kernel_modules.  What a probe loads, it unloads; where the policy forbids
 * that, the next one finds the module there (EEXIST, which the kernel says
 * long after its hooks).
 */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_alg.h>
#include <linux/if_link.h>
#include <linux/kexec.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COMPRESSED_FILE 4 /* MODULE_INIT_COMPRESSED_FILE */
#define NO_SUCH_MODULE	"bpflock_no_such_module"
#define UNSAFE_FILE	"/sys/module/8250/parameters/share_irqs"
#define LINK_NAME	"conformance0"
#define LINK_TYPE	"ifb"
#define HASH		"md4"

static bool is_loaded(const char *name)
{
	char line[512], first[64];
	FILE *modules = fopen("/proc/modules", "re");
	bool found = false;

	while (modules && fgets(line, sizeof(line), modules))
		if (sscanf(line, "%63s", first) == 1 && !strcmp(first, name))
			found = true;
	if (modules)
		fclose(modules);
	return found;
}

static int unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? errno : 0;
}

/* What was made is unmade under another name: its events are not the row's. */
static void clean_up(const char *module)
{
	prctl(PR_SET_NAME, "clean-up");
	unload(module);
}

static int load_file(const char *path, int flags, const char *parameters)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int result = 0;

	if (fd < 0)
		return RESULT_SETUP;
	if (syscall(SYS_finit_module, fd, parameters, flags))
		result = errno;
	close(fd);
	if (!result && !is_loaded(MODULE_NAME))
		return RESULT_NO_MODULE;
	if (!result)
		clean_up(MODULE_NAME);
	return result;
}

static int finit(const struct subject *subject)
{
	(void)subject;
	return load_file(MODULE, 0, "numdummies=0");
}

static int finit_compressed(const struct subject *subject)
{
	(void)subject;
	return load_file(COMPRESSED, COMPRESSED_FILE, "numdummies=0");
}

int finit_unsigned(const struct subject *subject)
{
	(void)subject;
	return load_file(UNSIGNED, 0, "numdummies=0");
}

static int finit_foreign(const struct subject *subject)
{
	(void)subject;
	return load_file(FOREIGN, 0, "numdummies=0");
}

static int init(const struct subject *subject)
{
	size_t size;
	void *data = read_whole(MODULE, &size);
	int result = 0;

	(void)subject;
	if (!data)
		return RESULT_SETUP;
	if (syscall(SYS_init_module, data, size, "numdummies=0"))
		result = errno;
	else if (!is_loaded(MODULE_NAME))
		result = RESULT_NO_MODULE;
	else
		clean_up(MODULE_NAME);
	free(data);
	return result;
}

/* What the kernel loaded by itself, judged by /proc/modules as well. */
static int autoloaded(const char *module, int result)
{
	bool loaded = is_loaded(module);

	if (!result)
		return loaded ? 0 : RESULT_NO_MODULE;
	return loaded ? RESULT_LOADED : result;
}

static int autoload_family(const struct subject *subject)
{
	int fd, result;

	(void)subject;
	if (is_loaded("af_key"))
		return RESULT_STALE;
	fd = socket(AF_KEY, SOCK_RAW | SOCK_CLOEXEC, 2 /* PF_KEY_V2 */);
	result = autoloaded("af_key", fd < 0 ? errno : 0);
	if (fd >= 0)
		close(fd);
	clean_up("af_key");
	clean_up("xfrm_algo");
	return result;
}

/* By a thread of the kernel, which crypto starts for the caller: what a keyed
 * hash is made of it asks for by itself. */
static int autoload_crypto(const struct subject *subject)
{
	struct sockaddr_alg address = {
		.salg_family = AF_ALG,
		.salg_type = "hash",
		.salg_name = "hmac(" HASH ")",
	};
	int fd, result;

	(void)subject;
	if (is_loaded(HASH))
		return RESULT_STALE;
	fd = socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || !is_loaded("algif_hash"))
		return RESULT_SETUP;
	result = autoloaded(
		HASH, bind(fd, (struct sockaddr *)&address, sizeof(address))
			      ? errno
			      : 0);
	close(fd);
	clean_up(HASH);
	return result;
}

struct link_request {
	struct nlmsghdr header;
	struct ifinfomsg info;
	char attributes[128];
};

static void *put_attribute(struct link_request *request, int type,
			   const void *data, size_t size)
{
	struct rtattr *attribute =
		(void *)((char *)request +
			 NLMSG_ALIGN(request->header.nlmsg_len));

	attribute->rta_type = (unsigned short)type;
	attribute->rta_len = (unsigned short)RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(attribute), data, size);
	request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) +
				    (uint32_t)RTA_ALIGN(attribute->rta_len);
	return attribute;
}

static int ask_for_link(int type, int flags)
{
	struct link_request request = {
		.header = { .nlmsg_len = NLMSG_LENGTH(sizeof(request.info)),
			    .nlmsg_type = (uint16_t)type,
			    .nlmsg_flags = (uint16_t)(NLM_F_REQUEST |
						      NLM_F_ACK | flags) },
	};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[512];
	} reply;
	struct rtattr *nested;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int result = RESULT_SETUP;

	put_attribute(&request, IFLA_IFNAME, LINK_NAME, sizeof(LINK_NAME));
	if (type == RTM_NEWLINK) {
		nested = put_attribute(&request, IFLA_LINKINFO, NULL, 0);
		put_attribute(&request, IFLA_INFO_KIND, LINK_TYPE,
			      sizeof(LINK_TYPE));
		nested->rta_len = (unsigned short)((char *)&request +
						   request.header.nlmsg_len -
						   (char *)nested);
	}
	if (fd >= 0 && send(fd, &request, request.header.nlmsg_len, 0) > 0 &&
	    recv(fd, &reply, sizeof(reply), 0) >= NLMSG_LENGTH(4))
		result = -reply.error.error;
	if (fd >= 0)
		close(fd);
	return result;
}

static int autoload_link(const struct subject *subject)
{
	int result;

	(void)subject;
	if (is_loaded(LINK_TYPE))
		return RESULT_STALE;
	result = autoloaded(LINK_TYPE, ask_for_link(RTM_NEWLINK,
						    NLM_F_CREATE | NLM_F_EXCL));
	ask_for_link(RTM_DELLINK, 0);
	clean_up(LINK_TYPE);
	return result;
}

int unsafe_parameter(const struct subject *subject)
{
	int fd = open(UNSAFE_FILE, O_RDWR | O_CLOEXEC);
	char value[16];
	ssize_t size;
	int result = 0;

	(void)subject;
	if (fd < 0)
		return errno == ENOENT ? RESULT_SETUP : errno;
	size = read(fd, value, sizeof(value));
	if (size <= 0 || pwrite(fd, value, (size_t)size, 0) < 0)
		result = errno;
	close(fd);
	return result;
}

static int unload_missing(const struct subject *subject)
{
	(void)subject;
	return unload(NO_SUCH_MODULE);
}

static int unload_with_more(const struct subject *subject)
{
	(void)subject;
	return call_with_more(SYS_delete_module, (long)NO_SUCH_MODULE,
			      O_NONBLOCK);
}

static int unload_loaded(const struct subject *subject)
{
	int result;

	if (!subject->module || !is_loaded(subject->module))
		return RESULT_SETUP;
	result = unload(subject->module);
	if (!result)
		return is_loaded(subject->module) ? RESULT_STALE : 0;
	return result;
}

/* The neighbours: the same hooks and the same files, for something else. */

static int read_module(const struct subject *subject)
{
	size_t size;
	void *data = read_whole(MODULE, &size);

	(void)subject;
	free(data);
	return data && size ? 0 : EIO;
}

/* kernel_load_data, LOADING_KEXEC_IMAGE: unloads what was never loaded. */
int kexec_data(const struct subject *subject)
{
	(void)subject;
	return syscall(SYS_kexec_load, 0L, 0L, NULL, 0L) ? errno : 0;
}

/* kernel_read_file, READING_KEXEC_IMAGE: a file that is no kernel. */
int kexec_file(const struct subject *subject)
{
	int fd = open(MODULE, O_RDONLY | O_CLOEXEC);
	long done;

	(void)subject;
	if (fd < 0)
		return RESULT_SETUP;
	done = syscall(SYS_kexec_file_load, fd, -1, 1L, "",
		       KEXEC_FILE_NO_INITRAMFS);
	return done ? errno : 0;
}

/* Another use of the capability hook, by another system call. */
static int other_capability(const struct subject *subject)
{
	char name[65];

	(void)subject;
	if (gethostname(name, sizeof(name)))
		return RESULT_SETUP;
	return sethostname(name, strlen(name)) ? errno : 0;
}

const struct probe module_probes[] = {
	{ "finit", finit },
	{ "init", init },
	{ "finit_compressed", finit_compressed },
	{ "finit_unsigned", finit_unsigned },
	{ "finit_foreign", finit_foreign },
	{ "autoload_family", autoload_family },
	{ "autoload_link", autoload_link },
	{ "autoload_crypto", autoload_crypto },
	{ "unsafe_parameter", unsafe_parameter },
	{ "unload_missing", unload_missing },
	{ "unload_with_more", unload_with_more },
	{ "unload_loaded", unload_loaded },
	{ "read_module", read_module },
	{ "kexec_data", kexec_data },
	{ "kexec_file", kexec_file },
	{ "other_capability", other_capability },
	{ NULL, NULL },
};

long flood_modules(long count, int *other)
{
	int fd = open(MODULE, O_RDONLY | O_CLOEXEC);
	long denied = 0;

	for (long i = 0; i < count; i++) {
		if (!syscall(SYS_finit_module, fd, "", 0))
			*other = RESULT_LOADED;
		else if (errno == EPERM)
			denied++;
		else
			*other = errno;
	}
	close(fd);
	return denied;
}
