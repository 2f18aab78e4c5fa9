import type { ConfigFile } from "../core/config.ts";
import type { Container } from "../core/container.ts";
import { dataPasswordFindings } from "../core/data-password-findings.ts";
import type { Facts, FormerDeployment, SeedFile } from "../core/facts.ts";
import type { Finding } from "../core/finding.ts";
import { type ComposeModel, networkName } from "../core/model.ts";
import type { PrivilegeContext } from "../core/privilege.ts";
import { modelSecrets } from "../core/secret-values.ts";
import { joinPath, type Stack, type Territory } from "../core/stack.ts";
import { DeployError } from "../errors.ts";
import type { World } from "../world.ts";
import { type EnvReading, environmentFindings, readEnvironment } from "./coherence.ts";
import { modelOf, readHashes, readModelText } from "./compose.ts";
import { stopOnOldCompose } from "./compose-version.ts";
import { projectContainers, projectResources, readImages } from "./engine.ts";
import { readEnforced } from "./engine-facts.ts";
import { outdatedPins, type PolicyReport, readGuardReport, readPolicyReport, staleGuardPolicy } from "./guard.ts";
import { machineFindings } from "./machine.ts";
import { foreignDeployments } from "./origin.ts";
import { busyPorts } from "./ports.ts";
import { readPrivilegeContext } from "./privilege-context.ts";
import { deployedBy, findReceipt, otherDeployment, type Receipt, receiptFor } from "./receipt.ts";
import { readDataPasswords } from "./secret-record.ts";

/** Reads everything that planning needs; changes nothing. Independent questions are asked at the same time. */
export async function observe(world: World, config: ConfigFile, territory: Territory, stack: Stack): Promise<Facts> {
  const { receipt, problem } = await findReceipt(world, territory.statePath);
  const [text, found, , environment] = await allOrFirstFailure([
    readModelText(world, stack),
    projectContainers(world, stack.project, config.config.sandbox.namePrefix),
    stopOnOldCompose(world, receipt?.compose),
    readEnvironment(world, config, territory, stack),
  ]);
  const model = modelOf(text);
  const { containers, sandboxes } = found;
  world.reporter.hide(modelSecrets(model));
  const seeds = await missingSeeds(world, config, territory);
  const last = receiptFor(stack.project, receipt);
  const guard = readGuardReport(world, containers);
  const wanted = readImages(world, wantedImages(model));
  const generated = secretState(world, territory, model);
  const privileges = readPrivilegeContext(world, territory.root, containers, guard, model);
  const [hashes, secrets, context, networks, images, ports, machine, foreign, former, policy, stale, outdated, values] =
    await Promise.all([
      // Without containers there is nothing that a hash could be compared with.
      containers.length > 0 ? readHashes(world, stack, text, receipt) : new Map<string, string>(),
      generated,
      privileges,
      projectNetworks(world, stack, model, containers),
      wanted,
      busyPorts(world, model, stack.excluded, containers),
      machineFindings(world, config, territory, stack, model, seeds),
      foreignDeployments(world, { territory, config: config.config, receipt: last }, containers),
      formerDeployment(world, config, territory, stack, receipt),
      readPolicyReport(world, config, stack, model),
      staleGuardPolicy(world, territory, stack),
      outdatedPins(stack, guard, wanted),
      secretFindings(world, territory, stack, { model, environment, last, generated, privileges }),
    ]);
  const findings = [problem ?? [], policy.findings, machine, values, ports.map(portFinding)].flat();
  const reread =
    last !== undefined && last.stack.variables["PLATFORM_CONFIG_SHA256"] !== stack.variables["PLATFORM_CONFIG_SHA256"];
  return {
    model,
    hashes,
    containers,
    sandboxes,
    foreign,
    former,
    networks,
    context: withPlanned(context, territory.guardPolicyPath, policy),
    applied: last?.privileges ?? [],
    rereads: reread ? config.config.platform.service : undefined,
    images: images.ids,
    imageSettings: images.settings,
    deployed: last && deployedBy(last),
    enforced: await readEnforced(world, model, containers, last && deployedBy(last)),
    busyPorts: ports,
    seeds,
    ...secrets,
    staleGuardPolicy: stale,
    outdatedPins: outdated,
    findings,
  };
}

/** What is wrong with the environment, its secrets, and the passwords that data holds already. */
async function secretFindings(
  world: World,
  territory: Territory,
  stack: Stack,
  read: {
    readonly model: ComposeModel;
    readonly environment: EnvReading;
    readonly last: Receipt | undefined;
    readonly generated: Promise<Pick<Facts, "missingSecrets">>;
    readonly privileges: Promise<PrivilegeContext>;
  },
): Promise<Finding[]> {
  const [values, passwords, { missingSecrets }, { volumes }] = await Promise.all([
    environmentFindings(world, territory, stack, read.model, read.environment),
    readDataPasswords(world, territory, read.model, read.last),
    read.generated,
    read.privileges,
  ]);
  return [...values, ...dataPasswordFindings(passwords, volumes ?? [], missingSecrets)];
}

function withPlanned(context: PrivilegeContext, policyPath: string, { folders }: PolicyReport): PrivilegeContext {
  if (folders === undefined) return context;
  return { ...context, guarded: { running: new Map(), ...context.guarded, planned: { policyPath, folders } } };
}

/** What still runs of the last deployment from here where that was another project; not what somebody else runs by its name. */
async function formerDeployment(
  world: World,
  { config }: ConfigFile,
  territory: Territory,
  stack: Stack,
  receipt: Receipt | undefined,
): Promise<FormerDeployment | undefined> {
  if (receipt === undefined || otherDeployment(stack.project, receipt) === undefined) return undefined;
  const { project } = receipt;
  const { containers } = await projectContainers(world, project);
  const foreign = await foreignDeployments(world, { territory, config, receipt }, containers);
  const others = new Set(foreign.flatMap(({ names }) => names));
  const names = containers.map(({ name }) => name).filter((name) => !others.has(name));
  return names.length === 0 ? undefined : { project, names: names.toSorted() };
}

/** The project's networks, asked for only where a container is on one that the model and every engine do not have. */
async function projectNetworks(
  world: World,
  stack: Stack,
  model: ComposeModel,
  containers: readonly Container[],
): Promise<readonly string[]> {
  const known = ["bridge", "host", "none", ...Object.keys(model.networks).map((key) => networkName(model, key))];
  const isKnown = ({ networks }: Container) => networks.every((name) => known.includes(name));
  return containers.every(isKnown) ? [] : projectResources(world, "network", stack.project);
}

/** Waits for all, but fails with the failure that explains most: the earlier in the list, the better. */
async function allOrFirstFailure<T extends readonly Promise<unknown>[]>(reads: readonly [...T]) {
  const settled = await Promise.allSettled<unknown>(reads);
  const reasons = settled.flatMap((each): unknown[] => (each.status === "rejected" ? [each.reason] : []));
  const engine = reasons.find(
    (reason) => reason instanceof DeployError && reason.findings.some(({ code }) => /^D04[0-4]$/.test(code)),
  );
  if (reasons.length > 0) throw engine ?? reasons[0];
  return Promise.all(reads);
}

/** Every image that the model names, in the order in which it is asked for. */
export function wantedImages(model: ComposeModel): string[] {
  const running = Object.entries(model.services).map(([name, { image }]) => image ?? `${model.name}-${name}`);
  return [...running, ...Object.values(model.builtImages)];
}

function portFinding({ service, address, port, owner }: Facts["busyPorts"][number]): Finding {
  return {
    code: "D047",
    severity: "error",
    message: `${address}:${port}, which ${service} publishes, is in use by ${owner}`,
    fix: `stop it, or choose another port (PORT=${port + 1} in the environment file)`,
  };
}

/** Files of the default stack that the operator does not have yet. */
async function missingSeeds(world: World, config: ConfigFile, territory: Territory): Promise<SeedFile[]> {
  if (config.config.compose.base !== undefined) return [];
  const seeds: SeedFile[] = [
    {
      from: joinPath(world.toolRoot, "templates/env"),
      to: territory.envPath,
      mode: 0o600,
      why: "there is no environment file yet",
    },
    {
      from: joinPath(world.toolRoot, "templates/config.yaml"),
      to: territory.platformConfigPath,
      mode: 0o644,
      why: "the platform has no configuration yet",
    },
  ];
  const present = await Promise.all(seeds.map(({ to }) => world.files.stat(to)));
  return seeds.filter((_, index) => present[index] === undefined);
}

/** Which generated secrets have no value, and which secret files do not hold the value that they should. */
async function secretState(
  world: World,
  territory: Territory,
  model: ComposeModel,
): Promise<Pick<Facts, "missingSecrets" | "staleSecretFiles">> {
  const entries = Object.entries(model.generatedSecrets);
  const contents = await Promise.all(
    entries.map(async ([, { file }]) =>
      file === undefined ? undefined : world.files.read(joinPath(territory.secretsPath, file)),
    ),
  );
  const stale = entries.filter(
    ([, { file, value }], index) => file !== undefined && (value.reveal() === "" || contents[index] !== value.reveal()),
  );
  return {
    missingSecrets: entries.filter(([, { value }]) => value.reveal() === "").map(([name]) => name),
    staleSecretFiles: stale.map(([name]) => name),
  };
}
