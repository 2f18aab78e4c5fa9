import { type Holder, type Holding, parseHolder, placeOf } from "../../core/deployment/lock-holder.ts";
import type { World } from "../../world.ts";

/** What locks need of the world. */
export type LockWorld = Pick<
  World,
  | "files"
  | "host"
  | "user"
  | "process"
  | "now"
  | "reporter"
  | "forgetEarlyAnswers"
  | "randomBytes"
  | "sleep"
  | "run"
  | "env"
  | "signal"
>;

/** What a lock is wanted for. */
export interface LockRequest {
  /** The folder of the tool's state: one deploy at a time in it. */
  readonly statePath: string;
  /** One deploy at a time of it on its engine. */
  readonly project: string;
  readonly command: string;
  /** Whether anything on the engine is to change; only then others are kept from it there. */
  readonly changes: boolean;
}

/** This process as the holder of a lock. */
export async function newHolder(world: LockWorld, request: LockRequest): Promise<Holder> {
  const [started, machine] = await Promise.all([world.process.startOf(world.process.pid), world.process.machine()]);
  const now = world.now();
  return {
    host: world.host,
    pid: world.process.pid,
    started: started ?? "",
    user: world.user,
    command: request.command,
    since: now.toISOString(),
    at: now.getTime(),
    token: Buffer.from(world.randomBytes(8)).toString("hex"),
    project: request.project,
    folder: request.statePath.replace(/\/\.deploy$/, ""),
    machine,
  };
}

/** A lock that is there, judged: only where its process can be looked up, its number may be known to belong to nobody, or to another one by now. */
export async function holdingOf(world: LockWorld, where: string, text: string): Promise<Holding> {
  const holder = parseHolder(text);
  if (holder === undefined) return { where, fate: "unknown" };
  switch (placeOf(holder, world.host, await world.process.machine())) {
    case "elsewhere":
      return { where, fate: "unknown", holder };
    case "gone":
      return { where, fate: "dead", holder };
    case "here":
      return { where, fate: (await isRunning(world, holder)) ? "alive" : "dead", holder };
  }
}

async function isRunning({ process }: LockWorld, { pid, started }: Holder): Promise<boolean> {
  if (!(await process.isRunning(pid))) return false;
  const found = await process.startOf(pid);
  return found === undefined || started === "" || found === started;
}

/** Says that a lock of somebody who died is removed. */
export function noteLeftOver(world: LockWorld, { holder, where }: Holding): void {
  const whose = holder === undefined ? where : `${holder.command} (process ${holder.pid})`;
  world.reporter.note(`the lock of ${whose} is left over: taking it`);
}
