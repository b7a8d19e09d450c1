#!/usr/bin/env bash
# The disk path beside qemu-img and cp, on this machine: a disk of 3 GiB with 1.5 GiB of files from /usr, as ESXi would serve
# it, turned into qcow2 in every mode. Takes about ten minutes, nearly all of it qemu-img. Needs qemu-img and mke2fs, about
# 12 GiB in the cache directory, and no root. Arguments go to the program: see bench/diskbench/main.go.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:/usr/sbin:/sbin
cache=${XDG_CACHE_HOME:-$HOME/.cache}/hypersdk/bench
mkdir -p "$cache"
go build -o "$cache/diskbench" ./bench/diskbench
exec "$cache/diskbench" -dir "$cache" "$@"
