#!/usr/bin/env bash
# An export over a lease, straight to qcow2, beside curl, which writes the same lease's bytes into a file: rates at 1 Gbit/s,
# 10 Gbit/s and unshaped, and memory by the size of the disk. Takes about three minutes, the first time two more to make
# disks. Needs curl and qemu-img, about 6 GiB in the cache directory, and no root. Arguments go to the program: see
# bench/exportbench.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${XDG_CACHE_HOME:-$HOME/.cache}/hypersdk/bench
# the disk is the one that bench/disk.sh makes
[[ -e $cache/disk.vmdk && -e $cache/disk.raw ]] || bench/disk.sh -quick >/dev/null
go test -c -o "$cache/exportbench" ./bench/exportbench
exec "$cache/exportbench" tables -dir "$cache" "$@"
