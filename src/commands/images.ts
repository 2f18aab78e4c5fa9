import { auditWords } from "../core/deployment/audit.ts";
import type { AcceptName } from "../core/plan/plan.ts";
import { type ImageRequest, imageFindings, planBuild, planPull } from "../core/plan/plan-images.ts";
import { stepTask } from "../shell/apply/apply.ts";
import type { World } from "../world.ts";
import { withChange } from "./change.ts";
import { consent } from "./consent.ts";
import { type GlobalFlags, readSituation, type Situation, stopOnErrors } from "./prepare.ts";
import { stopOnUnknownServices } from "./services.ts";

/** Builds the stack's images, or makes them from Debian packages, without starting anything. */
export async function build(
  world: World,
  flags: GlobalFlags & { images?: "registry" | "local"; accept?: readonly AcceptName[] },
  services: readonly string[],
): Promise<void> {
  const situation = await readSituation(world, flags);
  const { config, stack, facts } = situation;
  await obtain(world, situation, auditWords("build", flags, services), services, () =>
    planBuild(config.config, facts, stack, services, flags.accept ?? []),
  );
}

/** Pulls the published images that the stack uses, without starting anything. */
export async function pull(world: World, flags: GlobalFlags, services: readonly string[]): Promise<void> {
  const situation = await readSituation(world, flags);
  await obtain(world, situation, auditWords("pull", flags, services), services, () =>
    planPull(situation.facts, services),
  );
}

async function obtain(
  world: World,
  situation: Situation,
  words: readonly string[],
  asked: readonly string[],
  plan: () => ImageRequest,
): Promise<void> {
  const { model } = situation.facts;
  const [command = ""] = words;
  stopOnUnknownServices(asked, [...Object.keys(model.services), ...Object.keys(model.builtImages)], model.name);
  stopOnErrors(imageFindings(situation.facts));
  const { services, steps, questions } = plan();
  await (await import("./registry.ts")).stopOnOutage(world, situation, steps);
  await consent(world, questions);
  if (steps.length > 0) {
    const change = { ...situation.territory, project: situation.project, words, changes: true };
    await withChange(world, change, () =>
      world.reporter.tasks(steps.map((step) => stepTask(world, step, { ...situation, model }))),
    );
  }
  const text = steps.length === 0 ? `nothing to ${command}` : `${command}: ${services.join(", ")}`;
  world.reporter.result(text, { version: 1, exitCode: 0, services });
}
