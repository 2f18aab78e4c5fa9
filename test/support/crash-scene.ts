import { spawn } from "node:child_process";
import { readdir } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { expect } from "vitest";
import * as z from "zod";
import { command, type Ended, eventually } from "./command.ts";
import { halfWritten } from "./half-written.ts";
import { createStack, platformConfigs, repositoryRoot, type TestStack } from "./stack.ts";
import { type StoppingEngine, startStoppingEngine } from "./stopping-engine.ts";

/** A stack and the engine in front of which its commands are stopped. */
export interface Scene {
  readonly stack: TestStack;
  readonly engine: StoppingEngine;
}

/** Makes a stack of one Compose file; nothing is started yet. */
export async function createScene(name: string, composeFile: string): Promise<Scene> {
  const config =
    "  base: stack.yaml\nplatform:\n  service: app\nhealth: { waitSeconds: 60, settleSeconds: 0 }\nhistory: { keep: 500 }\n";
  const stack = await createStack(name, platformConfigs.localRefusing, config);
  await stack.write("stack.yaml", composeFile);
  return { stack, engine: await startStoppingEngine(socketOf(stack), "/var/run/docker.sock") };
}

/** Removes what a scene has left. */
export async function endScene({ stack, engine }: Scene): Promise<void> {
  await engine.close();
  await stack.dispose();
}

const socketOf = ({ folder }: TestStack) => join(folder, "engine.sock");

/** Runs a command whose engine stops at its n-th changing call, where it gets the signal; undefined where it makes fewer. */
export async function stoppedAt(
  { stack, engine }: Scene,
  count: number,
  signal: NodeJS.Signals,
  args: readonly string[],
): Promise<string | undefined> {
  const stopped = engine.stopAt(count);
  const child = spawn(join(repositoryRoot, "deploy"), args, {
    cwd: stack.folder,
    env: { ...process.env, CI: "true", DOCKER_HOST: `unix://${socketOf(stack)}` },
    stdio: "ignore",
  });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const call = await Promise.race([stopped, ended.then(() => undefined)]);
  if (call !== undefined) child.kill(signal);
  engine.goOn();
  const exitCode = await ended;
  if (call === undefined) expect(exitCode).toBe(0);
  // At the last call, which gives the lock free, all is done already.
  else expect([null, 130, 0]).toContain(exitCode);
  // What the killed one has started ends by itself: nobody reads what it says.
  await eventually(async () => expect(engine.connections()).toBe(0));
  return call;
}

/** Runs a command by way of the same engine; it has to end well. */
export async function deployOk({ stack }: Scene, ...args: string[]): Promise<Ended> {
  const env = { CI: "true", DOCKER_HOST: `unix://${socketOf(stack)}` };
  const ended = await command(join(repositoryRoot, "deploy"), args, { cwd: stack.folder, env });
  expect(`${args.join(" ")}: ${ended.exitCode}\n${ended.stderr}`).toMatch(/^\w+[^:]*: 0\n/);
  return ended;
}

/** The secret that was generated. */
export const secretOf = async ({ stack }: Scene) => /^MATRIX_TOKEN=(.+)$/m.exec(await stack.read(".env"))?.[1];

/** What is half-written, or left of a lock, below the folder of the tool's state. */
export const brokenFiles = ({ stack }: Scene): Promise<string[]> => halfWritten(join(stack.folder, ".deploy"));

/** What there is of a scene on its engine, asked without a client of Docker, whose start costs more than the answer. */
export interface EngineState {
  /** Names, sorted. */
  readonly containers: readonly string[];
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
  /** Locks on the engine and in the folder. */
  readonly locks: readonly string[];
}

/** Looks what there is of a scene. */
export async function stateOf({ stack }: Scene): Promise<EngineState> {
  const own = filter(`com.docker.compose.project=${stack.project}`);
  const [containers, networks, { Volumes: volumes }, { Volumes: claims }, names] = await Promise.all([
    ask(`/containers/json?all=1&${own}`, z.array(z.object({ Names: z.array(z.string()) }))),
    ask(`/networks?${own}`, named),
    ask(`/volumes?${own}`, volumeList),
    ask(`/volumes?${filter(`sandbox-deploy.lock=${stack.project}`)}`, volumeList),
    readdir(join(stack.folder, ".deploy")),
  ]);
  return {
    containers: containers.map(({ Names: [name = ""] }) => name.slice(1)).toSorted(),
    networks: networks.map(({ Name }) => Name),
    volumes: (volumes ?? []).map(({ Name }) => Name),
    locks: [...names.filter((name) => /^lock|\.tmp$/.test(name)), ...(claims ?? []).map(({ Name }) => Name)],
  };
}

const named = z.array(z.object({ Name: z.string() }));
const volumeList = z.object({ Volumes: named.nullable() });
const filter = (label: string) => `filters=${encodeURIComponent(JSON.stringify({ label: [label] }))}`;

/** What a container was made with, by the end of its service's name, whatever name Compose gave it on its way. */
export async function variablesOf(scene: Scene, service: string): Promise<readonly string[]> {
  const name = (await stateOf(scene)).containers.find((each) => each.includes(`-${service}-`)) ?? "";
  return (await ask(`/containers/${name}/json`, z.object({ Config: z.object({ Env: z.array(z.string()) }) }))).Config
    .Env;
}

function ask<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: "/var/run/docker.sock", path: `/v1.41${path}` }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      answer.on("end", () => {
        if (answer.statusCode === 200) resolve(schema.parse(JSON.parse(text)));
        else reject(new Error(`${path} is answered with ${answer.statusCode}: ${text}`));
      });
    });
    asked.on("error", reject).end();
  });
}
