#!/bin/sh
# Checks, tests and builds the dashboard: internal/web/dashboard becomes internal/web/dist, which is committed and embedded, so that
# `go build` needs no Node.
#
#   scripts/build-dashboard.sh          writes dist
#   scripts/build-dashboard.sh --check  writes nothing; exit 1 and the names when dist is not what would be built
#
# Needs node and npm. Works on a copy, so that a tree without node_modules stays one.
set -eu

cd "$(dirname "$0")/../internal/web"
modules=$(../../scripts/dashboard-modules.sh)

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT INT TERM
mkdir "$tmp/dashboard"
tar -C dashboard --exclude=./node_modules -cf - . | tar -C "$tmp/dashboard" -xf -
cd "$tmp/dashboard"
ln -s "$modules/node_modules" node_modules
npm test --silent
npm run build --silent >"$tmp/log" 2>&1 || { cat "$tmp/log" >&2; exit 1; }
cd "$OLDPWD"

if [ "${1:-}" = --check ]; then
	diff -rq dist "$tmp/dist" || { echo "build-dashboard: dist is stale; run scripts/build-dashboard.sh" >&2; exit 1; }
else
	rm -rf dist
	cp -r "$tmp/dist" dist
fi
