import { randomBytes } from "node:crypto";
import { homedir, hostname, userInfo } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { ParsedFlags } from "./commands/dispatch.ts";
import { createFiles } from "./shell/files.ts";
import { portState } from "./shell/port-state.ts";
import type { Prefetch } from "./shell/prefetch.ts";
import { probe } from "./shell/probe.ts";
import { createProcessTable } from "./shell/processes.ts";
import { ask } from "./shell/question.ts";
import { interruptOnSignals } from "./shell/signals.ts";
import { plainTasks } from "./terminal/plain-tasks.ts";
import { createReporter, stillEnding } from "./terminal/reporter.ts";
import type { Command, Interruption, Reporter, RunOptions, World } from "./world.ts";

/** How long an engine that does not answer may hold up the end of a command. */
const lastlyMilliseconds = 10_000;

/** What main hands over: the process it runs in, and what it has already started. */
export interface Origin {
  readonly version: string;
  readonly toolRoot: string;
  readonly process: NodeJS.Process;
  readonly prefetch: Prefetch | undefined;
}

/** Begins to listen for signals. */
export function createInterruption(process: NodeJS.Process): Interruption {
  return interruptOnSignals(process);
}

/** Builds the one real World. */
export async function createWorld(flags: ParsedFlags, interruption: Interruption, origin: Origin): Promise<World> {
  const { process, prefetch, version, toolRoot } = origin;
  const { signal } = interruption;
  const reporter = await createTerminalReporter(flags, interruption, process);
  const processes = createProcessTable(process);
  const run = async (command: Command, options?: RunOptions) => {
    if (!options) return prefetch?.take(command) ?? ask(command, signal);
    if (options.lastly) return ask(command, AbortSignal.timeout(lastlyMilliseconds));
    if (!options.onOutput && options.signal) return ask(command, AbortSignal.any([signal, options.signal]));
    const { createRun } = await import("./shell/exec.ts");
    return createRun(signal, () => reporter.hidden())(command, options);
  };
  let input: Promise<string | undefined> | undefined;
  return {
    version,
    toolRoot,
    nodePath: process.execPath,
    cwd: process.cwd(),
    home: homedir(),
    user: userName(process),
    uid: process.getuid?.(),
    host: hostname(),
    env: process.env,
    signal,
    files: createFiles(processes),
    reporter,
    now: () => new Date(),
    timeAgo: (milliseconds) => new Date(Date.now() - milliseconds).toISOString(),
    randomBytes,
    sleep: (milliseconds) => sleep(milliseconds, undefined, { signal }),
    run,
    forgetEarlyAnswers: () => prefetch?.stop(),
    portState,
    probe: (url, timeoutMilliseconds) => probe(url, timeoutMilliseconds, signal),
    process: processes,
    readInput: () => {
      // A command that waited for the lock begins anew, and what was piped in comes only once.
      input ??= readInput(process.stdin);
      return input;
    },
  };
}

/** A secret is short: whoever pipes in more than that meant another file. */
const inputLimitCharacters = 64 * 1024;

async function readInput(stdin: NodeJS.ReadStream): Promise<string | undefined> {
  if (stdin.isTTY) return undefined;
  let text = "";
  stdin.setEncoding("utf8");
  for await (const chunk of stdin) {
    text += chunk;
    if (text.length > inputLimitCharacters) break;
  }
  return text;
}

/** A container or a bare uid may have no name. */
function userName(process: NodeJS.Process): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}

/** Builds the reporter that fits where this process writes. */
export async function createTerminalReporter(
  flags: ParsedFlags,
  { signal, slow }: Interruption,
  process: NodeJS.Process,
): Promise<Reporter> {
  const { stdin, stdout, stderr, env } = process;
  const json = flags.json ?? false;
  const verbose = flags.verbose ?? false;
  const terminal = {
    stdout: (text: string) => void stdout.write(text),
    stderr: (text: string) => void stderr.write(text),
    json,
    color: (flags.color ?? true) && !env["NO_COLOR"] && stderr.isTTY,
  };
  if (!stdin.isTTY || !stderr.isTTY || env["CI"] || json) {
    slow.addEventListener("abort", () => terminal.stderr(`${stillEnding}\n`));
    return createReporter(
      terminal,
      plainTasks(verbose, () => performance.now() / 1000),
      undefined,
    );
  }
  // A list that redraws itself has to show it within.
  const [{ liveTasks }, { createAsker }] = await Promise.all([
    import("./terminal/live-tasks.ts"),
    import("./terminal/ask.ts"),
  ]);
  return createReporter(
    terminal,
    liveTasks(stderr, verbose, slow),
    createAsker({ stdin, stdout: stderr, env, color: terminal.color }, signal),
  );
}
