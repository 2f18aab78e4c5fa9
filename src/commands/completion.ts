import { commandTable, globalOptions } from "../cli.ts";
import type { World } from "../world.ts";

interface Words {
  readonly command: string;
  readonly summary: string;
  readonly flags: readonly string[];
}

/** Prints a completion script made from the same table as the help. */
export async function completion(world: World, shell: string): Promise<void> {
  const words = commandTable.map(({ name, summary, options = [] }): Words => {
    const flags = [...options, ...globalOptions()].flatMap(({ long, short }) =>
      [long, short].flatMap((flag) => flag ?? []),
    );
    return { command: name, summary, flags };
  });
  const script = scripts[shell];
  if (!script) throw new Error(`no completion for ${shell}`);
  world.reporter.result(script(words), { version: 1, shell, script: script(words) });
}

const scripts: Readonly<Record<string, (words: readonly Words[]) => string>> = { bash, zsh, fish };

function bash(words: readonly Words[]): string {
  const cases = words.map(({ command, flags }) => `    ${command}) words="${flags.join(" ")}" ;;`);
  return [
    "_sandbox_deploy() {",
    '  local current="${COMP_WORDS[COMP_CWORD]}" command="${COMP_WORDS[1]}" words=""',
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    words="${words.map(({ command }) => command).join(" ")} --help --version"`,
    '  else case "$command" in',
    ...cases,
    "  esac; fi",
    '  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")',
    '  if [ "${#COMPREPLY[@]}" -eq 0 ]; then mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi',
    "}",
    "complete -F _sandbox_deploy deploy ./deploy sandbox-deploy",
  ].join("\n");
}

function zsh(words: readonly Words[]): string {
  const commands = words.map(({ command, summary }) => `    '${command}:${summary.replaceAll("'", "'\\''")}'`);
  const cases = words.map(({ command, flags }) => `    ${command}) compadd -- ${flags.join(" ")}; _files ;;`);
  return [
    "#compdef deploy sandbox-deploy",
    "_sandbox_deploy() {",
    "  local -a commands=(",
    ...commands,
    "  )",
    "  if (( CURRENT == 2 )); then _describe command commands; return; fi",
    '  case "$words[2]" in',
    ...cases,
    "  esac",
    "}",
    "compdef _sandbox_deploy deploy ./deploy sandbox-deploy",
  ].join("\n");
}

function fish(words: readonly Words[]): string {
  const lines = words.flatMap(({ command, summary, flags }) => [
    `complete -c deploy -n __fish_use_subcommand -f -a ${command} -d '${summary.replaceAll("'", "\\'")}'`,
    ...flags
      .filter((flag) => flag.startsWith("--"))
      .map((flag) => `complete -c deploy -n '__fish_seen_subcommand_from ${command}' -l ${flag.slice(2)}`),
  ]);
  return lines.join("\n");
}
