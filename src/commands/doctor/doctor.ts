import type { CheckResult, Problem } from "../../core/doctor/check.ts";
import { doctorText, problemsOf, withAccepted } from "../../core/doctor/doctor-text.ts";
import { codeNamed, codesNear, explanationOf, explanationsPath } from "../../core/doctor/explanation.ts";
import { findingCodes } from "../../core/findings/finding-codes.ts";
import type { AcceptName } from "../../core/plan/plan.ts";
import { joinPath } from "../../core/stack/stack.ts";
import { DeployError, type ExitCode, exitCodeOf, exitCodes } from "../../errors.ts";
import { readIfPossible } from "../../shell/doctor/engine.ts";
import type { World } from "../../world.ts";
import type { GlobalFlags } from "../prepare.ts";
import { examine } from "./examine.ts";
import { mend } from "./mend.ts";

/** Flags of `doctor`. */
export interface DoctorFlags extends GlobalFlags {
  readonly fix?: boolean;
  /** The deadline of each question, in seconds. */
  readonly timeout?: number;
  readonly accept?: readonly AcceptName[];
}

const defaultSeconds = 10;

/** Checks machine, configuration and what runs, and says what to do; with a code it only explains that one. */
export async function doctor(world: World, flags: DoctorFlags, code: string | undefined): Promise<ExitCode> {
  if (code !== undefined) return explain(world, code);
  const look = () => lookAt(world, flags);
  const found = await look();
  const mended = flags.fix ? await mend(world, flags, problemsOf(found), async () => problemsOf(await look())) : [];
  const results = withAccepted(mended.length > 0 ? await look() : found, flags.accept ?? []);
  const problems = problemsOf(results);
  const exitCode = problems.some(({ severity }) => severity === "error") ? exitCodes.refused : exitCodes.done;
  world.reporter.result([...mended.map((line) => `mended  ${line}`), doctorText(results)].join("\n"), {
    version: 1,
    exitCode,
    checks: results.map(({ check, state, text }) => ({ check, state, text })),
    findings: results.flatMap(({ check, problems: own }) => own.map((problem) => findingDocument(check, problem))),
    mended,
  });
  return exitCode;
}

/** A look takes seconds, and as long as the deadline where something hangs: meanwhile it says so. */
async function lookAt(world: World, flags: DoctorFlags): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  const title = "look at this machine, the configuration and what runs";
  const run = async () => void results.push(...(await examine(world, flags, flags.timeout ?? defaultSeconds)));
  await world.reporter.tasks([{ title, run }]);
  return results;
}

function findingDocument(check: string, { mend: offered, ...finding }: Problem) {
  return { check, ...finding, mend: offered?.name ?? null };
}

/** Says what the page on troubleshooting says of a code, for whoever has only the tool at hand. */
async function explain(world: World, typed: string): Promise<ExitCode> {
  const code = codeNamed(typed);
  if (code === undefined) throw new DeployError([unknownCode(typed)]);
  const { title, kind } = findingCodes[code];
  const advice = explanationOf(code, await readIfPossible(world, joinPath(world.toolRoot, explanationsPath)));
  const exit = code === "D063" ? exitCodes.locked : exitCodeOf([{ code, severity: "error", message: "" }]);
  const lines = [`${code}  ${title}`, ...(advice === "" ? [] : ["", advice]), "", `exit ${exit} where it is an error`];
  world.reporter.result(lines.join("\n"), { version: 1, exitCode: exitCodes.done, code, kind, title, exit, advice });
  return exitCodes.done;
}

function unknownCode(typed: string) {
  const near = codesNear(typed);
  return {
    code: "D001",
    severity: "error",
    message: `there is no finding code ${typed}`,
    fix:
      near.length === 0
        ? "a code is D and three digits, as in front of a message"
        : `those near it: ${near.join(", ")}`,
  } as const;
}
