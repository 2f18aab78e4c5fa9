import type { ComposeModel } from "../core/model.ts";
import type { Step } from "../core/plan-steps.ts";
import { stepTask } from "../shell/apply.ts";
import { withLock } from "../shell/lock.ts";
import type { World } from "../world.ts";
import { type GlobalFlags, readSituation, type Situation } from "./prepare.ts";
import { stopOnUnknownServices } from "./services.ts";

/** Builds the stack's images, or makes them from Debian packages, without starting anything. */
export async function build(
  world: World,
  flags: GlobalFlags & { images?: "registry" | "local" },
  services: readonly string[],
): Promise<void> {
  const situation = await readSituation(world, flags);
  const { stack, facts } = situation;
  const chosen = choose(facts.model, services, buildable(facts.model));
  const why = "build was asked for";
  const step: Step =
    stack.images === "local"
      ? { kind: "make-local-images", why, images: chosen.flatMap((name) => imageOf(facts.model, name) ?? []) }
      : { kind: "build", why, services: chosen, pull: false };
  await runStep(world, situation, "build", step, chosen);
}

/** Pulls the published images that the stack uses, without starting anything. */
export async function pull(world: World, flags: GlobalFlags, services: readonly string[]): Promise<void> {
  const situation = await readSituation(world, flags);
  const { facts } = situation;
  const published = Object.keys(facts.model.services).filter((name) => !buildable(facts.model).includes(name));
  const chosen = choose(facts.model, services, published);
  await runStep(
    world,
    situation,
    "pull",
    { kind: "pull", why: "pull was asked for", services: chosen, policy: "always" },
    chosen,
  );
}

function buildable(model: ComposeModel): string[] {
  const services = Object.entries(model.services).flatMap(([name, { build }]) => (build === undefined ? [] : [name]));
  return [...services, ...Object.keys(model.builtImages)];
}

function imageOf(model: ComposeModel, name: string): string | undefined {
  return model.services[name]?.image ?? model.builtImages[name];
}

function choose(model: ComposeModel, asked: readonly string[], possible: readonly string[]): readonly string[] {
  stopOnUnknownServices(asked, [...Object.keys(model.services), ...Object.keys(model.builtImages)], model.name);
  return asked.length === 0 ? possible : possible.filter((name) => asked.includes(name));
}

async function runStep(
  world: World,
  situation: Situation,
  command: string,
  step: Step,
  services: readonly string[],
): Promise<void> {
  if (services.length > 0) {
    await withLock(world, situation.territory.statePath, command, () =>
      world.reporter.tasks([stepTask(world, step, { ...situation, model: situation.facts.model })]),
    );
  }
  const text = services.length === 0 ? `nothing to ${command}` : `${command}: ${services.join(", ")}`;
  world.reporter.result(text, { version: 1, exitCode: 0, services });
}
