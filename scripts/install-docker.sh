#!/bin/sh
# Installs what the deploy tool needs of Docker: Engine, Compose v2 and buildx, and starts the daemon. From Docker's own
# package repository, or from the distribution's where that one does not answer. Safe to repeat: what is there is left alone.
set -eu

# Where files are read and written; another folder than / only in tests.
root=${INSTALL_DOCKER_ROOT:-}
plugins=$root/usr/local/lib/docker/cli-plugins
engine_log=$root/var/log/dockerd.log
host=download.docker.com
repository=https://$host/linux
# The primary keys with which Docker signs its packages, as its installation guides name them.
deb_key=9DC858229FC7DD38854AE2D88D81803C0EBFCD88
rpm_key=060A61C51B558A7F742B77AAC52FEB6B621E9F35
# The oldest Compose that knows !override and !reset.
compose_floor=2.24.4
# Where a release has only an older Compose: suites of Debian whose package needs no newer libc than Debian 12 has. The
# first one that the mirror has is taken.
newer_suites="forky sid trixie"

usage() {
  cat <<'USAGE'
usage: scripts/install-docker.sh [--dry-run | --check] [--yes] [--from docker|distribution] [--join-group USER]

Installs Docker Engine, Compose v2 and buildx, and starts the daemon. It shows what it will do and asks first.

  --dry-run          show what it would do, and change nothing
  --check            only say what is missing (exit 1), or that nothing is (exit 0)
  --yes              do not ask
  --from SOURCE      docker: Docker's own repository; distribution: the distribution's packages
                     (default: Docker's own where it answers)
  --join-group USER  let USER use Docker without sudo, which makes USER as mighty as root

Debian, Ubuntu, Fedora, RHEL and their relatives. Exit 0: ready. 1: failed, or something is missing. 2: wrong usage.
3: declined, or root is needed. 4: not on this kind of machine; it says what to do there.
USAGE
}

say() { printf 'install-docker: %s\n' "$*" >&2; }
more() { printf '  %s\n' "$*" >&2; }
# A list that may be longer than a line.
more_words() { printf '%s\n' "$*" | fold -s -w 74 | sed 's/ *$//; 1s/^/  /; 2,$s/^/    /' >&2; }
fail() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# --- what this machine is --------------------------------------------------------------------------------------------

# A value of os-release, without its quotes.
release() { sed -n "s/^$1=//p" "$root/etc/os-release" 2>/dev/null | tail -n 1 | tr -d "\"'"; }

# Sets `manager` (apt, dnf) and `channel`: the folder of Docker's repository for this distribution, empty where it has none.
know_machine() {
  id=$(release ID)
  name=$(release PRETTY_NAME)
  major=$(release VERSION_ID)
  major=${major%%.*}
  codename=$(release VERSION_CODENAME)
  channel=
  manager=
  case "$(uname -s) $(uname -r)" in
    Darwin*) name=macOS; elsewhere on_macos ;;
    *[Mm]icrosoft*) elsewhere on_wsl ;;
  esac
  case "$id $(release ID_LIKE)" in
    debian*) manager=apt channel=debian ;;
    ubuntu* | *ubuntu*) manager=apt channel=ubuntu codename=$(release UBUNTU_CODENAME) ;;
    raspbian*) manager=apt ;;
    *debian*) manager=apt channel=debian codename=$(release DEBIAN_CODENAME) ;;
    amzn*) elsewhere on_amazon ;;
    rhel*) manager=dnf channel=rhel ;;
    *rhel* | *centos* | 'ol '*) manager=dnf channel=centos ;;
    *fedora*) manager=dnf channel=fedora ;;
    *arch*) elsewhere with_command 'pacman -S docker docker-compose docker-buildx' ;;
    *suse*) elsewhere with_command 'zypper install docker docker-compose docker-buildx' ;;
    alpine*) elsewhere with_command 'apk add docker docker-cli-compose docker-cli-buildx' ;;
    *) elsewhere on_unknown ;;
  esac
  # An unreleased Debian, or a relative that does not say what it is made from: Docker publishes nothing for it.
  [ "$manager" != apt ] || [ -n "$codename" ] || channel=
  case $manager in
    apt) have apt-get || elsewhere on_unknown ;;
    dnf) have dnf || elsewhere on_unknown ;;
  esac
}

# Says what to do on a machine that this script leaves alone.
elsewhere() {
  say "${name:-this system} is not prepared by this script."
  "$@"
  exit 4
}

on_macos() {
  more "Install Docker Desktop (https://docs.docker.com/desktop/setup/install/mac-install/),"
  more "or colima: brew install colima docker docker-compose docker-buildx && colima start"
  more "Then run the same command again."
}

on_wsl() {
  more "This is WSL. With Docker Desktop on Windows: Settings > Resources >"
  more "WSL integration, switch this distribution on, and open a new terminal."
  more "Without it, an engine inside WSL needs systemd (systemd=true under [boot] in"
  more "/etc/wsl.conf, then wsl --shutdown) and https://docs.docker.com/engine/install/"
}

on_amazon() {
  more "Its Docker comes from its own packages: dnf install docker"
  more "Compose and buildx it has none: https://docs.docker.com/compose/install/linux/"
}

with_command() {
  more "As root: $1"
  more "and start the service docker. Then run the same command again."
}

on_unknown() {
  more "Known are Debian, Ubuntu, Fedora, RHEL and their relatives."
  more "For others: https://docs.docker.com/engine/install/"
}

# --- what it lacks ---------------------------------------------------------------------------------------------------

compose_is_ready() {
  version=$(docker compose version --short 2>/dev/null) || return 1
  at_least "${version#v}" "$compose_floor"
}
at_least() { printf '%s\n%s\n' "$1" "$2" | sort -V -C -r; }
buildx_is_ready() { docker buildx version >/dev/null 2>&1; }
answers() { docker info >/dev/null 2>&1; }
# A client alone is enough where the engine is another machine's, or belongs to this user.
engine_is_here() { have docker && { { have dockerd && ! is_half_installed; } || answers; }; }

# What dpkg knows of a package: installed, unpacked, half-configured and so on.
state_of() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null || true; }

# An installation that was killed leaves programs behind that do not work yet.
is_half_installed() {
  have dpkg-query || return 1
  for package in docker.io docker-ce containerd containerd.io runc iptables; do
    case $(state_of "$package") in '' | installed | not-installed | config-files) ;; *) return 0 ;; esac
  done
  return 1
}

# The words of what is missing, in the order in which it is installed.
lacking() {
  engine_is_here || echo engine
  compose_is_ready || echo Compose
  buildx_is_ready || echo buildx
  answers || echo daemon
}

lacks() { case " $missing " in *" $1 "*) ;; *) return 1 ;; esac; }
lacks_packages() { lacks engine || lacks Compose || lacks buildx; }

describe() {
  case $1 in
    engine) echo "Docker Engine" ;;
    Compose) echo "Docker Compose $compose_floor or newer" ;;
    buildx) echo "Docker buildx" ;;
    daemon) echo "a Docker daemon that answers $(id -un)" ;;
  esac
}

check() {
  missing=$(lacking | tr '\n' ' ')
  for part in $missing; do say "missing: $(describe "$part")"; done
  [ -z "$missing" ] || exit 1
  say "nothing is missing"
  exit 0
}

# --- where it comes from ---------------------------------------------------------------------------------------------

limited() { if have timeout; then timeout "$@"; else shift; "$@"; fi; }

# fetch URL FILE, within seconds. A bare Debian has neither curl nor wget, but apt's own downloader.
fetch() {
  if have curl; then
    limited 15 curl --fail --silent --show-error --location --proto '=https' --connect-timeout 5 --max-time 12 -o "$2" "$1"
  elif have wget; then
    limited 15 wget --quiet --https-only --tries=1 --timeout=5 -O "$2" "$1"
  else
    limited 15 "$root/usr/lib/apt/apt-helper" -o Acquire::Retries=0 -o Acquire::https::Timeout=5 download-file "$1" "$2"
  fi
}

# Whether this machine can fetch something by https already.
can_fetch() {
  [ -s "$root/etc/ssl/certs/ca-certificates.crt" ] || [ -s "$root/etc/pki/tls/certs/ca-bundle.crt" ] || return 1
  have curl || have wget || [ -x "$root/usr/lib/apt/apt-helper" ]
}

# Behind a proxy it is the proxy that looks names up.
name_is_unknown() {
  [ -z "${https_proxy:-}${HTTPS_PROXY:-}${ALL_PROXY:-}${all_proxy:-}" ] && have getent || return 1
  ! limited 5 getent hosts "$host" >/dev/null 2>&1
}

# Sets `from` to docker, distribution or later (it can be told only once certificates are installed), and `because`.
choose_source() {
  because=
  if [ -n "$from" ]; then return; fi
  from=distribution
  if [ -z "$channel" ]; then
    because="Docker publishes none for this release"
  elif have dockerd; then
    # Packages of the two do not mix.
    if is_installed docker-ce; then from=docker; else because="its engine is installed already"; fi
  elif name_is_unknown; then
    because="$host cannot be reached: its name is not known"
  elif ! can_fetch; then
    from=later
  elif fetch "$repository/$channel/gpg" "$work/docker.asc" 2>"$work/fetch.log"; then
    from=docker
  else
    because="$host cannot be reached: $(tail -n 1 "$work/fetch.log" | cut -c 1-60)"
  fi
}

is_installed() {
  case $manager in
    apt) case $(state_of "$1") in '' | not-installed | config-files) return 1 ;; esac ;;
    dnf) rpm -q "$1" >/dev/null 2>&1 ;;
  esac
}

# --- the plan --------------------------------------------------------------------------------------------------------

show_plan() {
  say "$name lacks:"
  for part in $missing; do more "- $(describe "$part")"; done
  say "This will be done, as root:"
  if lacks_packages; then
    case $from in
      docker) plan_docker ;;
      distribution) plan_distribution ;;
      later)
        more "- look whether Docker's own repository answers; if so:"
        plan_docker
        more "- if it does not, from the distribution's packages instead:"
        plan_distribution
        ;;
    esac
  fi
  if has_systemd; then
    more "- start the daemon, now and at every boot (systemctl enable --now docker)"
  else
    more "- start the daemon, log in $engine_log"
    more "  (there is no systemd here, so after a reboot run this again)"
  fi
  more "No user joins the group docker, and no package is removed."
}

plan_docker() {
  key=$rpm_key place=/etc/yum.repos.d/docker-ce.repo
  [ "$manager" != apt ] || key=$deb_key place=/etc/apt/sources.list.d/docker.sources
  more "- add Docker's package repository: $repository/$channel"
  more "  in $place, with its key, whose"
  more "  fingerprint has to be $key"
  more_words "- $manager install $(docker_packages)"
}

plan_distribution() {
  if [ -n "$because" ]; then
    more "- not from Docker's own repository:"
    more "  $because"
  fi
  more_words "- $manager install $(distribution_packages)"
  if [ "$manager" = apt ] && { lacks Compose || lacks buildx; }; then
    more "- Compose and buildx from there too; where that is older than"
    more "  $compose_floor, from a newer suite of Debian on this machine's mirror, into"
    more "  $plugins"
  fi
}

docker_packages() {
  ! lacks engine || printf 'docker-ce docker-ce-cli containerd.io '
  ! lacks buildx || printf 'docker-buildx-plugin '
  ! lacks Compose || printf 'docker-compose-plugin '
}

distribution_packages() {
  case $manager in
    apt) ! lacks engine || printf 'docker.io iptables ca-certificates ' ;;
    dnf)
      ! lacks engine || printf 'moby-engine docker-cli '
      ! lacks buildx || printf 'docker-buildx '
      ! lacks Compose || printf 'docker-compose '
      ;;
  esac
}

ask() {
  if ! [ -t 0 ] || ! [ -t 2 ]; then
    say "nothing was done: nobody can be asked here; say it with --yes"
    exit 3
  fi
  printf 'install-docker: Do it? [y/N] ' >&2
  read -r answer || answer=
  case $answer in
    y | Y | yes | Yes | YES) ;;
    *) say "nothing was done"; exit 3 ;;
  esac
}

# --- packages --------------------------------------------------------------------------------------------------------

# A folder for what is fetched; apt downloads as a user of its own where that user may write.
make_work() {
  work=$(mktemp -d)
  chmod 755 "$work"
  trap clean_up EXIT
  trap 'exit 130' INT TERM HUP
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/packages"
  ! id _apt >/dev/null 2>&1 || chown -R _apt "$work/lists" "$work/cache" "$work/packages" 2>/dev/null || true
}

clean_up() {
  rm -rf "$work"
  [ -z "$policy" ] || rm -f "$policy"
}

apt() { apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 "$@"; }

update_lists() {
  [ -z "${lists_updated:-}" ] || return 0
  say "updating the package lists"
  # A source that has nothing to do with this, such as another vendor's, may be out of reach.
  apt update >"$work/log" 2>&1 || say "some package lists could not be updated; going on with those that are there"
  lists_updated=1
}

# Installs the named packages; nothing that is installed is removed for them.
install_packages() {
  say "installing $*"
  status=0
  case $manager in
    apt)
      hold_services
      export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
      # Behind an installation that was killed apt goes on only once dpkg has done what it can.
      dpkg --configure -a </dev/null >/dev/null 2>&1 || true
      apt --no-install-recommends --no-remove --fix-broken install "$@" </dev/null >"$work/log" 2>&1 || status=$?
      ;;
    dnf) dnf -y --setopt=install_weak_deps=False install "$@" </dev/null >"$work/log" 2>&1 || status=$? ;;
  esac
  [ "$status" = 0 ] && return
  tail -n 20 "$work/log" >&2
  fail "$manager could not install the packages above; mend that and run this again"
}

# Without systemd the daemon is started below, in a session of its own, and not by its package. A policy that somebody
# has is theirs; this one says nothing any more once this process is gone, however it ended.
hold_services() {
  ! has_systemd && [ -z "$policy" ] && ! [ -e "$root/usr/sbin/policy-rc.d" ] || return 0
  policy=$root/usr/sbin/policy-rc.d
  printf '#!/bin/sh\n! kill -0 %s 2>/dev/null || exit 101\n' "$$" >"$policy"
  chmod 755 "$policy"
}

has_systemd() { [ -d "$root/run/systemd/system" ]; }

# What it takes to look at Docker's repository: certificates, and a program that reads its key.
install_prerequisites() {
  [ "$from" != distribution ] || return 0
  wanted=
  case $manager in
    apt)
      [ -s "$root/etc/ssl/certs/ca-certificates.crt" ] || wanted=ca-certificates
      have gpg || wanted="$wanted gpg"
      [ -z "$wanted" ] || update_lists
      ;;
    dnf) have gpg || wanted=gnupg2 ;;
  esac
  [ -n "$wanted" ] || return 0
  # shellcheck disable=SC2086 # one word per package is meant
  install_packages $wanted
}

# Fails unless the only primary key of a file is the one that is expected.
key_is_dockers() {
  mkdir -p "$work/gpg"
  chmod 0700 "$work/gpg"
  found=$(gpg --batch --no-options --homedir "$work/gpg" --show-keys --with-colons "$1" 2>/dev/null |
    awk -F: '$1 == "pub" { primary = 1 } $1 == "fpr" && primary { print $10; primary = 0 }')
  [ "$found" = "$2" ] && return
  say "the key of $repository/$channel is not Docker's: nothing of it is used"
  more "expected $2"
  more "found    ${found:-no key}"
  return 1
}

# Adds Docker's repository. Fails, with nothing left behind, where it cannot be used.
add_repository() {
  case $manager in
    apt) key=$deb_key key_path=$root/etc/apt/keyrings/docker.asc list=$root/etc/apt/sources.list.d/docker.sources ;;
    dnf) key=$rpm_key key_path=$root/etc/pki/rpm-gpg/docker-ce.asc list=$root/etc/yum.repos.d/docker-ce.repo ;;
  esac
  if grep -qs "^[^#]*$repository" "${list%/*}"/*; then
    say "Docker's repository is configured already in ${list%/*}: taken as it is"
    [ "$manager" != apt ] || update_lists
    return 0
  fi
  [ -s "$work/docker.asc" ] || fetch "$repository/$channel/gpg" "$work/docker.asc" 2>"$work/fetch.log" || return 1
  # A key that is not Docker's is no reason to go on in another way: somebody is in between.
  key_is_dockers "$work/docker.asc" "$key" || exit 1
  mkdir -p "${key_path%/*}" "${list%/*}"
  install -m 0644 "$work/docker.asc" "$key_path"
  "repository_for_$manager" >"$list"
  chmod 0644 "$list"
  [ "$manager" = apt ] || return 0
  # Nothing for this release there: apt would complain of it at every update from now on.
  if ! apt -o "Dir::Etc::sourcelist=$list" -o Dir::Etc::sourceparts=/dev/null -o APT::Get::List-Cleanup=0 \
    -o APT::Update::Error-Mode=any update >"$work/log" 2>&1; then
    tail -n 3 "$work/log" >&2
    rm -f "$list" "$key_path"
    return 1
  fi
}

repository_for_apt() {
  cat <<SOURCES
Types: deb
URIs: $repository/$channel
Suites: $codename
Components: stable
Architectures: $(dpkg --print-architecture)
Signed-By: /etc/apt/keyrings/docker.asc
SOURCES
}

# $basearch is dnf's own.
repository_for_dnf() {
  cat <<REPO
[docker-ce-stable]
name=Docker CE Stable
baseurl=$repository/$channel/$major/\$basearch/stable
enabled=1
gpgcheck=1
gpgkey=file:///etc/pki/rpm-gpg/docker-ce.asc
REPO
}

install_from_docker() {
  add_repository || return 1
  # shellcheck disable=SC2046 # one word per package is meant
  install_packages $(docker_packages)
}

install_from_distribution() {
  if [ "$manager" = dnf ]; then
    [ "$channel" = fedora ] || fail "$name has no packages of Docker, and Docker's repository does not answer: connect this machine and run this again"
    # shellcheck disable=SC2046 # one word per package is meant
    install_packages $(distribution_packages)
    return
  fi
  update_lists
  packages=$(distribution_packages)
  # The engine of Debian 13 leaves its client to a package that Debian 12 does not have.
  if ! have docker && [ -n "$(candidate docker-cli)" ]; then packages="$packages docker-cli"; fi
  for package in $(plugin_packages); do packages="$packages $package"; done
  # shellcheck disable=SC2086 # one word per package is meant
  [ -z "${packages# }" ] || install_packages $packages
  install_newer_plugins
}

# The version of a package that apt would install; empty where there is none.
candidate() { apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: //p' | grep -v '(none)' || true; }

# Ubuntu and Debian name them differently, and Debian 12's docker-compose is version 1.
plugin_packages() {
  if lacks Compose; then
    for package in docker-compose-v2 docker-compose; do
      version=$(candidate "$package")
      version=${version#*:}
      if [ -n "$version" ] && at_least "$version" "$compose_floor"; then
        echo "$package"
        break
      fi
    done
  fi
  if lacks buildx && [ -n "$(candidate docker-buildx)" ]; then echo docker-buildx; fi
}

# The address in this machine's own apt sources whose path ends in /debian.
debian_mirror() {
  sed -n 's/^URIs: *//p; s/^deb \(\[[^]]*\] *\)\{0,1\}\(http[^ ]*\) .*/\2/p' \
    "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/*.list "$root"/etc/apt/sources.list.d/*.sources 2>/dev/null |
    tr ' ' '\n' | sed -n 's|^\(https\{0,1\}://.*/debian\)/*$|\1|p' | head -n 1
}

# Compose and buildx are one program each, which needs nothing but a libc: taken out of the package of a newer suite, with
# package lists of its own, so that nothing else of this machine is upgraded.
install_newer_plugins() {
  wanted=
  compose_is_ready || wanted=docker-compose
  buildx_is_ready || wanted="$wanted docker-buildx"
  [ -n "$wanted" ] || return 0
  mirror=$(debian_mirror)
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  if [ -z "$mirror" ] || ! [ -e "$root$keyring" ]; then
    fail "$name has no newer $wanted, and its apt sources name no mirror of Debian: see https://docs.docker.com/compose/install/linux/"
  fi
  suite=
  for each in $newer_suites; do
    say "fetching $wanted from Debian $each"
    if download_from "$each" >"$work/log" 2>&1; then
      suite=$each
      break
    fi
    tail -n 3 "$work/log" >&2
  done
  [ -n "$suite" ] || fail "no suite of Debian ($newer_suites) could be read: check the network and the mirror"
  say "taken from Debian $suite: $(cd "$work/packages" && echo *.deb)"
  for package in "$work"/packages/*.deb; do dpkg -x "$package" "$work/unpacked"; done
  mkdir -p "$plugins"
  find "$work/unpacked" -type f -path '*cli-plugins/docker-*' -exec install -m 0755 {} "$plugins/" \;
}

download_from() {
  rm -f "$work"/packages/*.deb
  echo "deb [signed-by=$keyring] $mirror $1 main" >"$work/sources.list"
  newer="-o Dir::Etc::sourcelist=$work/sources.list -o Dir::Etc::sourceparts=/dev/null"
  newer="$newer -o Dir::State::Lists=$work/lists -o Dir::Cache=$work/cache -o Acquire::Languages=none"
  # shellcheck disable=SC2086 # lists of options and of packages
  (cd "$work/packages" && apt $newer -o APT::Update::Error-Mode=any update && apt $newer download $wanted)
}

# --- the daemon ------------------------------------------------------------------------------------------------------

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
  have iptables || return 0
  iptables -t nat -S >/dev/null 2>&1 && return
  if iptables-legacy -t nat -S >/dev/null 2>&1; then
    update-alternatives --set iptables "$(command -v iptables-legacy)" >/dev/null
  fi
}

launch_engine() {
  if has_systemd; then
    systemctl enable --now docker >"$work/log" 2>&1 || { tail -n 5 "$work/log" >&2; fail "systemd could not start docker: journalctl -u docker"; }
    return
  fi
  forget_dead "$root/run/docker/containerd/containerd.pid" containerd || say "containerd still runs"
  forget_dead "$root/run/docker.pid" dockerd || { say "dockerd runs already, waiting for it"; return 0; }
  choose_iptables
  say "starting dockerd (log: $engine_log)"
  mkdir -p "${engine_log%/*}"
  setsid dockerd >>"$engine_log" 2>&1 </dev/null &
  engine=$!
}

start_engine() {
  answers && return
  engine=
  launch_engine
  tries=0
  until answers; do
    tries=$((tries + 1))
    if [ "$tries" -ge 120 ] || { [ -n "$engine" ] && ! kill -0 "$engine" 2>/dev/null; }; then
      ! has_systemd || fail "dockerd did not come up: journalctl -u docker tells why"
      tail -n 20 "$engine_log" >&2 || true
      fail "dockerd did not come up; the end of $engine_log is above"
    fi
    sleep 0.5
  done
}

# --- who may use it --------------------------------------------------------------------------------------------------

# To join the group is to become root, so it happens only for a user who was named.
explain_group() {
  if [ -n "$member" ]; then
    usermod -aG docker "$member"
    say "$member is in the group docker from the next login on, and by it as mighty as root"
    return
  fi
  say "Only root may use Docker now. For another user, choose one:"
  more "- sudo ./deploy …   as now"
  more "- rootless Docker, an engine of the user's own, without root:"
  more "  https://docs.docker.com/engine/security/rootless/"
  more "- the group docker: convenient, but whoever is in it is root on this"
  more "  machine: scripts/install-docker.sh --join-group USER"
}

# --- the command line ------------------------------------------------------------------------------------------------

yes=
dry=
from=
member=
policy=
work=
while [ $# -gt 0 ]; do
  case $1 in
    --yes | -y) yes=1 ;;
    --dry-run) dry=1 ;;
    --check) dry=check ;;
    --from | --join-group)
      [ $# -ge 2 ] || { usage >&2; exit 2; }
      case $1 in --from) from=$2 ;; *) member=$2 ;; esac
      shift
      ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; say "unknown argument: $1"; exit 2 ;;
  esac
  shift
done
case $from in '' | docker | distribution) ;; *) usage >&2; say "--from takes docker or distribution"; exit 2 ;; esac

PATH=$PATH:$root/usr/local/sbin:$root/usr/sbin:$root/sbin
[ "$dry" != check ] || check
[ -z "$member" ] || id "$member" >/dev/null 2>&1 || { say "there is no user $member"; exit 2; }
if have docker && docker --version 2>/dev/null | grep -qi podman; then
  say "docker is podman here, which does not do all that is needed; the two do not go together."
  more "Remove podman-docker first, then run the same command again."
  exit 4
fi
missing=$(lacking | tr '\n' ' ')
if [ -z "$missing" ]; then
  say "Docker is ready: engine $(docker version --format '{{.Server.Version}}'), compose $(docker compose version --short)"
  [ -z "$member" ] || { [ "$(id -u)" = 0 ] || { say "--join-group needs root"; exit 3; }; explain_group; }
  exit 0
fi
know_machine
make_work
choose_source
show_plan
[ -z "$dry" ] || exit 0
if [ "$(id -u)" != 0 ]; then
  say "this needs root. Run: sudo $0"
  exit 3
fi
[ -n "$yes" ] || ask
began=$(date +%s)
if lacks_packages; then
  install_prerequisites
  if [ "$from" = later ]; then
    from=
    choose_source
  fi
  if [ "$from" = docker ] && ! install_from_docker; then
    say "Docker's own repository cannot be used: $(tail -n 1 "$work/fetch.log" 2>/dev/null | cut -c 1-60)"
    from=distribution
  fi
  [ "$from" = docker ] || install_from_distribution
fi
# What is first on the user's own path wins over what was just installed.
compose_is_ready || fail "Compose is installed, but docker starts another one: look at $(id -un)'s ~/.docker/cli-plugins"
start_engine
say "ready after $(($(date +%s) - began)) s: engine $(docker version --format '{{.Server.Version}}'), compose $(docker compose version --short)"
explain_group
