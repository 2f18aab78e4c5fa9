import type { Finding } from "./finding.ts";
import { type Privilege, privilegeKey } from "./privilege.ts";

/**
 * Everything that a running container holds and the plan does not grant. The platform chooses what a sandbox gets, so of
 * sandboxes only what reaches the host counts.
 */
export function unplannedPrivileges(planned: readonly Privilege[], live: readonly Privilege[]): Privilege[] {
  const granted = new Set(planned.map(privilegeKey));
  return live
    .filter((privilege) => !granted.has(privilegeKey(privilege)))
    .filter(({ service, consent }) => service !== "sandbox" || consent !== undefined);
}

/** An error for each unplanned privilege; what reached the host was stopped. */
export function unplannedFindings(unplanned: readonly Privilege[]): Finding[] {
  return unplanned.map(({ service, kind, detail, consent }) => ({
    code: "D072",
    severity: "error",
    message: `${service} held more than planned: ${kind} ${detail}${consent ? "; it was stopped" : ""}`,
    fix: "find out where that comes from, in the Compose files or from somebody's hand; ./deploy down removes it",
  }));
}
