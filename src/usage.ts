import { CommanderError } from "commander";
import { type CommandEntry, commandTable } from "./cli.ts";
import { isFlag } from "./command-line.ts";
import type { Finding } from "./core/findings/finding.ts";
import { visibleLine } from "./core/text/visible-text.ts";
import { globalOptions } from "./global-options.ts";

/** How the reading of a command line ended early: help and version are no errors, anything else is one finding. */
export type Usage = { readonly kind: "shown" } | { readonly kind: "wrong"; readonly finding: Finding };

/** Reads an error of the command line; undefined for any other error. */
export function usageOf(error: unknown, argv: readonly string[]): Usage | undefined {
  if (!(error instanceof CommanderError)) return undefined;
  if (error.exitCode === 0) return { kind: "shown" };
  if (error.code === "commander.help") {
    return {
      kind: "wrong",
      finding: usageFinding("a command is missing", "./deploy up deploys; the commands are above"),
    };
  }
  const near = /\n\(Did you mean (?:one of )?(.*)\?\)$/.exec(error.message);
  const said = near ? error.message.slice(0, near.index) : error.message;
  const fix = near ? `did you mean ${near[1]}?` : (commandFix(argv) ?? "./deploy --help shows every command");
  return {
    kind: "wrong",
    finding: usageFinding(
      visibleLine(said)
        .replace(/^error: /, "")
        .replace(/\.$/, ""),
      fix,
    ),
  };
}

/** Where to look, by what the line begins with: a command, or a flag that belongs behind one. */
function commandFix([first = "", ...rest]: readonly string[]): string | undefined {
  if (commandTable.some(({ name }) => name === first)) return `./deploy ${first} --help shows its flags`;
  const takes = ({ options = [] }: CommandEntry) =>
    [...options, ...globalOptions()].some((option) => isFlag(option, first));
  const takers = commandTable.filter(takes);
  const meant = takers.find(({ name }) => rest.includes(name)) ?? takers[0];
  return meant && `write the command first: ./deploy ${meant.name} ${first}`;
}

function usageFinding(message: string, fix: string): Finding {
  return { code: "D001", severity: "error", message, fix };
}
