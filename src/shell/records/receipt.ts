import "../../core/schema-settings.ts";
import * as z from "zod";
import type { Container } from "../../core/containers/container.ts";
import type { LastDeployment } from "../../core/deployment/last-deployment.ts";
import { modes } from "../../core/detect/mode.ts";
import type { Finding } from "../../core/findings/finding.ts";
import { privilegeKinds } from "../../core/privileges/privilege.ts";
import { exposureItems, exposureLevels } from "../../core/public/exposure-items.ts";
import { joinPath } from "../../core/stack/stack.ts";
import { timeStamp } from "../../core/text/time-stamp.ts";
import { FileReadError, FileWriteError } from "../../files.ts";
import type { World } from "../../world.ts";
import { readSealKey, seal, sealedVersion, sealKey, unseal } from "../files/seal.ts";

const shapeSchema = z.object({
  service: z.string(),
  imageId: z.string(),
  limits: z.object({ memory: z.number(), memoryAndSwap: z.number(), cpus: z.number(), pids: z.number() }).partial(),
  networks: z.array(z.string()).readonly(),
  restart: z.string(),
});

const receiptSchema = z.object({
  version: z.literal(1),
  project: z.string(),
  /** Its record in the history; earlier versions kept none. */
  deployment: z.string().optional(),
  /** The deployment that this one, a rollback, went back to. */
  of: z.string().optional(),
  /** How the names of sandboxes begin that carry no label: a `down` needs it when the configuration cannot be read. */
  namePrefix: z.string().optional(),
  mode: z.enum(modes),
  because: z.string(),
  /** What Compose merged, without secrets: the next command can ask for it before it has read anything else. */
  stack: z.object({
    project: z.string(),
    files: z.array(z.string()),
    envPath: z.string(),
    variables: z.record(z.string(), z.string()),
    /** What was asked about on the engine. */
    containers: z.array(z.string()),
    images: z.array(z.string()),
    volumes: z.array(z.string()),
  }),
  compose: z.object({
    version: z.string(),
    plugin: z.string(),
    named: z.object({ docker: z.string(), path: z.string() }).optional(),
  }),
  /** Where docker reached the engine; not written where that is no socket of this machine. */
  engine: z.object({ path: z.string(), api: z.string(), settings: z.string() }).optional().catch(undefined),
  /** A keyed fingerprint of the merged model and the hash of each service in it. */
  model: z.object({ mac: z.string(), hashes: z.record(z.string(), z.string()) }),
  /** Where the front door answered when it was verified; earlier versions did not write it down. */
  url: z.string().optional(),
  /** The variable with the key that clients send. */
  clientKey: z.string().optional(),
  services: z.array(z.string()),
  images: z.enum(["registry", "local"]),
  imageIds: z.record(z.string(), z.string()),
  /** Ids of the images that sandboxes may run, by their names in the guard's policy; earlier versions did not write them down. */
  sandboxImages: z.record(z.string(), z.array(z.string()).readonly()).optional().catch(undefined),
  /** What of each container somebody could change by hand; earlier versions did not write it down. */
  shapes: z.array(shapeSchema).optional().catch(undefined),
  /** A keyed fingerprint of each secret and since when it has it; earlier versions did not write them down. */
  secrets: z
    .record(z.string(), z.object({ mac: z.string(), since: z.string() }))
    .optional()
    .catch(undefined),
  /** How exposed it was, and what did not hold and was accepted; earlier versions did not look. */
  exposure: z
    .object({
      level: z.enum(exposureLevels),
      failed: z.array(z.enum(exposureItems)).readonly(),
      accepted: z.array(z.object({ name: z.string(), reason: z.string() })).readonly(),
    })
    .optional()
    .catch(undefined),
  privileges: z.array(z.object({ service: z.string(), kind: z.enum(privilegeKinds), detail: z.string() })),
  time: z.string(),
  who: z.string(),
  toolVersion: z.string(),
});

/** What was applied last: read by the next command, never a source of truth about what runs. */
export type Receipt = z.infer<typeof receiptSchema>;

/** The name of the receipt below the state folder. */
export const receiptName = "receipt.json";

/** What was found in the receipt's place. */
export interface FoundReceipt {
  readonly receipt: Receipt | undefined;
  /** Why there is one that cannot be used, D080. */
  readonly problem?: Finding;
}

/** Reads the last receipt; a damaged, foreign or newer one is as good as none, since the engine knows what runs. */
export async function readReceipt(world: World, statePath: string): Promise<Receipt | undefined> {
  return (await findReceipt(world, statePath)).receipt;
}

/** Reads the last receipt, and says why one that is there cannot be used. */
export async function findReceipt(
  world: Pick<World, "files" | "home" | "env">,
  statePath: string,
): Promise<FoundReceipt> {
  const path = joinPath(statePath, receiptName);
  const [text, key] = await Promise.all([readIfPossible(world, path), readSealKey(world)]);
  if (text === undefined) return { receipt: undefined };
  if (text instanceof FileReadError)
    return { receipt: undefined, problem: unusable(text.message, text.code === "EACCES" ? asOwner : setAside) };
  const { data } = receiptSchema.safeParse(key === undefined ? undefined : unseal(key, text));
  if (data) return { receipt: data };
  return { receipt: undefined, problem: isNewer(text) ? newer(path) : unusable(`${path} ${whyUnusable}`, setAside) };
}

const whyUnusable = "is damaged, or was written by another user or on another machine";
const setAside =
  "nothing has to be done: what runs is asked of the engine, and the next ./deploy up or down sets this file aside";
const asOwner =
  "run this as the user who deployed, or give the folder to the one who deploys now: chown -R USER .deploy";

/** Puts a receipt that cannot be used out of the way, for whoever wants to look into it; only for who holds the lock. */
export async function setAsideReceipt(world: World, statePath: string): Promise<void> {
  const path = joinPath(statePath, receiptName);
  const { problem } = await findReceipt(world, statePath);
  const text = problem && (await readIfPossible(world, path));
  // What a newer version wrote is sound: it stays until it is replaced.
  if (problem === undefined || (typeof text === "string" && isNewer(text))) return;
  const aside = `${path}.damaged-${timeStamp(world.now().toISOString())}`;
  try {
    await world.files.rename(path, aside);
    world.reporter.note(`the receipt that cannot be used is set aside: ${aside}`);
  } catch (error) {
    if (!(error instanceof FileWriteError)) throw error;
    world.reporter.note(`the receipt that cannot be used stays where it is: ${error.message}`);
  }
}

function isNewer(text: string): boolean {
  return (sealedVersion(text) ?? 1) > 1;
}

function unusable(what: string, fix: string): Finding {
  return {
    code: "D080",
    severity: "warning",
    message: `the receipt of the last deployment cannot be used: ${what}`,
    fix,
  };
}

function newer(path: string): Finding {
  return {
    code: "D080",
    severity: "warning",
    message: `the receipt of the last deployment cannot be used: a newer version of this tool wrote ${path}`,
    fix: "use that version here; this one asks the engine what runs, and writes a receipt of its own with the next ./deploy up",
  };
}

function readIfPossible(world: Pick<World, "files">, path: string): Promise<string | FileReadError | undefined> {
  return world.files.read(path).catch((error: unknown) => {
    if (error instanceof FileReadError) return error;
    throw error;
  });
}

/** Writes the receipt of a deployment that was verified, sealed with this user's key. */
export async function writeReceipt(world: World, statePath: string, receipt: Receipt): Promise<void> {
  await world.files.makeDirectory(statePath, 0o700);
  const text = JSON.stringify(seal(await sealKey(world), receipt), null, 2);
  await world.files.writeAtomic(joinPath(statePath, receiptName), `${text}\n`, { mode: 0o600, own: true });
}

/**
 * Writes the receipt of what is done already, which is no failure because its receipt has no room. One of earlier then goes:
 * it would name another deployment as the one that runs.
 */
export async function keepReceipt(world: World, statePath: string, receipt: Receipt): Promise<void> {
  try {
    await writeReceipt(world, statePath, receipt);
  } catch (error) {
    if (!(error instanceof FileWriteError)) throw error;
    world.reporter.note(`all is done, but the receipt could not be written: ${error.message}`);
    await world.files.remove(joinPath(statePath, receiptName)).catch((second: unknown) => {
      if (!(second instanceof FileWriteError)) throw second;
    });
  }
}

/** The receipt, if it is of this project; one of another project says nothing about this one. */
export function receiptFor(project: string, last: Receipt | undefined): Receipt | undefined {
  return last?.project === project ? last : undefined;
}

/** What people have to know when they ask about one project and the folder's last deployment was another one. */
export function otherDeployment(project: string, last: Receipt | undefined): string | undefined {
  if (last === undefined || last.project === project || last.services.length === 0) return undefined;
  return `the last deployment from this folder was project ${last.project}; it may still run: ./deploy down --project ${last.project}`;
}

/** The deployment whose containers these are: the receipt's, unless others have come since, of which no receipt tells. */
export function runningDeployment(receipt: Receipt | undefined, containers: readonly Container[]): string | undefined {
  return receipt !== undefined && containers.length > 0 && isReceiptOf(receipt, containers)
    ? receipt.deployment
    : undefined;
}

/** Whether every one of these containers was there when a deployment was verified. */
export function isReceiptOf({ stack }: Receipt, containers: readonly Container[]): boolean {
  return containers.every(({ id }) => stack.containers.includes(id));
}

/** The deployment that a receipt tells of. */
export function deployedBy({ time, stack, model, shapes, of }: Receipt): LastDeployment {
  return { time, containers: stack.containers, hashes: model.hashes, shapes: shapes ?? [], ...(of ? { of } : {}) };
}

/** Notes that a project was taken down: nothing of it is applied any more, but how it was deployed is known for the next time. */
export async function clearReceipt(world: World, statePath: string, project: string): Promise<void> {
  const last = receiptFor(project, await readReceipt(world, statePath));
  if (last)
    await keepReceipt(world, statePath, {
      ...last,
      deployment: undefined,
      exposure: undefined,
      of: undefined,
      services: [],
      privileges: [],
      imageIds: {},
      sandboxImages: undefined,
      shapes: [],
    });
}
