#!/bin/sh
# Builds the images of the stack where no container registry can be reached: base images from Debian packages,
# and on them the service images from the same Dockerfiles that Compose builds on the upstream bases.
set -eu

prefix=sandbox-deploy
suite=trixie
# Its own Caddy is years old; the backport is current.
caddy_suite=$suite-backports
services="gateway guard proxy store sandbox"

usage() {
  cat <<'USAGE'
usage: scripts/build-images.sh [--fresh] [--help] [gateway|guard|proxy|store|sandbox ...]

Makes base images from Debian packages (root, Debian or Ubuntu), then builds the named service images on them, all
without a container registry. Where a registry can be reached this is not needed: `docker compose build` does it.

  --fresh   make the base images again, to take in Debian's security updates; otherwise existing ones are kept
  --help    this text

Makes  sandbox-deploy/base-debian:local  (debootstrap), base-node, base-caddy and base-redis on it, as needed, and
       sandbox-deploy/{gateway,guard,proxy,store,sandbox}:VERSION-local
Use    GATEWAY_IMAGE=sandbox-deploy/gateway:VERSION-local (likewise GUARD_, PROXY_, STORE_, SANDBOX_IMAGE) in .env
Reads  DEBIAN_MIRROR  a mirror to use in place of the one in this machine's apt sources
USAGE
}

say() { printf 'build-images: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

fresh=
wanted=
for argument in "$@"; do
  case $argument in
    --fresh) fresh=1 ;;
    -h | --help) usage; exit 0 ;;
    gateway | guard | proxy | store | sandbox) wanted="$wanted $argument" ;;
    *) usage >&2; fail "unknown argument: $argument" ;;
  esac
done
wanted=${wanted:-$services}

cd "$(dirname "$0")/.."
version=$(sed -n 's/^ *"version": *"\([^"]*\)".*/\1/p' package.json | head -n 1)
[ -n "$version" ] || fail "package.json names no version"
for program in gateway/server.js guard/guard.js; do
  case " $wanted " in
    *" ${program%/*} "*) [ -f "dist/$program" ] || fail "dist/$program is missing; run: npm run build" ;;
  esac
done
docker info >/dev/null 2>&1 || fail "the Docker engine does not answer this user; see: docker info"

if docker buildx version >/dev/null 2>&1; then export DOCKER_BUILDKIT=1; else export DOCKER_BUILDKIT=0; fi

work=$(mktemp -d -p "${TMPDIR:-/var/tmp}")
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT TERM

# timed NAME COMMAND...: a line at its beginning and one with the time taken, or the end of the output if the command failed
timed() {
  image=$1
  shift
  began=$(date +%s)
  say "$image: begun"
  if "$@" >"$work/log" 2>&1; then
    say "$image: done in $(($(date +%s) - began)) s"
  else
    tail -n 40 "$work/log" >&2
    fail "$image: failed after $(($(date +%s) - began)) s; the end of its output is above"
  fi
}

exists() { docker image inspect "$1" >/dev/null 2>&1; }

# The first http(s) URI of this machine's apt sources whose path ends in $1, such as debian or debian-security.
apt_mirror() {
  sed -n 's/^URIs: *//p; s/^deb \(\[[^]]*\] *\)\{0,1\}\(http[^ ]*\) .*/\2/p' \
    /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
    tr ' ' '\n' | sed -n "s|^\(https\{0,1\}://.*/$1\)/*$|\1|p" | head -n 1
}

debootstrap_base() {
  debootstrap --variant=minbase --include=ca-certificates "$suite" "$work/root" "$mirror" || return 1
  if [ -n "$security_mirror" ]; then
    echo "deb $security_mirror $suite-security main" >>"$work/root/etc/apt/sources.list"
  fi
  if [ -n "$stale_mirror" ]; then
    printf 'Acquire::Check-Valid-Until "false";\n' >"$work/root/etc/apt/apt.conf.d/99machine-policy"
  fi
  rm -rf "$work/root/var/cache/apt/archives" "$work/root/var/lib/apt/lists"
  mkdir -p "$work/root/var/cache/apt/archives/partial" "$work/root/var/lib/apt/lists/partial"
  tar --numeric-owner -C "$work/root" -c . | docker import --change 'CMD ["bash"]' - "$prefix/base-debian:local"
}

make_base_debian() {
  if [ -z "$fresh" ] && exists "$prefix/base-debian:local"; then return; fi
  [ "$(id -u)" = 0 ] || fail "making base-debian needs root (debootstrap makes a root file system); run this as root"
  if ! command -v debootstrap >/dev/null 2>&1; then
    command -v apt-get >/dev/null 2>&1 || fail "debootstrap is missing, and so is apt-get to install it"
    timed debootstrap sh -c 'apt-get -qq update && apt-get -qq -y --no-install-recommends install debootstrap'
  fi
  mirror=${DEBIAN_MIRROR:-$(apt_mirror debian)}
  [ -n "$mirror" ] || fail "no Debian mirror in /etc/apt; name one: DEBIAN_MIRROR=https://deb.debian.org/debian $0"
  security_mirror=$(apt_mirror debian-security)
  say "base-debian: Debian $suite from $mirror"
  # A machine whose mirror is a snapshot says so in its own apt configuration; the images then use the same mirror
  # under the same policy. Signatures are checked all the same.
  stale_mirror=
  case $(apt-config dump Acquire::Check-Valid-Until 2>/dev/null) in
    *'"false"'* | *'"no"'* | *'"0"'*)
      stale_mirror=1
      say "base-debian: accepts expired package lists, since this machine's apt configuration does (Check-Valid-Until)"
      ;;
  esac
  timed base-debian debootstrap_base
}

base_dockerfile() {
  echo "FROM $prefix/base-debian:local AS base"
  case $1 in
    node) echo 'RUN apt-get update && apt-get install -y --no-install-recommends nodejs && rm -rf /var/lib/apt/lists/*' ;;
    redis)
      echo 'RUN apt-get update && apt-get install -y --no-install-recommends redis-server redis-tools && rm -rf /var/lib/apt/lists/*'
      ;;
    caddy)
      # The other suite is seen in a stage of its own, so that the rest of the image stays with one suite.
      cat <<DOCKERFILE
FROM base AS caddy
RUN sed -n 's/^deb \([^ ]*\) $suite main.*/deb \1 $caddy_suite main/p' /etc/apt/sources.list >/etc/apt/other \
 && mv /etc/apt/other /etc/apt/sources.list && apt-get update && cd /tmp && apt-get download caddy && dpkg -x caddy_*.deb /caddy
FROM base
RUN apt-get update && apt-get install -y --no-install-recommends busybox && rm -rf /var/lib/apt/lists/* && ln -s /bin/busybox /usr/bin/wget
COPY --from=caddy /caddy/usr/bin/caddy /usr/bin/caddy
DOCKERFILE
      ;;
  esac
}

build_base() { base_dockerfile "$1" | docker build ${fresh:+--no-cache} -t "$prefix/base-$1:local" -; }

make_base() {
  if exists "$prefix/base-$1:local"; then
    case " $remade " in *" $1 "*) return ;; esac
    [ -n "$fresh" ] || { say "base-$1: kept"; remade="$remade $1"; return; }
  fi
  timed "base-$1" build_base "$1"
  remade="$remade $1"
}

# service NAME BASE ARGUMENT: builds a service image on a local base
service() {
  make_base "$2"
  timed "$1" docker build -f "compose/images/$1/Dockerfile" --build-arg "$3=$prefix/base-$2:local" \
    -t "$prefix/$1:$version-local" .
}

remade=
make_base_debian
for name in $wanted; do
  case $name in
    gateway | guard | sandbox) service "$name" node NODE_IMAGE ;;
    proxy) service proxy caddy CADDY_IMAGE ;;
    store) service store redis REDIS_IMAGE ;;
  esac
done
for name in $wanted; do echo "$prefix/$name:$version-local"; done
