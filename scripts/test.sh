#!/usr/bin/env bash
# All tests: sets the machine up where it may, runs scripts/check.sh, the slow tests and the scenarios on a real Docker engine,
# some of them on a newer one as well, removes what they made, and ends with one line: `N passed, N failed`. Fails when anything failed or nothing ran.
#
# usage: scripts/test.sh
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

label=sandbox-deploy.test
results=$(mktemp -d)

say() { printf '\ntest: %s\n' "$*"; }
record() { printf '%s %s\n' "$1" "$2" >>"$results/parts"; }

# Everything that carries the label, but not the base images, which the next run uses again; and the names that the
# records of scenarios gave to images.
remove_leftovers() {
  docker info >/dev/null 2>&1 || return 0
  docker ps -aq --filter "label=$label" | xargs -r docker rm -fv
  docker network ls -q --filter "label=$label" | xargs -r docker network rm
  docker volume ls -q --filter "label=$label" | xargs -r docker volume rm -f
  docker image ls --filter 'reference=sdtest-*/*' --format '{{.Repository}}:{{.Tag}}' | xargs -r docker image rm
  comm -23 <(docker image ls -q --filter "label=$label" | sort -u) \
    <(docker image ls -q --filter "label=$label=base" | sort -u) | xargs -r docker image rm -f
} >/dev/null 2>&1

finish() {
  trap '' INT TERM
  remove_leftovers
  rm -rf "$results"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

prepare_machine() {
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    scripts/setup-test-machine.sh
  else
    scripts/setup-test-machine.sh --check
  fi
}

# `npm --silent test` would make this npm as silent as itself.
install_packages() {
  local marker=node_modules/.package-lock.json
  if [ -f "$marker" ] && [ -d node_modules/vitest ] && [ -z "$(find package-lock.json -newer "$marker")" ]; then return 0; fi
  say "npm ci"
  npm ci --include=dev --prefer-offline --no-audit --no-fund --loglevel=notice </dev/null && touch "$marker"
}

# run_project NAME: a project of vitest and those named after it, whose report and exit code are counted
run_project() {
  node_modules/.bin/vitest run --project "$1" --project "$1-*" --reporter=default --reporter=json --outputFile.json="$results/$1.json" </dev/null
  printf '%s %s\n' "$1" "$?" >>"$results/runs"
}

say "preparing this machine"
prepare_machine || record machine failed
remove_leftovers
install_packages || record packages failed
say "checks without an engine"
export TEST_CASES=all
scripts/check.sh "$results"
say "real stores, browsers, terminals and languages"
run_project slow
say "scenarios on a real engine"
if docker info >/dev/null 2>&1; then
  run_project e2e
  say "the guard and the modes on a newer engine, with the image store that engines from 29.0 on begin with"
  # Of the ways that are tried straight at the engine the first do: what they show is that the others are spelled right.
  export SCENARIO_IMAGES=there TEST_CASES=first ENGINE_FLAGS='--feature containerd-snapshotter=true'
  scripts/on-newer-engine.sh node_modules/.bin/vitest run --project e2e --reporter=default --reporter=json \
    --outputFile.json="$results/newer.json" test/e2e/guard test/e2e/modes </dev/null
  printf 'newer %s\n' "$?" >>"$results/runs"
else
  echo "the Docker engine does not answer: no scenario was run"
fi
node test/support/count-tests.mjs "$results"
