#!/usr/bin/env bash
# The quick checks, which need no Docker engine: build, types, lint and format, shell scripts, and the vitest projects `quick`
# and `cli` (some of their tests need `docker compose`), of `cli` the first tests of each file. All parts run, at the same time; what failing ones said is shown last.
#
# usage: scripts/check.sh [RESULTS]    RESULTS: a folder that keeps the output and status of each part
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

results=${1:-}
if [ -z "$results" ]; then
  results=$(mktemp -d)
  trap 'rm -rf "$results"' EXIT
fi
PATH=$PWD/node_modules/.bin:$PATH

# ended NAME STATUS: says how a part ended, and keeps it
ended() {
  printf 'check: %-6s %s  %3d s\n' "$1" "$2" "$SECONDS" | tee -a "$results/summary"
}

# part NAME COMMAND...: runs one part and keeps its output
part() {
  local name=$1 status=passed
  shift
  "$@" >"$results/$name.log" 2>&1 || status=failed
  printf '%s %s\n' "$name" "$status" >>"$results/parts"
  ended "$name" "$status"
}

shell_scripts() {
  find deploy .ci scripts compose templates -type f -exec awk 'FNR == 1 && /^#!.*sh( |$)/ { print FILENAME } { exit }' {} \; 2>/dev/null
}

check_shell() {
  local files
  mapfile -t files < <(shell_scripts)
  shellcheck "${files[@]}"
}

# The tests are long enough to be watched, so their output is shown as well as kept.
tests() {
  local status=passed code
  TEST_CASES=${TEST_CASES:-first} vitest run --project quick --project cli --reporter=default --reporter=json --outputFile.json="$results/quick.json" \
    </dev/null 2>&1 | tee "$results/tests.log"
  code=${PIPESTATUS[0]}
  [ "$code" = 0 ] || status=failed
  ended tests "$status"
  printf 'quick %s\n' "$code" >>"$results/runs"
}

[ -d node_modules/vitest ] || { echo "check: the packages are not installed: npm ci" >&2; exit 1; }
part build node scripts/build.mjs &
part types tsc --noEmit --incremental --tsBuildInfoFile node_modules/.cache/types.json &
part lint biome check --error-on-warnings . &
part shell check_shell &
tests
wait

mapfile -t failed < <(awk '$3 == "failed" { print $2 }' "$results/summary")
if [ ${#failed[@]} -gt 0 ]; then
  for name in "${failed[@]}"; do
    # What the tests said is above.
    if [ "$name" != tests ]; then printf '\n--- %s\n' "$name" && tail -n 60 "$results/$name.log"; fi
  done
  printf '\n'
  cat "$results/summary"
  printf 'check: %d of 5 parts failed: %s\n' ${#failed[@]} "${failed[*]}"
fi
[ ${#failed[@]} = 0 ]
