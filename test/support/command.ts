import { spawn } from "node:child_process";

/** How a command ended, with everything it printed. */
export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly input?: string;
}

/** Runs a program to its end; never throws for an exit code. */
export function command(program: string, args: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], {
      env: { ...process.env, ...options.env },
      cwd: options.cwd,
      stdio: ["pipe", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ exitCode: code ?? 1, stdout, stderr }));
    // A program that ends without reading is not a failure of the caller.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
  });
}

/** Runs a program that has to succeed and returns what it printed. */
export async function output(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const ended = await command(program, args, options);
  if (ended.exitCode !== 0)
    throw new Error(`${program} ${args.join(" ")} ended with ${ended.exitCode}:\n${ended.stdout}${ended.stderr}`);
  return ended.stdout;
}

/** Asks again until the check passes; the last failure is what a test shows when it never does. */
export async function eventually<T>(check: () => Promise<T> | T, attempts = 150): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await check();
    } catch (error) {
      if (attempt >= attempts) throw error;
      // Most is there at once; what is not is not asked for all the time.
      await new Promise((resolve) => setTimeout(resolve, Math.min(200, 25 * attempt)));
    }
  }
}
