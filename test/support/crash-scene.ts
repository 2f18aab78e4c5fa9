import { spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { command, type Ended, eventually, output } from "./command.ts";
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
    "  base: stack.yaml\nplatform:\n  service: app\nhealth: { waitSeconds: 60, settleSeconds: 1 }\nhistory: { keep: 500 }\n";
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
export async function brokenFiles({ stack }: Scene): Promise<string[]> {
  const root = join(stack.folder, ".deploy");
  const names = await readdir(root, { recursive: true }).catch((): string[] => []);
  const checked = await Promise.all(
    names.map(async (name) => {
      const text = /\.jsonl?$/.test(name) ? await readFile(join(root, name), "utf8") : undefined;
      const documents = name.endsWith(".jsonl") ? (text ?? "").split("\n").filter((line) => line !== "") : [text];
      return documents.every((document) => document === undefined || isJson(document)) ? [] : [name];
    }),
  );
  return checked.flat();
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Locks in the folder and on the engine. */
export async function locksLeft({ stack }: Scene): Promise<string[]> {
  const names = await readdir(join(stack.folder, ".deploy"));
  const claims = await named("volume", `label=sandbox-deploy.lock=${stack.project}`);
  return [...names.filter((name) => /^lock|\.tmp$/.test(name)), ...claims];
}

/** Names of networks or volumes. */
export async function named(kind: "network" | "volume", filter: string): Promise<string[]> {
  const listed = await output("docker", [kind, "ls", "--filter", filter, "--format", "{{.Name}}"]);
  return listed.split("\n").filter((name) => name !== "");
}
