import { randomBytes } from "node:crypto";
import { homedir, hostname, userInfo } from "node:os";
import { dirname, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ParsedFlags } from "./commands/dispatch.ts";
import type { Finding } from "./core/finding.ts";
import { DeployError, type ExitCode, exitCodeOf, exitCodes, InterruptedError } from "./errors.ts";
import { FileReadError, FileWriteError } from "./files.ts";
import type { Prefetch } from "./shell/prefetch.ts";
import type { Command, Reporter, RunOptions, World } from "./world.ts";

const version = process.env.SANDBOX_DEPLOY_VERSION ?? "0.0.0-source";
const toolRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/** Maps what a command did, or how it failed, to an exit code; the only place that shows an error. */
async function main(argv: readonly string[]): Promise<ExitCode> {
  if (argv.length === 1 && (argv[0] === "--version" || argv[0] === "-V")) {
    process.stdout.write(`${version}\n`);
    return exitCodes.done;
  }
  const interruption = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => interruption.abort(new InterruptedError(signal)));
  const prefetch = await prefetchFor(argv);
  const { createProgram } = await import("./cli.ts");
  let exitCode: ExitCode = exitCodes.done;
  const program = createProgram(version, async (command, flags, args) => {
    exitCode = await runGuarded(command, flags, args, interruption.signal, prefetch);
  });
  try {
    await program.parseAsync(["node", "deploy", ...argv]);
  } catch (error) {
    if (!isUsageError(error)) throw error;
    // Help and version are no errors; commander has printed both them and usage errors already.
    return error.exitCode === 0 ? exitCodes.done : exitCodes.input;
  } finally {
    prefetch?.stop();
  }
  return exitCode;
}

/** `plan` and `up` ask the same children almost every time: they start while the modules that decide are still loading. */
async function prefetchFor(argv: readonly string[]): Promise<Prefetch | undefined> {
  if (argv[0] !== "plan" && argv[0] !== "up") return undefined;
  const { startPrefetch } = await import("./shell/prefetch.ts");
  const named = argv.indexOf("--config");
  const config = resolve((named > 0 ? argv[named + 1] : undefined) ?? "deploy.config.yaml");
  return startPrefetch(resolve(dirname(config), ".deploy/receipt.json"), process.env);
}

function isUsageError(error: unknown): error is Error & { exitCode: number } {
  return (
    error instanceof Error &&
    "code" in error &&
    String(error.code).startsWith("commander.") &&
    "exitCode" in error &&
    typeof error.exitCode === "number"
  );
}

async function runGuarded(
  command: string,
  flags: ParsedFlags,
  args: readonly string[],
  signal: AbortSignal,
  prefetch: Prefetch | undefined,
): Promise<ExitCode> {
  const world = await createWorld(flags, signal, prefetch);
  try {
    const { runCommand } = await import("./commands/dispatch.ts");
    return await runCommand(world, command, flags, args);
  } catch (error) {
    return showError(world.reporter, error, signal);
  }
}

function showError(reporter: Reporter, error: unknown, signal: AbortSignal): ExitCode {
  if (signal.aborted || error instanceof InterruptedError) {
    reporter.note("interrupted: what was begun stays as it is, and the next up or down mends it");
    return exitCodes.interrupted;
  }
  if (error instanceof DeployError) {
    reporter.findings(error.findings, error.exitCode);
    return error.exitCode;
  }
  const file = fileFinding(error);
  if (file) {
    reporter.findings([file], exitCodeOf([file]));
    return exitCodeOf([file]);
  }
  reporter.note(
    `this is a bug in sandbox-deploy ${version} (Node ${process.version}, ${process.platform}); please report it with these lines:`,
  );
  reporter.note(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return exitCodes.bug;
}

/** A full disk, a read-only folder or an unreadable file is the operator's to mend, not a bug. */
function fileFinding(error: unknown): Finding | undefined {
  if (error instanceof FileReadError) {
    return {
      code: "D014",
      severity: "error",
      message: error.message,
      fix: "check its permissions and its encoding (UTF-8)",
    };
  }
  if (!(error instanceof FileWriteError)) return undefined;
  const fix = "free disk space (df -h), or check who may write in that folder; what was there is unchanged";
  return { code: "D049", severity: "error", message: error.message, fix };
}

async function createWorld(flags: ParsedFlags, signal: AbortSignal, prefetch: Prefetch | undefined): Promise<World> {
  const [{ ask }, { createFiles }, { portState }, { probe }, { processStart }, reporter] = await Promise.all([
    import("./shell/question.ts"),
    import("./shell/files.ts"),
    import("./shell/port-state.ts"),
    import("./shell/probe.ts"),
    import("./shell/processes.ts"),
    createTerminalReporter(flags),
  ]);
  const processes = { pid: process.pid, startOf: processStart };
  const run = async (command: Command, options?: RunOptions) => {
    if (!options) return prefetch?.take(command) ?? ask(command, signal);
    const { createRun } = await import("./shell/exec.ts");
    return createRun(signal, () => reporter.hidden())(command, options);
  };
  return {
    version,
    toolRoot,
    cwd: process.cwd(),
    home: homedir(),
    user: userName(),
    host: hostname(),
    env: process.env,
    signal,
    files: createFiles(processes),
    reporter,
    now: () => new Date(),
    randomBytes,
    sleep: (milliseconds) => sleep(milliseconds, undefined, { signal }),
    run,
    portState,
    probe,
    process: processes,
  };
}

/** A container or a bare uid may have no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}

async function createTerminalReporter(flags: ParsedFlags): Promise<Reporter> {
  const json = flags.json ?? false;
  const interactive = Boolean(process.stdin.isTTY && process.stderr.isTTY) && !process.env.CI && !json;
  const color = (flags.color ?? true) && !process.env.NO_COLOR && Boolean(process.stderr.isTTY);
  const verbose = flags.verbose ?? false;
  const terminal = {
    stdout: (text: string) => void process.stdout.write(text),
    stderr: (text: string) => void process.stderr.write(text),
    json,
    color,
  };
  const { createReporter } = await import("./terminal/reporter.ts");
  if (!interactive) {
    const { plainTasks } = await import("./terminal/plain-tasks.ts");
    const seconds = () => performance.now() / 1000;
    return createReporter(terminal, plainTasks(verbose, seconds), undefined);
  }
  const [{ liveTasks }, { createAsker }] = await Promise.all([
    import("./terminal/live-tasks.ts"),
    import("./terminal/ask.ts"),
  ]);
  return createReporter(terminal, liveTasks(process.stderr, verbose), createAsker(process.stdin, process.stderr));
}

process.exitCode = await main(process.argv.slice(2));
