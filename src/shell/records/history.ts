import {
  type DeploymentRecord,
  deploymentIdPattern,
  expired,
  findDeployment,
  type HistoryEntry,
  mentionedIds,
  missingRecord,
  readRecord,
} from "../../core/deployment/deployment.ts";
import { deploymentTagsArgv, mountsArgv } from "../../core/stack/compose-argv.ts";
import { joinPath } from "../../core/stack/stack.ts";
import { DeployError } from "../../errors.ts";
import { FileReadError, FileWriteError } from "../../files.ts";
import type { World } from "../../world.ts";
import { docker } from "../engine/engine.ts";
import { readSealKey, sealedVersion, unseal } from "../files/seal.ts";

/** The name of the sealed record in its folder. */
export const recordName = "deployment.json";
/** The name of the merged model beside it. */
export const modelName = "model.json";

/** The folder of all records, below that of the tool's state. */
export function historyPath(statePath: string): string {
  return joinPath(statePath, "history");
}

/** Where a record keeps the merged model that was deployed: a Compose file that needs no other. */
export function modelPathOf(statePath: string, id: string): string {
  return joinPath(historyPath(statePath), `${id}/${modelName}`);
}

/** Where a record keeps the copy of a source, or of a file that containers mount. */
export function copyPathOf(statePath: string, id: string, kind: "files" | "mounted", copy: string): string {
  return joinPath(historyPath(statePath), `${id}/${kind}/${copy}`);
}

type Reader = Pick<World, "files" | "home" | "env">;

/**
 * Every record there is, the newest first; one that cannot be read is named all the same. FileReadError where the folder of
 * all of them cannot be read: that there is none would be no answer.
 */
export async function readHistory(world: Reader, statePath: string): Promise<readonly HistoryEntry[]> {
  const path = historyPath(statePath);
  const [ids, key] = await Promise.all([listIds(world, path), readSealKey(world)]);
  return Promise.all(ids.toReversed().map((id) => readEntry(world, path, id, key)));
}

async function readEntry(world: Reader, path: string, id: string, key: string | undefined): Promise<HistoryEntry> {
  const text = (await world.files.read(joinPath(path, `${id}/${recordName}`)).catch(unread)) ?? "";
  return readRecord(id, key === undefined ? undefined : unseal(key, text), sealedVersion(text));
}

/** Every record that can be read, the newest first, for work that goes on without. */
export async function knownHistory(world: Reader, statePath: string): Promise<readonly HistoryEntry[]> {
  return (await readHistory(world, statePath).catch(unread)) ?? [];
}

/** Ids of all records, the oldest first; none where their folder cannot be read. */
export async function recordIds(world: Reader, path: string): Promise<readonly string[]> {
  return (await listIds(world, path).catch(unread)) ?? [];
}

async function listIds(world: Reader, path: string): Promise<readonly string[]> {
  return (await world.files.list(path)).filter((name) => deploymentIdPattern.test(name));
}

/** The record that a word means: `last`, an id, or the beginning of exactly one; anything else is D081 with what there is. */
export async function findRecord(world: World, statePath: string, word: string): Promise<DeploymentRecord> {
  const history = await readHistory(world, statePath);
  const found = findDeployment(history, word);
  if ("entry" in found && found.entry.record !== undefined) return found.entry.record;
  throw new DeployError([missingRecord(word, history, found)]);
}

/** The merged model of a deployment as Compose printed it, secrets included; undefined where none was kept. */
export function readDeployedModel(world: World, statePath: string, id: string): Promise<string | undefined> {
  return world.files.read(modelPathOf(statePath, id)).catch(unread);
}

/** Whether a deployment that has not ended goes on: its process lives on this host. */
export async function isAlive(world: World, { host, process }: DeploymentRecord): Promise<boolean> {
  if (host !== world.host || !(await world.process.isRunning(process.pid))) return false;
  const started = await world.process.startOf(process.pid);
  return started === undefined || process.started === "" || started === process.started;
}

/** Removes older records and the tags of their images, under the lock; what cannot be removed is noted and tried again next time. */
export async function pruneHistory(
  world: World,
  statePath: string,
  { keep, running }: { keep: number; running: string | undefined },
): Promise<void> {
  const path = historyPath(statePath);
  await sweepHalfMade(world, path);
  const history = await knownHistory(world, statePath);
  if (history.length <= keep) return;
  // Of whatever project: one that was renamed, or has another name by a flag, may still run from here.
  const mounts = await docker(world, mountsArgv());
  if (mounts.exitCode !== 0) return;
  const ids = expired(history, { keep, running, mentioned: mentionedIds(path, mounts.stdout) });
  if (ids.length === 0) return;
  const { stdout } = await docker(world, deploymentTagsArgv(ids));
  const tags = stdout.split("\n").filter((line) => line !== "");
  // Tags first: a record without them is found again, tags without their record would never be.
  if (tags.length > 0) await docker(world, ["image", "rm", ...tags]);
  for (const id of ids) await removing(world, world.files.removeTree(joinPath(path, id)));
}

/**
 * Removes what a killed deployment left, under the lock, where nobody else writes: copies that were half-written, which may
 * hold secrets, and a folder that never got its record.
 */
async function sweepHalfMade(world: World, path: string): Promise<void> {
  const list = async (folder: string) => (await world.files.list(folder).catch(unread)) ?? [];
  for (const id of await recordIds(world, path)) {
    const folder = joinPath(path, id);
    const names = await list(folder);
    if (!names.includes(recordName)) {
      await removing(world, world.files.removeTree(folder));
      continue;
    }
    for (const place of [folder, joinPath(folder, "files"), joinPath(folder, "mounted")]) {
      const left = (place === folder ? names : await list(place)).filter((name) => /^\..*\.tmp$/.test(name));
      for (const name of left) await removing(world, world.files.remove(joinPath(place, name)));
    }
  }
}

async function removing(world: World, work: Promise<void>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof FileWriteError)) throw error;
    world.reporter.note(`an old record could not be removed: ${error.message}`);
  });
}

function unread(error: unknown): undefined {
  if (!(error instanceof FileReadError)) throw error;
}
