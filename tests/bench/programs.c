/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * programs show BUNDLE
 *	Loads a bundle's programs with libbpf, as they are, and prints a line a
 *	program: "program NAME SLOTS XLATED JITED VERIFIED TIME MEMORY", and a
 *	line a map: "map NAME MEMORY".  SLOTS are the instructions in the file,
 *	XLATED those that the verifier left, VERIFIED those that it walked
 *	through, TIME its own, in microseconds; the rest are bytes, MEMORY as
 *	the kernel says in fdinfo.  It says 0 of a ring buffer, which has at
 *	least the bytes that were asked for.
 *
 * programs attach FOLDER
 *	Attaches each LSM program that is pinned in the folder and pins its
 *	link beside it, as NAME_link.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_STATS    4 /* BPF_LOG_STATS: a few lines at the end, no more */
#define LOG_SIZE     (64 << 10)
#define MAX_PROGRAMS 128

static int complain(enum libbpf_print_level level, const char *format,
		    va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

static long memory_of(int fd)
{
	char path[64], line[256];
	long bytes = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "memlock: %ld", &bytes) == 1)
			break;
	fclose(file);
	return bytes;
}

/* The number behind some words of the verifier's, 0 without. */
static long number_behind(const char *log, const char *words)
{
	const char *found = strstr(log, words);

	return found ? strtol(found + strlen(words), NULL, 10) : 0;
}

static void show_program(struct bpf_program *program, const char *log)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);
	int fd = bpf_program__fd(program);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		memset(&info, 0, sizeof(info));
	printf("program %s %zu %u %u %ld %ld %ld\n", bpf_program__name(program),
	       bpf_program__insn_cnt(program), info.xlated_prog_len / 8,
	       info.jited_prog_len, number_behind(log, "processed "),
	       number_behind(log, "verification time "), memory_of(fd));
}

static int show(const char *path)
{
	static char logs[MAX_PROGRAMS][LOG_SIZE];
	LIBBPF_OPTS(bpf_object_open_opts, options);
	struct bpf_object *object = bpf_object__open_file(path, &options);
	struct bpf_program *program;
	struct bpf_map *map;
	long memory;
	int i = 0;

	if (!object)
		return 1;
	bpf_object__for_each_program(program, object)
	{
		if (i == MAX_PROGRAMS)
			return 1;
		bpf_program__set_log_buf(program, logs[i++], LOG_SIZE);
		bpf_program__set_log_level(program, LOG_STATS);
	}
	if (bpf_object__load(object))
		return 1;
	i = 0;
	bpf_object__for_each_program(program, object)
		show_program(program, logs[i++]);
	bpf_object__for_each_map(map, object)
	{
		memory = memory_of(bpf_map__fd(map));
		if (!memory && bpf_map__type(map) == BPF_MAP_TYPE_RINGBUF)
			memory = bpf_map__max_entries(map);
		printf("map %s %ld\n", bpf_map__name(map), memory);
	}
	bpf_object__close(object);
	return 0;
}

static int attach_pinned(const char *folder, const char *name)
{
	char path[512];
	int program, link;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	program = bpf_obj_get(path);
	if (program < 0)
		return -1;
	link = bpf_raw_tracepoint_open(NULL, program);
	if (link < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/%s_link", folder, name);
	return bpf_obj_pin(link, path);
}

static int attach(const char *folder)
{
	char *names[MAX_PROGRAMS];
	DIR *programs = opendir(folder);
	struct dirent *entry;
	int count = 0;

	while (programs && count < MAX_PROGRAMS && (entry = readdir(programs)))
		if (entry->d_name[0] != '.')
			names[count++] = strdup(entry->d_name);
	for (int i = 0; i < count; i++) {
		if (attach_pinned(folder, names[i])) {
			perror(names[i]);
			return 1;
		}
		free(names[i]);
	}
	if (programs)
		closedir(programs);
	return count == 0;
}

int main(int argc, char **argv)
{
	libbpf_set_print(complain);
	if (argc == 3 && !strcmp(argv[1], "show"))
		return show(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "attach"))
		return attach(argv[2]);
	return 2;
}
