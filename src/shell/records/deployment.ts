import type { Container } from "../../core/containers/container.ts";
import { type DeploymentRecord, deploymentId, imageTags } from "../../core/deployment/deployment.ts";
import type { Plan } from "../../core/plan/plan.ts";
import type { Privilege } from "../../core/privileges/privilege.ts";
import { type NamedSecret, namedSecrets } from "../../core/secrets/named-secrets.ts";
import { createRedactor } from "../../core/secrets/redact.ts";
import { engineIdArgv } from "../../core/stack/compose-argv.ts";
import type { ComposeModel } from "../../core/stack/model.ts";
import { joinPath, type Stack } from "../../core/stack/stack.ts";
import { DeployError } from "../../errors.ts";
import { FileReadError, FileWriteError } from "../../files.ts";
import type { World } from "../../world.ts";
import { type Deployed, modelOf, readModelText, variableOf } from "../compose/compose.ts";
import { docker, readImages } from "../engine/engine.ts";
import { keyedFingerprint } from "../files/fingerprint.ts";
import { seal, sealKey } from "../files/seal.ts";
import { historyPath, modelName, recordIds, recordName } from "./history.ts";
import { type KeptFrom, keepMounted, keepSources } from "./history-files.ts";

/** What is deployed, and from where. */
export interface DeployedFrom extends KeptFrom {
  readonly project: string;
  readonly namePrefix: string | undefined;
}

/** What a deployment is for: a rollback goes back to an earlier one. */
export type Purpose = { readonly command: "up" | "rotate" } | { readonly command: "rollback"; readonly of: string };

/** A deployment that has begun. */
export interface Deployment {
  readonly from: DeployedFrom;
  /** The folder of its record. */
  readonly folder: string;
  /** Milliseconds since 1970. */
  readonly begunAt: number;
  readonly record: DeploymentRecord;
}

/** How a deployment ended: verified, with what was found on the running containers; or not, and why. */
export type Ending =
  | {
      readonly outcome: "done";
      readonly containers: readonly Container[];
      readonly privileges: readonly Privilege[];
      readonly deployed: Deployed;
    }
  | { readonly outcome: "failed" | "rolled-back"; readonly error: unknown };

/** Begins a record, under the lock, before anything is changed. Where it has no room now, its end is another try. */
export async function beginDeployment(
  world: World,
  from: DeployedFrom,
  plan: Plan,
  purpose: Purpose,
): Promise<Deployment> {
  const { stack, project, namePrefix, territory } = from;
  const path = historyPath(territory.statePath);
  const start = world.now();
  const begun = start.toISOString();
  const newest = (await recordIds(world, path)).at(-1);
  const [started, engine] = await Promise.all([
    world.process.startOf(world.process.pid),
    docker(world, engineIdArgv()),
  ]);
  const record: DeploymentRecord = {
    version: 1,
    id: deploymentId(begun, world.randomBytes(2), newest),
    ...purpose,
    outcome: "begun",
    begun,
    ...{ who: world.user, host: world.host, toolVersion: world.version, project },
    ...(namePrefix === undefined ? {} : { namePrefix }),
    process: { pid: world.process.pid, started: started ?? "" },
    engineId: engine.exitCode === 0 ? engine.stdout.trim() : "",
    mode: stack.detection.mode,
    because: stack.detection.because.text,
    stack: { files: [...stack.files], envPath: stack.envPath, variables: stack.variables, images: stack.images },
    services: [...plan.services],
    ...{ sources: [], mounted: [], hashes: {}, images: {}, privileges: [], secrets: {}, findings: [] },
  };
  const deployment = { from, folder: joinPath(path, record.id), begunAt: start.getTime(), record };
  const sources = await tried([], () => keepFiles(world, deployment));
  return (await writeRecord(world, deployment, { sources: sources ?? [] }, [])) ?? deployment;
}

/**
 * Ends a record; a later ending takes the place of an earlier one. A stack that runs is no failure because its record has
 * no room: a note says so, and the result is undefined then.
 */
export async function endDeployment(
  world: World,
  deployment: Deployment,
  ending: Ending,
): Promise<Deployment | undefined> {
  const end = world.now();
  const changes = {
    outcome: ending.outcome,
    ended: end.toISOString(),
    // A clock that was set back in between does not tell how long it took.
    durationMilliseconds: Math.max(0, end.getTime() - deployment.begunAt),
  };
  const problems: Problems = [];
  const details =
    ending.outcome === "done"
      ? verified(world, deployment, ending, problems)
      : failed(world, deployment, ending.error, problems);
  const found = await details;
  const ended = await writeRecord(world, deployment, { ...changes, ...found }, problems);
  // Nobody would find these again without their record.
  const tags = Object.values(found.images ?? {}).flatMap(({ tag }) => tag ?? []);
  if (ended === undefined && tags.length > 0) await docker(world, ["image", "rm", ...tags]);
  const [problem] = problems;
  if (problem !== undefined) {
    const what = `the record of this deployment, ${deployment.record.id}, could not be written: ${problem.message}`;
    world.reporter.note(ending.outcome === "done" ? `${what}; ${noWayBack}` : what);
  }
  return ended;
}

const noWayBack = "until it is, nothing leads back to this deployment: mend that, and run ./deploy up again";

async function verified(
  world: World,
  deployment: Deployment,
  { containers, privileges, deployed }: Extract<Ending, { outcome: "done" }>,
  problems: Problems,
): Promise<Partial<DeploymentRecord>> {
  const { from, folder, record } = deployment;
  const model = modelOf(deployed.text);
  const files = await tried(problems, async () => {
    const sources = await keepFiles(world, deployment);
    const key = await sealKey(world);
    const mounted = await keepMounted(world, joinPath(folder, "mounted"), key, from, model, record.services);
    await world.files.writeAtomic(joinPath(folder, modelName), deployed.text, { mode: 0o600, own: true });
    return { sources, mounted, modelHash: keyedFingerprint(key, deployed.text) };
  });
  return {
    ...files,
    composeVersion: deployed.compose.version,
    hashes: deployed.model.hashes,
    images: await keepImages(world, record, model, containers),
    privileges: privileges.map(({ service, kind, detail }) => ({ service, kind, detail })),
    secrets: await secretFingerprints(world, from.stack, model),
  };
}

/** What was to be deployed is worth knowing; where even that cannot be read, the failure itself says enough. */
async function failed(
  world: World,
  deployment: Deployment,
  error: unknown,
  problems: Problems,
): Promise<Partial<DeploymentRecord>> {
  const path = joinPath(deployment.folder, modelName);
  await tried(problems, async () => {
    if ((await world.files.stat(path)) !== undefined) return;
    const text = await readModelText(world, deployment.from.stack).catch(() => undefined);
    if (text !== undefined) await world.files.writeAtomic(path, text, { mode: 0o600, own: true });
  });
  const sources = await tried(problems, () => keepFiles(world, deployment));
  const redact = createRedactor(world.reporter.hidden());
  const findings =
    error instanceof DeployError
      ? error.findings.filter(({ severity }) => severity === "error")
      : [{ code: "bug", message: error instanceof Error ? error.message : String(error) }];
  return {
    ...(sources ? { sources } : {}),
    findings: findings.map(({ code, message }) => ({ code, message: redact(message) })),
  };
}

async function keepFiles(world: World, { folder, from }: Deployment): Promise<DeploymentRecord["sources"]> {
  return keepSources(world, joinPath(folder, "files"), await sealKey(world), from);
}

/** Gives the images of a deployment, those of sandboxes included, tags that nobody builds anew: a rollback finds them by that. */
async function keepImages(
  world: World,
  { project, id }: DeploymentRecord,
  model: ComposeModel,
  containers: readonly Container[],
): Promise<DeploymentRecord["images"]> {
  const { ids } = await readImages(world, Object.values(model.builtImages));
  const built = Object.entries(model.builtImages).flatMap(([service, reference]) => {
    const imageId = ids.get(reference);
    return imageId === undefined ? [] : [[service, { reference, id: imageId }] as const];
  });
  const running = containers.flatMap(({ service, image, imageId }) =>
    service === undefined ? [] : [[service, { reference: image, id: imageId }] as const],
  );
  const used = new Map([...built, ...running]);
  const references = [...used].map(([service, { reference }]) => [service, reference]);
  const tags: Readonly<Record<string, string>> = imageTags(project, Object.fromEntries(references), id);
  const images = await Promise.all(
    [...used].map(async ([service, image]) => {
      const tag = tags[service] ?? "";
      const { exitCode, stderr } = await docker(world, ["image", "tag", image.id, tag]);
      if (exitCode !== 0)
        world.reporter.note(`the image of ${service} could not be tagged as ${tag}: ${stderr.trim()}`);
      return [service, { ...image, ...(exitCode === 0 ? { tag } : {}) }] as const;
    }),
  );
  return Object.fromEntries(images);
}

/** A keyed fingerprint of each secret of a stack, by its name; it tells whether one changed, and nothing else. */
export async function secretFingerprints(
  world: World,
  stack: Stack,
  model: ComposeModel,
): Promise<DeploymentRecord["secrets"]> {
  const key = await sealKey(world);
  const read = await Promise.all(
    [...namedSecrets(model)].map(async ([name, secret]): Promise<[string, string][]> => {
      const text = await readSecret(world, stack, secret);
      return text ? [[name, keyedFingerprint(key, text)]] : [];
    }),
  );
  return Object.fromEntries(read.flat().toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

async function readSecret(world: World, stack: Stack, secret: NamedSecret): Promise<string | undefined> {
  switch (secret.kind) {
    case "value":
      return secret.value.reveal();
    case "file":
      return world.files.read(secret.path).catch(unread);
    case "variable":
      return variableOf(world, stack, secret.name);
  }
}

async function writeRecord(
  world: World,
  deployment: Deployment,
  changes: Partial<DeploymentRecord>,
  problems: Problems,
): Promise<Deployment | undefined> {
  const record = { ...deployment.record, ...changes };
  return tried(problems, async () => {
    await world.files.makeDirectory(deployment.folder, 0o700);
    const text = JSON.stringify(seal(await sealKey(world), record), null, 2);
    await world.files.writeAtomic(joinPath(deployment.folder, recordName), `${text}\n`, { mode: 0o600, own: true });
    return { ...deployment, record };
  });
}

/** What of a record could not be written, and why. */
type Problems = FileWriteError[];

/** A deployment goes on where its record cannot be written. */
async function tried<T>(problems: Problems, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof FileWriteError)) throw error;
    problems.push(error);
    return undefined;
  }
}

function unread(error: unknown): undefined {
  if (!(error instanceof FileReadError)) throw error;
}
