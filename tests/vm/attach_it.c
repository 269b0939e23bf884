/* SPDX-License-Identifier: GPL-2.0-only */
/* attach-it OBJECT PIN: loads it, attaches its program, pins the link. */
#include <bpf/libbpf.h>

int main(int argc, char **argv)
{
	struct bpf_object *object;
	struct bpf_link *link;

	if (argc != 3)
		return 2;
	object = bpf_object__open(argv[1]);
	if (!object || bpf_object__load(object))
		return 1;
	link = bpf_program__attach(bpf_object__next_program(object, NULL));
	return !link || bpf_link__pin(link, argv[2]);
}
