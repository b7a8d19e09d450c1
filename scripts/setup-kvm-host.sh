#!/usr/bin/env bash
# Bare Debian 12 (root; no systemd, D-Bus or udev needed) -> a working qemu:///system with storage pool "default" and network
# "default", and the tools that builds, tests and the demo use. Idempotent. See --help.
#
# A libvirt that somebody else set up is left alone: then the script only reports what is missing. It takes libvirt for its own
# when it installed it (the file $OWN says so) or finds its mark in qemu.conf.
set -euo pipefail

usage() {
	cat <<'HELP'
usage: setup-kvm-host.sh [--minimal] [--netns NAME | --no-netns] [--dry-run] [--check]

  --minimal     QEMU and libvirt only, without guest builders, libguestfs, virt-v2v and UEFI firmware
  --netns NAME  run libvirtd in the network namespace NAME (default: h2kvm), so that its bridge, NAT rules and guests stay off
                the machine's own network; clients reach its socket from anywhere. Without effect where systemd runs libvirtd
  --no-netns    run libvirtd in the machine's own network
  --dry-run     say what would be done, and do nothing
  --check       do nothing and print nothing; exit 0 when all is there, 1 when not

Exit codes: 0 all is there, 1 something is missing or failed, 2 usage.
HELP
}

readonly OWN=/var/lib/setup-kvm-host/libvirt-is-ours
readonly MARK='# setup-kvm-host'
readonly QEMU_CONF=/etc/libvirt/qemu.conf
readonly LOG=/var/log/setup-kvm-host.log
readonly IMAGES=/var/lib/libvirt/images
readonly LOCK_SECONDS=600

readonly MINIMAL_PACKAGES=(
	qemu-system-x86 qemu-utils libvirt-daemon-system libvirt-clients
	dnsmasq-base # only recommended by libvirt, but network "default" cannot start without it
	iptables iproute2 procps libxml2-utils
)
readonly FULL_PACKAGES=(
	ovmf libguestfs-tools virt-v2v nbdkit libnbd-bin
	linux-image-cloud-amd64 # libguestfs makes its appliance from a kernel in /boot
	mmdebstrap grub-pc-bin grub2-common grub-efi-amd64-bin mtools dosfstools fdisk e2fsprogs ntfs-3g libhivex-bin python3-hivex
	busybox-static cpio xz-utils zstd file curl ca-certificates tmux shellcheck
	chromium # the dashboard is looked at in it
)

minimal=false netns=h2kvm dry_run=false check=false acted=false
while [[ $# -gt 0 ]]; do
	case $1 in
	--minimal) minimal=true ;;
	--netns)
		[[ $# -ge 2 && $2 =~ ^[A-Za-z0-9_.-]+$ ]] || { usage >&2 && exit 2; }
		netns=$2 && shift
		;;
	--no-netns) netns= ;;
	--dry-run) dry_run=true ;;
	--check) check=true ;;
	-h | --help) usage && exit 0 ;;
	*) usage >&2 && exit 2 ;;
	esac
	shift
done

export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 LIBVIRT_DEFAULT_URI=qemu:///system

say() {
	$check && return
	local now=${EPOCHREALTIME/./}
	printf '[%4d.%01ds] %s\n' $(((now - START) / 1000000)) $(((now - START) / 100000 % 10)) "$*"
}
readonly START=${EPOCHREALTIME/./}

die() {
	$check || echo "setup-kvm-host: $*" >&2
	exit 1
}

# act says what is done and does it, or only says it.
act() {
	local what=$1
	shift
	acted=true
	if $dry_run; then
		say "would: $what"
		return
	fi
	"$@"
	say "$what"
}

# ---- what is there

has_systemd() { [[ -d /run/systemd/system ]]; }

installed() { [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

ours() { [[ -e $OWN ]] || grep -qxF "$MARK" "$QEMU_CONF" 2>/dev/null; }

# A libvirt of somebody else: its daemon is installed or answers, and we did not install it.
foreign() {
	! ours && { installed libvirt-daemon || [[ -x /usr/sbin/libvirtd || -x /usr/sbin/virtqemud ]] || daemon_answers; }
}

daemon_answers() { [[ -n $(command -v virsh) ]] && timeout 10 virsh -q uri >/dev/null 2>&1; }

# One question for all packages: dpkg-query is slow to start.
missing_packages() {
	local want=("${MINIMAL_PACKAGES[@]}") status name
	$minimal || want+=("${FULL_PACKAGES[@]}")
	declare -A have=()
	while read -r status name; do
		if [[ $status == installed ]]; then have[$name]=1; fi
	done < <(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${want[@]}" 2>/dev/null)
	for name in "${want[@]}"; do
		if [[ -z ${have[$name]:-} ]]; then echo "$name"; fi
	done
}

# field KEY: the value of "KEY: value" lines. It reads to the end: under pipefail an early exit would fail virsh.
field() { awk -F': *' -v key="$1" '$1 == key { value = $2 } END { print value }'; }
network_active() { [[ $(virsh -q net-info default 2>/dev/null | field Active) == yes ]]; }
pool_active() { [[ $(virsh -q pool-info default 2>/dev/null | field State) == running ]]; }

# /dev/kvm proves nothing: there are hosts where it opens and every guest hangs.
acceleration() {
	if grep -qwE 'vmx|svm' /proc/cpuinfo && echo quit | timeout 10 qemu-system-x86_64 -accel kvm -cpu host -nodefaults \
		-display none -S -monitor stdio >/dev/null 2>&1; then
		echo kvm
	else
		echo qemu
	fi
}

# ---- report only

report() {
	local lacks=0 packages
	mapfile -t packages < <(missing_packages)
	if [[ ${#packages[@]} -gt 0 ]]; then
		lacks=1
		say "missing packages; install them with: apt-get install --no-install-recommends ${packages[*]}"
	fi
	if ! daemon_answers; then
		say "libvirtd does not answer on qemu:///system"
		return 1
	fi
	network_active || { lacks=1 && say 'network "default" is not active: virsh net-start default'; }
	pool_active || { lacks=1 && say "storage pool \"default\" is not active: virsh pool-start default, or first virsh pool-define-as default dir --target $IMAGES"; }
	return $lacks
}

# ---- packages

# apt_get waits for whoever holds a lock: the option covers dpkg's, the loop apt's others.
apt_get() {
	local until=$((SECONDS + LOCK_SECONDS))
	while ! apt-get -qq -o DPkg::Lock::Timeout=$LOCK_SECONDS "$@" </dev/null >"$LOG" 2>&1; do
		if ! grep -qE 'Could not get lock|Unable to lock' "$LOG" || ((SECONDS > until)); then
			return 1
		fi
		sleep 2
	done
}

install_packages() {
	local options=(-y --no-install-recommends)
	# Unpacking without a flush for each file is three times as fast. Not on a machine that somebody lives on.
	has_systemd || options+=(-o Dpkg::Options::=--force-unsafe-io)
	compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null || apt_get update || fail_apt
	if apt_get "${options[@]}" install "$@"; then return; fi
	# The lists may be older than what the mirror still has.
	apt_get update || fail_apt
	apt_get "${options[@]}" install "$@" || fail_apt
}

fail_apt() {
	tail -n 20 "$LOG" >&2
	die "apt-get failed; its output is in $LOG"
}

# ---- configuration: only of a libvirt that this script installed, where no systemd looks after it

# QEMU runs as root: images in build trees need no change of owner and no way in for another user. No udev, no cgroups and no
# security module are there, so libvirt must not try them.
write_qemu_conf() {
	cat >>"$QEMU_CONF" <<CONF

$MARK
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
cgroup_controllers = [ ]
namespaces = [ ]
CONF
}

# ---- daemons

# running NAME: the daemon of that name that wrote its pid file still runs. A stale file, or a number that another program has
# by now, is removed: it would keep the daemon from starting.
running() {
	local file=/run/$1.pid pid
	pid=$(cat "$file" 2>/dev/null) || return 1
	if [[ -n $pid && $(cat "/proc/$pid/comm" 2>/dev/null) == "$1" ]]; then return; fi
	rm -f "$file"
	return 1
}

# detached COMMAND: without our terminal and none of our descriptors, or a caller that reads our output to its end never sees it.
detached() {
	(
		for fd in "/proc/$BASHPID/fd"/*; do
			fd=${fd##*/}
			if ((fd > 2)); then eval "exec $fd>&-"; fi
		done
		exec setsid --fork "$@" </dev/null >>"$LOG" 2>&1
	)
}

make_netns() {
	[[ -e /run/netns/$netns ]] || ip netns add "$netns" || die "no network namespace can be made here; try --no-netns"
	nsenter --net="/run/netns/$netns" ip link set lo up
}

start_daemons() {
	local inside=()
	mkdir -p /run/libvirt "$IMAGES"
	if [[ -n $netns ]]; then
		make_netns
		# Not "ip netns exec": that mounts another /sys, without the cgroups.
		inside=(nsenter --net="/run/netns/$netns")
	fi
	running virtlogd || detached /usr/sbin/virtlogd -d
	running libvirtd || detached "${inside[@]}" /usr/sbin/libvirtd -d
	for _ in {1..300}; do
		if daemon_answers; then return; fi
		sleep 0.1
	done
	tail -n 5 "$LOG" /var/log/libvirt/libvirtd.log >&2 2>/dev/null || true
	die "libvirtd does not answer on qemu:///system"
}

# Where systemd runs, the packages brought units.
start_units() {
	systemctl -q enable --now libvirtd.service
	daemon_answers || die "libvirtd does not answer on qemu:///system; see journalctl -u libvirtd"
}

# ---- network and pool

define_network() { virsh -q net-define /usr/share/libvirt/networks/default.xml >/dev/null; }
start_network() {
	virsh -q net-start default >/dev/null
	virsh -q net-autostart default >/dev/null
}
define_pool() {
	virsh -q pool-define-as default dir --target "$IMAGES" >/dev/null
	virsh -q pool-build default >/dev/null
}
start_pool() {
	virsh -q pool-start default >/dev/null
	virsh -q pool-autostart default >/dev/null
}

# One run at a time. The daemons do not inherit the lock: see detached.
lock() {
	exec 9>/run/setup-kvm-host.lock
	flock -w $LOCK_SECONDS 9 || die "another run holds /run/setup-kvm-host.lock"
}

set_up() {
	local packages
	$dry_run || lock
	mapfile -t packages < <(missing_packages)
	if [[ ${#packages[@]} -gt 0 ]]; then
		# Said before libvirt is there, so that a run that is cut short does not take its own work for somebody else's.
		$dry_run || { mkdir -p "${OWN%/*}" && touch "$OWN"; }
		$dry_run || say "installing ${#packages[@]} packages and what they need; apt-get's output is in $LOG"
		act "packages: ${packages[*]}" install_packages "${packages[@]}"
	fi
	if ! has_systemd && ! grep -qxF "$MARK" "$QEMU_CONF" 2>/dev/null; then
		act "$QEMU_CONF for a machine without systemd" write_qemu_conf
	fi
	if ! daemon_answers; then
		if has_systemd; then
			act "libvirtd by systemd" start_units
		else
			act "libvirtd in ${netns:+network namespace }${netns:-the machine\'s network}" start_daemons
		fi
	fi
	if $dry_run && ! daemon_answers; then
		say 'would: network "default" and storage pool "default", defined and started'
		return
	fi
	virsh -q net-info default >/dev/null 2>&1 || act 'network "default" defined' define_network
	network_active || act 'network "default" started' start_network
	virsh -q pool-info default >/dev/null 2>&1 || act "storage pool \"default\" defined in $IMAGES" define_pool
	pool_active || act 'storage pool "default" started' start_pool
}

main() {
	command -v dpkg-query >/dev/null || die "this is not a Debian system; install QEMU, libvirt, libguestfs and virt-v2v by its own means"
	if $check; then
		report
		return
	fi
	if ! $dry_run && [[ $(id -u) != 0 ]]; then die "must run as root"; fi
	if foreign; then
		say "libvirt was set up by somebody else here: nothing is changed"
		report || die "not ready; the lines above say what is missing"
	else
		set_up
		if $dry_run; then
			$acted || say "nothing to do"
			return
		fi
	fi
	say "ready: qemu:///system, guests run with $(acceleration)"
}

trap 'echo "setup-kvm-host: interrupted; run it again to go on" >&2; exit 130' INT TERM
main
