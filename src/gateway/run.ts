/** The languages a snippet may be written in. */
export const languages = ["bash", "python", "node"] as const;
/** One of the languages. */
export type Language = (typeof languages)[number];

/** What decides where code runs; read from the platform's configuration. */
export type Mode = "local" | "aio" | "provisioner";

/** A snippet to run, already checked against the limits. */
export interface RunRequest {
  /** 16 hex digits, unique to this run. */
  readonly id: string;
  readonly language: Language;
  readonly code: string;
  readonly timeoutSeconds: number;
}

/** Where a run really happened, so that nobody has to believe a configuration file. */
export type RanIn =
  | { readonly mode: "local"; readonly description: string; readonly host: string; readonly pid: number | null }
  | {
      readonly mode: "aio";
      readonly description: string;
      readonly container: string;
      readonly containerId: string;
      readonly image: string;
    }
  | {
      readonly mode: "provisioner";
      readonly description: string;
      readonly sandboxId: string;
      readonly sandboxUrl: string;
    };

/** What a provider reports of a run that took place, whatever its exit code. */
export interface RunOutcome {
  readonly stdout: string;
  readonly stderr: string;
  /** Null when the program ended without one that is known. */
  readonly exitCode: number | null;
  readonly timedOut: boolean;
  readonly outOfMemory: boolean;
  /** Output beyond the limit was dropped. */
  readonly truncated: boolean;
  readonly ranIn: RanIn;
}

/** The answer to a run request. */
export interface RunResult extends RunOutcome {
  readonly id: string;
  readonly durationMs: number;
}

/** A run as the history keeps it: code and output are cut to a few kilobytes. */
export interface HistoryEntry extends RunResult {
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly language: Language;
  readonly code: string;
}

/** What one run may use; the same for every mode. */
export interface RunLimits {
  readonly timeoutSecondsMax: number;
  /** Per stream. */
  readonly outputBytesMax: number;
  readonly codeBytesMax: number;
  readonly concurrencyMax: number;
}

/** The command line that runs a snippet; the code is one argument and is never seen by a second shell. */
export function commandFor(language: Language, code: string): readonly string[] {
  // bash and node take a code argument that starts like an option for an option.
  const argument = /^[-+]/.test(code) ? `\n${code}` : code;
  switch (language) {
    case "bash":
      return ["bash", "-c", argument];
    case "python":
      return ["python3", "-c", argument];
    case "node":
      return ["node", "-e", argument];
  }
}
