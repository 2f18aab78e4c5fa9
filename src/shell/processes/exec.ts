import { $ } from "zx/core";
import { createStreamRedactor } from "../../core/secrets/redact.ts";
import type { Command, RunOptions, RunResult } from "../../world.ts";

/** Quotes one word for POSIX sh; zx's own quoting needs bash. */
function quoteWord(word: string): string {
  return /^[\w/.:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * Builds the one function that starts child processes. What they print passes the redactor before `onOutput` gets it; the
 * result has it as it was, for reading, and the reporter redacts what is shown of that.
 */
export function createRun(signal: AbortSignal, secrets: () => Iterable<string>) {
  return async function run(command: Command, options: RunOptions = {}): Promise<RunResult> {
    const signals = options.signal ? AbortSignal.any([signal, options.signal]) : signal;
    const shell = $({
      shell: "/bin/sh",
      prefix: "exec ",
      quote: quoteWord,
      nothrow: true,
      quiet: true,
      verbose: false,
      detached: false,
      env: definedOnly(command.env),
      ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
      signal: signals,
      killSignal: "SIGTERM",
      stdio: [options.holdInput ? "pipe" : "ignore", "pipe", "pipe"],
    });
    const child = shell`${[command.program, ...command.args]}`;
    const { onOutput } = options;
    if (onOutput) {
      for (const stream of ["stdout", "stderr"] as const) {
        const redactor = createStreamRedactor(secrets(), (text) => onOutput(text, stream));
        child[stream].setEncoding("utf8");
        child[stream].on("data", (chunk: string) => redactor.write(chunk));
        child[stream].on("end", () => redactor.flush());
      }
    }
    const output = await child;
    const exitCode = output.exitCode ?? 1;
    return {
      exitCode,
      stdout: output.stdout,
      stderr: output.stderr,
      missing: exitCode === 127 && isMissing(command.program, output.stderr),
    };
  };
}

/** Only the shell that was to become the program says that there is none; a script that lacks a tool says so by its own name. */
function isMissing(program: string, stderr: string): boolean {
  const said = stderr.trim();
  return (
    said.startsWith("/bin/sh: ") &&
    said.endsWith(": not found") &&
    !said.includes("\n") &&
    said.includes(` ${program}: `)
  );
}

function definedOnly(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
