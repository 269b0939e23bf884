/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A kernel module that makes folders in sysfs which no driver of our machines
 * makes: one in its root whose name begins as `class` does, and one that is
 * deeper than a policy looks.  `echo 1 >/sys/module/folders/parameters/make`
 * makes them; in each is a file that takes whatever is written.
 */
#define NAME "folders"

#include "module.h"

#define DEEP 140 /* folders in each other */

typedef long ssize_t;
typedef unsigned long size_t;

struct kobject;

struct file {
	const char *name;
	unsigned short mode;
	ssize_t (*show)(struct kobject *folder, struct file *file, char *text);
	ssize_t (*store)(struct kobject *folder, struct file *file,
			 const char *text, size_t size);
};

struct kobject *kobject_create_and_add(const char *name,
				       struct kobject *parent);
int sysfs_create_file_ns(struct kobject *folder, const struct file *file,
			 const void *tag);

static ssize_t show(struct kobject *folder, struct file *file, char *text)
{
	(void)folder;
	(void)file;
	text[0] = '0';
	return 1;
}

static ssize_t store(struct kobject *folder, struct file *file,
		     const char *text, size_t size)
{
	(void)folder;
	(void)file;
	(void)text;
	return (ssize_t)size;
}

static struct file file = { "file", 0644, show, store };

static int make(const char *text, const struct parameter *parameter)
{
	struct kobject *folder = kobject_create_and_add("classy", 0);

	(void)text;
	(void)parameter;
	if (!folder || sysfs_create_file_ns(folder, &file, 0))
		return -12; /* ENOMEM */
	for (int i = 0; folder && i < DEEP; i++)
		folder = kobject_create_and_add("d", folder);
	return folder ? sysfs_create_file_ns(folder, &file, 0) : -12;
}

PARAMETER("make", make);
