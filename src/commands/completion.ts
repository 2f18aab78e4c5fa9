import { commandTable } from "../cli.ts";
import { globalOptions } from "../global-options.ts";
import type { World } from "../world.ts";

/** What may follow a flag or a command: one of some words, a file, or a text that nobody can guess. */
type Value = { readonly kind: "words"; readonly words: readonly string[] } | { readonly kind: "file" | "text" };

interface Flag {
  readonly names: readonly string[];
  readonly summary: string;
  readonly value: Value | undefined;
}

interface Words {
  readonly command: string;
  readonly summary: string;
  readonly flags: readonly Flag[];
  readonly argument: Value | undefined;
}

/** Prints a completion script made from the same table as the help. */
export async function completion(world: World, shell: string): Promise<void> {
  const write = scripts[shell];
  if (!write) throw new Error(`no completion for ${shell}`);
  const script = write(readTable());
  world.reporter.result({ whole: script }, { version: 1, exitCode: 0, shell, script });
}

const scripts: Readonly<Record<string, (table: readonly Words[]) => string>> = { bash, zsh, fish };

function readTable(): Words[] {
  return commandTable.map(({ name, summary, options = [], args = [] }) => {
    const [argument] = args.map((each) => valueNamed(each.name(), each.argChoices));
    const flags = [...options, ...globalOptions()].map(flagOf);
    return { command: name, summary, flags: [...flags, help], argument };
  });
}

const help: Flag = { names: ["--help", "-h"], summary: "display help for command", value: undefined };

type Option = ReturnType<typeof globalOptions>[number];

function flagOf({ long, short, description, required, argChoices, flags }: Option): Flag {
  const names = [long, short].flatMap((name) => name ?? []);
  return { names, summary: description, value: required ? valueNamed(flags, argChoices) : undefined };
}

function valueNamed(name: string, choices: readonly string[] | undefined): Value {
  if (choices) return { kind: "words", words: choices };
  return { kind: /file/.test(name) ? "file" : "text" };
}

function namesOf({ flags }: Words): string[] {
  return flags.flatMap(({ names }) => names);
}

/** Only what bash 3.2 knows, which is the one of macOS. */
function bash(table: readonly Words[]): string {
  const words = (list: readonly string[]) => `words="${list.join(" ")}"`;
  const offer = (value: Value) =>
    value.kind === "words" ? words(value.words) : value.kind === "file" ? "files=1" : ":";
  const values = table.flatMap(({ command, flags }) =>
    flags.flatMap(({ names, value }) =>
      value ? [`    ${names.map((name) => `"${command} ${name}"`).join(" | ")}) ${offer(value)} ;;`] : [],
    ),
  );
  const rest = table.flatMap((each) => [
    `    "${each.command} "*" -"*) ${words(namesOf(each))} ;;`,
    `    "${each.command} "*) ${each.argument ? offer(each.argument) : words(namesOf(each))} ;;`,
  ]);
  return [
    "_sandbox_deploy() {",
    '  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" command="${COMP_WORDS[1]}"',
    "  local words= files=",
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    ${words([...table.map(({ command }) => command), "--help", "--version"])}`,
    '  else case "$command $previous" in',
    ...values,
    '  *) case "$command . $current" in',
    ...rest,
    "  esac ;; esac; fi",
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '  if [ -n "$files" ]; then',
    "    local IFS=$'\\n'",
    '    COMPREPLY=($(compgen -f -- "$current"))',
    "    compopt -o filenames 2>/dev/null",
    "  fi",
    "}",
    "complete -F _sandbox_deploy deploy ./deploy sandbox-deploy",
  ].join("\n");
}

function zsh(table: readonly Words[]): string {
  const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const offer = (value: Value) =>
    value.kind === "words" ? `compadd -- ${value.words.join(" ")}` : value.kind === "file" ? "_files" : ":";
  const values = table.flatMap(({ command, flags }) =>
    flags.flatMap(({ names, value }) =>
      value ? [`    ${names.map((name) => quote(`${command} ${name}`)).join("|")}) ${offer(value)}; return ;;`] : [],
    ),
  );
  const rest = table.map((each) => {
    const argument = each.argument ? `${offer(each.argument)}; ` : "";
    return `    ${each.command}) ${argument}compadd -- ${namesOf(each).join(" ")} ;;`;
  });
  return [
    "#compdef deploy sandbox-deploy",
    "_sandbox_deploy() {",
    "  local -a commands=(",
    ...table.map(({ command, summary }) => `    ${quote(`${command}:${summary}`)}`),
    "  )",
    "  if (( CURRENT == 2 )); then _describe command commands; return; fi",
    '  case "$words[2] $words[CURRENT-1]" in',
    ...values,
    "  esac",
    '  case "$words[2]" in',
    ...rest,
    "  esac",
    "}",
    "compdef _sandbox_deploy deploy ./deploy sandbox-deploy",
  ].join("\n");
}

function fish(table: readonly Words[]): string {
  const quote = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const offer = (value: Value) =>
    value.kind === "words" ? ` -x -a ${quote(value.words.join(" "))}` : value.kind === "file" ? " -r -F" : " -x";
  return table
    .flatMap(({ command, summary, flags, argument }) => {
      const within = `complete -c deploy -n '__fish_seen_subcommand_from ${command}'`;
      return [
        `complete -c deploy -n __fish_use_subcommand -f -a ${command} -d ${quote(summary)}`,
        ...(argument?.kind === "file" ? [] : [`${within} -f`]),
        ...(argument?.kind === "words" ? [`${within} -a ${quote(argument.words.join(" "))}`] : []),
        ...flags.map(
          (flag) => `${within}${fishNames(flag)}${flag.value ? offer(flag.value) : ""} -d ${quote(flag.summary)}`,
        ),
      ];
    })
    .join("\n");
}

function fishNames({ names }: Flag): string {
  return names.map((name) => (name.startsWith("--") ? ` -l ${name.slice(2)}` : ` -s ${name.slice(1)}`)).join("");
}
