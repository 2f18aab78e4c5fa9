import type { ConfigFile } from "../../core/config/config.ts";
import type { Container } from "../../core/containers/container.ts";
import type { Finding } from "../../core/findings/finding.ts";
import type { Facts, FormerDeployment, SeedFile } from "../../core/plan/facts.ts";
import type { PrivilegeContext } from "../../core/privileges/privilege.ts";
import { exposureOf } from "../../core/public/exposure.ts";
import { dataPasswordFindings } from "../../core/secrets/data-password-findings.ts";
import { lostSecretFindings } from "../../core/secrets/lost-secrets.ts";
import { modelSecrets } from "../../core/secrets/secret-values.ts";
import { type ComposeModel, networkName } from "../../core/stack/model.ts";
import { portNumberFindings } from "../../core/stack/published-ports.ts";
import { joinPath, relativePath, type Stack, type Territory } from "../../core/stack/stack.ts";
import { DeployError } from "../../errors.ts";
import type { World } from "../../world.ts";
import { modelOf, readHashes, readModelText } from "../compose/compose.ts";
import { stopOnOldCompose } from "../compose/compose-version.ts";
import { projectContainers, projectResources, readImages } from "../engine/engine.ts";
import { readEnforced } from "../engine/engine-facts.ts";
import { deployedBy, findReceipt, otherDeployment, type Receipt, receiptFor } from "../records/receipt.ts";
import { readDataPasswords } from "../records/secret-record.ts";
import { type EnvReading, environmentFindings, readEnvironment } from "./coherence.ts";
import { outdatedPins, type PolicyReport, readGuardReport, readPolicyReport, staleGuardPolicy } from "./guard.ts";
import { machineFindings } from "./machine.ts";
import { foreignDeployments } from "./origin.ts";
import { busyPorts } from "./ports.ts";
import { readPrivilegeContext } from "./privilege-context.ts";
import { readVerdicts, sandboxImages } from "./sandbox-verdicts.ts";

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
  const deployed = last && deployedBy(last);
  const guard = readGuardReport(world, containers);
  const known = guard.then((report) => sandboxImages(last?.sandboxImages ?? {}, report));
  const wanted = readImages(world, wantedImages(model));
  const generated = secretState(world, territory, model);
  const privileges = readPrivilegeContext(world, territory.root, containers, guard, model);
  const [hashes, secrets, context, networks, images, ports, machine, foreign, former, policy, stale, ...others] =
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
      staleFiles(world, territory, stack),
      outdatedPins(stack, guard, wanted),
      secretFindings(world, config, territory, stack, { model, environment, last, generated, privileges }),
      readVerdicts(world, territory, stack, model, sandboxes, known),
      known,
    ]);
  const [outdated, values, verdicts, pinned] = others;
  const tls = stack.tls?.findings ?? [];
  return {
    ...{ model, hashes, containers, sandboxes, verdicts, sandboxImages: pinned },
    ...{ foreign, former, networks },
    context: stack.guardPolicy === undefined ? context : withPlanned(context, territory.guardPolicyPath, policy),
    applied: last?.privileges ?? [],
    exposed: last && (last.exposure ?? exposureOf(last.privileges)),
    rereads: isReread(last, stack) ? config.config.platform.service : undefined,
    images: images.ids,
    imageSettings: images.settings,
    deployed,
    enforced: await readEnforced(world, model, containers, deployed),
    busyPorts: ports,
    seeds,
    ...secrets,
    ...stale,
    outdatedPins: outdated,
    findings: [problem ?? [], policy.findings, tls, machine, values, portFindings(model, ports, stack)].flat(),
  };
}

/** Which of the files that containers mount, and that follow from the configuration, have to be written. */
async function staleFiles(
  world: World,
  territory: Territory,
  stack: Stack,
): Promise<Pick<Facts, "staleGuardPolicy" | "staleTlsFiles">> {
  const [policy, tls] = await Promise.all([
    staleGuardPolicy(world, territory, stack),
    stack.tls && import("./tls-input.ts").then(({ staleTlsFiles }) => staleTlsFiles(world, territory, stack)),
  ]);
  return { staleGuardPolicy: policy, staleTlsFiles: tls ?? false };
}

/** Whether the platform's configuration is another one than at the last deployment. */
function isReread(last: Receipt | undefined, { variables }: Stack): boolean {
  const name = "PLATFORM_CONFIG_SHA256";
  return last !== undefined && last.stack.variables[name] !== variables[name];
}

/** What is wrong with the environment, its secrets, the passwords that data holds already, and logins that are lent. */
async function secretFindings(
  world: World,
  config: ConfigFile,
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
  const [values, passwords, { missingSecrets }, context] = await Promise.all([
    environmentFindings(world, territory, stack, read.model, read.environment),
    readDataPasswords(world, territory, read.model, read.last),
    read.generated,
    read.privileges,
  ]);
  const remembered = { names: Object.keys(read.last?.secrets ?? {}), deployment: read.last?.deployment };
  const lost = lostSecretFindings(missingSecrets, remembered, relativePath(territory.root, territory.envPath));
  const lent = await lentFindings(config, stack, read.model, context);
  const published = await publishedFindings(config, territory, stack, read);
  const held = dataPasswordFindings(passwords, context.volumes ?? [], missingSecrets);
  return [...values, ...lost, ...held, ...lent, ...published];
}

/** Whether the environment fits the public URL. */
async function publishedFindings(
  { config, positionOf }: ConfigFile,
  territory: Territory,
  stack: Stack,
  { model, environment: { envFile } }: { readonly model: ComposeModel; readonly environment: EnvReading },
) {
  const { published } = stack;
  if (published === undefined) return [];
  const { publicFindings } = await import("../../core/public/public-findings.ts");
  const origins = config.public.origins.map((origin, index) => ({
    origin,
    at: positionOf(["public", "origins", index]),
  }));
  const file = relativePath(territory.root, territory.envPath);
  return publicFindings({ published, model, stack, envFile, file, origins });
}

/** Whether every login that is lent arrives, and where else. */
async function lentFindings({ positionOf }: ConfigFile, stack: Stack, model: ComposeModel, context: PrivilegeContext) {
  const { lent } = stack;
  if (lent === undefined) return [];
  const { credentialFindings } = await import("../../core/credentials/credential-findings.ts");
  return credentialFindings({ lent, model, stack, context, positionOf });
}

function withPlanned(context: PrivilegeContext, policyPath: string, { folders }: PolicyReport): PrivilegeContext {
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

/** The findings for ports of the stack that are none, D012, and for those that somebody else holds, D047. */
export function portFindings(model: ComposeModel, ports: Facts["busyPorts"], { excluded, tls }: Stack): Finding[] {
  const busy = ports.map(
    ({ service, address, port, owner }): Finding => ({
      code: "D047",
      severity: "error",
      message: `${address}:${port}, which ${service} publishes, is in use by ${owner}`,
      fix:
        tls === undefined
          ? `stop it, or choose another port (PORT=${port + 1} in the environment file)`
          : "stop it, or name another address of this machine (TLS_BIND_HOST in the environment file): https is always on 443",
    }),
  );
  return [...portNumberFindings(model, excluded), ...busy];
}

/** Files of the default stack that the operator does not have yet. */
export async function missingSeeds(world: World, config: ConfigFile, territory: Territory): Promise<SeedFile[]> {
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
