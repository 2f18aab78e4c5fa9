#!/usr/bin/env bash
# Runs a command beside the newer Docker engine that scripts/setup-test-machine.sh keeps for tests, with a network, mounts and
# processes of its own: this machine's engine notices nothing of it. It knows all images of this project that that one has,
# and cannot fetch others. Needs root.
#
# usage: scripts/on-newer-engine.sh COMMAND...
#        ENGINE_FLAGS='--feature containerd-snapshotter=true' scripts/on-newer-engine.sh COMMAND...
#                  with flags of dockerd; these give it the image store that engines from 29.0 on have from the start
set -euo pipefail
programs=/usr/local/lib/sandbox-deploy-test/engine

outside() {
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  docker image ls --filter reference='sandbox-deploy/*' --format '{{.Repository}}:{{.Tag}}' |
    xargs docker save --output "$work/images.tar"
  unshare --net --mount --pid --fork --kill-child --mount-proc --propagation private \
    "${BASH_SOURCE[0]}" --inside "$work" "$@"
}

# The first process of its own table: when it ends, so does all that it has started.
inside() {
  local work=$1
  shift
  mount -t tmpfs tmpfs /run
  mkdir /run/lock
  ip link set lo up
  PATH=$programs:$PATH
  # shellcheck disable=SC2086 # a list of flags
  dockerd --data-root "$work/data" --exec-root /run/docker ${ENGINE_FLAGS:-} >"$work/log" 2>&1 &
  until docker info >/dev/null 2>&1; do
    kill -0 $! 2>/dev/null || { tail -n 5 "$work/log" >&2; exit 1; }
    sleep 0.2
  done
  docker load --quiet --input "$work/images.tar" >/dev/null
  rm "$work/images.tar"
  echo "on-newer-engine: engine $(docker version --format '{{.Server.Version}}')" >&2
  "$@"
}

if [ "${1:-}" = --inside ]; then
  shift
  inside "$@"
else
  [ -x "$programs/dockerd" ] || { echo "on-newer-engine: run scripts/setup-test-machine.sh first" >&2; exit 3; }
  outside "$@"
fi
