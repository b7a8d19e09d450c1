#!/bin/sh
# Generates docs/index.md, docs/guides and the references of resources, data sources, functions and ephemeral resources from the provider's schema, templates/ and examples/, and docs/cli and docs/man from the commands.
#
#   scripts/generate-docs.sh          writes them
#   scripts/generate-docs.sh --check  writes nothing; exit 1 and a diff when they are not what would be generated
#
# Needs go, terraform and tfplugindocs on PATH (or TFPLUGINDOCS naming the latter). It asks no network: terraform is given
# the provider built from this tree.
set -eu

cd "$(dirname "$0")/.."
tool=${TFPLUGINDOCS:-$(command -v tfplugindocs || echo "$HOME/.cache/hypersdk/tools/tfplugindocs")}
for need in go terraform "$tool"; do
	command -v "$need" >/dev/null || { echo "generate-docs: $need is not installed" >&2; exit 1; }
done

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT INT TERM

mkdir "$tmp/bin" "$tmp/schema" "$tmp/tree"
go build -tags libvirt_dlopen -o "$tmp/bin/terraform-provider-hypersdk" .
cat >"$tmp/terraformrc" <<RC
provider_installation {
  dev_overrides {
    "hypersdk/hypersdk" = "$tmp/bin"
  }
  direct {}
}
RC
cp examples/provider/provider.tf "$tmp/schema/"
TF_CLI_CONFIG_FILE="$tmp/terraformrc" CHECKPOINT_DISABLE=1 \
	terraform -chdir="$tmp/schema" providers schema -json |
	sed 's|"registry.terraform.io/hypersdk/hypersdk"|"hypersdk"|' >"$tmp/schema.json" # the name the tool looks for

# The tool empties the directory it writes to; docs/ also holds pages written by hand, so it works on a copy.
cp -r templates examples "$tmp/tree/"
"$tool" generate --provider-dir "$tmp/tree" --provider-name hypersdk --rendered-provider-name hypersdk \
	--providers-schema "$tmp/schema.json" >"$tmp/log" 2>&1 || { cat "$tmp/log" >&2; exit 1; }

# The reference of the commands, from the tree that parses their command lines.
go build -tags libvirt_dlopen -o "$tmp/bin/" ./cmd/hyperctl ./cmd/hyperexport ./cmd/hypersdkd ./cmd/hypersdkd
for command in hyperctl hyperexport hypersdkd; do
	"$tmp/bin/$command" reference -markdown "$tmp/tree/docs/cli" -man "$tmp/tree/docs/man"
done

status=0
for part in index.md guides resources data-sources functions ephemeral-resources cli man; do
	if [ "${1:-}" = --check ]; then
		[ ! -e "docs/$part" ] && [ ! -e "$tmp/tree/docs/$part" ] && continue
		diff -ruN "docs/$part" "$tmp/tree/docs/$part" || status=1
	else
		rm -rf "docs/$part"
		[ -e "$tmp/tree/docs/$part" ] || continue
		mkdir -p docs
		cp -r "$tmp/tree/docs/$part" docs/
	fi
done
[ "$status" = 0 ] || echo "generate-docs: docs are stale; run scripts/generate-docs.sh" >&2
exit "$status"
