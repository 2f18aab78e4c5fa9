import type { Plan } from "../core/plan.ts";
import { planDocument } from "../core/plan-document.ts";
import { planText } from "../core/plan-text.ts";
import { type ExitCode, exitCodeOf, exitCodes } from "../errors.ts";
import type { World } from "../world.ts";
import { readSituation } from "./prepare.ts";
import { planOf, type UpFlags } from "./up.ts";

/** Shows what `up` would do, and changes nothing. With --exit-code, 10 says that there is something to do. */
export async function plan(world: World, flags: UpFlags & { exitCode?: boolean }): Promise<ExitCode> {
  const planned = planOf(await readSituation(world, flags), flags);
  const exitCode = exitCodeFor(planned, flags);
  world.reporter.result(planText(planned), { ...planDocument(planned), exitCode });
  world.reporter.findings(planned.findings, 0);
  return exitCode;
}

function exitCodeFor({ findings, steps }: Plan, flags: { exitCode?: boolean }): ExitCode {
  if (findings.some(({ severity }) => severity === "error")) return exitCodeOf(findings);
  return flags.exitCode && steps.length > 0 ? exitCodes.changes : exitCodes.done;
}
