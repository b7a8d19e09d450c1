#!/bin/bash
# root.sh SUITE PACKAGES OUT.tar
#
# Makes the guest's root file system as a tar: what both firmwares need, from the apt sources of this machine. The initramfs
# is made with VMware's drivers only.
set -euo pipefail

suite=$1 packages=$2 out=$3
export SOURCE_DATE_EPOCH=1704067200 # 2024-01-01

# The machine's own sources of this suite, in whichever file and syntax they are written; none: mmdebstrap's default.
# shellcheck disable=SC2016 # apt's own variables
mapfile -t mirrors < <(
	apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
		awk -v s="$suite" '($3 == s || $3 == s "-updates" || $3 == s "-security") && $4 == "main"' | sort -u
)

echo "guest: installing Debian $suite into a tar (about a minute)"
# shellcheck disable=SC2016 # $1 is the hook's own
mmdebstrap --quiet --variant=minbase --format=tar \
	--include="$(paste -sd, "$packages")" \
	--aptopt='APT::Install-Recommends "false"' \
	--aptopt='Acquire::Languages "none"' \
	--dpkgopt='path-exclude=/usr/share/doc/*' \
	--dpkgopt='path-exclude=/usr/share/man/*' \
	--dpkgopt='path-exclude=/usr/share/locale/*' \
	--dpkgopt='force-unsafe-io' \
	--customize-hook='sed -i "s/^MODULES=.*/MODULES=list/" "$1/etc/initramfs-tools/initramfs.conf"' \
	--customize-hook='printf "%s\n" vmw_pvscsi vmxnet3 sd_mod ext4 >"$1/etc/initramfs-tools/modules"' \
	--customize-hook='chroot "$1" update-initramfs -u -k all' \
	--customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/* "$1"/var/log/*.log' \
	"$suite" "$out" "${mirrors[@]}"
