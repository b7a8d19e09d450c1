#!/usr/bin/env bash
# The provider beside terraform-provider-vsphere: calls, tasks, bytes and sessions that a vCenter feels, CPU and memory of the
# provider. Drives real terraform against a simulated vCenter; the peer's figures are recorded ones. Takes about three minutes.
# Needs terraform. Arguments go to the program: see bench/terraformbench/main.go.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$dir/terraform-provider-hypersdk" .
go build -o "$dir/terraformbench" ./bench/terraformbench
"$dir/terraformbench" -provider "$dir/terraform-provider-hypersdk" "$@"
