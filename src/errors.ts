import type { Finding } from "./core/findings/finding.ts";
import { findingCodes } from "./core/findings/finding-codes.ts";

/** Exit codes of the command line; scripts may rely on them. */
export const exitCodes = {
  done: 0,
  failed: 1,
  input: 2,
  refused: 3,
  locked: 4,
  changes: 10,
  bug: 70,
  interrupted: 130,
} as const;
/** One of the exit codes. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A known stop: findings to show and the exit code they lead to. Thrown once, shown once, in main. */
export class DeployError extends Error {
  override readonly name = "DeployError";
  readonly findings: readonly Finding[];
  readonly exitCode: ExitCode;

  constructor(findings: readonly Finding[], exitCode: ExitCode = exitCodeOf(findings)) {
    super(findings.map((finding) => `${finding.code} ${finding.message}`).join("; "));
    this.findings = findings;
    this.exitCode = exitCode;
  }
}

/** The exit code for a list of findings: a failed deployment outweighs bad input, which outweighs a refusal. */
export function exitCodeOf(findings: readonly Finding[]): ExitCode {
  const kinds = new Set(
    findings.filter((finding) => finding.severity === "error").map((finding) => findingCodes[finding.code].kind),
  );
  if (kinds.has("failed")) return exitCodes.failed;
  if (kinds.has("input")) return exitCodes.input;
  return exitCodes.refused;
}

/** Another deploy holds the lock. `isFree` looks whether it still does. */
export class LockedError extends DeployError {
  readonly isFree: () => Promise<boolean>;

  constructor(finding: Finding, isFree: () => Promise<boolean>) {
    super([finding], exitCodes.locked);
    this.isFree = isFree;
  }
}

/** The operator stopped the command (SIGINT, SIGTERM or a declined question's Ctrl-C). */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
  /** What is said of it where that is more than that what was begun stays. */
  readonly advice: string | undefined;

  constructor(message: string, advice?: string) {
    super(message);
    this.advice = advice;
  }
}
