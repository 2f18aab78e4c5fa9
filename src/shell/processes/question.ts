import { execFile } from "node:child_process";
import type { Command, RunResult } from "../../world.ts";

const outputLimitBytes = 64 * 1024 * 1024;

/** How long a child that was asked to end may take, before it is ended by force: this program waits for its children. */
const endMilliseconds = 2_000;

/**
 * Asks a child process that answers at once and changes nothing, without a shell and without loading more than Node has.
 * What lasts or streams goes through exec.ts.
 */
export async function ask(command: Command, signal?: AbortSignal): Promise<RunResult> {
  try {
    return await start(command, signal);
  } catch (error) {
    // Some of what keeps a program from being started, such as a folder of the PATH with too long a name, Node throws at once.
    if (!(error instanceof Error && "syscall" in error)) throw error;
    return { exitCode: 126, stdout: "", stderr: String(error), missing: false };
  }
}

function start({ program, args, env, cwd }: Command, signal?: AbortSignal): Promise<RunResult> {
  return new Promise((resolve) => {
    const options = {
      env,
      maxBuffer: outputLimitBytes,
      ...(cwd === undefined ? {} : { cwd }),
      ...(signal ? { signal } : {}),
    };
    const child = execFile(program, [...args], options, (error, stdout, stderr) => {
      const missing = error !== null && error.code === "ENOENT";
      // Asked to end, it may go on all the same.
      if (signal?.aborted) setTimeout(() => child.kill("SIGKILL"), endMilliseconds).unref();
      resolve({ exitCode: missing ? 127 : (child.exitCode ?? 1), stdout, stderr, missing });
    });
    child.stdin?.end();
  });
}
