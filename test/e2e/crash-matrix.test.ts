import { access, readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { output } from "../support/command.ts";
import {
  brokenFiles,
  createScene,
  deployOk,
  endScene,
  locksLeft,
  named,
  type Scene,
  secretOf,
  stoppedAt,
} from "../support/crash-scene.ts";

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
    environment: { LEVEL: "\${LEVEL:-one}" }
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

const scenes: Scene[] = [];
afterAll(async () => {
  for (const scene of scenes) await endScene(scene);
});

async function sceneOf(name: string): Promise<Scene> {
  const scene = await createScene(name, composeFile);
  scenes.push(scene);
  return scene;
}

describe.concurrent.each(signals)("%s at every call of up and down that changes the engine", (signal) => {
  it("is mended by the next command: no secret changes, nothing is half-written, no lock and nothing else is left", async () => {
    const scene = await sceneOf(`crash-${signal.toLowerCase()}`);
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

/** The variable of the service as its container has it, whatever name Compose gave that on its way. */
async function levelOf({ stack }: Scene): Promise<string> {
  const name = (await stack.containers()).find((each) => each.includes("-app-")) ?? "";
  const variables = await output("docker", ["inspect", "--format", "{{json .Config.Env}}", name]);
  return /"LEVEL=(\w+)"/.exec(variables)?.[1] ?? "none";
}

describe.concurrent.each(signals)("%s at every call of rollback that changes the engine", (signal) => {
  it("is mended by another rollback, and by the next up", async () => {
    const scene = await sceneOf(`back-${signal.toLowerCase()}`);
    const { stack } = scene;
    await deployOk(scene, "up", "--yes", "--no-build");
    const secret = await secretOf(scene);
    const [first] = JSON.parse((await deployOk(scene, "history", "--json")).stdout).deployments;
    await stack.write(".env", `${await stack.read(".env")}LEVEL=two\n`);
    await deployOk(scene, "up", "--yes", "--no-build");
    for (let count = 1; ; count += 1) {
      expect(count).toBeLessThan(callsMax);
      const stopped = await stoppedAt(scene, count, signal, ["rollback", first.id, "--yes"]);
      expect(await brokenFiles(scene)).toEqual([]);
      if (stopped !== undefined && count % 2 === 0) await deployOk(scene, "rollback", first.id, "--yes");
      if (stopped === undefined || count % 2 === 0) expect(await levelOf(scene)).toBe("one");
      await deployOk(scene, "up", "--yes", "--no-build");
      expect(await levelOf(scene)).toBe("two");
      expect(await secretOf(scene)).toBe(secret);
      expect(await stack.read(".deploy/secrets/token")).toBe(secret);
      expect((await stack.containers()).length).toBe(2);
      expect(await locksLeft(scene)).toEqual([]);
      if (stopped === undefined) break;
    }
  });
});

describe.concurrent.each(signals)("%s at every call of a rotation that changes the engine", (signal) => {
  it("is undone by the next command, unless it was proved already: file, copy and container have one value, and no journal is left", async () => {
    const scene = await sceneOf(`turn-${signal.toLowerCase()}`);
    const { stack } = scene;
    await deployOk(scene, "up", "--yes", "--no-build");
    const calls: string[] = [];
    for (let count = 1; ; count += 1) {
      expect(count).toBeLessThan(callsMax);
      const old = await secretOf(scene);
      const stopped = await stoppedAt(scene, count, signal, ["secrets", "rotate", "MATRIX_TOKEN"]);
      expect(await brokenFiles(scene)).toEqual([]);
      await deployOk(scene, "up", "--yes", "--no-build");
      const now = await secretOf(scene);
      calls.push(`${stopped ?? "-"}: ${now === old ? "old" : "new"}`);
      expect(now).toMatch(/^[\w-]{40,}$/);
      expect(await stack.read(".deploy/secrets/token")).toBe(now);
      expect(await tokenOf(scene)).toBe(now);
      expect((await stack.containers()).length).toBe(2);
      expect(await locksLeft(scene)).toEqual([]);
      expect(await readdir(join(stack.folder, ".deploy"))).not.toContain("rotation.json");
      if (stopped === undefined) break;
    }
    // A rotation that was stopped before its proof leaves the old value; one that ends has a new one.
    expect(calls.find((call) => call.includes("/start"))).toMatch(/: old$/);
    expect(calls.at(-1)).toBe("-: new");
  });
});

/** The secret as the container of the service reads it. */
async function tokenOf({ stack }: Scene): Promise<string> {
  const name = (await stack.containers()).find((each) => each.includes("-app-")) ?? "";
  return output("docker", ["exec", name, "cat", "/run/secrets/token"]);
}
