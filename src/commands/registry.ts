import { buildContexts } from "../core/env/env-protection.ts";
import type { Finding } from "../core/findings/finding.ts";
import type { Step } from "../core/plan/plan-steps.ts";
import { localImageVariables } from "../core/stack/stack.ts";
import { DeployError } from "../errors.ts";
import { readImages } from "../shell/engine/engine.ts";
import { type RegistryOutage, registryOutages } from "../shell/engine/registry-outages.ts";
import type { World } from "../world.ts";
import type { GlobalFlags, Situation } from "./prepare.ts";

interface ImageFlags extends GlobalFlags {
  readonly images?: "registry" | "local";
}

/**
 * What to do where a registry that these steps need cannot be reached: "local" where the images are to be made on this
 * machine instead, because the operator says so or, before anything runs, by `--yes`; undefined where all can be reached.
 * Throws D161 otherwise, before anything is touched.
 */
export async function insteadOfRegistry(
  world: World,
  situation: Situation,
  steps: readonly Step[],
  flags: ImageFlags,
): Promise<"local" | undefined> {
  const outages = await registryOutages(world, situation.facts.model, steps);
  if (outages.length === 0) return undefined;
  const said = outageText(outages);
  const obstacle = await obstacleTo(world, situation, outages, flags);
  if (obstacle !== undefined) throw refusal(said, obstacle);
  if (flags.yes && situation.facts.containers.length === 0) {
    world.reporter.note(`${said}: the images are made on this machine from Debian packages instead`);
    return "local";
  }
  const text = `${said}. Use images made on this machine from Debian packages instead?`;
  if ((await world.reporter.confirm({ text, flag: "--images local" })) === true) return "local";
  throw refusal(said, `connect this machine, or run again with --images local: ${whatLocalMeans}`);
}

/** Stops where a registry that these steps need cannot be reached, D161. */
export async function stopOnOutage(world: World, { facts }: Situation, steps: readonly Step[]): Promise<void> {
  const outages = await registryOutages(world, facts.model, steps);
  if (outages.length > 0)
    throw refusal(outageText(outages), `connect this machine, or use --images local: ${whatLocalMeans}`);
}

/** A registry that these steps need and that cannot be reached, as a warning beside a plan. */
export async function outageWarnings(
  world: World,
  { facts }: Situation,
  steps: readonly Step[],
): Promise<readonly Finding[]> {
  const outages = await registryOutages(world, facts.model, steps);
  if (outages.length === 0) return [];
  const fix = `connect this machine before ./deploy up, or use --images local: ${whatLocalMeans}`;
  return [{ code: "D161", severity: "warning", message: outageText(outages), fix }];
}

const whatLocalMeans = "it makes the images of the default stack from Debian packages (as root, some minutes once)";

function outageText(outages: readonly RegistryOutage[]): string {
  const registries = outages.map(({ registry, reason }) => `${registry} (${reason})`);
  const services = [...new Set(outages.flatMap((outage) => outage.services))];
  return `cannot reach the image registry ${registries.join(" and ")}, needed for ${services.join(", ")}`;
}

/** Why images made here are no way out, as advice; undefined where they are one. */
async function obstacleTo(
  world: World,
  { config, facts }: Situation,
  outages: readonly RegistryOutage[],
  flags: ImageFlags,
): Promise<string | undefined> {
  const own = buildContexts(facts.model).filter(({ path }) => path === world.toolRoot);
  const isOwn = (service: string) => own.some((each) => each.service === service);
  if (!outages.every(({ services }) => services.every(isOwn)))
    return "connect this machine, give the engine a mirror (registry-mirrors in /etc/docker/daemon.json), or bring the images with docker load";
  if ((flags.images ?? config.config.compose.images) === "registry")
    return `connect this machine, or say --images local in the place of registry: ${whatLocalMeans}`;
  const variables = localImageVariables(world.version);
  const local = own.flatMap(({ service }) => variables[`${service.replace(/-image$/, "").toUpperCase()}_IMAGE`] ?? []);
  if ((await readImages(world, local)).ids.size === local.length) return undefined;
  if (world.uid !== 0) return `connect this machine, or run this once as root with --images local: ${whatLocalMeans}`;
  const programs = await Promise.all(
    ["/usr/bin/apt-get", "/usr/sbin/debootstrap"].map((path) => world.files.stat(path)),
  );
  if (programs.every((each) => each === undefined))
    return "connect this machine; images made from Debian packages (--images local) need debootstrap, which is not installed here";
  return undefined;
}

function refusal(message: string, fix: string): DeployError {
  const finding: Finding = { code: "D161", severity: "error", message, fix };
  return new DeployError([finding]);
}
