import { composeEnvironment, hashArgv, modelArgv } from "../core/compose-argv.ts";
import type { ConfigFile } from "../core/config.ts";
import { composeVersionFinding } from "../core/docker-failures.ts";
import type { Facts, SeedFile } from "../core/facts.ts";
import type { Finding } from "../core/finding.ts";
import { type ComposeModel, parseModel } from "../core/model.ts";
import { joinPath, type Stack, type Territory } from "../core/stack.ts";
import { DeployError } from "../errors.ts";
import type { World } from "../world.ts";
import { composeRefusal } from "./compose-refusal.ts";
import { docker, engineFinding, imageIds, projectContainers, projectSandboxes } from "./engine.ts";
import { machineFindings } from "./machine.ts";
import { busyPorts } from "./ports.ts";
import { readPrivilegeContext } from "./privilege-context.ts";
import { readReceipt } from "./receipt.ts";

/** Reads everything that planning needs; changes nothing. Independent questions are asked at the same time. */
export async function observe(world: World, config: ConfigFile, territory: Territory, stack: Stack): Promise<Facts> {
  const asked = await readableStack(world, territory, stack);
  const modelRead = readModel(world, asked);
  const hashesRead = readHashes(world, asked);
  const versionRead = composeVersion(world);
  const containersRead = Promise.all([
    projectContainers(world, stack.project),
    projectSandboxes(world, stack.project, config.config.sandbox.namePrefix),
  ]);
  const [model, hashes, version, [containers, sandboxes]] = await allOrFirstFailure([
    modelRead,
    hashesRead,
    versionRead,
    containersRead,
  ]);
  world.reporter.hide(Object.values(model.generatedSecrets).map(({ value }) => value.reveal()));
  const seeds = await missingSeeds(world, config, territory);
  const secrets = await secretState(world, territory, model);
  const [context, receipt, images, ports, machine] = await Promise.all([
    readPrivilegeContext(world, territory.root, bindSources(model), containers),
    readReceipt(world, territory.statePath),
    imageIds(world, wantedImages(model)),
    busyPorts(world, model, stack.excluded, containers),
    machineFindings(world, config, territory, stack, model, seeds),
  ]);
  const findings = [...version, ...machine, ...ports.map(portFinding)];
  const applied = receipt?.project === stack.project ? receipt.privileges : [];
  return {
    model,
    hashes,
    containers,
    sandboxes,
    context,
    applied,
    images,
    busyPorts: ports,
    seeds,
    ...secrets,
    findings,
  };
}

function bindSources(model: ComposeModel): string[] {
  return Object.values(model.services).flatMap(({ volumes }) =>
    volumes.flatMap(({ type, source }) => (type === "bind" && source ? [source] : [])),
  );
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

/** Compose fails on an environment file that does not exist yet, and without the flag it would look for another one. */
async function readableStack(world: World, territory: Territory, stack: Stack): Promise<Stack> {
  return { ...stack, envPath: (await world.files.stat(territory.envPath)) ? stack.envPath : "/dev/null" };
}

/** The merged model as Compose prints it, secrets included: redact it before it goes anywhere. */
export async function readRawModel(world: World, territory: Territory, stack: Stack): Promise<unknown> {
  return rawModel(world, await readableStack(world, territory, stack));
}

async function rawModel(world: World, stack: Stack): Promise<unknown> {
  const result = await docker(world, modelArgv(stack), { env: composeEnvironment(stack, world.env) });
  if (result.exitCode !== 0) throw new DeployError([await composeRefusal(world, stack.files, result)]);
  return JSON.parse(result.stdout);
}

async function readModel(world: World, stack: Stack): Promise<ComposeModel> {
  const model = parseModel(await rawModel(world, stack));
  if (!model.ok) throw new DeployError(model.findings);
  return model.value;
}

async function readHashes(world: World, stack: Stack): Promise<ReadonlyMap<string, string>> {
  const result = await docker(world, hashArgv(stack), { env: composeEnvironment(stack, world.env) });
  const pairs = result.stdout.split("\n").map((line) => line.trim().split(/\s+/));
  return new Map(pairs.flatMap(([service, hash]) => (service && hash ? [[service, hash] as const] : [])));
}

async function composeVersion(world: World): Promise<Finding[]> {
  const result = await docker(world, ["compose", "version", "--short"]);
  if (result.exitCode !== 0) throw new DeployError([engineFinding(result)]);
  const finding = composeVersionFinding(result.stdout);
  return finding ? [finding] : [];
}

function wantedImages(model: ComposeModel): string[] {
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
