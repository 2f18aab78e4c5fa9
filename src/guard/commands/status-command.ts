import { listSandboxes } from "../engine/facts.ts";
import { engineAt } from "../engine/upstream.ts";
import { askHealth } from "../serve/health.ts";
import { type GuardStatus, readStatus } from "../serve/status-file.ts";
import { usualTimeouts } from "../serve/timeouts.ts";

/** How a guard is now: what it wrote last, whether it answers, and what the engine says of its sandboxes. */
export interface StatusReport extends GuardStatus {
  /** Why it does not work now; undefined: it does. */
  readonly problem?: string;
  /** Sandboxes that exist; undefined where the engine cannot be asked. */
  readonly alive?: number;
}

/** Finds out how the guard is whose status file this is; undefined where no guard has written one. */
export async function reportStatus(statusPath: string, upstreamPath: string): Promise<StatusReport | undefined> {
  const status = readStatus(statusPath);
  if (status === undefined) return undefined;
  const stopped = "it was stopped";
  const problem = status.state === "stopped" ? stopped : await askHealth(status.listen);
  const engine = engineAt(upstreamPath, usualTimeouts.questionMs);
  const alive = await listSandboxes(engine, status.apiVersion, status.owner).then(
    ({ length }) => length,
    () => undefined,
  );
  const recent = Date.now() - Date.parse(status.updatedAt) < 60_000;
  const sandboxes = recent ? status.sandboxes : { ...status.sandboxes, createdLastMinute: 0 };
  return {
    ...status,
    sandboxes,
    ...(problem === undefined ? {} : { problem }),
    ...(alive === undefined ? {} : { alive }),
  };
}

/** The report for a person, in a few lines. */
export function statusText(report: StatusReport): string {
  const { sandboxes, connections, images, lastDenial, deniedByRule } = report;
  const rules = Object.entries(deniedByRule).toSorted(([, left], [, right]) => right - left);
  const pinned = Object.entries(images.pinned).map(([reference, id]) => `${reference} (${id.slice(0, 19)})`);
  const rows = [
    ["guard", report.problem === undefined ? `works, since ${report.startedAt}` : `does not work: ${report.problem}`],
    ["policy", `${report.policy.slice(0, 12)}, owner ${report.owner}, engine API ${report.apiVersion}`],
    ["sandboxes", `${report.alive ?? "?"} of ${sandboxes.limit}, ${created(sandboxes)}`],
    ["denied", `${report.denied}${lastDenial === undefined ? "" : `, last ${lastDenial.time} by ${lastDenial.rule}`}`],
    ...rules.slice(0, 10).map(([rule, count]) => ["", `${count} by ${rule}`]),
    ["absent", `${report.absent} requests for what does not exist for clients`],
    ["allowed", `${report.allowed}, ${report.openStreams} streams open`],
    ["connections", `${connections.open} of ${connections.limit}`],
    ["images", [...pinned, ...images.missing.map((reference) => `${reference} is missing`)].join(", ")],
    ["audit", report.auditProblem === undefined ? "is written" : `cannot be written: ${report.auditProblem}`],
  ];
  return rows.map(([name = "", value = ""]) => `${name.padEnd(13)}${value}\n`).join("");
}

function created({ createdLastMinute, createsPerMinute }: GuardStatus["sandboxes"]): string {
  return `${createdLastMinute} of ${createsPerMinute} created in the last minute`;
}
