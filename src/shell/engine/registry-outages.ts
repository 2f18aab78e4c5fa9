import { buildContexts } from "../../core/env/env-protection.ts";
import { imageOf } from "../../core/plan/plan-images.ts";
import type { Step } from "../../core/plan/plan-steps.ts";
import { type BuildInputs, imagesOfDockerfile } from "../../core/stack/dockerfile-images.ts";
import type { ComposeModel } from "../../core/stack/model.ts";
import { outageOf, parseOutlets, questionFor, type RegistryQuestion, registryOf } from "../../core/stack/registry.ts";
import { resolvePath } from "../../core/stack/stack.ts";
import type { World } from "../../world.ts";
import { docker, readImages } from "./engine.ts";

/** How long a registry may take to answer at all: far less than an engine waits. */
const answerMilliseconds = 4000;

/** A registry that cannot be reached, and for which services it is needed. */
export interface RegistryOutage {
  readonly registry: string;
  readonly reason: string;
  readonly services: readonly string[];
}

interface Needed {
  readonly service: string;
  readonly image: string;
  /** Whether a copy on this machine is not enough. */
  readonly anew: boolean;
}

/**
 * The registries that these steps need and that this machine cannot reach, found within seconds. None where only the engine
 * can tell: then its own message has to do. Asks nothing at all where every image is here.
 */
export async function registryOutages(
  world: World,
  model: ComposeModel,
  steps: readonly Step[],
): Promise<readonly RegistryOutage[]> {
  const needed = (await Promise.all(steps.map((step) => neededBy(world, model, step)))).flat();
  const { ids } = await readImages(
    world,
    needed.map(({ image }) => image),
  );
  const absent = needed.filter(({ image, anew }) => anew || !ids.has(image));
  if (absent.length === 0) return [];
  const outlets = await readOutlets(world);
  if (outlets === undefined) return [];
  const registries = [...new Set(absent.map(({ image }) => registryOf(image)))];
  const asked = await Promise.all(
    registries.map(async (registry): Promise<RegistryOutage[]> => {
      const question = questionFor(registry, outlets, world.host);
      if (question === undefined) return [];
      const reason = outageOf(await ask(world, question));
      const services = absent.filter(({ image }) => registryOf(image) === registry).map(({ service }) => service);
      return reason === undefined ? [] : [{ registry, reason, services: [...new Set(services)] }];
    }),
  );
  return asked.flat();
}

function ask(world: World, { url, proxy }: RegistryQuestion) {
  return proxy === undefined ? world.probe(url, answerMilliseconds) : world.tunnel(proxy, url, answerMilliseconds);
}

async function readOutlets(world: World) {
  const { exitCode, stdout } = await docker(world, ["info", "--format", "{{json .}}"]);
  try {
    return exitCode === 0 ? parseOutlets(JSON.parse(stdout)) : undefined;
  } catch {
    return undefined;
  }
}

async function neededBy(world: World, model: ComposeModel, step: Step): Promise<Needed[]> {
  switch (step.kind) {
    case "pull":
      return step.services.flatMap((service) => {
        const image = imageOf(model, service);
        return image === undefined ? [] : [{ service, image, anew: step.policy === "always" }];
      });
    case "build": {
      const bases = await Promise.all(
        step.services.map(async (service) => {
          const images = await basesOf(world, model, service);
          return images.map((image) => ({ service, image, anew: step.pull }));
        }),
      );
      return bases.flat();
    }
    default:
      return [];
  }
}

/** The images that a service is built on. A build from somewhere else than a folder of this machine is not looked into. */
async function basesOf(world: World, model: ComposeModel, service: string): Promise<string[]> {
  const build = (model.services[service] ?? model.buildServices[service])?.build;
  const inputs: BuildInputs = {
    ...build,
    args: build?.args ?? {},
    additional_contexts: build?.additional_contexts ?? {},
  };
  if (build?.dockerfile_inline !== undefined) return imagesOfDockerfile(build.dockerfile_inline, inputs);
  const context = buildContexts(model).find((each) => each.service === service);
  if (context === undefined) return [];
  const text = await world.files.read(resolvePath(context.path, world.home, context.dockerfile)).catch(() => undefined);
  return text === undefined ? [] : imagesOfDockerfile(text, inputs);
}
