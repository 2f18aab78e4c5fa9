import type { Machine } from "./core/deployment/lock-holder.ts";
import type { Finding } from "./core/findings/finding.ts";
import type { Plan } from "./core/plan/plan.ts";
import type { Text } from "./core/text/fitted-text.ts";
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
  /** Keeps the child's input open, without a byte, until it ends or this process does, however that happens. */
  readonly holdInput?: true;
  /** Runs also when the command was interrupted: what it began has to be put in order. It has seconds for that. */
  readonly lastly?: true;
}

/** Who holds a TCP port, in words, or that it is free. */
export type PortState = { readonly free: true } | { readonly free: false; readonly owner: string };

/** An answer of the front door, or why there was none. */
export type ProbeResult =
  | { readonly ok: true; readonly status: number; readonly body: string }
  | { readonly ok: false; readonly reason: string };

/** Whom a front door with TLS is believed: who an authority vouches for, one known certificate, or any of the right name. */
export type DoorTrust =
  | { readonly kind: "authorities" /** Roots in PEM that the system need not know. */; readonly roots: string }
  | { readonly kind: "certificate" /** SHA-256, as hexadecimal pairs. */; readonly fingerprint: string }
  | { readonly kind: "name" };

/** Where a front door with TLS really listens: the public name need not lead here from this machine. */
export interface TlsDoor {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly trust: DoorTrust;
}

/** A request to a server that is none of the stack's. */
export interface HttpRequest {
  readonly url: string;
  /** Sent as JSON with POST; without it the request is a GET. */
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** By whom the server is known and this client to it, in PEM. */
  readonly tls?: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly servername?: string;
    readonly rejectUnauthorized?: boolean;
  };
  /** The URL of a proxy to go through. */
  readonly proxy?: string;
  /** The address of the server, where it was looked up already. */
  readonly address?: string;
}

/** What a server answered, or why it did not. `date` is its own clock, as it wrote it. */
export type HttpAnswer =
  | { readonly ok: true; readonly status: number; readonly body: string; readonly date: string | undefined }
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
  /** The operating system, as Node.js names it. */
  readonly platform: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly files: Files;
  readonly reporter: Reporter;
  readonly now: () => Date;
  /** The time so many milliseconds ago, RFC 3339 in UTC. */
  readonly timeAgo: (milliseconds: number) => string;
  readonly randomBytes: (count: number) => Uint8Array;
  /** Waits; a signal ends it before its time, with an error. */
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  readonly run: (command: Command, options?: RunOptions) => Promise<RunResult>;
  /** Starts a program that goes on by itself, such as a browser; whether it could. */
  readonly launch: (command: Command) => Promise<boolean>;
  /** From here on every question is asked anew: answers that were fetched early may no longer hold. */
  readonly forgetEarlyAnswers: () => void;
  /** The addresses at which other machines may reach this one. */
  readonly addresses: () => readonly string[];
  /** Where a name leads: none where nobody knows it, undefined where no name server answered in time. */
  readonly resolveName: (name: string, timeoutMilliseconds: number) => Promise<readonly string[] | undefined>;
  readonly portState: (host: string, port: number) => Promise<PortState>;
  readonly probe: (url: string, timeoutMilliseconds: number, door?: TlsDoor) => Promise<ProbeResult>;
  /** Asks an HTTP proxy once for a tunnel to the host of a URL, through which nothing is sent. */
  readonly tunnel: (proxy: string, url: string, timeoutMilliseconds: number) => Promise<ProbeResult>;
  /** Asks a server that is none of the stack's, once, until the signal; follows no redirect. */
  readonly http: (request: HttpRequest, signal: AbortSignal) => Promise<HttpAnswer>;
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

/**
 * What a line of a task is: where the work stands; what a child process says, which is shown in full when that is asked for;
 * or what that means in short.
 */
export type LineKind = "state" | "output" | "summary";

/** Tells how a task goes on. */
export type Progress = (line: string, kind?: LineKind) => void;

/** One unit of visible work. */
export interface Task {
  readonly title: string;
  run(progress: Progress): Promise<void>;
}

/** A yes-or-no question. */
export interface Question {
  readonly text: string;
  /** What a person without a terminal has to write instead. */
  readonly flag: string;
}

/** A question with another answer than yes or no. */
export interface Prompt {
  /** What is to be known first, a paragraph each. */
  readonly about: readonly string[];
  /** A few words that stand before the answer. */
  readonly title: string;
  /** The answers that are allowed; any line of text where left out. */
  readonly choices?: readonly string[];
  /** What Enter gives. */
  readonly standard?: string | undefined;
}

/** Where results, progress, findings and questions go; a TTY, a pipe and `--json` each have their own. */
export interface Reporter {
  /** The result: text for people or, under `--json`, one document. */
  result(text: Text, document: unknown): void;
  /**
   * The result that is a secret, which somebody asked for by name: the one thing that is shown as it is. What `warning` says
   * is for a person in front of a terminal.
   */
  reveal(secret: string, document: Readonly<Record<string, unknown>>, warning: string): void;
  /** One line of progress or advice. */
  note(line: Text): void;
  findings(findings: readonly Finding[], exitCode: ExitCode): void;
  tasks(tasks: readonly Task[]): Promise<void>;
  /** Whether there is somebody to ask. */
  readonly asks: boolean;
  /** Asks yes or no; undefined when nobody can be asked. */
  confirm(question: Question): Promise<boolean | undefined>;
  /** Asks for one of some words, or for a line of text; undefined when nobody can be asked. */
  ask(prompt: Prompt): Promise<string | undefined>;
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
  /** What was decided, for the files that tell of a command; shows nothing. */
  planned(plan: Plan): void;
  /** The command is over, with this exit code: files that tell of it are written. */
  conclude(exitCode: ExitCode): Promise<void>;
}
