import "../core/schema-settings.ts";
import * as z from "zod";
import { joinPath } from "../core/stack.ts";
import { DeployError, exitCodes } from "../errors.ts";
import type { World } from "../world.ts";

const holderSchema = z.object({
  host: z.string(),
  pid: z.int().positive(),
  /** Empty where the system does not tell when a process began. */
  started: z.string(),
  user: z.string(),
  command: z.string(),
  since: z.string(),
});
type Holder = z.infer<typeof holderSchema>;

type LockWorld = Pick<World, "files" | "host" | "user" | "process" | "now" | "reporter" | "forgetEarlyAnswers">;

/** A lock that comes and goes this often without being free once is busy, whoever it is that holds it. */
const attemptsMax = 100;

/** Runs work while no other deploy in this folder does; a lock whose owner is dead is taken over with a notice. Exit 4 otherwise. */
export async function withLock<T>(
  world: LockWorld,
  statePath: string,
  command: string,
  work: () => Promise<T>,
): Promise<T> {
  await world.files.makeDirectory(statePath, 0o700);
  const me: Holder = {
    host: world.host,
    pid: world.process.pid,
    started: (await world.process.startOf(world.process.pid)) ?? "",
    user: world.user,
    command,
    since: world.now().toISOString(),
  };
  return holding(world, joinPath(statePath, "lock"), `${JSON.stringify(me)}\n`, async () => {
    world.forgetEarlyAnswers();
    return work();
  });
}

async function holding<T>(world: LockWorld, path: string, mine: string, work: () => Promise<T>): Promise<T> {
  await take(world, path, mine);
  try {
    return await work();
  } finally {
    await removeOnly(world, path, mine);
  }
}

async function take(world: LockWorld, path: string, mine: string): Promise<void> {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    if (await world.files.createExclusive(path, mine, { mode: 0o600 })) return;
    const found = await world.files.read(path);
    if (found === undefined) continue;
    const holder = parseHolder(found);
    if (holder === undefined || !(await isDead(world, holder))) throw lockedBy(holder, path);
    await clear(world, path, found, holder, mine);
  }
  throw lockedBy(undefined, path);
}

/**
 * Removes a dead holder's lock under a second lock, so that nobody else puts a new one in its place between the look and
 * the removal. Should its holder die as well, that second lock is cleared in the same way.
 */
function clear(world: LockWorld, path: string, dead: string, holder: Holder, mine: string): Promise<void> {
  return holding(world, `${path}.takeover`, mine, async () => {
    if (await removeOnly(world, path, dead))
      world.reporter.note(`the lock of ${holder.command} (process ${holder.pid}) is left over: taking it`);
  });
}

/** Safe only for whoever alone may change the file: its owner, or the holder of its takeover lock once the owner is dead. */
async function removeOnly({ files }: LockWorld, path: string, content: string): Promise<boolean> {
  if ((await files.read(path)) !== content) return false;
  await files.remove(path);
  return true;
}

function parseHolder(text: string): Holder | undefined {
  try {
    return holderSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Only on the same host can a process be known to be gone, or its number to belong to another one by now. */
async function isDead(world: LockWorld, holder: Holder): Promise<boolean> {
  if (holder.host !== world.host) return false;
  if (!(await world.process.isRunning(holder.pid))) return true;
  const started = await world.process.startOf(holder.pid);
  return started !== undefined && holder.started !== "" && started !== holder.started;
}

function lockedBy(holder: Holder | undefined, path: string): DeployError {
  const who = holder
    ? `${holder.user} runs \`${holder.command}\` since ${holder.since} (process ${holder.pid} on ${holder.host})`
    : `${path} does not tell by whom`;
  const finding = {
    code: "D063",
    severity: "error",
    message: `the lock is held: ${who}`,
    fix: `wait until it ends; if that host or process is gone for good, remove ${path}`,
  } as const;
  return new DeployError([finding], exitCodes.locked);
}
