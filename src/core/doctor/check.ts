import type { Finding } from "../findings/finding.ts";

/** What is checked, in the order in which it is shown. */
export const checkNames = [
  "docker",
  "compose",
  "buildx",
  "versions",
  "rights",
  "limits",
  "storage",
  "disk",
  "memory",
  "clock",
  "dns",
  "registry",
  "proxy",
  "configuration",
  "environment",
  "files",
  "mounts",
  "ports",
  "firewall",
  "certificate",
  "cluster",
  "lock",
  "leftovers",
  "deployment",
  "plan",
] as const;

/** The name of a check. */
export type CheckName = (typeof checkNames)[number];

/** Something that `--fix` can put right without taking anything from anybody, by the name under which it is asked about. */
export type Mend =
  | { readonly name: "file-modes"; readonly path: string; readonly mode: string }
  | { readonly name: "missing-folders"; readonly path: string }
  | { readonly name: "stale-lock"; readonly where: string }
  | { readonly name: "leftovers"; readonly id: string; readonly container: string }
  | { readonly name: "install-docker" };

/**
 * A finding with what it was concluded from. Its `fix` is a command to copy, and on lines below it what to know of that, or
 * it says what to do.
 */
export interface Problem extends Finding {
  /** What was seen, each a line; never a secret. */
  readonly evidence: readonly string[];
  readonly mend?: Mend;
}

/** How a check ended. `text` says in a few words what was found, or why nothing was looked for. */
export interface CheckResult {
  readonly check: CheckName;
  readonly state: "healthy" | "problems" | "skipped";
  readonly text: string;
  readonly problems: readonly Problem[];
}

/** What became of a question to the world: every one has a deadline. */
export type Known<T> =
  | { readonly kind: "known"; readonly value: T }
  | { readonly kind: "late"; readonly seconds: number }
  | { readonly kind: "refused"; readonly findings: readonly Finding[] }
  | { readonly kind: "unasked"; readonly why: string };

/** What a check concludes from facts: a few words for the case that all is well, and what is wrong. */
export interface Verdict {
  readonly text: string;
  readonly problems: readonly Problem[];
  /** Nothing was looked at, for the reason that the text gives. */
  readonly skipped?: true;
}

/** Judges what is known. What was refused is shown as it was said; what came too late is D200. */
export function judged<T>(check: CheckName, known: Known<T>, judge: (value: T) => Verdict): CheckResult {
  switch (known.kind) {
    case "known":
      return resultOf(check, judge(known.value));
    case "late":
      return resultOf(check, { text: "", problems: [lateProblem(check, known.seconds)] });
    case "refused":
      return resultOf(check, { text: "", problems: known.findings.map(problemOf) });
    case "unasked":
      return resultOf(check, skipped(known.why));
  }
}

/** A verdict as the result of a check. */
export function resultOf(check: CheckName, { text, problems, skipped }: Verdict): CheckResult {
  const state = problems.length > 0 ? "problems" : skipped ? "skipped" : "healthy";
  return { check, state, text, problems };
}

/** A finding of somebody else, as a problem: its message is its evidence. */
export function problemOf(finding: Finding): Problem {
  return { ...finding, evidence: [] };
}

/** That nothing was looked at, and why. */
export function skipped(why: string): Verdict {
  return { text: why, problems: [], skipped: true };
}

function lateProblem(check: CheckName, seconds: number): Problem {
  return {
    code: "D200",
    severity: "warning",
    message: `the check ${check} did not end within ${seconds} seconds and was given up`,
    evidence: [],
    fix: "./deploy doctor --timeout 60\ngives each check so many seconds",
  };
}
