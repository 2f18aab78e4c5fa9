import type { Facts } from "../core/facts.ts";
import type { Finding } from "../core/finding.ts";
import { type Excess, excesses, type Held, type Planned } from "../core/live-excess.ts";
import { type Plan, plannedPrivileges } from "../core/plan.ts";
import { type PlannedParts, plannedBy } from "../core/planned.ts";
import { sandboxAllowance } from "../core/sandbox-allowance.ts";
import type { Stack, Territory } from "../core/stack.ts";
import type { World } from "../world.ts";
import { type ProjectContainers, readImages } from "./engine.ts";
import { readEnforced } from "./engine-facts.ts";
import { readNamedSecrets } from "./known-secrets.ts";
import { wantedImages } from "./observe.ts";
import { liveHeld } from "./privilege-context.ts";

/** What is known of a stack when its containers are held against it. */
export interface Ground {
  readonly territory: Territory;
  readonly stack: Stack;
  readonly facts: Facts;
  /** The service that starts sandboxes. */
  readonly gateway: string;
}

/** What the containers of a plan are to be, once it is applied: images may be others than before. */
export async function plannedNow(world: World, ground: Ground, plan: Plan, found: ProjectContainers): Promise<Planned> {
  const { territory, stack, facts, gateway } = ground;
  const [images, secrets, enforced] = await Promise.all([
    plan.steps.length === 0
      ? { ids: facts.images, settings: facts.imageSettings }
      : readImages(world, wantedImages(facts.model)),
    readNamedSecrets(world, territory, facts.model),
    readEnforced(world, facts.model, found.containers, facts.deployed),
  ]);
  const parts: PlannedParts = {
    privileges: plannedPrivileges(plan),
    services: plan.services,
    images: images.ids,
    imageSettings: images.settings,
    sandbox: sandboxAllowance(stack.guardPolicy, facts.model, gateway),
    ...{ enforced, secrets },
  };
  return plannedBy(facts.model, parts);
}

/** What the containers hold, and in what they go beyond the plan. */
export async function compareWith(
  world: World,
  { territory, facts }: Pick<Ground, "territory"> & { readonly facts?: Facts | undefined },
  planned: Planned,
  { containers, sandboxes }: ProjectContainers,
): Promise<{ held: readonly Held[]; found: readonly Excess[] }> {
  const held = await liveHeld(world, territory.root, [...containers, ...sandboxes], facts?.model);
  return { held, found: excesses(held, planned) };
}

/** Secrets that the Compose files themselves show: whoever wrote them has to know, and nothing went beyond the plan. */
export function plannedSecretFindings({ shown }: Planned): Finding[] {
  return [...shown].map((line) => {
    const [, service = "", place = "", name = ""] = /^(\S+) (.*) (\S+)$/.exec(line) ?? [];
    return {
      code: "D076",
      severity: "warning",
      message: `${service} shows the secret ${name} in ${place}, because the Compose files put it there`,
      fix: "everybody who may list containers reads it there: hand it over in a file or a variable",
    };
  });
}
