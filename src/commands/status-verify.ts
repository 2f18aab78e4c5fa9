import type { Container } from "../core/containers/container.ts";
import { excessFindings, type Planned } from "../core/containers/live-excess.ts";
import { sandboxAllowance } from "../core/containers/sandbox-allowance.ts";
import { differences, isHashless } from "../core/drift/drift.ts";
import type { Finding } from "../core/findings/finding.ts";
import type { Facts } from "../core/plan/facts.ts";
import { plannedBy } from "../core/plan/planned.ts";
import { privilegesOfModel } from "../core/privileges/privileges.ts";
import { allEnforced } from "../core/stack/limits.ts";
import type { Territory } from "../core/stack/stack.ts";
import { DeployError } from "../errors.ts";
import { compareWith } from "../shell/apply/prove.ts";
import type { ProjectContainers } from "../shell/engine/engine.ts";
import { readNamedSecrets } from "../shell/records/known-secrets.ts";
import type { Receipt } from "../shell/records/receipt.ts";
import type { World } from "../world.ts";
import { type GlobalFlags, readSituation, type Situation } from "./prepare.ts";

/** What a verification compared with what, and what it found. */
export interface Comparison {
  /** In words, each with what was compared. */
  readonly compared: readonly string[];
  readonly findings: readonly Finding[];
}

/**
 * Holds what runs against the last deployment, and against the Compose files for the services whose files are still the ones
 * that were deployed. Changes nothing.
 */
export async function verifyRunning(
  world: World,
  flags: GlobalFlags,
  { territory, receipt, found }: { territory: Territory; receipt: Receipt | undefined; found: ProjectContainers },
): Promise<Comparison> {
  const read = await readFiles(world, flags);
  const situation = "problem" in read ? undefined : read;
  if (situation === undefined && receipt === undefined) return { compared: [nothing(read)], findings: [] };
  const { planned, compared } = await plan(world, territory, situation, receipt, found);
  const { found: excess } = await compareWith(world, { territory, facts: situation?.facts }, planned, found);
  const unread = "problem" in read ? [`the Compose files could not be read: ${read.problem}`] : [];
  return { compared: [...compared, ...unread], findings: excessFindings(excess, []) };
}

/** The files as they are now, without their findings: whether they are right is for `plan` to say. */
async function readFiles(world: World, flags: GlobalFlags): Promise<Situation | { readonly problem: string }> {
  try {
    return await readSituation({ ...world, reporter: { ...world.reporter, findings: () => {} } }, flags);
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    return { problem: error.findings[0]?.message ?? "nobody said why" };
  }
}

function nothing(read: Situation | { readonly problem: string }): string {
  const why = "problem" in read ? `: ${read.problem}` : "";
  return `nothing: there is no receipt of a deployment, and the Compose files could not be read${why}`;
}

async function plan(
  world: World,
  territory: Territory,
  situation: Situation | undefined,
  receipt: Receipt | undefined,
  { containers }: ProjectContainers,
): Promise<{ planned: Planned; compared: string[] }> {
  const facts = situation?.facts;
  const services = receipt?.services ?? servicesOf(situation);
  const same = facts === undefined ? [] : services.filter((name) => isCurrent(name, containers, facts));
  const secrets = await readNamedSecrets(world, territory, facts?.model);
  const gateway = situation?.config.config.platform.service ?? "gateway";
  const own = facts === undefined ? [] : privilegesOfModel(facts.model, facts.context, services);
  const parts = {
    privileges: receipt?.privileges ?? own,
    ...{
      services: same,
      secrets,
      images: facts?.images ?? new Map(),
      imageSettings: facts?.imageSettings ?? new Map(),
    },
    sandbox: sandboxAllowance(situation?.stack.guardPolicy, facts?.model, gateway),
    verdicts: facts?.verdicts ?? new Map(),
    enforced: facts?.enforced ?? allEnforced,
  };
  const model = facts?.model ?? emptyModel;
  const planned = plannedBy(model, parts);
  const allowances = services.map((name): [string, NonNullable<ReturnType<Planned["allowances"]["get"]>>] => {
    const shape = receipt?.shapes?.find(({ service }) => service === name);
    const imageId = receipt?.imageIds[name];
    return [
      name,
      { ...(shape ? { limits: shape.limits } : {}), ...planned.allowances.get(name), ...(imageId ? { imageId } : {}) },
    ];
  });
  const changed = services.filter((name) => !same.includes(name));
  const files = "user, limits, root file system, capabilities and security options with the Compose files";
  return {
    planned: { ...planned, services, allowances: new Map(allowances) },
    compared: [
      receipt === undefined
        ? "privileges and services with the Compose files, for there is no receipt of a deployment from here"
        : `privileges, services, images and limits with the deployment of ${receipt.time} by ${receipt.who}`,
      ...(same.length > 0 ? [`${files}: ${same.join(", ")}`] : []),
      ...(facts !== undefined && changed.length > 0
        ? [`not with the Compose files, which changed since: ${changed.join(", ")}`]
        : []),
    ],
  };
}

const emptyModel: Facts["model"] = {
  ...{ name: "", services: {}, buildServices: {}, secrets: {}, configs: {}, volumes: {}, networks: {} },
  ...{ generatedSecrets: {}, builtImages: {} },
};

function servicesOf(situation: Situation | undefined): string[] {
  if (situation === undefined) return [];
  const { facts, stack } = situation;
  return Object.entries(facts.model.services).flatMap(([name, { replicas, provider }]) =>
    replicas === 0 || provider !== undefined || stack.excluded.includes(name) ? [] : [name],
  );
}

/** Whether the files still say what the containers of a service were made from. */
function isCurrent(name: string, containers: readonly Container[], facts: Facts): boolean {
  const { model, hashes, deployed, imageSettings, enforced } = facts;
  const service = model.services[name];
  const mine = containers.filter((container) => container.service === name);
  if (service === undefined) return false;
  // Somebody who makes a container by hand can leave out Compose's hash, but not what the deployment was made from.
  if (deployed?.hashes[name] !== undefined) return deployed.hashes[name] === hashes.get(name);
  if (!isHashless(service)) return mine.every(({ configHash }) => configHash === hashes.get(name));
  return mine.every((container) => {
    const image = imageSettings.get(container.imageId);
    return differences({ name, service, container, model, image, all: containers, enforced }).length === 0;
  });
}
