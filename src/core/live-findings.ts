import type { Finding } from "./finding.ts";
import { type Privilege, privilegeKey } from "./privilege.ts";

/**
 * Everything that a running container holds and the plan does not grant, each as an error that names the service.
 * The platform chooses what a sandbox gets, so of sandboxes only what reaches the host counts.
 */
export function livePrivilegeFindings(planned: readonly Privilege[], live: readonly Privilege[]): Finding[] {
  const granted = new Set(planned.map(privilegeKey));
  return live
    .filter((privilege) => !granted.has(privilegeKey(privilege)))
    .filter(({ service, consent }) => service !== "sandbox" || consent !== undefined)
    .map(({ service, kind, detail }) => ({
      code: "D072",
      severity: "error",
      message: `${service} holds more than planned: ${kind} ${detail}`,
      fix: "find out who started it so; ./deploy down and up again makes it as planned",
    }));
}
