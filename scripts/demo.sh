#!/usr/bin/env bash
# demo.sh [--clean] - the whole product in one run, on this machine:
#
#   a simulated vCenter with a real Debian guest in it  →  terraform apply  →  the same guest under libvirt, booted.
#
# What it makes stays under ${XDG_CACHE_HOME:-~/.cache}/hypersdk and in the storage pool "default"; --clean removes it.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/hypersdk
work=$cache/demo
vm=web-01
version=0.1.0
export LIBVIRT_DEFAULT_URI=qemu:///system
export TF_IN_AUTOMATION=1 CHECKPOINT_DISABLE=1
export TF_CLI_CONFIG_FILE=$work/cli.tfrc TF_DATA_DIR=$work/.terraform

start=$SECONDS
say() { printf '\n\033[1m[%3ds] %s\033[0m\n' $((SECONDS - start)) "$*" | if [ -t 1 ]; then cat; else sed 's/\x1b\[[0-9;]*m//g'; fi; }
die() { printf 'demo: %s\n' "$*" >&2; exit 1; }

cli() {
	local name
	for name in terraform tofu; do
		if command -v "$name"; then return; fi
	done
	die "neither terraform nor tofu is on PATH: install Terraform 1.11 or later (or OpenTofu), then run this again"
}

clean() {
	say "stop the simulated vCenter"
	[ ! -x "$root/bin/hyperctl" ] || "$root/bin/hyperctl" vcsim -stop
	if [ -s "$work/terraform.tfstate" ] && [ -x "$root/bin/hyperctl" ]; then
		say "terraform destroy: undefine the domain, delete its disks"
		vcenter
		"$tf" -chdir="$work" destroy -auto-approve -no-color || true
		"$root/bin/hyperctl" vcsim -stop
	fi
	if virsh -q dominfo "$vm" >/dev/null 2>&1; then
		virsh -q destroy "$vm" >/dev/null 2>&1 || true
		virsh -q undefine "$vm" --nvram --managed-save
	fi
	rm -rf "$work"
	rm -f /var/lib/libvirt/images/"$vm"-disk-*.qcow2 /var/lib/libvirt/images/"$vm".manifest.json /var/lib/libvirt/images/.hypersdk/"$vm".lock
	rmdir --ignore-fail-on-non-empty /var/lib/libvirt/images/.hypersdk 2>/dev/null || true
	say "removed what the demo made; built guests and tools stay in $cache"
}

# vcenter starts the simulated vCenter with the guest in it and sets this shell up to reach it.
vcenter() {
	local guest env
	guest=$("$root/scripts/build-guest.sh" --firmware bios)
	# not eval "$(…)": a failure must end this script
	env=$("$root/bin/hyperctl" vcsim -detach -guest "/DC0/vm/$vm=$guest")
	eval "$env"
}

configure() {
	mkdir -p "$work"
	local os arch
	os=$(go env GOOS) arch=$(go env GOARCH)
	for host in registry.terraform.io registry.opentofu.org; do
		local dir=$work/providers/$host/hypersdk/hypersdk/$version/${os}_$arch
		mkdir -p "$dir"
		cp "$root/bin/terraform-provider-hypersdk" "$dir/terraform-provider-hypersdk_v$version"
	done
	printf 'provider_installation {\n  filesystem_mirror {\n    path = "%s/providers"\n  }\n}\n' "$work" >"$TF_CLI_CONFIG_FILE"
	cp "$root/examples/demo/main.tf" "$work/main.tf"
	rm -f "$work/.terraform.lock.hcl" # the provider was built anew: its hash may differ
}

tf=$(cli)
if [ "${1:-}" = --clean ]; then
	clean
	exit 0
fi

say "1/6 set this machine up: QEMU, libvirt, libguestfs (first time: a minute or two)"
"$root/scripts/setup-kvm-host.sh"

say "2/6 build the provider and the commands"
make -C "$root" --no-print-directory build

say "3/6 build a Debian guest as it would lie on ESXi: VMware drivers only, /dev/sda1, ens192 (first time: a minute or two)"
"$root/scripts/build-guest.sh" --firmware bios

say "4/6 start a simulated vCenter that serves it over the real export protocol"
"$root/bin/hyperctl" vcsim -stop
vcenter
"$root/bin/hyperctl" vcenter info
"$root/bin/hyperctl" host list

say "5/6 $(basename "$tf") apply: plan shows findings; apply exports, converts, fixes, boots a throw-away copy, then starts the real one"
configure
"$tf" -chdir="$work" init -no-color -input=false | grep -v '^$' | head -4
"$tf" -chdir="$work" apply -no-color -input=false -auto-approve

say "6/6 the proof"
echo "the guest's own words on its console, from the boot check:"
"$tf" -chdir="$work" output -raw boot_evidence
echo
echo "$(basename "$tf") plan:"
"$tf" -chdir="$work" plan -no-color -input=false -detailed-exitcode | grep -E 'No changes' ||
	die "terraform plan wants changes right after the apply"
virsh list --all

say "done. The domain runs: virsh console $vm. The source is as it was. Remove everything: make demo-clean"
