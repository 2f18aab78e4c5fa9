import { Argument, InvalidArgumentError, Option } from "commander";
import {
  type AcceptName,
  databasePassword,
  foreignProject,
  heldLock,
  lowDisk,
  lowMemory,
  weakSecret,
} from "./core/plan/plan.ts";
import { consentNames } from "./core/privileges/privilege.ts";
import { setupOptions } from "./setup-options.ts";

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

/** As many seconds, in milliseconds, are still a time that Node.js can wait: beyond that it would not wait at all. */
const wholeMax = 1_000_000;

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) < 1 || Number(text) > wholeMax)
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${wholeMax}.`);
  return Number(text);
}

function tail(text: string): string {
  if (text !== "all" && !/^\d+$/.test(text)) throw new InvalidArgumentError("It must be a number of lines or all.");
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
    name: "setup",
    summary: "ask how the stack is to be and write the answers; each question has a flag and a variable",
    example: "deploy setup --mode aio --exposure machine --yes",
    options: [...setupOptions(), lockWait()],
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
    name: "key",
    readsOnly: true,
    summary: "print the key that clients send, for whoever asks here; the audit log tells of it",
    example: "deploy key | xclip",
    args: [new Argument("[name]", "the variable, where clients have several keys")],
  },
  {
    name: "open",
    readsOnly: true,
    summary: "open the page in a browser, or show how to reach it",
    example: "deploy open",
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
    name: "doctor",
    readsOnly: true,
    summary: "check this machine, the configuration and what runs, and say what to do; or explain a finding's code",
    example: "deploy doctor D047",
    args: [new Argument("[code]", "the code of a finding to explain")],
    options: [
      new Option("--fix", "mend what is safe to mend, each after a question"),
      accept(
        [lowDisk, lowMemory, foreignProject, weakSecret, databasePassword],
        "accept by name that there is less than the stack wants, and what up accepts",
      ),
      new Option("--timeout <seconds>", "give up each check after so long (default: 10)").argParser(wholeNumber),
    ],
  },
  {
    name: "tls",
    readsOnly: true,
    summary: "show the certificate as a client sees it (status), or print the root of the stack's own CA (root)",
    example: "deploy tls root > root.pem",
    args: [new Argument("<action>", "what to do").choices(["status", "root"])],
  },
  {
    name: "completion",
    readsOnly: true,
    summary: "print a completion script for a shell",
    example: 'eval "$(deploy completion bash)"',
    args: [new Argument("<shell>", "bash, zsh or fish").choices(["bash", "zsh", "fish"])],
  },
];
