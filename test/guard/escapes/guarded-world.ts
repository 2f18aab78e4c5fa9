import { decide } from "../../../src/guard/decision/decide.ts";
import { judgeAgain } from "../../../src/guard/decision/judge-again.ts";
import { type RunningGuard, startGuard } from "../../../src/guard/serve/start.ts";
import { type EngineWorld, makeWorld } from "./engine-world.ts";
import { create } from "./escape.ts";
import { field } from "./observe.ts";
import { policyOf, type Width } from "./policy.ts";
import { type RawRequest, send } from "./raw-client.ts";
import type { Named, World } from "./world.ts";

/** The real engine's socket. */
export const enginePath = "/var/run/docker.sock";

/** A world on the real engine with two guards in front of it, one for each width of the policy. */
export interface GuardedWorld extends EngineWorld {
  readonly socketOf: (width: Width | undefined) => string;
  readonly complaints: string[];
}

/** Makes the world; its own sandbox was created and started through the wide guard. */
export async function makeGuardedWorld(): Promise<GuardedWorld> {
  const guards = new Map<Width, { readonly guard: RunningGuard; readonly socketPath: string }>();
  const complaints: string[] = [];
  const start = async (world: World, width: Width) => {
    const socketPath = `${world.root}/../${width}.sock`;
    const guard = await startGuard({
      ...{ policy: policyOf(world, width), policyHash: "test", decide, judge: judgeAgain },
      ...{ listenPath: socketPath, upstreamPath: enginePath, audit: () => undefined, statusPath: undefined },
      complain: (text) => void complaints.push(text),
    });
    guards.set(width, { guard, socketPath });
  };
  const socketOf = (width: Width = "wide"): string => {
    const found = guards.get(width);
    if (found === undefined) throw new Error(`the ${width} guard was not started`);
    return found.socketPath;
  };
  const stop = async (): Promise<void> => {
    for (const { guard } of guards.values()) await guard.stop();
  };
  const engineWorld = await makeWorld(async (world) => {
    if (guards.size === 0) for (const width of ["wide", "narrow"] as const) await start(world, width);
    return runSandbox(socketOf("wide"), world, world.mine.name);
  }).catch(async (error) => {
    await stop();
    throw error;
  });
  return {
    ...engineWorld,
    socketOf,
    complaints,
    async dispose() {
      await stop();
      await engineWorld.dispose();
    },
  };
}

/** Creates and starts a sandbox that lasts, by whichever socket; fails with what was said when it cannot. */
export async function runSandbox(socketPath: string, world: World, name: string): Promise<Named> {
  const config = { Cmd: ["sleep", "100000"] };
  const host = { NetworkMode: world.network.name, Binds: [`${world.root}/threads/t1:/mnt/t1`] };
  const id = await createdId(socketPath, create(world, { name, config, host }));
  const started = await send(socketPath, { method: "POST", target: `/v1.41/containers/${id}/start` });
  if (started.status !== 204) throw new Error(`${name} was not started: ${started.status} ${started.body}`);
  return { name, id };
}

/** The id of the container that a request makes. */
export async function createdId(socketPath: string, request: RawRequest): Promise<string> {
  const { status, body } = await send(socketPath, request);
  if (status !== 201) throw new Error(`nothing was created: ${status} ${body}`);
  return String(field(JSON.parse(body), "Id"));
}
