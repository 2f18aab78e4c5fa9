import type { DeployConfig } from "../config/config.ts";
import type { Facts } from "../plan/facts.ts";
import type { Step } from "../plan/plan-steps.ts";
import { heldByEach } from "../privileges/live-privileges.ts";
import { guardService } from "../stack/guard-policy.ts";
import type { Stack } from "../stack/stack.ts";
import { type Excess, excesses } from "./live-excess.ts";
import { sandboxAllowance } from "./sandbox-allowance.ts";

/**
 * Sandboxes that have more than the settings of this stack give, where whoever makes them starts anew by these steps: they were
 * made under other settings. While the maker stays as it is they are no leftovers but an error, which verification finds.
 */
export function outgrownSandboxes(config: DeployConfig, facts: Facts, stack: Stack, starts: readonly Step[]): Excess[] {
  const gateway = config.platform.service;
  const maker = stack.guardPolicy === undefined ? gateway : guardService;
  const isNew = starts.some(
    (step) =>
      step.kind === "start" &&
      step.services.some(({ service, kind }) => service === maker && (kind === "recreate" || kind === "create")),
  );
  const sandbox = sandboxAllowance(stack.guardPolicy, facts.model, gateway);
  if (!isNew || sandbox === undefined || stack.detection.mode !== "aio") return [];
  return excesses(heldByEach(facts.sandboxes, facts.context), {
    ...{ privileges: [], services: [], allowances: new Map(), replicas: new Map(), secrets: [], shown: new Set() },
    ...{ sandbox, verdicts: facts.verdicts, enforced: facts.enforced },
  });
}
