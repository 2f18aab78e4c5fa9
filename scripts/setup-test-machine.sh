#!/bin/sh
# Prepares a Debian machine (root) for `npm test`: Docker Engine, Compose v2, buildx, base images and the
# programs that scenarios drive. Safe to repeat: what is there is left alone.
#
# usage: scripts/setup-test-machine.sh
set -eu

cache=${SANDBOX_DEPLOY_CACHE:-/var/cache/sandbox-deploy}
plugins=/usr/local/lib/docker/cli-plugins
# Debian 12's own Compose is version 1; these packages of the next suite need only libc6.
newer_suite=forky

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

[ "$(id -u)" = 0 ] || fail "run this as root: it installs Debian packages and starts the Docker engine"
have apt-get || fail "this machine has no apt-get; install Docker Engine, Compose v2.24.4+ and buildx by hand"

apt_updated=
install_packages() {
  [ -n "$apt_updated" ] || { say "apt-get update"; apt-get -qq update; apt_updated=1; }
  say "installing $*"
  DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$@" >/dev/null
}

# package:program pairs; a package is installed when its program is missing
install_programs() {
  missing=
  for pair in "$@"; do
    have "${pair#*:}" || missing="$missing ${pair%%:*}"
  done
  # shellcheck disable=SC2086 # one word per package is meant
  [ -z "$missing" ] || install_packages $missing
}

install_compose_and_buildx() {
  if docker compose version >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1; then return; fi
  work=$(mktemp -d)
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$plugins"
  mirror=$(sed -n 's/^URIs: *//p; s/^deb [^h]*\(http[^ ]*\).*/\1/p' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
    grep -m 1 '/debian/*$') || fail "no Debian mirror found in /etc/apt"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $newer_suite main" >"$work/sources.list"
  newer="-o Dir::Etc::sourcelist=$work/sources.list -o Dir::Etc::sourceparts=/dev/null"
  newer="$newer -o Dir::State::Lists=$work/lists -o Dir::Cache=$work/cache"
  say "fetching docker-compose and docker-buildx from Debian $newer_suite"
  # shellcheck disable=SC2086 # a list of options
  apt-get -qq $newer update
  # shellcheck disable=SC2086
  (cd "$work" && apt-get -qq $newer download docker-compose docker-buildx)
  for package in "$work"/*.deb; do dpkg -x "$package" "$work/root"; done
  find "$work/root" -type f \( -name docker-compose -o -name docker-buildx \) -path '*cli-plugins*' \
    -exec install -m 0755 {} "$plugins/" \;
  rm -rf "$work"
  docker compose version >/dev/null || fail "Compose was unpacked into $plugins but docker does not find it"
}

start_engine() {
  docker info >/dev/null 2>&1 && return
  mkdir -p /var/log
  say "starting dockerd (log: /var/log/dockerd.log)"
  rm -f /var/run/docker.pid
  setsid dockerd >>/var/log/dockerd.log 2>&1 </dev/null &
  tries=0
  until docker info >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 120 ] || { tail -n 20 /var/log/dockerd.log >&2; fail "dockerd did not answer"; }
    sleep 0.5
  done
}

install_programs git:git docker.io:dockerd iptables:iptables debootstrap:debootstrap busybox-static:busybox \
  shellcheck:shellcheck tmux:tmux hyperfine:hyperfine chromium:chromium curl:curl procps:ps
python3 -c 'import yaml' 2>/dev/null || /usr/bin/python3 -c 'import yaml' 2>/dev/null || install_packages python3-yaml
install_compose_and_buildx
start_engine
mkdir -p "$cache"
say "ready: $(docker version --format 'engine {{.Server.Version}}'), compose $(docker compose version --short)"
