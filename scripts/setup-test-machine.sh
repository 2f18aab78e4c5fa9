#!/bin/sh
# Prepares a Debian 12 or 13 machine (root) for `npm test`: Docker Engine, Compose v2, buildx, the programs that scenarios
# drive, and the small base image they are made of. Safe to repeat: what is there is left alone.
#
# usage: scripts/setup-test-machine.sh            install what is missing and start the engine
#        scripts/setup-test-machine.sh --check    only say what is missing; changes nothing, needs no root
set -eu

plugins=/usr/local/lib/docker/cli-plugins
# Debian 12's own Compose is version 1; the packages of these suites need only a libc that 12 and 13 have. The first one
# that the mirror has and that can be read is taken.
newer_suites="forky sid trixie"
test_image=sandbox-deploy/test-busybox:1
engine_log=/var/log/dockerd.log
work=
policy=

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# program:package pairs
programs="git:git dockerd:docker.io iptables:iptables debootstrap:debootstrap busybox:busybox-static curl:curl
  shellcheck:shellcheck tmux:tmux expect:expect hyperfine:hyperfine chromium:chromium ps:procps ip:iproute2
  redis-server:redis-server openssl:openssl haproxy:haproxy"

# Prints the packages whose programs or files are missing.
missing_packages() {
  for pair in $programs; do
    have "${pair%%:*}" || echo "${pair#*:}"
  done
  # The engine of Debian 13 leaves its client to a package that Debian 12 does not have.
  if ! have docker && [ -n "$(apt-cache pkgnames docker-cli 2>/dev/null)" ]; then echo docker-cli; fi
  # Python of the system, whatever other one is first on the PATH.
  /usr/bin/python3 -c 'import yaml' 2>/dev/null || echo python3-yaml
  /usr/bin/python3 -c 'import docker' 2>/dev/null || echo python3-docker
  [ -d /usr/share/fonts/truetype/dejavu ] || echo fonts-dejavu-core
  [ -d /etc/ssl/certs ] || echo ca-certificates
}

# Compose 2.24.4 is the oldest that knows !override and !reset.
compose_is_ready() {
  version=$(docker compose version --short 2>/dev/null) || return 1
  printf '%s\n2.24.4\n' "${version#v}" | sort -V -C -r
}
buildx_is_ready() { docker buildx version >/dev/null 2>&1; }

check() {
  lacking=$(missing_packages | tr '\n' ' ')
  compose_is_ready || lacking="$lacking docker-compose>=2.24.4"
  buildx_is_ready || lacking="$lacking docker-buildx"
  [ -z "$lacking" ] || say "missing packages: $lacking"
  if ! docker info >/dev/null 2>&1; then
    lacking=engine
    say "missing: a Docker engine that answers $(id -un)"
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
  # Lets apt download as its own user: without that it warns and downloads as root.
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/packages"
  ! id _apt >/dev/null 2>&1 || chown -R _apt "$work/lists" "$work/cache" "$work/packages"
}

apt() { apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 "$@"; }

update_lists() {
  [ -z "${lists_updated:-}" ] || return 0
  say "updating the package lists"
  # A source that has nothing to do with this, such as another vendor's, may be out of reach.
  apt update >/dev/null || say "some package lists could not be updated; going on with those that are there"
  lists_updated=1
}

# Packages must not start their services: nothing here needs them, and the engine is started below.
install_packages() {
  packages=$(missing_packages)
  [ -n "$packages" ] || return 0
  update_lists
  # Only now can apt tell whether a package of the newer Debian exists.
  packages=$(missing_packages | tr '\n' ' ')
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

debian_mirror() {
  mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
    sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb .*\(https\{0,1\}:[^ ]*\) .*/\1/p' | grep -m 1 '/debian/*$') || mirror=
  echo "${mirror:-http://deb.debian.org/debian}"
}

# Downloads the wanted packages from one suite of Debian, with package lists of its own.
download_from() {
  rm -f "$work"/packages/*.deb
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(debian_mirror) $1 main" >"$work/sources.list"
  newer="-o Dir::Etc::sourcelist=$work/sources.list -o Dir::Etc::sourceparts=/dev/null"
  newer="$newer -o Dir::State::Lists=$work/lists -o Dir::Cache=$work/cache -o Acquire::Languages=none"
  # A mirror may lag behind: its lists are then signed, but past their date.
  newer="$newer -o Acquire::Check-Valid-Until=false"
  # shellcheck disable=SC2086 # lists of options and of packages
  (cd "$work/packages" && apt $newer -o APT::Update::Error-Mode=any update && apt $newer download $wanted)
}

install_compose_and_buildx() {
  wanted=
  compose_is_ready || wanted=docker-compose
  buildx_is_ready || wanted="$wanted docker-buildx"
  [ -n "$wanted" ] || return 0
  suite=
  for each in $newer_suites; do
    say "fetching $wanted from Debian $each"
    if download_from "$each" >"$work/apt.log" 2>&1; then
      suite=$each
      break
    fi
    tail -n 3 "$work/apt.log" >&2
  done
  [ -n "$suite" ] || fail "no suite of Debian ($newer_suites) could be read: check the network and the mirror"
  say "taken from Debian $suite: $(cd "$work/packages" && echo *.deb)"
  for package in "$work"/packages/*.deb; do dpkg -x "$package" "$work/root"; done
  mkdir -p "$plugins"
  find "$work/root" -type f -path '*cli-plugins/docker-*' -exec install -m 0755 {} "$plugins/" \;
  compose_is_ready || fail "Compose was put into $plugins, but docker does not find it there"
}

# A process id that outlived its process makes dockerd and containerd refuse to start.
forget_dead() {
  [ -e "$1" ] || return 0
  # Not `read`: dockerd writes its number without an end of line.
  id=$(cat "$1")
  if [ "$(cat "/proc/$id/comm" 2>/dev/null)" = "$2" ]; then return 1; fi
  rm -f "$1"
}

# Some kernels have only one of the two packet filters that Debian's iptables can drive.
choose_iptables() {
  iptables -t nat -S >/dev/null 2>&1 && return
  if iptables-legacy -t nat -S >/dev/null 2>&1; then update-alternatives --set iptables /usr/sbin/iptables-legacy >/dev/null; fi
}

launch_engine() {
  if [ -d /run/systemd/system ]; then
    systemctl start docker
    return
  fi
  forget_dead /run/docker/containerd/containerd.pid containerd || say "containerd still runs"
  forget_dead /run/docker.pid dockerd || { say "dockerd runs already, waiting for it"; return 0; }
  choose_iptables
  say "starting dockerd (log: $engine_log)"
  mkdir -p /var/log
  setsid dockerd >>"$engine_log" 2>&1 </dev/null &
  engine=$!
}

start_engine() {
  docker info >/dev/null 2>&1 && return
  engine=
  launch_engine
  tries=0
  until docker info >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -ge 120 ] || { [ -n "$engine" ] && ! kill -0 "$engine" 2>/dev/null; }; then
      tail -n 20 "$engine_log" >&2 || true
      fail "dockerd did not come up; the end of $engine_log is above"
    fi
    sleep 0.5
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
install_compose_and_buildx
start_engine
make_test_image
say "ready after $(($(date +%s) - started)) s: $(docker version --format 'engine {{.Server.Version}}'), compose $(docker compose version --short)"
