import { deny, type Verdict } from "./body-decision.ts";
import type { ContainerFact, Facts } from "./decision.ts";
import type { Policy } from "./policy.ts";

/** Whether a container that exists is still within the policy: asked before start, restart, exec, attach and archive. */
export function judgeAgain(container: ContainerFact, _policy: Policy, _facts: Facts): Verdict {
  return deny("container.unread", `the container ${container.name} is not read yet`);
}
