#!/usr/bin/env bash
# install-tools.sh NAME... builds the named tools at their pinned versions, once, into ~/.cache/hypersdk/tools; NAME there is a
# link to NAME-VERSION/NAME. Needs go and the module proxy.
set -euo pipefail

tools=${XDG_CACHE_HOME:-$HOME/.cache}/hypersdk/tools

module() {
	case $1 in
	golangci-lint) echo github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 ;;
	tfplugindocs) echo github.com/hashicorp/terraform-plugin-docs/cmd/tfplugindocs@v0.25.0 ;;
	goreleaser) echo github.com/goreleaser/goreleaser/v2@v2.16.0 ;;
	*) echo "install-tools: unknown tool $1; there are golangci-lint, tfplugindocs and goreleaser" >&2 && exit 2 ;;
	esac
}

install_tool() {
	local name=$1 module dir
	module=$(module "$name")
	dir=$name-${module##*@}
	if [[ ! -x $tools/$dir/$name ]]; then
		echo "install-tools: build $module" >&2
		# into a directory of its own first: an interrupted build must not look like a tool
		rm -rf "$tools/$dir.part"
		GOBIN=$tools/$dir.part GOFLAGS=-trimpath CGO_ENABLED=0 go install -ldflags '-s -w' "$module"
		rm -rf "${tools:?}/$dir"
		mv "$tools/$dir.part" "$tools/$dir"
	fi
	ln -sfn "$dir/$name" "$tools/$name"
}

[[ $# -gt 0 ]] || { echo "usage: install-tools.sh NAME..." >&2 && exit 2; }
mkdir -p "$tools"
exec 9>"$tools/.lock"
flock 9
for name; do install_tool "$name"; done
