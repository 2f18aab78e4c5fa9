import type { Finding } from "../core/findings/finding.ts";
import type { Plan } from "../core/plan/plan.ts";
import { planDocument } from "../core/plan/plan-document.ts";
import { planText } from "../core/plan/plan-text.ts";
import { type ExitCode, exitCodeOf, exitCodes } from "../errors.ts";
import type { World } from "../world.ts";
import { unaccepted } from "./consent.ts";
import { readSituation, type Situation } from "./prepare.ts";
import { planOf, type UpFlags } from "./up.ts";

/**
 * Shows what `up` would do, and changes nothing. With --exit-code, 10 says that there is something to do, and in a pipeline
 * 3 that `up` would be refused, since nobody accepted what it asks.
 */
export async function plan(world: World, flags: UpFlags & { exitCode?: boolean }): Promise<ExitCode> {
  const situation = await readSituation(world, flags);
  const planned = planOf(situation, flags);
  const open = flags.exitCode && flags.ci ? unaccepted(planned.questions) : [];
  const findings = [...planned.findings, ...open, ...(await outagesFor(world, situation, planned))];
  const exitCode = exitCodeFor(planned, findings, flags);
  world.reporter.planned(planned);
  world.reporter.result((columns) => planText(planned, columns), { ...planDocument(planned), exitCode });
  world.reporter.findings(findings, 0);
  return exitCode;
}

/** What `up` would meet before it builds or pulls; nobody is asked where it does neither. */
async function outagesFor(world: World, situation: Situation, { steps }: Plan): Promise<readonly Finding[]> {
  if (!steps.some(({ kind }) => kind === "build" || kind === "pull")) return [];
  return (await import("./registry.ts")).outageWarnings(world, situation, steps);
}

function exitCodeFor({ steps }: Plan, findings: readonly Finding[], flags: { exitCode?: boolean }): ExitCode {
  if (findings.some(({ severity }) => severity === "error")) return exitCodeOf(findings);
  return flags.exitCode && steps.length > 0 ? exitCodes.changes : exitCodes.done;
}
