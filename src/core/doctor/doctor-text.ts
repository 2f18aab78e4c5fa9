import type { Severity } from "../findings/finding.ts";
import type { CheckResult, Mend, Problem } from "./check.ts";

/** The result of `doctor` as people read it: a line for each check, then what is wrong, the worst first. */
export function doctorText(results: readonly CheckResult[]): string {
  const problems = problemsOf(results);
  const shown = results.map(resultLine);
  return [
    ...shown,
    ...problems.flatMap((problem) => ["", ...problemLines(problem)]),
    "",
    ...summaryLines(problems),
  ].join("\n");
}

/** All problems, errors first. */
export function problemsOf(results: readonly CheckResult[]): Problem[] {
  return results
    .flatMap(({ problems }) => problems)
    .toSorted((left, right) => order[left.severity] - order[right.severity]);
}

/** What was accepted by name becomes a warning: it stays in sight. */
export function withAccepted(results: readonly CheckResult[], accept: readonly string[]): CheckResult[] {
  return results.map((result) => ({
    ...result,
    problems: result.problems.map((problem) =>
      problem.acceptName !== undefined && accept.includes(problem.acceptName)
        ? { ...problem, severity: "warning", message: `accepted (--accept ${problem.acceptName}): ${problem.message}` }
        : problem,
    ),
  }));
}

/** The names of what `--fix` offers to put right. */
export function mendNames(problems: readonly Problem[]): Mend["name"][] {
  return [...new Set(problems.flatMap(({ mend }) => mend?.name ?? []))];
}

const order = { error: 0, warning: 1, info: 2 } as const;
// Two blanks at least: they part columns where a narrow terminal breaks a line.
const markColumns = 7;
const nameColumns = 15;

function resultLine({ check, state, text, problems }: CheckResult): string {
  const worst = problems.toSorted((left, right) => order[left.severity] - order[right.severity])[0]?.severity;
  const mark = state === "skipped" ? "-" : worst === undefined || worst === "info" ? "ok" : marks[worst];
  const codes = [...new Set(problems.map(({ code }) => code))].join(", ");
  const words = problems.length === 0 ? text : `${countText(problems)} (${codes})`;
  return `${mark.padEnd(markColumns)}${check.padEnd(nameColumns)}${words}`.trimEnd();
}

const marks: Readonly<Record<Severity, string>> = { error: "ERROR", warning: "warn", info: "ok" };

function problemLines({ severity, code, message, evidence, fix, acceptName, at }: Problem): string[] {
  const place =
    at === undefined ? "" : `${[at.file, at.line, at.column].filter((part) => part !== undefined).join(":")} `;
  return [
    `${place}${severity} ${code} ${message}`,
    ...evidence.map((line) => `  seen: ${line}`),
    ...(fix === undefined ? [] : fix.split("\n").map((line, index) => `${index === 0 ? "  fix: " : "       "}${line}`)),
    ...(acceptName === undefined || severity !== "error" ? [] : [`  meant so: --accept ${acceptName}`]),
  ];
}

function summaryLines(problems: readonly Problem[]): string[] {
  if (problems.length === 0) return ["all is well"];
  const mends = mendNames(problems);
  return [
    `${countText(problems)}; ./deploy doctor CODE explains one`,
    ...(mends.length === 0 ? [] : [`./deploy doctor --fix offers to mend: ${mends.join(", ")}`]),
  ];
}

function countText(problems: readonly Problem[]): string {
  const count = (severity: Severity, one: string, many: string) => {
    const number = problems.filter((each) => each.severity === severity).length;
    return number === 0 ? [] : [`${number} ${number === 1 ? one : many}`];
  };
  return [
    ...count("error", "error", "errors"),
    ...count("warning", "warning", "warnings"),
    ...count("info", "note", "notes"),
  ].join(", ");
}
