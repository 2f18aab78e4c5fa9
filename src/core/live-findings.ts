import type { Finding } from "./finding.ts";
import type { Privilege } from "./privilege.ts";

/** Everything that a running container holds and the plan does not grant, each as an error that names the container's service. */
export function livePrivilegeFindings(planned: readonly Privilege[], live: readonly Privilege[]): Finding[] {
  const granted = new Set(planned.map(keyOf));
  return live
    .filter((privilege) => !granted.has(keyOf(privilege)))
    .map(({ service, kind, detail }) => ({
      code: "D072",
      severity: "error",
      message: `${service} holds more than planned: ${kind} ${detail}`,
      fix: `find out who started it so; ./deploy down and up again makes it as planned`,
    }));
}

function keyOf({ service, kind, detail }: Privilege): string {
  return `${service}\n${kind}\n${detail}`;
}
