import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { type AcceptName, databasePassword, foreignProject, heldLock, weakSecret } from "./core/plan.ts";
import { consentNames } from "./core/privilege.ts";
import { projectNamePattern, projectNameRule } from "./core/project-name.ts";

/** Runs one command with its flags and arguments; the result becomes the exit code. */
export type Dispatch = (command: string, flags: Record<string, unknown>, args: readonly string[]) => Promise<void>;

/** One command: what help, completion and the reading of its line need. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly example: string;
  readonly args?: readonly Argument[];
  readonly options?: readonly Option[];
  /** Changes nothing, so that there is nothing to say when it is interrupted. */
  readonly readsOnly?: true;
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) < 1) throw new InvalidArgumentError("It must be a whole number from 1.");
  return Number(text);
}

function tail(text: string): string {
  if (text !== "all" && !/^\d+$/.test(text)) throw new InvalidArgumentError("It must be a number of lines or all.");
  return text;
}

function projectName(text: string): string {
  if (!projectNamePattern.test(text)) throw new InvalidArgumentError(`It must be ${projectNameRule}.`);
  return text;
}

const accept = (names: readonly AcceptName[], description: string) =>
  new Option("--accept <name>", `${description} (repeatable)`)
    .choices(names)
    .argParser((text: string, previous: readonly AcceptName[] | undefined): AcceptName[] => {
      const name = names.find((each) => each === text);
      if (!name) throw new InvalidArgumentError(`It must be ${names.length > 1 ? "one of " : ""}${names.join(", ")}.`);
      return [...(previous ?? []), name];
    });

const images = () =>
  new Option(
    "--images <source>",
    "registry: build on published base images; local: make them from Debian packages",
  ).choices(["registry", "local"]);
const services = () => new Argument("[service...]", "services; all when left out");

const lockWait = () =>
  new Option("--lock-wait <seconds>", "wait so long for another deploy to end, then begin").argParser(wholeNumber);
const acceptStack = () =>
  accept(
    [...consentNames, foreignProject, weakSecret, databasePassword],
    "accept by name: a new host-level privilege, another folder's project, a secret that everybody knows, a password that the database has got already",
  );
const waitSeconds = () =>
  new Option("--wait-seconds <n>", "seconds to wait for health (default: health.waitSeconds)").argParser(wholeNumber);
const noRollback = () => new Option("--no-rollback", "leave what fails as it is, to look at it");

const upOptions = () => [
  new Option("--build", "build images even if they are there"),
  new Option("--no-build", "never build; a missing image is an error"),
  new Option("--pull <policy>", "when to pull published images")
    .choices(["missing", "always", "never"])
    .default("missing"),
  acceptStack(),
  images(),
];

/** Every command there is: help, completion and the README's table come from here. */
export const commandTable: readonly CommandEntry[] = [
  {
    name: "up",
    summary: "deploy the stack and prove that it works",
    example: "deploy up --images local --yes",
    options: [...upOptions(), waitSeconds(), noRollback(), lockWait()],
  },
  {
    name: "down",
    summary: "remove the stack, sandboxes included; data stays unless --volumes",
    example: "deploy down --volumes",
    options: [
      new Option("--volumes", "also delete the data volumes"),
      accept([foreignProject], "remove what another folder deployed under this project's name"),
      lockWait(),
    ],
  },
  {
    name: "rollback",
    summary: "go back to an earlier deployment: its files, environment and images; data stays",
    example: "deploy rollback",
    args: [new Argument("[id]", "a deployment of the history, or the beginning of its id (default: the one before)")],
    options: [acceptStack(), waitSeconds(), noRollback(), lockWait()],
  },
  {
    name: "plan",
    readsOnly: true,
    summary: "show what up would do, and the privileges it gains or drops",
    example: "deploy plan --exit-code",
    options: [...upOptions(), new Option("--exit-code", "exit 10 when there is something to do")],
  },
  {
    name: "status",
    readsOnly: true,
    summary: "show what runs, its health, mode and privileges",
    example: "deploy status --verify",
    options: [
      new Option("--verify", "hold every container against the last deployment; exit 1 where one goes beyond it"),
    ],
  },
  {
    name: "history",
    readsOnly: true,
    summary: "show the deployments of this folder, or one of them in full",
    example: "deploy history show last",
    args: [
      new Argument("[action]", "show one deployment in full").choices(["show"]),
      new Argument("[id]", "the deployment: an id, as much of one as no other has, or last"),
    ],
  },
  {
    name: "diff",
    readsOnly: true,
    summary: "show by name what differs: the last good deployment and what up would deploy; one and what runs; or two",
    example: "deploy diff last",
    args: [new Argument("[id]", "from this deployment"), new Argument("[other]", "to this one")],
  },
  {
    name: "logs",
    readsOnly: true,
    summary: "show the services' logs",
    example: "deploy logs gateway --follow --tail 50",
    args: [services()],
    options: [
      new Option("-f, --follow", "keep showing new lines").conflicts("json"),
      new Option("--tail <n>", "last lines of each service").default("100").argParser(tail),
    ],
  },
  {
    name: "restart",
    summary: "restart services",
    example: "deploy restart gateway",
    args: [services()],
    options: [lockWait()],
  },
  {
    name: "build",
    summary: "build the stack's images",
    example: "deploy build --images local",
    args: [services()],
    options: [accept(consentNames, "accept a new host-level privilege by name"), images(), lockWait()],
  },
  {
    name: "pull",
    summary: "pull the published images that the stack uses",
    example: "deploy pull",
    args: [services()],
    options: [lockWait()],
  },
  {
    name: "config",
    readsOnly: true,
    summary: "show the merged Compose model with secrets redacted",
    example: "deploy config --json",
  },
  {
    name: "detect",
    readsOnly: true,
    summary: "show the sandbox mode of a platform's configuration, and why; needs no Docker",
    example: "deploy detect config.yaml --env-file .env --json",
    args: [new Argument("[file]", "the platform's configuration file")],
  },
  {
    name: "guard",
    readsOnly: true,
    summary: "look into the guard of aio mode (log, check, policy), or run one by itself (serve)",
    example: "deploy guard log --denied",
    args: [
      new Argument("<action>", "what to do").choices(["log", "check", "policy", "serve"]),
      new Argument("[file]", "for check: a request as JSON; for log: another audit file"),
    ],
    options: [
      new Option("--denied", "log: only what was refused"),
      new Option("-f, --follow", "log: keep showing new lines").conflicts("json"),
      new Option("--policy <file>", "check, policy, serve: this policy in place of the stack's"),
      new Option("--listen <address>", "serve: where clients connect, as unix:PATH"),
      new Option("--upstream <address>", "serve, check: the engine's socket, as unix:PATH"),
      new Option("--audit <file>", "serve: where each operation is noted, or - for standard output"),
    ],
  },
  {
    name: "audit",
    readsOnly: true,
    summary: "show who changed what in this folder, and how it ended",
    example: "deploy audit --limit 5",
    options: [new Option("--limit <n>", "the last so many").default(20).argParser(wholeNumber)],
  },
  {
    name: "unlock",
    summary: "show who holds the lock, and remove it if its owner is certainly dead",
    example: "deploy unlock",
    options: [
      new Option("--force", "remove it also where its owner may still run; asks first"),
      accept([heldLock], "remove a lock whose owner may still run"),
    ],
  },
  {
    name: "secrets",
    summary: "show, check, generate, set and rotate the stack's secrets; no value is ever shown",
    example: "deploy secrets set GATEWAY_API_KEY < key.txt",
    args: [
      new Argument("<action>", "what to do").choices(["list", "check", "generate", "set", "rotate"]),
      new Argument("[name...]", "for set: the variable, its value is read from standard input; for rotate: secrets"),
    ],
    options: [
      new Option("--all", "rotate: every generated secret that can be"),
      accept([weakSecret, databasePassword], "accept by name what is found wrong"),
      new Option("--wait-seconds <n>", "rotate: seconds to wait for health (default: health.waitSeconds)").argParser(
        wholeNumber,
      ),
      lockWait(),
    ],
  },
  {
    name: "completion",
    readsOnly: true,
    summary: "print a completion script for a shell",
    example: 'eval "$(deploy completion bash)"',
    args: [new Argument("<shell>", "bash, zsh or fish").choices(["bash", "zsh", "fish"])],
  },
];

/** Flags that every command takes. */
export const globalOptions = (): Option[] => [
  new Option("--json", "print one JSON document on stdout"),
  new Option("-y, --yes", "answer yes to questions; never to host-level privileges"),
  new Option("--no-color", "no colour"),
  new Option("--config <file>", "the configuration (default: deploy.config.yaml)"),
  new Option("--env-file <file>", "the environment file (default: compose.envFile of the configuration)"),
  new Option("--project <name>", "the Compose project name").argParser(projectName),
  new Option("--verbose", "show what the child processes say"),
];

/** Builds the command line from the table. Errors of usage are thrown as CommanderError and printed by the caller. */
export function createProgram(version: string, dispatch: Dispatch): Command {
  const program = new Command("deploy")
    .description("Deploys self-hosted AI-agent platforms with Docker Compose without handing the host to the agent.")
    .version(version, "-V, --version")
    .exitOverride()
    .configureOutput({ outputError: () => {} })
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
