#!/bin/bash
# build-guest.sh --firmware bios|uefi [--cache DIR]
#
# Builds a bootable Debian 12 disk as it would lie on ESXi and prints the path of the raw image, 2 GiB and sparse, on stdout.
# The guest knows only VMware's hardware: its initramfs holds vmw_pvscsi and vmxnet3, /dev/sdaN stands in fstab and on the
# kernel command line, the network is configured for ens192, open-vm-tools runs. It cannot boot on virtio until FIX. On a
# UEFI guest only \EFI\debian exists, as the installer leaves it. When up, it prints one line on the serial console:
#
#   HYPERSDK-GUEST boot-ok root=/dev/sda1 blk=sda:sd net=ens192 drv=vmxnet3 ip=192.0.2.7/24 failed= vmtools=active
#
# Images are cached under a hash of what they are made from, the root file system apart from the disks, so that both
# firmwares share one debootstrap. Two runs at once are safe. Needs root, and the packages that setup-kvm-host.sh installs.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
suite=bookworm
firmware=
cache=${XDG_CACHE_HOME:-$HOME/.cache}/hypersdk/guests

usage() { sed -n '2,3s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }

while [ $# -gt 0 ]; do
	case $1 in
	--firmware) firmware=${2:-}; shift 2 || usage ;;
	--cache) cache=${2:-}; shift 2 || usage ;;
	*) usage ;;
	esac
done
case $firmware in bios | uefi) ;; *) usage ;; esac
[ -n "$cache" ] || usage

key() { sha256sum | cut -c1-16; }

root_key=$({ echo "$suite"; cat "$here/guest/packages" "$here/guest/root.sh"; } | key)
disk_key=$({ echo "$root_key $firmware"; cat "$here/guest/disk.sh" "$here/guest/marker"; } | key)
root_tar=$cache/root-$root_key.tar
image=$cache/debian-12-$firmware-$disk_key.raw

# made FILE COMMAND...: runs the command, with the name of a temporary file added, unless FILE exists; renames when it is whole.
made() {
	local file=$1 lock tmp
	shift
	[ -s "$file" ] && return
	exec {lock}>"$file.lock"
	flock "$lock"
	if [ ! -s "$file" ]; then
		tmp=$file.tmp
		rm -rf "$tmp" "$tmp".* # of a run that was killed
		"$@" "$tmp" >&2 || { rm -f "$tmp"; return 1; }
		sync "$tmp"
		mv "$tmp" "$file"
	fi
	exec {lock}>&-
}

if [ ! -s "$image" ]; then
	[ "$(id -u)" = 0 ] || { echo "build-guest.sh: needs root" >&2; exit 1; }
	mkdir -p "$cache"
	made "$root_tar" "$here/guest/root.sh" "$suite" "$here/guest/packages"
	made "$image" "$here/guest/disk.sh" "$firmware" "$root_tar" "$here/guest/marker"
fi
echo "$image"
