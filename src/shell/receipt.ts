import "../core/schema-settings.ts";
import * as z from "zod";
import { modes } from "../core/mode.ts";
import { privilegeKinds } from "../core/privilege.ts";
import { joinPath } from "../core/stack.ts";
import type { World } from "../world.ts";
import { readSealKey, seal, sealKey, unseal } from "./seal.ts";

const receiptSchema = z.object({
  version: z.literal(1),
  project: z.string(),
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
  /** A keyed fingerprint of the merged model and the hash of each service in it. */
  model: z.object({ mac: z.string(), hashes: z.record(z.string(), z.string()) }),
  services: z.array(z.string()),
  images: z.enum(["registry", "local"]),
  imageIds: z.record(z.string(), z.string()),
  privileges: z.array(z.object({ service: z.string(), kind: z.enum(privilegeKinds), detail: z.string() })),
  time: z.string(),
  who: z.string(),
  toolVersion: z.string(),
});

/** What was applied last: read by the next command, never a source of truth about what runs. */
export type Receipt = z.infer<typeof receiptSchema>;

/** The name of the receipt below the state folder. */
export const receiptName = "receipt.json";

/** Reads the last receipt; a missing, damaged or foreign one is as good as none, since the engine knows what runs. */
export async function readReceipt(world: World, statePath: string): Promise<Receipt | undefined> {
  const [text, key] = await Promise.all([world.files.read(joinPath(statePath, receiptName)), readSealKey(world)]);
  if (text === undefined || key === undefined) return undefined;
  return receiptSchema.safeParse(unseal(key, text)).data;
}

/** Writes the receipt of a deployment that was verified, sealed with this user's key. */
export async function writeReceipt(world: World, statePath: string, receipt: Receipt): Promise<void> {
  await world.files.makeDirectory(statePath, 0o700);
  const text = JSON.stringify(seal(await sealKey(world), receipt), null, 2);
  await world.files.writeAtomic(joinPath(statePath, receiptName), `${text}\n`, { mode: 0o600, own: true });
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

/** Notes that a project was taken down: nothing of it is applied any more, but how it was deployed is known for the next time. */
export async function clearReceipt(world: World, statePath: string, project: string): Promise<void> {
  const last = receiptFor(project, await readReceipt(world, statePath));
  if (last) await writeReceipt(world, statePath, { ...last, services: [], privileges: [], imageIds: {} });
}
