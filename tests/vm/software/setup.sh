# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest, before any policy: a root file system for containers, a
# description of one as runc writes it, and one container of each runtime that
# runs already.
set -e
cd /sw
tree=/sw/tree/rootfs
mkdir -p $tree/usr/bin $tree/usr/lib $tree/proc $tree/sys $tree/dev $tree/etc \
	$tree/tmp $tree/run $tree/var $tree/root
for folder in bin lib sbin lib64; do
	mkdir -p $tree/usr/$folder
	ln -s usr/$folder $tree/$folder
done
cp /usr/bin/busybox $tree/usr/bin/
for name in sh echo sleep true; do ln -s busybox $tree/usr/bin/$name; done
# systemd-nspawn wants to see them, here and in the container.
for root in / $tree/; do
	echo ID=guest >${root}usr/lib/os-release
	echo 0123456789abcdef0123456789abcdef >${root}etc/machine-id
done

# A key for ssh, and a user that it lets in.
/usr/sbin/ip link set lo up
mkdir -p /root/.ssh $tree/var/lib/dpkg/info $tree/var/lib/dpkg/updates
touch $tree/var/lib/dpkg/status $tree/var/lib/dpkg/available
dropbearkey -t ed25519 -f /sw/host-key >/dev/null 2>&1
dropbearkey -t ed25519 -f /sw/key 2>/dev/null | grep ^ssh- \
	>/root/.ssh/authorized_keys
chmod -R go-rwx /root
grep -q ^root: /etc/passwd || echo root:x:0:0::/root:/bin/sh >>/etc/passwd
grep -q /bin/sh /etc/shells 2>/dev/null || echo /bin/sh >>/etc/shells

cd /sw/tree
runc spec
sed -i 's/"terminal": true/"terminal": false/' config.json
sed -i "s|\"path\": \"rootfs\"|\"path\": \"$tree\"|" config.json
mkdir /sw/sleeping
sed 's/"sh"/"sleep", "100000"/' config.json >/sw/sleeping/config.json
sed -i 's/"sh"/"echo", "hello"/' config.json
# A descriptor that they keep would keep whoever waits for this.
runc run --detach --bundle /sw/sleeping runc-box </dev/null >/dev/null 2>&1
crun --cgroup-manager=cgroupfs run --detach --bundle /sw/sleeping crun-box \
	</dev/null >/dev/null 2>&1
