#!/usr/bin/env bash
# Installs the agnes command line, as offered by @SERVER@ (@VERSION@). Run again, it installs again; nothing needs root.
# The hash below shows that the download is what this script was made for. That the script is the server's own is what https vouches for, and nothing else:
# read it first where that is not enough. From then on upgrades are checked against a key that this machine remembers.
set -euo pipefail

main() {
  local server='@SERVER@' rid='' version='' file='' sha256=''
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) rid=linux-x64 ;;
    Linux-aarch64 | Linux-arm64) rid=linux-arm64 ;;
    Darwin-x86_64) rid=osx-x64 ;;
    Darwin-arm64) rid=osx-arm64 ;;
    *) fail "there is no agnes for $(uname -s) on $(uname -m)" ;;
  esac
  case "$rid" in
@PACKAGES@
    *) fail "$server offers no agnes for $rid; ask its operator" ;;
  esac

  if [ -n '@PLAIN@' ] && [ "${AGNES_ALLOW_HTTP:-}" != 1 ]; then
    fail "$server speaks plain http, so that anybody on the way can give you another program. Ask its operator for an https address; or say that it may: export AGNES_ALLOW_HTTP=1"
  fi

  local root="${AGNES_INSTALL_DIR:-$HOME/.local/share/agnes}" bin="${AGNES_BIN_DIR:-$HOME/.local/bin}"
  mkdir -p "$root/versions" "$bin"
  incoming="$(mktemp -d "$root/.incoming-XXXXXX")"
  trap 'rm -rf "$incoming"' EXIT

  echo "Downloading agnes $version for $rid from $server"
  curl -fsSL --retry 3 "$server/cli/download/$file" -o "$incoming/$file" || fail "the download failed; nothing was changed"
  check "$sha256" "$incoming/$file"
  mkdir "$incoming/unpacked"
  tar -xzf "$incoming/$file" -C "$incoming/unpacked"
  local said
  said="$(AGNES_SELF_UPGRADE_IN_PROGRESS=1 AGNES_NO_UPDATE_CHECK=1 "$incoming/unpacked/agnes" --version)" || fail "the downloaded agnes does not start here; nothing was changed"
  [ "$said" = "agnes $version" ] || fail "the downloaded agnes says '$said' instead of 'agnes $version'; nothing was changed"

  if [ -e "$root/versions/$version" ]; then mv "$root/versions/$version" "$incoming/replaced"; fi
  mv "$incoming/unpacked" "$root/versions/$version"
  link "versions/$version" "$root/current"
  link "$root/current/agnes" "$bin/agnes"
  "$bin/agnes" setup init --server "$server" >/dev/null

  echo "Installed agnes $version in $root"
  case ":$PATH:" in
    *":$bin:"*) ;;
    *) echo "Add it to your PATH:  export PATH=\"$bin:\$PATH\"" ;;
  esac
  echo "Next, in an empty folder, with a token from $server/tokens:"
  echo "  export AGNES_TOKEN=…"
  echo "  agnes init --server-url $server"
}

check() {
  if command -v sha256sum >/dev/null; then
    echo "$1  $2" | sha256sum -c - >/dev/null || fail "the download is not what $server promised; nothing was changed"
  else
    echo "$1  $2" | shasum -a 256 -c - >/dev/null || fail "the download is not what the server promised; nothing was changed"
  fi
}

# A link made beside and renamed over the old one: there is no moment without it.
link() {
  local new="$2.new-$$"
  ln -s "$1" "$new"
  if mv -fT "$new" "$2" 2>/dev/null || mv -fh "$new" "$2" 2>/dev/null; then return; fi
  rm -f "$2" && mv "$new" "$2"
}

fail() {
  echo "agnes was not installed: $1" >&2
  exit 1
}

# At the end, so that half a script does nothing.
main "$@"
