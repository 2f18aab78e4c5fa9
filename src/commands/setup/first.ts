import type { Plan } from "../../core/plan/plan.ts";
import { DeployError, InterruptedError } from "../../errors.ts";
import { docker, engineFinding } from "../../shell/engine/engine.ts";
import type { World } from "../../world.ts";
import type { GlobalFlags } from "../prepare.ts";
import { decide } from "./decide.ts";
import { type PlanFlags, writeDraft } from "./draft.ts";
import { readGiven } from "./given.ts";
import { readPlace } from "./place.ts";

const welcome =
  "This folder has no settings yet, so here are a few questions. Nothing is written before the end, and Ctrl-C keeps your answers. ./deploy up --yes asks nothing and takes what is usual.";

/** Asks before the first deployment of a folder, and returns the plan that was shown; throws where nothing is to be deployed after all. */
export async function askFirst(world: World, flags: PlanFlags): Promise<Plan | undefined> {
  await offerMissingDocker(world, flags);
  world.reporter.note(welcome);
  const place = await readPlace(world, flags);
  const draft = await decide(world, flags, place, await readGiven(world, flags));
  if (draft === undefined) throw new InterruptedError("left", "nothing was written or deployed; your answers are kept");
  await writeDraft(world, place, draft);
  world.forgetEarlyAnswers();
  return draft.plan;
}

/** Offers to install Docker where the program is not there, because many answers depend on it. */
export async function offerMissingDocker(world: World, flags: GlobalFlags): Promise<void> {
  const asked = await docker(world, ["version", "--format", "{{.Client.Version}}"], {
    signal: AbortSignal.timeout(5000),
  });
  if (!asked.missing) return;
  const { offerDocker } = await import("../docker-offer.ts");
  await offerDocker(world, flags, new DeployError([engineFinding(asked)]));
}
