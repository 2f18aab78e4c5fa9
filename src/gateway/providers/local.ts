import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { createOutputBuffer } from "../output-buffer.ts";
import { messageOf, type Provider, ProviderError, type SweepReport, stoppingError } from "../provider.ts";
import { commandFor, type RunOutcome, type RunRequest } from "../run.ts";

/** What the local provider needs to know. */
export interface LocalOptions {
  /** Why code is not run here; undefined when the operator allowed it. */
  readonly refusal: string | undefined;
  /** Per stream. */
  readonly outputBytesMax: number;
  /** Ends every process of a group; throws when there is none. */
  readonly killGroup: KillGroup;
  /** Told about the directory of a run that could not be removed now; the next sweep tries again. */
  readonly onLeftover: (directory: string, reason: string) => void;
}

/** Sends SIGKILL to the process group of that id. */
export type KillGroup = (groupId: number) => void;

const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// Output still in the pipes arrives at once; only a process that left the group can keep a pipe open longer.
const drainMs = 1_000;

/**
 * Runs code as a process inside the gateway's own container (mode `local`), and only where the operator said so: nothing
 * but that container stands between the code and the gateway's secrets.
 */
export function createLocalProvider(options: LocalOptions): Provider {
  const { refusal } = options;
  const leftovers = new Set<string>();
  return {
    mode: "local",
    isolation:
      refusal === undefined
        ? "Code runs as a process inside the gateway's container and can read what the gateway can. " +
          "Only that container stands between it and the machine."
        : "No code runs here.",
    network: refusal === undefined ? "the gateway's own" : "none, since nothing runs",
    limits: {},
    readiness: async () => (refusal === undefined ? { canRun: true } : { canRun: false, reason: refusal }),
    async run(request, signal) {
      if (refusal !== undefined) throw new ProviderError(403, refusal);
      const directory = await mkdtemp(join(tmpdir(), "run-"));
      try {
        return await runProcess(request, directory, options, signal);
      } finally {
        const failure = await removeDirectory(directory);
        if (failure !== undefined) {
          leftovers.add(directory);
          options.onLeftover(directory, failure);
        }
      }
    },
    // Child processes end with the gateway's container, and so does its /tmp: only this process can have left something.
    sweep: () => removeLeftovers(leftovers),
  };
}

async function removeLeftovers(leftovers: Set<string>): Promise<SweepReport> {
  const removed: string[] = [];
  const failed: string[] = [];
  for (const directory of leftovers) {
    const failure = await removeDirectory(directory);
    if (failure !== undefined) failed.push(`${directory}: ${failure}`);
    else if (leftovers.delete(directory)) removed.push(directory);
  }
  return { removed, failed };
}

/** Removes the directory of a run; a text says why it is still there. That is no reason to keep the run's result back. */
async function removeDirectory(directory: string): Promise<string | undefined> {
  const remove = () => rm(directory, { recursive: true, force: true, maxRetries: 3 });
  try {
    await remove().catch(async () => {
      await openFolders(directory);
      await remove();
    });
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** Code may close its own folders, as some package managers do: then not even their owner can empty them. */
async function openFolders(directory: string): Promise<void> {
  await chmod(directory, 0o700);
  for (const entry of await readdir(directory, { withFileTypes: true }))
    if (entry.isDirectory()) await openFolders(join(directory, entry.name));
}

async function runProcess(
  run: RunRequest,
  directory: string,
  { outputBytesMax, killGroup }: LocalOptions,
  stopping: AbortSignal,
): Promise<RunOutcome> {
  if (stopping.aborted) throw stoppingError();
  const [program = "", ...args] = commandFor(run.language, run.code);
  const child = spawn(program, args, {
    cwd: directory,
    env: { PATH: searchPath, HOME: directory, TMPDIR: directory, LANG: "C.UTF-8" },
    stdio: ["ignore", "pipe", "pipe"],
    // Its own process group, so that everything it starts can be killed together.
    detached: true,
  });
  const stdout = createOutputBuffer(outputBytesMax);
  const stderr = createOutputBuffer(outputBytesMax);
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));

  let timedOut = false;
  const killAll = (): void => endGroup(killGroup, child.pid);
  const timer = setTimeout(() => {
    timedOut = true;
    killAll();
  }, run.timeoutSeconds * 1000);
  stopping.addEventListener("abort", killAll, { once: true });
  try {
    const exitCode = await exitOf(child, program, killAll);
    if (stopping.aborted) throw stoppingError();
    return {
      stdout: stdout.text(),
      stderr: stderr.text(),
      truncated: stdout.truncated() || stderr.truncated(),
      exitCode,
      timedOut,
      outOfMemory: false,
      ranIn: {
        mode: "local",
        description: `a process inside the gateway's container (${hostname()})`,
        host: hostname(),
        pid: child.pid ?? null,
      },
    };
  } finally {
    clearTimeout(timer);
    stopping.removeEventListener("abort", killAll);
  }
}

async function exitOf(child: ChildProcess, program: string, killAll: () => void): Promise<number> {
  const closed = once(child, "close");
  // Rejects with the reason when the program cannot be started.
  const [code, signal] = await once(child, "exit").catch((error: unknown) => {
    closed.catch(() => undefined);
    throw new ProviderError(
      503,
      `${program} could not be started in the gateway's container: ${messageOf(error)}`,
      error,
    );
  });
  // What it left in the background must not outlive the run.
  killAll();
  const drained = setTimeout(() => {
    child.stdout?.destroy();
    child.stderr?.destroy();
  }, drainMs);
  await closed;
  clearTimeout(drained);
  return typeof code === "number" ? code : exitCodeOfSignal(signal);
}

// As shells report a program that a signal ended.
function exitCodeOfSignal(signal: unknown): number {
  return signal === "SIGKILL" ? 137 : signal === "SIGTERM" ? 143 : 128;
}

function endGroup(killGroup: KillGroup, pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    killGroup(pid);
  } catch {
    // The group is empty already.
  }
}
