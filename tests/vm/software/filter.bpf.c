/* SPDX-License-Identifier: GPL-2.0-only */
/* What bpftool loads: a socket filter that counts in a map. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} packets SEC(".maps");

SEC("socket")
int count_packets(struct __sk_buff *skb)
{
	__u32 key = 0;
	__u64 *count = bpf_map_lookup_elem(&packets, &key);

	(void)skb;
	if (count)
		__sync_fetch_and_add(count, 1);
	return 0;
}
