#!/usr/bin/env bash
# Everything that needs no Docker engine: build, types, lint and format, shell scripts, and the vitest project `quick`
# (its Compose tests need `docker compose`). Every part runs; what the first failing one said is shown last.
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
summary=
first_failed=
failed=0

# part NAME COMMAND...: starts one part, which keeps its output, its status and its seconds
part() {
  local name=$1
  shift
  (
    "$@" >"$results/$name.log" 2>&1 && status=passed || status=failed
    printf '%s %s\n' "$status" "$SECONDS" >"$results/$name.ended"
  ) &
}

# settle NAME STATUS SECONDS: shows how a part ended
settle() {
  local line
  printf -v line 'check: %-6s %s  %3d s' "$1" "$2" "$3"
  printf '%s\n' "$line"
  summary+=$line$'\n'
  [ "$2" = failed ] || return 0
  failed=$((failed + 1))
  : "${first_failed:=$1}"
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
  local started=$SECONDS status=passed code
  vitest run --project quick --reporter=default --reporter=json --outputFile.json="$results/quick.json" \
    </dev/null 2>&1 | tee "$results/tests.log"
  code=${PIPESTATUS[0]}
  [ "$code" = 0 ] || status=failed
  settle tests "$status" $((SECONDS - started))
  printf 'quick %s\n' "$code" >>"$results/runs"
}

[ -d node_modules/vitest ] || { echo "check: the packages are not installed: npm ci" >&2; exit 1; }
SECONDS=0
part build node scripts/build.mjs
part types tsc --noEmit
part lint biome check --error-on-warnings .
part shell check_shell
wait
for name in build types lint shell; do
  read -r status seconds <"$results/$name.ended"
  settle "$name" "$status" "$seconds"
  printf '%s %s\n' "$name" "$status" >>"$results/parts"
done
tests

if [ "$failed" -gt 0 ] && [ -z "${1:-}" ]; then
  printf '\n%s\n' "$summary"
  tail -n 60 "$results/$first_failed.log"
  printf '\ncheck: %d of 5 parts failed; above is what %s said\n' "$failed" "$first_failed"
elif [ "$failed" -gt 0 ]; then
  for name in build types lint shell; do
    grep -q "^$name failed" "$results/parts" && printf '\n--- %s\n' "$name" && tail -n 40 "$results/$name.log"
  done
fi
[ "$failed" = 0 ]
