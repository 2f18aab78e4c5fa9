import { spawn } from "node:child_process";
import { access, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { command, type Ended, eventually, output } from "../support/command.ts";
import { createStack, platformConfigs, repositoryRoot, type TestStack } from "../support/stack.ts";
import { type StoppingEngine, startStoppingEngine } from "../support/stopping-engine.ts";

/** Two services from one small image, with a network, a volume and a secret to generate. */
const composeFile = `services:
  store:
    image: sandbox-deploy/test-busybox:1
    command: [sleep, "600"]
    stop_grace_period: 0s
    volumes: [data:/data]
  app:
    image: sandbox-deploy/test-busybox:1
    command: [sleep, "600"]
    stop_grace_period: 0s
    depends_on: [store]
    secrets: [token]
volumes:
  data:
secrets:
  token: { file: "\${SECRETS_DIR:-secrets}/token" }
x-sandbox-deploy-matrix:
  secrets:
    MATRIX_TOKEN: { value: "\${MATRIX_TOKEN:-}", file: token, bytes: 32 }
`;

const signals = ["SIGKILL", "SIGTERM"] as const;
/** No up and no down of this stack makes as many changing calls. */
const callsMax = 60;

/** A stack and the engine in front of which its commands are stopped. */
interface Scene {
  readonly stack: TestStack;
  readonly engine: StoppingEngine;
}

const scenes: Scene[] = [];
afterAll(async () => {
  for (const { stack, engine } of scenes) {
    await engine.close();
    await stack.dispose();
  }
});

async function createScene(name: string): Promise<Scene> {
  const config = "  base: stack.yaml\nplatform:\n  service: app\nhealth: { waitSeconds: 60 }\n";
  const stack = await createStack(name, platformConfigs.localRefusing, config);
  await stack.write("stack.yaml", composeFile);
  const engine = await startStoppingEngine(socketOf(stack), "/var/run/docker.sock");
  scenes.push({ stack, engine });
  return { stack, engine };
}

const socketOf = ({ folder }: TestStack) => join(folder, "engine.sock");

/** Runs a command whose engine stops at its n-th changing call, where it gets the signal; undefined where it makes fewer. */
async function stoppedAt(
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

async function deployOk({ stack }: Scene, ...args: string[]): Promise<Ended> {
  const env = { CI: "true", DOCKER_HOST: `unix://${socketOf(stack)}` };
  const ended = await command(join(repositoryRoot, "deploy"), args, { cwd: stack.folder, env });
  expect(`${args.join(" ")}: ${ended.exitCode}\n${ended.stderr}`).toMatch(/^\w+[^:]*: 0\n/);
  return ended;
}

const secretOf = async ({ stack }: Scene) => /^MATRIX_TOKEN=(.+)$/m.exec(await stack.read(".env"))?.[1];

/** What is half-written, or left of a lock, below the folder of the tool's state. */
async function brokenFiles({ stack }: Scene): Promise<string[]> {
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

async function locksLeft({ stack }: Scene): Promise<string[]> {
  const names = await readdir(join(stack.folder, ".deploy"));
  const claims = await named("volume", `label=sandbox-deploy.lock=${stack.project}`);
  return [...names.filter((name) => /^lock|\.tmp$/.test(name)), ...claims];
}

async function named(kind: "network" | "volume", filter: string): Promise<string[]> {
  const listed = await output("docker", [kind, "ls", "--filter", filter, "--format", "{{.Name}}"]);
  return listed.split("\n").filter((name) => name !== "");
}

describe.concurrent.each(signals)("%s at every call of up and down that changes the engine", (signal) => {
  it("is mended by the next command: no secret changes, nothing is half-written, no lock and nothing else is left", async () => {
    const scene = await createScene(`crash-${signal.toLowerCase()}`);
    const { stack } = scene;
    const byProject = `label=com.docker.compose.project=${stack.project}`;
    const calls: string[] = [];
    let secret: string | undefined;
    for (let count = 1; ; count += 1) {
      expect(count).toBeLessThan(callsMax);
      const inUp = await stoppedAt(scene, count, signal, ["up", "--yes", "--no-build"]);
      const known = secret ?? (await secretOf(scene));
      expect(await brokenFiles(scene)).toEqual([]);
      if (inUp !== undefined) await deployOk(scene, "up", "--yes", "--no-build");
      secret = await secretOf(scene);
      expect(secret).toMatch(/^[\w-]{40,}$/);
      if (known !== undefined) expect(secret).toBe(known);
      expect(await stack.read(".deploy/secrets/token")).toBe(secret);
      expect((await stack.containers()).length).toBe(2);
      expect(await locksLeft(scene)).toEqual([]);

      const inDown = await stoppedAt(scene, count, signal, ["down"]);
      expect(await brokenFiles(scene)).toEqual([]);
      if (inDown !== undefined) await deployOk(scene, "down");
      expect(await secretOf(scene)).toBe(secret);
      expect(await stack.containers()).toEqual([]);
      expect(await named("network", byProject)).toEqual([]);
      expect(await named("volume", byProject)).toEqual([`${stack.project}_data`]);
      expect(await locksLeft(scene)).toEqual([]);
      calls.push(`${count}: ${inUp ?? "-"} | ${inDown ?? "-"}`);
      if (inUp === undefined && inDown === undefined) break;
    }
    // Each kind of change was among those that were stopped.
    for (const part of ["volumes/create", "networks/create", "containers/create", "/start", "DELETE"])
      expect(calls.join("\n")).toContain(part);
    await access(join(stack.folder, ".deploy/receipt.json"));
  });
});
