#!/usr/bin/env bash
# FIX beside virt-v2v-in-place on a Debian guest as it lies on ESXi: both make it boot on virtio, each on an overlay of the
# same qcow2 image. Takes about five minutes without hardware virtualisation, nearly all of it virt-v2v; -quick leaves that out.
# Needs root, libguestfs and virt-v2v, and 3 GiB in the cache directory. Arguments go to the program: see
# bench/fixbench/main.go.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${XDG_CACHE_HOME:-$HOME/.cache}/hypersdk/bench
mkdir -p "$cache"
image=$(scripts/build-guest.sh --firmware bios)
go build -o "$cache/fixbench" ./bench/fixbench
exec "$cache/fixbench" -image "$image" -dir "$cache" "$@"
