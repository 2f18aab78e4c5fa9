#!/bin/sh
# Prepares a Debian 12 or 13 machine (root) for `npm test`: Docker Engine, Compose v2, buildx, the programs that scenarios
# drive, and the small base image they are made of. Safe to repeat: what is there is left alone.
#
# usage: scripts/setup-test-machine.sh            install what is missing and start the engine
#        scripts/setup-test-machine.sh --check    only say what is missing; changes nothing, needs no root
set -eu

here=$(dirname "$0")
test_image=sandbox-deploy/test-busybox:1
# An engine newer than Debian's own, for scripts/on-newer-engine.sh.
newer_engine=/usr/local/lib/sandbox-deploy-test/engine
work=
policy=

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# program:package pairs
programs="git:git debootstrap:debootstrap busybox:busybox-static curl:curl
  shellcheck:shellcheck tmux:tmux expect:expect hyperfine:hyperfine chromium:chromium ps:procps ip:iproute2
  redis-server:redis-server openssl:openssl haproxy:haproxy testssl:testssl.sh sslscan:sslscan certutil:libnss3-tools gh:gh"

# Prints the packages whose programs or files are missing.
missing_packages() {
  for pair in $programs; do
    have "${pair%%:*}" || echo "${pair#*:}"
  done
  # Python of the system, whatever other one is first on the PATH.
  /usr/bin/python3 -c 'import yaml' 2>/dev/null || echo python3-yaml
  /usr/bin/python3 -c 'import docker' 2>/dev/null || echo python3-docker
  [ -d /usr/share/fonts/truetype/dejavu ] || echo fonts-dejavu-core
  [ -d /etc/ssl/certs ] || echo ca-certificates
}

check() {
  lacking=$(missing_packages | tr '\n' ' ')
  pebble_is_ready || lacking="$lacking pebble"
  newer_engine_is_ready || lacking="$lacking newer-engine"
  [ -z "$lacking" ] || say "missing packages: $lacking"
  if ! "$here/install-docker.sh" --check; then
    lacking=docker
  elif ! docker image inspect "$test_image" >/dev/null 2>&1; then
    lacking=image
    say "missing: the image $test_image"
  fi
  [ -z "$lacking" ] || fail "on Debian, run scripts/setup-test-machine.sh as root"
  say "nothing is missing"
}

# Left behind, the policy would keep every later package from starting its services.
clean_up() {
  rm -rf "$work"
  [ -z "$policy" ] || rm -f "$policy"
}

make_work() {
  work=$(mktemp -d)
  chmod 755 "$work"
  trap clean_up EXIT
  trap 'exit 130' INT TERM HUP
}

apt() { apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 "$@"; }

update_lists() {
  [ -z "${lists_updated:-}" ] || return 0
  say "updating the package lists"
  # A source that has nothing to do with this, such as another vendor's, may be out of reach.
  apt update >/dev/null || say "some package lists could not be updated; going on with those that are there"
  lists_updated=1
}

# Packages must not start their services: nothing here needs them.
install_packages() {
  packages=$(missing_packages | tr '\n' ' ')
  [ -n "$packages" ] || return 0
  update_lists
  say "installing $packages"
  if ! [ -e /usr/sbin/policy-rc.d ]; then
    policy=/usr/sbin/policy-rc.d
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  status=0
  # shellcheck disable=SC2086 # one word per package is meant
  DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt --no-install-recommends install $packages \
    </dev/null >"$work/apt.log" 2>&1 || status=$?
  [ -z "$policy" ] || rm -f "$policy"
  policy=
  [ "$status" = 0 ] || { tail -n 20 "$work/apt.log" >&2; fail "apt-get could not install the packages above"; }
}

# Completion is tried in these too where they are; a machine that cannot have them is ready all the same.
install_shells() {
  if have zsh && have fish; then return 0; fi
  update_lists
  say "installing zsh fish"
  DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt --no-install-recommends install zsh fish \
    </dev/null >"$work/apt.log" 2>&1 || say "they could not be installed: their completion is not tried"
}

# A mirror may lag behind: its lists are then signed, but past their date.
install_docker() {
  echo 'Acquire::Check-Valid-Until "false";' >"$work/apt.conf"
  APT_CONFIG=$work/apt.conf "$here/install-docker.sh" --yes --from distribution
}

# What Debian 12 does not have, or only old, and what needs nothing but a libc, is taken out of the packages of a newer suite,
# with package lists of its own, so that nothing else of this machine is upgraded. Unpacks them into $work/unpacked.
fetch_newer() {
  mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
    sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb .*\(https\{0,1\}:[^ ]*\) .*/\1/p' | grep -m 1 '/debian/*$') || mirror=
  rm -rf "$work/packages" "$work/unpacked"
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/packages"
  ! id _apt >/dev/null 2>&1 || chown -R _apt "$work/lists" "$work/cache" "$work/packages"
  for suite in forky sid trixie; do
    say "fetching $* from Debian $suite"
    if download "${mirror:-http://deb.debian.org/debian}" "$suite" "$@" >"$work/apt.log" 2>&1; then break; fi
    tail -n 3 "$work/apt.log" >&2
  done
  for package in "$work"/packages/*.deb; do
    [ -e "$package" ] || fail "$* could not be fetched: check the network and the mirror"
    dpkg -x "$package" "$work/unpacked"
  done
}
download() {
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $1 $2 main" >"$work/sources.list"
  shift 2
  newer="-o Dir::Etc::sourcelist=$work/sources.list -o Dir::Etc::sourceparts=/dev/null"
  newer="$newer -o Dir::State::Lists=$work/lists -o Dir::Cache=$work/cache -o Acquire::Languages=none"
  newer="$newer -o Acquire::Check-Valid-Until=false"
  # shellcheck disable=SC2086 # a list of options
  (cd "$work/packages" && apt $newer -o APT::Update::Error-Mode=any update && apt $newer download "$@")
}

# A small ACME server with a DNS server of its own.
pebble_is_ready() { have pebble && have pebble-challtestsrv; }
install_pebble() {
  if pebble_is_ready; then return 0; fi
  fetch_newer pebble
  install -m 0755 "$work/unpacked/usr/bin/pebble" "$work/unpacked/usr/bin/pebble-challtestsrv" /usr/local/bin/
}

# Its runc wants a newer libc, and this machine's does as well. Moved into place last: half of it would be taken for all.
newer_engine_is_ready() { [ -x "$newer_engine/dockerd" ]; }
install_newer_engine() {
  if newer_engine_is_ready; then return 0; fi
  fetch_newer docker.io docker-cli containerd tini-static
  mkdir -p "$newer_engine"
  mv "$work/unpacked/usr/bin/tini-static" "$work/unpacked/usr/sbin/docker-init"
  for program in bin/docker bin/containerd bin/containerd-shim-runc-v2 sbin/docker-init sbin/docker-proxy sbin/dockerd; do
    install -m 0755 "$work/unpacked/usr/$program" "$newer_engine/.part"
    mv "$newer_engine/.part" "$newer_engine/${program#*/}"
  done
}

# An image of one static program, so that most scenarios need no distribution.
make_test_image() {
  docker image inspect "$test_image" >/dev/null 2>&1 && return
  say "making $test_image"
  image=$work/image
  mkdir -p "$image/bin" "$image/etc" "$image/root" "$image/tmp"
  chmod 1777 "$image/tmp"
  echo 'root:x:0:0:root:/root:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/sh' >"$image/etc/passwd"
  echo 'root:x:0:
nogroup:x:65534:' >"$image/etc/group"
  install -m 0755 "$(command -v busybox)" "$image/bin/busybox"
  chroot "$image" /bin/busybox --install -s /bin ||
    fail "$(command -v busybox) is not static: install Debian's busybox-static"
  tar -C "$image" -c . | docker import --change 'LABEL sandbox-deploy.test=base' --change 'ENV PATH=/bin' \
    --change 'CMD ["/bin/sh"]' - "$test_image" >/dev/null
}

case ${1:-} in
  --check) check; exit ;;
  '') ;;
  *) fail "usage: scripts/setup-test-machine.sh [--check]" ;;
esac
[ "$(id -u)" = 0 ] || fail "run this as root: it installs Debian packages and starts the Docker engine"
have apt-get || fail "this machine has no apt-get; install what scripts/setup-test-machine.sh --check names by hand"
started=$(date +%s)
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
make_work
install_packages
install_shells
install_pebble
install_newer_engine
install_docker
make_test_image
say "ready after $(($(date +%s) - started)) s: $(docker version --format 'engine {{.Server.Version}}'), compose $(docker compose version --short)"
