#!/usr/bin/env bash
# Measures the tool against what an operator would type without it, as ratios within one run, and prints a table.
# Brings the default stack up in a temporary folder, under a project name and a port of its own, and removes it again.
#
# usage: scripts/bench.sh [--report-only]    --report-only: do not fail when a bound is missed
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

report_only=
case ${1:-} in
  '') ;;
  --report-only) report_only=1 ;;
  *) echo "usage: scripts/bench.sh [--report-only]" >&2; exit 2 ;;
esac
for program in hyperfine docker node haproxy; do
  command -v "$program" >/dev/null || { echo "bench: $program is not installed" >&2; exit 3; }
done

# Node.js reads these certificates at every start, before anything that is measured here, and takes longer for it than for the rest.
unset NODE_EXTRA_CA_CERTS

work=$(mktemp -d)
project=bench-$$
tool=(./deploy)
sandbox_image=sandbox-deploy/sandbox:$(node -p 'require("./package.json").version')-local
flags=(--config "$work/deploy.config.yaml" --project "$project")

remove_stack() {
  trap '' INT TERM
  "${tool[@]}" down --volumes --yes "${flags[@]}" >/dev/null 2>&1 || docker compose -p "$project" down -v >/dev/null 2>&1 || true
  docker image ls --filter "reference=$project/*" --format '{{.Repository}}:{{.Tag}}' | xargs -r docker image rm >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap remove_stack EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

free_port() { node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'; }

# A `docker` that notes how the tool calls `compose up` before it does so: the comparison then uses the same project,
# files and environment, or Compose would see other settings and start everything anew.
record_compose() {
  mkdir "$work/bin"
  cat >"$work/bin/docker" <<SHIM
#!/bin/sh
case " \$* " in
  " compose "*" up "*)
    {
      echo '#!/bin/sh'
      export -p
      printf "cd '%s'\nexec '$(command -v docker)'" "\$(pwd)"
      for word; do
        [ "\$word" != up ] || break
        printf " '%s'" "\$(printf %s "\$word" | sed "s/'/'\\\\\\\\''/g")"
      done
      echo ' "\$@"'
    } >'$work/compose'
    chmod 700 '$work/compose' ;;
esac
exec '$(command -v docker)' "\$@"
SHIM
  chmod 755 "$work/bin/docker"
}

# compare NAME RUNS TOOL_COMMAND OTHER_COMMAND
compare() {
  echo "bench: $3  against  $4" >&2
  hyperfine -N --style none --warmup 2 --runs "$2" --export-json "$work/$1.json" "$3" "$4" >&2
}

# Prints the most memory, in KiB, that the tool itself held while it ran the given command.
peak_memory() {
  cat >"$work/peak.cjs" <<'HOOK'
process.on("exit", () => require("node:fs").appendFileSync(process.env.BENCH_PEAK, `${process.resourceUsage().maxRSS}\n`));
HOOK
  BENCH_PEAK=$work/peak NODE_OPTIONS="--require $work/peak.cjs" "${tool[@]}" "$@" "${flags[@]}" >/dev/null 2>&1
}

table() {
  node - "$work" <<'TABLE'
const { readFileSync } = require("node:fs");
const [work] = process.argv.slice(2);
const rows = [
  { name: "start", tool: "deploy --version", other: "node -e 0", bound: 1.5 },
  { name: "plan", tool: "deploy plan", other: "docker compose config", bound: 2.5 },
  { name: "up", tool: "deploy up, nothing to do", other: "docker compose up -d --wait, nothing to do", bound: 1.3 },
];
const milliseconds = (seconds) => `${Math.round(seconds * 1000)} ms`;
let missed = 0;
console.log("| the tool | | compared with | | ratio | at most |\n|---|---|---|---|---|---|");
for (const { name, tool, other, bound } of rows) {
  const [ours, theirs] = JSON.parse(readFileSync(`${work}/${name}.json`, "utf8")).results.map((result) => result.median);
  if (ours / theirs > bound) missed += 1;
  console.log(`| \`${tool}\` | ${milliseconds(ours)} | \`${other}\` | ${milliseconds(theirs)} | ${(ours / theirs).toFixed(2)} | ${bound} |`);
}
const peak = (Math.max(...readFileSync(`${work}/peak`, "utf8").trim().split("\n").map(Number)) * 1024) / 1e6;
if (peak > 120) missed += 1;
console.log(`| peak memory of \`plan\` and \`up\` | ${peak.toFixed(0)} MB | | | | 120 MB |`);
process.exitCode = missed > 0 ? 1 : 0;
TABLE
}

printf 'version: 1\n' >"$work/deploy.config.yaml"
printf 'PORT=%s\n' "$(free_port)" >"$work/.env"
record_compose
echo "bench: bringing the default stack up as $project" >&2
PATH=$work/bin:$PATH "${tool[@]}" up --images local --yes "${flags[@]}" >"$work/up.log" 2>&1 || { tail -n 40 "$work/up.log" >&2; exit 1; }
[ -x "$work/compose" ] || { echo "bench: the tool did not call docker compose up" >&2; exit 1; }
# The tool notes which docker it has asked: after a change it is the one that is measured.
printf 'GATEWAY_CPUS=0.9\n' >>"$work/.env"
"${tool[@]}" up --images local --yes "${flags[@]}" >"$work/up.log" 2>&1 || { tail -n 40 "$work/up.log" >&2; exit 1; }

compare start 40 "./deploy --version" "node -e 0"
compare plan 10 "./deploy plan --images local ${flags[*]}" "$work/compose config"
compare up 10 "./deploy up --images local --yes ${flags[*]}" "$work/compose up -d --wait"
peak_memory plan --images local
peak_memory up --images local --yes

missed=
table || missed=1
echo "bench: the guard of aio mode against the socket behind it" >&2
docker image inspect "$sandbox_image" >/dev/null 2>&1 || scripts/build-images.sh sandbox >&2
echo
node scripts/bench-guard.mjs ${report_only:+--report-only} --image "$sandbox_image" || missed=1
[ -z "$missed" ] || [ -n "$report_only" ]
