import { type Excess, excesses, type Held, type Planned } from "../../core/containers/live-excess.ts";
import { sandboxAllowance } from "../../core/containers/sandbox-allowance.ts";
import { knownImageIds, type SandboxImages } from "../../core/containers/sandbox-images.ts";
import type { Finding } from "../../core/findings/finding.ts";
import type { Facts } from "../../core/plan/facts.ts";
import { type Plan, plannedPrivileges } from "../../core/plan/plan.ts";
import { type PlannedParts, plannedBy } from "../../core/plan/planned.ts";
import type { Stack, Territory } from "../../core/stack/stack.ts";
import type { World } from "../../world.ts";
import { type ProjectContainers, readImages } from "../engine/engine.ts";
import { readEnforced } from "../engine/engine-facts.ts";
import { type GuardReport, readGuardReport } from "../observe/guard.ts";
import { wantedImages } from "../observe/observe.ts";
import { liveHeld } from "../observe/privilege-context.ts";
import { readVerdicts, sandboxImages } from "../observe/sandbox-verdicts.ts";
import { readNamedSecrets } from "../records/known-secrets.ts";

/** What is known of a stack when its containers are held against it. */
export interface Ground {
  readonly territory: Territory;
  readonly stack: Stack;
  readonly facts: Facts;
  /** The service that starts sandboxes. */
  readonly gateway: string;
}

/** What the guard of running containers says, asked once, and what that makes of the images of sandboxes. */
export interface AskedGuard {
  readonly report: Promise<GuardReport | undefined>;
  readonly images: Promise<SandboxImages>;
}

/** Asks the guard that runs now; what the one before it pinned is remembered, since its sandboxes may live on. */
export function askRunningGuard(world: World, facts: Facts, { containers }: ProjectContainers): AskedGuard {
  const report = readGuardReport(world, containers);
  const remembered = knownImageIds(facts.sandboxImages);
  return { report, images: report.then((said) => sandboxImages(remembered, said)) };
}

/** What the containers of a plan are to be, once it is applied: images may be others than before. */
export async function plannedNow(
  world: World,
  ground: Ground,
  plan: Plan,
  found: ProjectContainers,
  guard: AskedGuard,
): Promise<Planned> {
  const { territory, stack, facts, gateway } = ground;
  const { sandboxes } = found;
  const [images, verdicts, secrets, enforced] = await Promise.all([
    plan.steps.length === 0
      ? { ids: facts.images, settings: facts.imageSettings }
      : readImages(world, wantedImages(facts.model)),
    plan.steps.length === 0
      ? facts.verdicts
      : readVerdicts(world, territory, stack, facts.model, sandboxes, guard.images),
    readNamedSecrets(world, territory, facts.model),
    readEnforced(world, facts.model, found.containers, facts.deployed),
  ]);
  const parts: PlannedParts = {
    privileges: plannedPrivileges(plan),
    services: plan.services,
    images: images.ids,
    imageSettings: images.settings,
    sandbox: sandboxAllowance(stack.guardPolicy, facts.model, gateway),
    ...{ verdicts, enforced, secrets },
  };
  return plannedBy(facts.model, parts);
}

/** What the containers hold, and in what they go beyond the plan. */
export async function compareWith(
  world: World,
  { territory, facts }: Pick<Ground, "territory"> & { readonly facts?: Facts | undefined },
  planned: Planned,
  { containers, sandboxes }: ProjectContainers,
  guard = readGuardReport(world, containers),
): Promise<{ held: readonly Held[]; found: readonly Excess[] }> {
  const held = await liveHeld(world, territory.root, [...containers, ...sandboxes], facts?.model, guard);
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
