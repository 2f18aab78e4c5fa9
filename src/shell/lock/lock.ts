import { claimName } from "../../core/deployment/lock-argv.ts";
import { type Holder, type Holding, heldFinding } from "../../core/deployment/lock-holder.ts";
import { joinPath } from "../../core/stack/stack.ts";
import { LockedError } from "../../errors.ts";
import { FileReadError } from "../../files.ts";
import { claimProject, readClaims, releaseProject, unclaim } from "./engine-lock.ts";
import { holdingOf, type LockRequest, type LockWorld, newHolder, noteLeftOver } from "./lock-holder.ts";

/** A lock that comes and goes this often without being free once is busy, whoever it is that holds it. */
const attemptsMax = 100;

/**
 * Runs work while no other deploy does in this folder nor, where something is to change, with this project on its engine.
 * A lock whose owner is dead is taken over with a notice. LockedError (D063, exit 4) where somebody holds one.
 */
export async function withLock<T>(world: LockWorld, request: LockRequest, work: () => Promise<T>): Promise<T> {
  await world.files.makeDirectory(request.statePath, 0o700);
  const me = await newHolder(world, request);
  return holdingFile(world, request, me, () =>
    request.changes ? holdingProject(world, request, me, () => begin(world, work)) : begin(world, work),
  );
}

/** Where the lock of a folder is. */
function lockPathOf(statePath: string): string {
  return joinPath(statePath, "lock");
}

/** A lock that is there, and how it is removed; that is safe for others only once its owner is dead. */
export interface FoundLock extends Holding {
  remove(): Promise<void>;
}

/** Every lock of a folder and of a project on its engine, those of the dead included. */
export async function readLocks(
  world: LockWorld,
  { statePath, project }: { readonly statePath: string; readonly project: string | undefined },
): Promise<FoundLock[]> {
  const names = (await world.files.list(statePath)).filter((name) => /^lock(\.takeover)*$/.test(name));
  const [files, claims] = await Promise.all([
    // A second lock is removed before the one that it is there for.
    Promise.all(names.toReversed().map((name) => findFile(world, statePath, name))),
    project === undefined ? [] : readClaims(world, project),
  ]);
  return [
    ...files.flatMap((found) => found ?? []),
    ...claims.map((claim) => ({ ...claim, remove: async () => void (await unclaim(world, [claim.name])) })),
  ];
}

/** Removes locks of owners that are dead, with a notice; for a command that has nothing else to do and takes none. */
export async function clearLeftOvers(world: LockWorld, place: Parameters<typeof readLocks>[1]): Promise<void> {
  for (const lock of await readLocks(world, place)) {
    if (lock.fate !== "dead") continue;
    await lock.remove();
    world.reporter.note(`removed ${lock.where}, a lock that was left over`);
  }
}

async function findFile(world: LockWorld, statePath: string, name: string): Promise<FoundLock | undefined> {
  const path = joinPath(statePath, name);
  const found = await readLock(world, path);
  if (found === undefined) return undefined;
  const { text, holding } = found;
  const remove = async () => {
    if (text === undefined) return world.files.remove(path);
    if (holding.fate !== "dead") return void (await removeOnly(world, path, text));
    const request = { statePath, project: "", command: "unlock", changes: false };
    const mine = textOf(await newHolder(world, request));
    const cleared = await clear(world, path, text, mine);
    if (cleared.inTheWay !== undefined) throw lockedError(world, request, cleared.inTheWay);
  };
  return { ...holding, remove };
}

/** What was asked early was asked before the lock: it may no longer hold. */
function begin<T>(world: LockWorld, work: () => Promise<T>): Promise<T> {
  world.forgetEarlyAnswers();
  return work();
}

async function holdingFile<T>(world: LockWorld, request: LockRequest, me: Holder, work: () => Promise<T>): Promise<T> {
  const path = lockPathOf(request.statePath);
  const mine = textOf(me);
  const held = await take(world, path, mine);
  if (held !== undefined) throw lockedError(world, request, held);
  try {
    return await work();
  } finally {
    await removeOnly(world, path, mine);
  }
}

async function holdingProject<T>(
  world: LockWorld,
  request: LockRequest,
  me: Holder,
  work: () => Promise<T>,
): Promise<T> {
  const held = await claimProject(world, me);
  if (held !== undefined) throw lockedError(world, request, held);
  try {
    return await work();
  } finally {
    await releaseProject(world, me);
  }
}

function lockedError(world: LockWorld, { statePath, project }: LockRequest, held: Holding): LockedError {
  const isFree = async () => {
    const locks = await readLocks(world, { statePath, project });
    return locks.every(({ fate }) => fate === "dead");
  };
  return new LockedError(heldFinding(held, world.now().getTime()), isFree);
}

/** Takes the lock of a folder, or tells who has it. */
async function take(world: LockWorld, path: string, mine: string): Promise<Holding | undefined> {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    if (await world.files.createExclusive(path, mine, { mode: 0o600 })) return undefined;
    const found = await readLock(world, path);
    if (found === undefined) continue;
    if (found.holding.fate !== "dead" || found.text === undefined) return found.holding;
    const { inTheWay, removed } = await clear(world, path, found.text, mine);
    if (inTheWay !== undefined) return inTheWay;
    if (removed) {
      noteLeftOver(world, found.holding);
      await forget(world, found.holding.holder);
    }
  }
  return { where: path, fate: "unknown" };
}

/** The lock of a folder; one that cannot be read (a damaged disk, another user's) is held by nobody knows whom. */
async function readLock(world: LockWorld, path: string): Promise<{ text?: string; holding: Holding } | undefined> {
  try {
    const text = await world.files.read(path);
    return text === undefined ? undefined : { text, holding: await holdingOf(world, path, text) };
  } catch (error) {
    if (!(error instanceof FileReadError)) throw error;
    return { holding: { where: error.message, fate: "unknown" } };
  }
}

/**
 * Removes a dead holder's lock under a second lock, so that nobody else puts a new one in its place between the look and
 * the removal. Should its holder die as well, that second lock is cleared in the same way.
 */
async function clear(
  world: LockWorld,
  path: string,
  dead: string,
  mine: string,
): Promise<{ readonly inTheWay?: Holding; readonly removed: boolean }> {
  const takeover = `${path}.takeover`;
  const inTheWay = await take(world, takeover, mine);
  if (inTheWay !== undefined) return { inTheWay, removed: false };
  try {
    return { removed: await removeOnly(world, path, dead) };
  } finally {
    await removeOnly(world, takeover, mine);
  }
}

function textOf(holder: Holder): string {
  return `${JSON.stringify(holder)}\n`;
}

/** A command with nothing to change never looks at the engine's side: what a dead owner left there goes with its lock here. */
async function forget(world: LockWorld, holder: Holder | undefined): Promise<void> {
  if (holder !== undefined && holder.token !== "" && holder.project !== "")
    await unclaim(world, [claimName(holder.project, holder.token)]);
}

/** Safe only for whoever alone may change the file: its owner, or the holder of its takeover lock once the owner is dead. */
async function removeOnly({ files }: LockWorld, path: string, content: string): Promise<boolean> {
  if ((await files.read(path)) !== content) return false;
  await files.remove(path);
  return true;
}
