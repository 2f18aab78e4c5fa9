import "../core/schema-settings.ts";
import * as z from "zod";
import { joinPath } from "../core/stack.ts";
import { DeployError, exitCodes } from "../errors.ts";
import type { World } from "../world.ts";

const holderSchema = z.object({
  host: z.string(),
  pid: z.number(),
  started: z.string(),
  user: z.string(),
  command: z.string(),
  since: z.string(),
});
type Holder = z.infer<typeof holderSchema>;

/** Runs work while no other deploy in this folder does; a lock whose owner is dead is taken over with a notice. Exit 4 otherwise. */
export async function withLock<T>(
  world: World,
  statePath: string,
  command: string,
  work: () => Promise<T>,
): Promise<T> {
  const path = joinPath(statePath, "lock");
  await world.files.makeDirectory(statePath, 0o700);
  const me: Holder = {
    host: world.host,
    pid: world.process.pid,
    started: (await world.process.startOf(world.process.pid)) ?? "",
    user: world.user,
    command,
    since: world.now().toISOString(),
  };
  const text = `${JSON.stringify(me)}\n`;
  if (!(await world.files.createExclusive(path, text, { mode: 0o600 }))) {
    const holder = await readHolder(world, path);
    if (holder && !(await isDead(world, holder))) throw lockedBy(holder, path);
    world.reporter.note(
      `the lock of ${holder ? `${holder.command} (process ${holder.pid})` : "an earlier run"} is left over: taking it`,
    );
    await world.files.remove(path);
    if (!(await world.files.createExclusive(path, text, { mode: 0o600 })))
      throw lockedBy(await readHolder(world, path), path);
  }
  world.forgetEarlyAnswers();
  try {
    return await work();
  } finally {
    await world.files.remove(path);
  }
}

async function readHolder(world: World, path: string): Promise<Holder | undefined> {
  const text = await world.files.read(path);
  try {
    return holderSchema.parse(JSON.parse(text ?? ""));
  } catch {
    return undefined;
  }
}

/** Only on the same host can a process be known to be gone, or its number to belong to another one by now. */
async function isDead(world: World, holder: Holder): Promise<boolean> {
  if (holder.host !== world.host) return false;
  return (await world.process.startOf(holder.pid)) !== holder.started;
}

function lockedBy(holder: Holder | undefined, path: string): DeployError {
  const who = holder
    ? `${holder.user} runs \`${holder.command}\` since ${holder.since} (process ${holder.pid} on ${holder.host})`
    : "another deploy has just begun";
  const finding = {
    code: "D063",
    severity: "error",
    message: `the lock is held: ${who}`,
    fix: `wait until it ends; if that host is gone for good, remove ${path}`,
  } as const;
  return new DeployError([finding], exitCodes.locked);
}
