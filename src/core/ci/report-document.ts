import type { Plan } from "../plan/plan.ts";
import { planDocument } from "../plan/plan-document.ts";
import type { CommandReport } from "./report.ts";

/** How a command went, as versioned JSON; the plan in it is that of docs/plan-json.md. */
export function reportDocument(report: CommandReport, plan: Plan | undefined, result: unknown) {
  const { command, version, exitCode, seconds, findings, tasks } = report;
  return {
    ...{ version: 1, tool: version, command, exitCode, seconds },
    plan: plan === undefined ? null : planDocument(plan),
    ...{ findings, tasks, result: result ?? null },
  };
}
