#!/usr/bin/env bash
# Makes a bare Debian machine, without Docker and without this tool's packages, types the README's first command there, and
# sees the stack answer. The machine is a container with an engine of its own; time and downloads are printed.
#
# usage: scripts/bare-machine.sh [bookworm|trixie]    (root, Docker, debootstrap; default: bookworm, which is Debian 12)
#
# Node.js is what a machine of that release gets: Debian 13's own packages; for Debian 12, whose own is too old, the npm
# packages that carry it. Packages come from the mirror of this machine's apt sources.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

suite=${1:-bookworm}
name=sdtest-bare-$suite-$$
# Kept for the next run, as the other base images of tests are.
image=sandbox-deploy/test-bare:$suite
work=$(mktemp -d -p "${TMPDIR:-/var/tmp}")

say() { printf 'bare-machine: %s\n' "$*"; }
fail() { say "$*"; exit 1; }

# The container's processes, its engine with all containers in it, and its volumes end with it.
clean_up() {
  docker rm -fv "$name" >/dev/null 2>&1 || true
  rm -rf --one-file-system "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

case $suite in
  bookworm | trixie) ;;
  *) fail "usage: scripts/bare-machine.sh [bookworm|trixie]" ;;
esac

own_mirror() {
  # Not every machine has all of these files.
  { cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null || true; } |
    sed -n 's/^URIs: *//p; s/^deb \(\[[^]]*\] *\)\{0,1\}\(http[^ ]*\) .*/\2/p' |
    tr ' ' '\n' | sed -n 's|^\(https\{0,1\}://.*/debian\)/*$|\1|p' | head -n 1
}

# What this machine needs to reach mirror and registry, that one needs too: its policy for apt, and whom it trusts.
take_over_network() {
  local root=$1
  apt-config dump | grep -E '^Acquire::(Check-|https?::Proxy)' >"$root/etc/apt/apt.conf.d/99machine" || true
  cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
}

# debootstrap itself knows nothing of packages that stand for others, of which npm's are full.
add_node() {
  local root=$1 arch
  if [ "$suite" != bookworm ]; then
    chroot "$root" sh -c 'apt-get -qq update && apt-get -qq -y --no-install-recommends install nodejs npm' >"$work/log" 2>&1 ||
      { tail -n 20 "$work/log"; fail "Debian's Node.js could not be installed"; }
    return
  fi
  arch=$(node -p process.arch)
  (cd "$work" && npm pack --silent "node-linux-$arch@22" npm@10 >/dev/null)
  mkdir -p "$root/usr/local/lib/node_modules/npm"
  tar -xzf "$work/node-linux-$arch"-*.tgz -C "$root/usr/local" --strip-components=1 package/bin
  tar -xzf "$work"/npm-*.tgz -C "$root/usr/local/lib/node_modules/npm" --strip-components=1
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
  chmod 755 "$root/usr/local/lib/node_modules/npm/bin/npm-cli.js"
}

make_image() {
  docker image inspect "$image" >/dev/null 2>&1 && return
  local mirror root=$work/root
  mirror=$(own_mirror)
  [ -n "$mirror" ] || fail "this machine's apt sources name no mirror of Debian"
  say "making Debian $suite from $mirror"
  debootstrap --variant=minbase --include=ca-certificates,git "$suite" "$root" "$mirror" >"$work/log" 2>&1 ||
    { tail -n 20 "$work/log"; fail "debootstrap failed"; }
  take_over_network "$root"
  add_node "$root"
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
  tar --numeric-owner -C "$root" -c . | docker import --change 'LABEL sandbox-deploy.test=base' - "$image" >/dev/null
}

# All that an engine needs inside of a container: rights but for raised limits, a writable /sys, and control groups of its own.
start_machine() {
  local variables=() variable
  for variable in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
    [ -z "${!variable:-}" ] || variables+=(-e "$variable")
  done
  # shellcheck disable=SC2016 # that shell's variables
  docker run -d --name "$name" --hostname bare --label sandbox-deploy.test=bare --stop-timeout 1 \
    --cap-add ALL --cap-drop SYS_RESOURCE --device-cgroup-rule 'a *:* rwm' \
    --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined \
    --tmpfs /run -v /var/lib/docker -v /var/lib/containerd \
    -e NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt -e "npm_config_registry=$(npm config get registry 2>/dev/null)" "${variables[@]}" "$image" sh -c '
      mount -o remount,rw /sys
      for each in /sys/fs/cgroup /sys/fs/cgroup/*; do
        ! mountpoint -q "$each" || mount -o remount,bind,rw "$each"
      done
      # The second version of control groups gives a group with processes none to hand out.
      if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
        mkdir -p /sys/fs/cgroup/first
        echo $$ >/sys/fs/cgroup/first/cgroup.procs
      fi
      exec sleep infinity' >/dev/null
  list_files | tar --null -T - -c | docker exec -i "$name" sh -c 'mkdir -p /root/sandbox-deploy && tar -C /root/sandbox-deploy -x'
}

# What a clone would have.
list_files() {
  git ls-files -z --cached --others --exclude-standard 2>/dev/null ||
    find . -type f -not -path './node_modules/*' -not -path './dist/*' -not -path './.deploy/*' -print0
}

there() { docker exec -i -w /root/sandbox-deploy "$name" "$@"; }
received() { there cat /sys/class/net/eth0/statistics/rx_bytes; }

# What Debian gives without Node.js is a sentence and what to type, not an error of a shell.
without_node() {
  local said code=0
  said=$(there env PATH=/nowhere /bin/sh ./deploy up 2>&1) || code=$?
  [ "$code" = 3 ] || fail "without Node.js the launcher ended with $code: $said"
  say "without Node.js: $said"
}

first_command() {
  sed -n 's/^    \(\.\/deploy [^#]*[^# ]\).*/\1/p' README.md | head -n 1
}

command=$(first_command)
[ -n "$command" ] || fail "the README names no first command"
make_image
start_machine
there sh -c 'cat /etc/debian_version; node -v; ! command -v docker'
without_node
say "typing: $command"
before=$(received)
began=$SECONDS
# In the background, since a shell puts off what a signal asks of it until its foreground has ended.
there sh -c "$command" </dev/null &
wait $! || fail "\"$command\" ended with $?"
took=$((SECONDS - began))
downloaded=$((($(received) - before) / 1000000))
answer=$(there node -e 'fetch("http://127.0.0.1:2026/health").then((answer) => answer.text()).then(console.log)')
say "the stack answers: $answer"
case $answer in *'"mode":"local"'*) ;; *) fail "that is not the answer of a stack in local mode" ;; esac
again=$(there sh -c "$command" </dev/null 2>&1) || fail "the second time \"$command\" ended with $?: $again"
case $again in *"nothing to change"*) ;; *) fail "the second time there was something to do: $again" ;; esac
say "Debian $suite: from nothing to a stack that answers in $took s, $downloaded MB downloaded"
