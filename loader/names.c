/* SPDX-License-Identifier: GPL-2.0-only */
#include "loader/names.h"

#include <stdint.h>
#include <string.h>

#include <bpf/btf.h>

bool kernel_names(const struct btf *kernel, const char *list, const char *name)
{
	int id = btf__find_by_name_kind(kernel, list, BTF_KIND_ENUM);
	const struct btf_type *type =
		id > 0 ? btf__type_by_id(kernel, (uint32_t)id) : NULL;

	for (uint32_t i = 0; type && i < btf_vlen(type); i++)
		if (!strcmp(btf__name_by_offset(kernel,
						btf_enum(type)[i].name_off),
			    name))
			return true;
	return false;
}
