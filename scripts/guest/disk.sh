#!/bin/bash
# disk.sh bios|uefi ROOT.tar MARKER OUT.raw
#
# Makes the bootable disk from the root file system. No loop device, mount or device-mapper: the file systems are made as
# files and copied into their partitions, so the host's kernel needs no driver for them.
set -euo pipefail

firmware=$1 tar=$2 marker=$3 out=$4
fs_uuid=6f9f6ae5-30bd-4a6b-b1c5-4f0d6b5f3c12
machine_id=3f7c1b0a5d2e4c6f8a9b0c1d2e3f4a5b
export SOURCE_DATE_EPOCH=1704067200 E2FSPROGS_FAKE_TIME=1704067200

case $firmware in
bios) root_part=1 root_start=2048 root_sectors=$((4194304 - 2048)) ;;
uefi) root_part=2 esp_start=2048 esp_sectors=131072 root_start=133120 root_sectors=$((4194304 - 133120 - 2048)) ;;
*) echo "disk.sh: firmware is bios or uefi" >&2; exit 2 ;;
esac
root_dev=/dev/sda$root_part

work=$(mktemp -d "$out.XXXXXX")
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir "$root"

# etc FILE: stdin becomes the guest's file.
etc() { mkdir -p "$(dirname "$root/$1")"; cat >"$root/$1"; }

partition() {
	truncate -s 2GiB "$out"
	if [ "$firmware" = uefi ]; then
		sfdisk -q "$out" <<-F
			label: gpt
			label-id: 5B8E3B7C-2A60-4D6B-8D5C-0D6C3A1F4E01
			first-lba: 2048
			start=$esp_start, size=$esp_sectors, type=U, name=esp, uuid=5B8E3B7C-2A60-4D6B-8D5C-0D6C3A1F4E02
			start=$root_start, size=$root_sectors, type=L, name=root, uuid=5B8E3B7C-2A60-4D6B-8D5C-0D6C3A1F4E03
		F
	else
		sfdisk -q "$out" <<-F
			label: dos
			label-id: 0x5b8e3b7c
			start=$root_start, size=$root_sectors, type=83, bootable
		F
	fi
}

configure() {
	etc etc/hostname <<<vmw-web01
	etc etc/machine-id <<<"$machine_id"
	etc etc/hosts <<-F
		127.0.0.1 localhost
		127.0.1.1 vmw-web01
	F
	etc etc/fstab <<-F
		# /etc/fstab: as installed on ESXi
		# <file system> <mount point>   <type>  <options>       <dump>  <pass>
		$root_dev  /      ext4  errors=remount-ro  0 1
		$([ "$firmware" = bios ] || echo "/dev/sda1  /boot/efi  vfat  umask=0077,nofail  0 1")
		tmpfs      /tmp   tmpfs defaults           0 0
	F
	etc etc/network/interfaces <<-F
		auto lo
		iface lo inet loopback

		# the name that vmxnet3 in ESXi's PCI slot 192 gets
		allow-hotplug ens192
		iface ens192 inet dhcp
	F
	etc etc/default/grub <<-F
		GRUB_DEFAULT=0
		GRUB_TIMEOUT=0
		GRUB_DISTRIBUTOR=Debian
		GRUB_CMDLINE_LINUX="root=$root_dev ro console=tty0 console=ttyS0,115200"
		GRUB_DISABLE_LINUX_UUID=true
		GRUB_DISABLE_LINUX_PARTUUID=true
		GRUB_TERMINAL="console serial"
		GRUB_DISABLE_OS_PROBER=true
	F
	mkdir -p "$root/boot/efi"
}

services() {
	install -D -m 755 "$marker" "$root/usr/local/sbin/hypersdk-marker"
	etc etc/systemd/system/hypersdk-marker.service <<-F
		[Unit]
		Description=Say on the serial console that the guest is up
		After=network.target open-vm-tools.service systemd-user-sessions.service

		[Service]
		Type=oneshot
		ExecStart=/usr/local/sbin/hypersdk-marker

		[Install]
		WantedBy=multi-user.target
	F
	ln -s /etc/systemd/system/hypersdk-marker.service "$root/etc/systemd/system/multi-user.target.wants/"
	# The marker's line stays its own, and a boot does no upkeep.
	local unit
	for unit in serial-getty@ttyS0.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer \
		e2scrub_all.timer e2scrub_reap.service; do
		ln -sf /dev/null "$root/etc/systemd/system/$unit"
	done
}

# The configuration that update-grub would write for root on /dev/sda, without probing the machine that builds.
grub_cfg() {
	local version
	version=$(basename "$root"/boot/vmlinuz-*)
	version=${version#vmlinuz-}
	mkdir -p "$root/boot/grub"
	etc boot/grub/device.map <<<'(hd0) /dev/sda'
	etc boot/grub/grub.cfg <<-F
		set timeout=0
		set default=0
		insmod part_msdos
		insmod part_gpt
		insmod ext2
		insmod serial
		serial --speed=115200
		terminal_input console serial
		terminal_output console serial
		menuentry 'Debian GNU/Linux' --class debian {
			search --no-floppy --fs-uuid --set=root $fs_uuid
			linux /boot/vmlinuz-$version root=$root_dev ro console=tty0 console=ttyS0,115200
			initrd /boot/initrd.img-$version
		}
	F
}

boot_bios() {
	mkdir -p "$root/boot/grub/i386-pc"
	cp "$root"/usr/lib/grub/i386-pc/*.{mod,lst} "$root/boot/grub/i386-pc/"
	cat >"$root/load.cfg" <<-F
		search.fs_uuid $fs_uuid root
		set prefix=(\$root)/boot/grub
	F
	chroot "$root" grub-mkimage -O i386-pc -c /load.cfg -p /boot/grub -o /core.img biosdisk part_msdos ext2 search_fs_uuid
	mv "$root/core.img" "$work/"
	rm "$root/load.cfg"
	# boot.img goes into the MBR and core.img behind it; boot.img reads sector 1, and the block list at the end of
	# core.img's first sector says: from sector 2, the rest, to segment 0x820.
	local sectors=$((($(stat -c %s "$work/core.img") + 511) / 512))
	[ "$sectors" -lt $((root_start - 1)) ] || { echo "disk.sh: core.img does not fit before the partition" >&2; return 1; }
	put "$root/usr/lib/grub/i386-pc/boot.img" 0 440
	put "$work/core.img" 512
	printf '\1\0\0\0\0\0\0\0' | put /dev/stdin $((0x5c))
	printf '\377' | put /dev/stdin $((0x64))     # the drive that the BIOS booted from
	printf '\220\220' | put /dev/stdin $((0x66)) # and no override of it
	printf '\2\0\0\0\0\0\0\0' | put /dev/stdin $((1024 - 12))
	# shellcheck disable=SC2059 # the bytes are the format
	printf "$(printf '\\x%02x\\x%02x' $(((sectors - 1) & 255)) $(((sectors - 1) >> 8)))\x20\x08" | put /dev/stdin $((1024 - 4))
}

# put FILE OFFSET [BYTES]: writes into the disk.
put() { dd if="$1" of="$out" bs=4096 seek="$2" ${3:+count="$3"} oflag=seek_bytes iflag=fullblock,count_bytes conv=notrunc status=none; }

# What grub-install leaves on the ESP with Secure Boot's packages: shim, the signed GRUB, its configuration; nothing in \EFI\BOOT.
boot_uefi() {
	local esp=$work/esp
	truncate -s $((esp_sectors * 512)) "$esp"
	mkfs.vfat -F 32 -n ESP --invariant "$esp" >/dev/null
	cat >"$work/grub.cfg" <<-F
		search.fs_uuid $fs_uuid root
		set prefix=(\$root)'/boot/grub'
		configfile \$prefix/grub.cfg
	F
	mmd -i "$esp" ::/EFI ::/EFI/debian
	mcopy -i "$esp" "$root/usr/lib/shim/shimx64.efi.signed" ::/EFI/debian/shimx64.efi
	mcopy -i "$esp" "$root/usr/lib/shim/mmx64.efi.signed" ::/EFI/debian/mmx64.efi
	mcopy -i "$esp" "$root/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed" ::/EFI/debian/grubx64.efi
	mcopy -i "$esp" "$work/grub.cfg" ::/EFI/debian/grub.cfg
	dd if="$esp" of="$out" bs=1M seek=$((esp_start / 2048)) conv=notrunc,sparse status=none
}

echo "guest: making the $firmware disk"
tar -C "$root" --xattrs --xattrs-include='*' --numeric-owner -xpf "$tar"
partition
configure
services
grub_cfg
"boot_$firmware"
rm -rf "${root:?}"/{dev,run,tmp}/*
truncate -s $((root_sectors * 512)) "$work/fs"
mke2fs -q -F -t ext4 -U "$fs_uuid" -E "hash_seed=$fs_uuid,lazy_itable_init=1" -O ^metadata_csum_seed,^orphan_file \
	-d "$root" "$work/fs"
dd if="$work/fs" of="$out" bs=1M seek=$((root_start / 2048)) conv=notrunc,sparse status=none
