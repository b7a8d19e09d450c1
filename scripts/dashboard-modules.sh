#!/bin/sh
# Installs what the dashboard is built and tested with, once for each package-lock.json, below the user's cache, and prints where:
# a directory with package.json and node_modules.
set -eu

cd "$(dirname "$0")/../internal/web/dashboard"
for need in node npm; do
	command -v "$need" >/dev/null || { echo "dashboard-modules: $need is not installed" >&2; exit 1; }
done
key=$(cat package.json package-lock.json | sha256sum | cut -c1-16)
home=${XDG_CACHE_HOME:-$HOME/.cache}/hypersdk/dashboard
[ -e "$home/$key/node_modules/.complete" ] || {
	mkdir -p "$home"
	tmp=$(mktemp -d "$home/new.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT INT TERM
	cp package.json package-lock.json "$tmp/"
	(cd "$tmp" && npm ci --no-audit --no-fund --loglevel=error) >&2
	touch "$tmp/node_modules/.complete"
	mv "$tmp" "$home/$key" 2>/dev/null || [ -e "$home/$key/node_modules/.complete" ] # another run was first
}
echo "$home/$key"
