#!/bin/bash
# Runs a command as on a new machine, which has Go, git and Debian's base tools.
#
#   masked.sh CACHE COMMAND [ARGUMENT…]
#
# HOME is an empty folder, which is removed afterwards. PATH contains only Go and the
# system's own folders. Only the environment variables listed below are passed on. In a
# mount namespace, the system's own nginx, node, npm, yarn, Chromium, zsh and so on are
# covered by a file that cannot be run, and their folders by an empty read-only one. So
# tests find only what install.sh put into CACHE. Fonts, media types, time zones and tools
# that a small system does not have are covered too.
set -euo pipefail

PROGRAMS=(nginx node nodejs npm npx yarn yarnpkg corepack pnpm vsce ovsx code code-server
  chromium chromium-browser google-chrome google-chrome-stable chrome minisign versitygw helm kubectl caddy
  zsh fish mandoc prometheus promtool oauth2-proxy systemd-analyze systemd-socket-activate curl jq openssl python3 script sudo unzip wget zip zstd)
FOLDERS=(/etc/nginx /usr/lib/nginx /usr/share/nginx /var/lib/nginx /var/log/nginx /var/cache/nginx
  /etc/npmrc /etc/yarnrc /usr/etc/npmrc /usr/etc/yarnrc /usr/local/etc/npmrc /usr/local/etc/yarnrc
  /usr/include/node /usr/local/include/node /usr/lib/node_modules /usr/local/lib/node_modules
  /usr/share/nodejs /usr/share/node_modules /usr/share/npm /usr/share/yarn /usr/share/yarnpkg
  /etc/chromium /etc/chromium.d /usr/lib/chromium /usr/lib/chromium-browser /usr/share/chromium
  /opt/google/chrome /etc/fonts /usr/share/fonts /usr/share/fontconfig
  /etc/caddy /etc/zsh /usr/share/zsh /etc/fish /usr/share/fish /etc/mime.types /usr/share/mime /usr/share/zoneinfo)
SYSTEM=(/usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin)
# Variables that are passed on: for the network, temporary files, Go and make.
PASSED_ON='^(http_proxy|https_proxy|no_proxy|all_proxy|HTTP_PROXY|HTTPS_PROXY|NO_PROXY|ALL_PROXY|SSL_CERT_.*|NODE_EXTRA_CA_CERTS|TERM|TMPDIR|GO[A-Z0-9]*|CGO_.*|CC|CXX|MAKEFLAGS)$'

fail() {
  echo "masked.sh: $1" >&2
  exit 1
}

# cover SCRATCH: mounts SCRATCH/folder over folders, and SCRATCH/file over programs and files.
cover() {
  local path folder name
  for path in "${FOLDERS[@]}"; do
    if [ -d "$path" ]; then
      mount --bind -o ro "$1/folder" "$path"
    elif [ -e "$path" ]; then
      mount --bind -o ro "$1/file" "$path"
    fi
  done
  for folder in "${SYSTEM[@]}"; do
    for name in "${PROGRAMS[@]}"; do
      path=$folder/$name
      [ ! -x "$path" ] || mount --bind -o ro "$1/file" "$path"
    done
  done
}

# inside UID GID SCRATCH COMMAND…: runs in the namespace as root, and starts the command as the user.
inside() {
  local uid=$1 gid=$2
  cover "$3"
  shift 3
  [ "$uid" = 0 ] || exec unshare --map-user="$uid" --map-group="$gid" "$@"
  exec "$@"
}

if [ "${1-}" = --inside ]; then
  shift
  inside "$@"
fi

[ $# -ge 2 ] || fail "usage: masked.sh CACHE COMMAND [ARGUMENT…]"
cache=$1
shift
[ "${cache##*/}" = galbuild-e2e ] || fail "the cache is a folder named galbuild-e2e, not $cache"
go=$(command -v go) || fail "go is missing: see https://go.dev/doc/install"
namespace=(unshare --mount)
"${namespace[@]}" true 2>/dev/null || namespace=(unshare --map-root-user --mount)
"${namespace[@]}" true || fail "this user cannot make a mount namespace. Run it as root, in a container with
  --cap-add SYS_ADMIN, or allow it: sysctl kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0"

environment=(
  "PATH=${go%/*}:$(IFS=:; echo "${SYSTEM[*]}")" "XDG_CACHE_HOME=${cache%/*}"
  "GOENV=$(go env GOENV)" "GOMODCACHE=$(go env GOMODCACHE)" "GOCACHE=$(go env GOCACHE)"
  # The checkout may belong to another user, as in a container. HOME has no git configuration
  # that trusts it.
  GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory 'GIT_CONFIG_VALUE_0=*'
)
while IFS='=' read -r -d '' name value; do
  [[ $name =~ $PASSED_ON ]] && [[ $name != GO@(ENV|MODCACHE|CACHE|PATH|BIN) ]] && environment+=("$name=$value")
done < <(env -0)

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -m 755 "$scratch/home" "$scratch/folder"
: >"$scratch/file"
chmod 444 "$scratch/file"
env -i "${environment[@]}" "HOME=$scratch/home" \
  "${namespace[@]}" bash "$(realpath "$0")" --inside "$(id -u)" "$(id -g)" "$scratch" "$@"
