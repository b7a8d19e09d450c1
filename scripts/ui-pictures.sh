#!/bin/sh
# Makes the pictures of docs/features/TERMINAL_UI.md: real screens of hyperctl in tmux, over a simulated vCenter.
# Usage: scripts/ui-pictures.sh HYPERCTL   (a built one; needs go and tmux)
set -eu
hyperctl=$(realpath "$1")
root=$(cd "$(dirname "$0")/.." && pwd)
out=$root/docs/features/images
dir=$(mktemp -d)
export XDG_RUNTIME_DIR="$dir" LC_ALL=C.UTF-8 TZ=UTC TERM=xterm-256color
pane() { tmux -S "$dir/s" -f /dev/null "$@"; }
finish() {
	pane kill-server 2>/dev/null || true
	"$hyperctl" vcsim -stop 2>/dev/null || true
	rm -rf "$dir"
}
trap finish EXIT

mkdir -p "$out"
go build -o "$dir/uisvg" "$root/scripts/uisvg"
truncate -s 20G "$dir/a.raw"
truncate -s 60G "$dir/b.raw"
set --
n=10
for vm in web-01 web-02 web-03 db-01 db-02 cache-01 mail-01 build-01; do
	n=$((n + 1))
	case $vm in db-*) disk=b.raw cpus=8 memory=32768 ;; *) disk=a.raw cpus=2 memory=4096 ;; esac
	case $vm in build-*) power=off ;; *) power=on ;; esac
	set -- "$@" -guest "/DC0/vm/$vm=$dir/$disk,cpus=$cpus,memory=$memory,hostname=$vm.example.org,ip=192.0.2.$n,guest-id=debian12_64Guest,power=$power"
done
"$hyperctl" vcsim -detach -hosts 3 -vms 2 -cache-dir "$dir/cache" "$@" >"$dir/env"
# shellcheck disable=SC1091
. "$dir/env"

# await TEXT polls until the screen holds the text.
await() {
	for _ in $(seq 600); do
		pane capture-pane -p | grep -qF "$1" && return
		sleep 0.1
	done
	echo "never saw: $1" >&2
	pane capture-pane -p >&2
	exit 1
}
# picture NAME TEXT KEY... presses keys, awaits the text and draws the screen.
picture() {
	name=$1 text=$2
	shift 2
	for key in "$@"; do
		pane send-keys "$key"
		if [ "$key" = Escape ]; then sleep 0.3; fi # else a terminal takes it and the next key for Alt
	done
	await "$text"
	pane capture-pane -p -e | "$dir/uisvg" >"$out/$name.svg"
}
mkdir "$dir/work"
cd "$dir/work"
pane new-session -d -x 100 -y 24 "$hyperctl migrate"
await "10 VMs"
picture ui-list "3 selected" / w e b Enter a Escape
picture ui-bulk "Change Network" b
picture ui-delete "type \"delete 3\"" 4 Tab Tab Tab Tab Enter
picture ui-operations "3 done" Escape 2 Tab Tab Tab Tab Tab Enter
picture ui-migrate "/srv/kvm/{name}" Escape x Tab C-u '/srv/kvm/{name}'
picture ui-detail "Snapshots" Escape End Enter
picture ui-events "VmPoweredOnEvent" e
picture ui-help "Everywhere" Escape Escape '?'
pane resize-window -x 120 -y 36
picture ui-metrics "newest" Escape m
pane send-keys Escape
