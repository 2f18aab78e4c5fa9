import { randomBytes } from "node:crypto";
import { homedir, hostname, networkInterfaces, userInfo } from "node:os";
import { addAbortSignal } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { ParsedFlags } from "./commands/dispatch.ts";
import { pipelineOf, reportPathsOf } from "./core/ci/pipeline.ts";
import { textColumns } from "./core/text/fitted-text.ts";
import type { Files } from "./files.ts";
import { createFiles } from "./shell/files/files.ts";
import { probe } from "./shell/network/probe.ts";
import { portState } from "./shell/observe/port-state.ts";
import type { Prefetch } from "./shell/processes/prefetch.ts";
import { createProcessTable } from "./shell/processes/processes.ts";
import { ask } from "./shell/processes/question.ts";
import { interruptOnSignals } from "./shell/processes/signals.ts";
import { withPatience } from "./terminal/patience.ts";
import { type Clock, plainTasks } from "./terminal/plain-tasks.ts";
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
export async function createWorld(
  command: string,
  flags: ParsedFlags,
  interruption: Interruption,
  origin: Origin,
): Promise<World> {
  const { process, prefetch, version, toolRoot } = origin;
  const { signal } = interruption;
  const processes = createProcessTable(process);
  const files = createFiles(processes);
  const shown = await createTerminalReporter(flags, interruption, process);
  const { reporter, wait } = withPatience(await withReports(shown, { command, flags, files, origin }), clock);
  const run = async (command: Command, options?: RunOptions) => {
    if (!options) return wait(command, prefetch?.take(command) ?? ask(command, signal));
    if (options.lastly) return ask(command, AbortSignal.timeout(lastlyMilliseconds));
    if (!options.onOutput && options.signal) return ask(command, AbortSignal.any([signal, options.signal]));
    const { createRun } = await import("./shell/processes/exec.ts");
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
    platform: process.platform,
    env: process.env,
    signal,
    files,
    reporter,
    now: () => new Date(),
    timeAgo: (milliseconds) => new Date(Date.now() - milliseconds).toISOString(),
    randomBytes,
    sleep: (milliseconds, until) =>
      sleep(milliseconds, undefined, { signal: until ? AbortSignal.any([signal, until]) : signal }),
    run,
    launch: async (command) => (await import("./shell/processes/launch.ts")).launch(command),
    forgetEarlyAnswers: () => prefetch?.stop(),
    addresses: ownAddresses,
    resolveName: async (name, timeoutMilliseconds) =>
      (await import("./shell/network/resolve-name.ts")).resolveName(name, timeoutMilliseconds, signal),
    portState,
    probe: (url, timeoutMilliseconds, door) => probe(url, timeoutMilliseconds, signal, door),
    tunnel: async (proxy, url, timeoutMilliseconds) =>
      (await import("./shell/network/tunnel.ts")).tunnel(proxy, url, timeoutMilliseconds, signal),
    http: async (request, until) => (await import("./shell/network/http-request.ts")).httpRequest(request, until),
    process: processes,
    readInput: () => {
      // A command that waited for the lock begins anew, and what was piped in comes only once.
      input ??= readInput(process.stdin, signal);
      return input;
    },
  };
}

/** A secret is short: whoever pipes in more than that meant another file. */
const inputLimitCharacters = 64 * 1024;

async function readInput(stdin: NodeJS.ReadStream, signal: AbortSignal): Promise<string | undefined> {
  if (stdin.isTTY) return undefined;
  let text = "";
  // Who writes into it may never end it.
  addAbortSignal(signal, stdin);
  stdin.setEncoding("utf8");
  for await (const chunk of stdin) {
    text += chunk;
    if (text.length > inputLimitCharacters) break;
  }
  return text;
}

/** Those of Docker's own networks reach containers, and those of a link only whoever names the link too. */
function ownAddresses(): string[] {
  return Object.entries(networkInterfaces()).flatMap(([name, found = []]) =>
    /^(?:docker|br-|veth)/.test(name)
      ? []
      : found.flatMap(({ internal, address }) => (internal || /^fe80:/i.test(address) ? [] : [address])),
  );
}

/** A container or a bare uid may have no name. */
function userName(process: NodeJS.Process): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}

const clock: Clock = {
  elapsedSeconds: () => performance.now() / 1000,
  everySecond: (tick) => {
    const timer = setInterval(tick, 1_000);
    return () => clearInterval(timer);
  },
};

/** No wider than lines are easy to read; some terminals do not say how wide they are. */
const columnsMax = 120;

function columnsOf({ isTTY, columns }: NodeJS.WriteStream): number | undefined {
  if (!isTTY) return undefined;
  return Math.min(columns || textColumns, columnsMax);
}

interface Reported {
  readonly command: string;
  readonly flags: ParsedFlags;
  readonly files: Files;
  readonly origin: Origin;
}

/** Most commands write no files that tell of them, and need not load what does. */
async function withReports(
  reporter: Reporter,
  { command, flags, files, origin: { process, version } }: Reported,
): Promise<Reporter> {
  const { env } = process;
  const folders = { cwd: process.cwd(), home: homedir() };
  const paths = reportPathsOf(env, flags, pipelineOf(env, flags.ci), folders);
  if (paths === undefined) return reporter;
  const { keepReport } = await import("./terminal/report-keeper.ts");
  return keepReport(reporter, { command, version, paths, files, elapsedSeconds: clock.elapsedSeconds });
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
  // Such a terminal can only append: a list that redraws itself would be unreadable there.
  const isDumb = env["TERM"] === "dumb";
  const terminal = {
    stdout: (text: string) => void stdout.write(text),
    stderr: (text: string) => void stderr.write(text),
    json,
    color: (flags.color ?? true) && !env["NO_COLOR"] && stderr.isTTY && !isDumb,
    columns: (stream: "stdout" | "stderr") => columnsOf(process[stream]),
  };
  const pipeline = pipelineOf(env, flags.ci);
  const isConversation = stdin.isTTY && stderr.isTTY && pipeline === undefined && !json;
  if (!isConversation || isDumb || verbose) slow.addEventListener("abort", () => terminal.stderr(`${stillEnding}\n`));
  if (pipeline === "github" || pipeline === "gitlab") {
    const { createCiReporter } = await import("./terminal/ci-reporter.ts");
    const unixSeconds = () => Math.floor(Date.now() / 1000);
    const folders = { cwd: process.cwd(), workspace: env["GITHUB_WORKSPACE"] };
    return createCiReporter(terminal, pipeline, { ...folders, elapsedSeconds: clock.elapsedSeconds, unixSeconds });
  }
  const plain = plainTasks(verbose, clock);
  if (!isConversation) return createReporter(terminal, plain, undefined);
  const columns = () => columnsOf(stderr) ?? textColumns;
  const conversation = { stdin, stdout: stderr, columns, env, color: terminal.color };
  if (isDumb) {
    const { createPlainAsker } = await import("./terminal/ask-plain.ts");
    return createReporter(terminal, plain, createPlainAsker(conversation, signal));
  }
  const [{ liveTasks }, { createAsker }] = await Promise.all([
    import("./terminal/live-tasks.ts"),
    import("./terminal/ask.ts"),
  ]);
  return createReporter(
    terminal,
    // All that child processes say has to stay on the screen. A list that redraws itself shows within that the end is slow.
    verbose ? plain : liveTasks(stderr, { slow, clock, columns }),
    createAsker(conversation, signal),
  );
}
