#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# tests/install.sh [PACKAGE]...
#
# Installs what building and testing need, on a Debian that may have nothing
# yet, and the packages named. What is needed is listed where it is used:
# configure.py and tests/vm.
set -eu
cd "$(dirname "$0")/.."

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "install: run as root, or install: $*" >&2
		return 1
	fi
}

apt_install() {
	echo "install: apt-get install $*" >&2
	as_root apt-get update -q >&2
	as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -q -y --no-install-recommends "$@" >&2
}

# One word an architecture; dpkg also knows packages that are "not-installed".
is_installed() {
	case " $(dpkg-query -W -f '${db:Status-Status} ' "$1" 2>/dev/null)" in
	*" installed "*) return 0 ;;
	*) return 1 ;;
	esac
}

command -v python3 >/dev/null || apt_install python3-minimal python3

missing=
for package in $(./configure.py --packages) $(tests/vm/vm.py packages) "$@"; do
	is_installed "$package" || missing="$missing $package"
done
# shellcheck disable=SC2086 # a list of words
[ -z "$missing" ] || apt_install $missing
