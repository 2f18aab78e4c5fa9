import { auditText } from "../core/deployment/audit.ts";
import { readAuditLog } from "../shell/records/audit-log.ts";
import type { World } from "../world.ts";
import { type GlobalFlags, statePathOf } from "./prepare.ts";

/** Shows the last commands that changed something in this folder: who, what, and how it ended. */
export async function audit(world: World, flags: GlobalFlags & { readonly limit: number }): Promise<void> {
  const all = await readAuditLog(world, statePathOf(world, flags));
  const entries = all
    .filter(({ begin }) => flags.project === undefined || begin.project === flags.project)
    .slice(-flags.limit);
  const text = entries.length === 0 ? "the audit log of this folder is empty" : entries.map(auditText).join("\n");
  world.reporter.result(text, {
    version: 1,
    exitCode: 0,
    entries: entries.map(({ begin, end }) => ({ ...begin, event: undefined, end: end ?? null })),
  });
}
