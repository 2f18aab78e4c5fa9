import { Command, type Option } from "commander";
import { type CommandEntry, commandTable } from "./cli.ts";
import { helpItem } from "./core/text/help-item.ts";
import { globalOptions } from "./global-options.ts";

/** Runs one command with its flags and arguments; the result becomes the exit code. */
export type Dispatch = (command: string, flags: Record<string, unknown>, args: readonly string[]) => Promise<void>;

/** Builds the command line from the table. Errors of usage are thrown as CommanderError and printed by the caller. */
export function createProgram(version: string, dispatch: Dispatch): Command {
  const program = new Command("deploy")
    .description("Deploys self-hosted AI-agent platforms with Docker Compose without handing the host to the agent.")
    .version(version, "-V, --version")
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .configureHelp({
      minWidthToWrap: 20,
      formatItem: (term, columns, text, { helpWidth = 80 }) => helpItem(term, columns, text, helpWidth),
    })
    .addHelpText("after", "\nExamples:\n  deploy plan\n  deploy up\n  deploy down");
  for (const entry of commandTable) program.addCommand(createCommand(entry, dispatch).copyInheritedSettings(program));
  return program;
}

function createCommand(entry: CommandEntry, dispatch: Dispatch): Command {
  const command = new Command(entry.name).summary(entry.summary).description(entry.summary);
  for (const argument of entry.args ?? []) command.addArgument(argument);
  for (const option of [...(entry.options ?? []), ...globalOptions()]) command.addOption(option);
  command.addHelpText("after", `\nExample:\n  ${entry.example}`);
  return command.action(() => dispatch(entry.name, command.opts(), command.args));
}

/**
 * Puts the command before the global flags that were written in front of it, as in `--json plan`: they mean the same there.
 * Any other line stays as it is.
 */
export function commandFirst(argv: readonly string[]): readonly string[] {
  const globals = globalOptions();
  let at = 0;
  for (let word = argv[0]; word?.startsWith("-"); word = argv[at]) {
    const flag = word;
    const option = globals.find((each) => isFlag(each, flag) || (each.required && flag.startsWith(`${each.long}=`)));
    if (option === undefined) return argv;
    at += option.required && isFlag(option, flag) ? 2 : 1;
  }
  const command = argv[at];
  return command === undefined ? argv : [command, ...argv.slice(0, at), ...argv.slice(at + 1)];
}

/** Whether a word is this flag, in its long or short form. */
export function isFlag({ long, short }: Option, word: string): boolean {
  return word === long || word === short;
}
