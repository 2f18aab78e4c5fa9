import type { Finding } from "./core/finding.ts";
import type { Machine } from "./core/lock-holder.ts";
import type { ExitCode } from "./errors.ts";
import type { Files } from "./files.ts";

/** A child process as data; never run through a shell's word splitting, never with a secret in it. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** The whole environment of the child. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

/** How a child process ended, its output as it was. A program that does not exist has `exitCode` 127 and `missing` set. */
export interface RunResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly missing: boolean;
}

/** How a child process is watched; without options it is a question that answers at once. */
export interface RunOptions {
  /** Receives output as it arrives, already redacted. */
  readonly onOutput?: (chunk: string, stream: "stdout" | "stderr") => void;
  /** Ends the child before the command as a whole is interrupted. */
  readonly signal?: AbortSignal;
  /** Runs also when the command was interrupted: what it began has to be put in order. It has seconds for that. */
  readonly lastly?: true;
}

/** Who holds a TCP port, in words, or that it is free. */
export type PortState = { readonly free: true } | { readonly free: false; readonly owner: string };

/** An answer of the front door, or why there was none. */
export type ProbeResult =
  | { readonly ok: true; readonly status: number; readonly body: string }
  | { readonly ok: false; readonly reason: string };

/** Everything impure that the commands may use; `main` builds the only real one. */
export interface World {
  readonly version: string;
  /** The folder of this tool: its compose/, templates/ and scripts/. */
  readonly toolRoot: string;
  /** The Node.js that runs this tool, for the other programs that come with it. */
  readonly nodePath: string;
  readonly cwd: string;
  readonly home: string;
  readonly user: string;
  /** The number of that user; undefined where the system does not say. */
  readonly uid: number | undefined;
  readonly host: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly files: Files;
  readonly reporter: Reporter;
  readonly now: () => Date;
  /** The time so many milliseconds ago, RFC 3339 in UTC. */
  readonly timeAgo: (milliseconds: number) => string;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly run: (command: Command, options?: RunOptions) => Promise<RunResult>;
  /** From here on every question is asked anew: answers that were fetched early may no longer hold. */
  readonly forgetEarlyAnswers: () => void;
  readonly portState: (host: string, port: number) => Promise<PortState>;
  readonly probe: (url: string, timeoutMilliseconds: number) => Promise<ProbeResult>;
  readonly process: ProcessTable;
  /** Everything on the standard input, or undefined where that is a terminal. */
  readonly readInput: () => Promise<string | undefined>;
}

/** What lock and temporary files need to know about processes on this host, and about this one. */
export interface ProcessTable {
  readonly pid: number;
  /**
   * An opaque mark of when a process began, which tells it from one that had its number before; undefined when there is no
   * such process or the system does not tell.
   */
  startOf(pid: number): Promise<string | undefined>;
  /** Whether a process with this number runs, whoever it belongs to; one that has only not been reaped yet does not. */
  isRunning(pid: number): Promise<boolean>;
  /** The machine that this process runs on. */
  machine(): Promise<Machine>;
}

/** That a command is to end before its time. */
export interface Interruption {
  /** Aborted by the first signal, or by `abort`. */
  readonly signal: AbortSignal;
  /** Aborted when the end after a signal takes its time; from then on another signal ends all at once. */
  readonly slow: AbortSignal;
  abort(reason: Error): void;
}

/** One unit of visible work. */
export interface Task {
  readonly title: string;
  run(progress: (line: string) => void): Promise<void>;
}

/** A yes-or-no question. */
export interface Question {
  readonly text: string;
  /** What a person without a terminal has to write instead. */
  readonly flag: string;
}

/** Where results, progress, findings and questions go; a TTY, a pipe and `--json` each have their own. */
export interface Reporter {
  /** The result: text for people or, under `--json`, one document. */
  result(text: string, document: unknown): void;
  /** One line of progress or advice. */
  note(line: string): void;
  findings(findings: readonly Finding[], exitCode: ExitCode): void;
  tasks(tasks: readonly Task[]): Promise<void>;
  /** Asks yes or no; undefined when nobody can be asked. */
  confirm(question: Question): Promise<boolean | undefined>;
  /** Asks for a text that is not shown while it is typed; undefined when nobody can be asked. */
  askSecret(text: string): Promise<string | undefined>;
  /** Passes a stream of text on as it is, such as logs; an end that may be the beginning of a secret waits for more. */
  stream(chunk: string): void;
  /** Passes on what waits: nothing more comes. */
  endStream(): void;
  /** From now on none of these values appears in anything that is shown. */
  hide(secrets: Iterable<string>): void;
  /** The values hidden so far, for redacting what child processes say. */
  hidden(): Iterable<string>;
}
