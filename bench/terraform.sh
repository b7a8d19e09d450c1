#!/usr/bin/env bash
# The provider beside terraform-provider-vsphere: calls, tasks, bytes and sessions that a vCenter feels, CPU and memory of the
# provider. Drives real terraform against a simulated vCenter; the peer's figures are recorded ones. Takes about three minutes.
# Needs terraform. Arguments go to the program: see bench/terraformbench/main.go.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
CGO_ENABLED=0 go build -trimpath -tags grpcnotrace -ldflags '-s -w' -gcflags=all=-l -gcflags=std= '-gcflags=github.com/hypersdk/...=' \
  '-gcflags=github.com/klauspost/...=' '-gcflags=github.com/vmware/govmomi/vim25/xml=' -o "$dir/terraform-provider-hypersdk" . # as a release: .goreleaser.yml
go build -o "$dir/terraformbench" ./bench/terraformbench
"$dir/terraformbench" -provider "$dir/terraform-provider-hypersdk" "$@"
