import { planDocument } from "../core/plan-document.ts";
import { planText } from "../core/plan-text.ts";
import { type ExitCode, exitCodeOf, exitCodes } from "../errors.ts";
import type { World } from "../world.ts";
import { readSituation } from "./prepare.ts";
import { planOf, type UpFlags } from "./up.ts";

/** Shows what `up` would do, and changes nothing. With --exit-code, 10 says that there is something to do. */
export async function plan(world: World, flags: UpFlags & { exitCode?: boolean }): Promise<ExitCode> {
  const planned = planOf(await readSituation(world, flags), flags);
  const failed = planned.findings.some(({ severity }) => severity === "error");
  world.reporter.result(planText(planned), planDocument(planned));
  if (!flags.json) world.reporter.findings(planned.findings, 0);
  if (failed) return exitCodeOf(planned.findings);
  return flags.exitCode && planned.steps.length > 0 ? exitCodes.changes : exitCodes.done;
}
