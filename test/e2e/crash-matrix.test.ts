import { access, readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { output } from "../support/command.ts";
import {
  brokenFiles,
  createScene,
  deployOk,
  endScene,
  type Scene,
  secretOf,
  stateOf,
  stoppedAt,
  variablesOf,
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
      const up = await stateOf(scene);
      expect([up.containers.length, up.locks]).toEqual([2, []]);

      const inDown = await stoppedAt(scene, count, signal, ["down"]);
      expect(await brokenFiles(scene)).toEqual([]);
      if (inDown !== undefined) await deployOk(scene, "down");
      expect(await secretOf(scene)).toBe(secret);
      const data = `${stack.project}_data`;
      expect(await stateOf(scene)).toEqual({ containers: [], networks: [], volumes: [data], locks: [] });
      calls.push(`${count}: ${inUp ?? "-"} | ${inDown ?? "-"}`);
      if (inUp === undefined && inDown === undefined) break;
    }
    // Each kind of change was among those that were stopped.
    for (const part of ["volumes/create", "networks/create", "containers/create", "/start", "DELETE"])
      expect(calls.join("\n")).toContain(part);
    await access(join(stack.folder, ".deploy/receipt.json"));
  });
});

/** The variable of the service as its container has it. */
async function levelOf(scene: Scene): Promise<string> {
  const level = (await variablesOf(scene, "app")).find((each) => each.startsWith("LEVEL="));
  return level?.slice("LEVEL=".length) ?? "none";
}

describe.concurrent.each(signals)("%s at every call of rollback that changes the engine", (signal) => {
  it("is mended by another rollback, and by the next up", async () => {
    const scene = await sceneOf(`back-${signal.toLowerCase()}`);
    const { stack } = scene;
    await deployOk(scene, "up", "--yes", "--no-build");
    const secret = await secretOf(scene);
    await stack.write(".env", `${await stack.read(".env")}LEVEL=two\n`);
    await deployOk(scene, "up", "--yes", "--no-build");
    const [second, first] = JSON.parse((await deployOk(scene, "history", "--json")).stdout).deployments;
    let runs = "two";
    for (let count = 1; ; count += 1) {
      expect(count).toBeLessThan(callsMax);
      // There and back: what runs is another one each time.
      const [id, level] = runs === "two" ? [first.id, "one"] : [second.id, "two"];
      const stopped = await stoppedAt(scene, count, signal, ["rollback", id, "--yes"]);
      expect(await brokenFiles(scene)).toEqual([]);
      const byRollback = count % 2 === 0;
      if (stopped !== undefined)
        await deployOk(scene, ...(byRollback ? ["rollback", id, "--yes"] : ["up", "--yes", "--no-build"]));
      // The newest files are those of the second one.
      runs = stopped === undefined || byRollback ? level : "two";
      expect(await levelOf(scene)).toBe(runs);
      expect(await secretOf(scene)).toBe(secret);
      expect(await stack.read(".deploy/secrets/token")).toBe(secret);
      const now = await stateOf(scene);
      expect([now.containers.length, now.locks]).toEqual([2, []]);
      if (stopped === undefined) break;
    }
  });
});

describe.concurrent.each(signals)("%s at every call of a rotation that changes the engine", (signal) => {
  it("is undone by the next command, unless it was proved already: file, copy and container have one value, and no journal is left", async () => {
    const scene = await sceneOf(`turn-${signal.toLowerCase()}`);
    const { stack } = scene;
    await deployOk(scene, "up", "--yes", "--no-build");
    await stack.write(".env", `${await stack.read(".env")}LEVEL=two\n`);
    await deployOk(scene, "up", "--yes", "--no-build");
    const calls: string[] = [];
    for (let count = 1; ; count += 1) {
      expect(count).toBeLessThan(callsMax);
      const old = await secretOf(scene);
      const stopped = await stoppedAt(scene, count, signal, ["secrets", "rotate", "MATRIX_TOKEN"]);
      expect(await brokenFiles(scene)).toEqual([]);
      // Whichever command comes next mends it; what it does besides is undone by the up after it.
      const next = [[], ["rollback", "--yes"], ["down"]][signal === "SIGKILL" ? count % 3 : 0] ?? [];
      if (stopped !== undefined && next.length > 0) await deployOk(scene, ...next);
      await deployOk(scene, "up", "--yes", "--no-build");
      const now = await secretOf(scene);
      calls.push(`${stopped ?? "-"}: ${now === old ? "old" : "new"}`);
      expect(now).toMatch(/^[\w-]{40,}$/);
      expect(await stack.read(".deploy/secrets/token")).toBe(now);
      expect(await tokenOf(scene)).toBe(now);
      const state = await stateOf(scene);
      expect([state.containers.length, state.locks]).toEqual([2, []]);
      expect(await readdir(join(stack.folder, ".deploy"))).not.toContain("rotation.json");
      if (stopped === undefined) break;
    }
    // A rotation that was stopped before its proof leaves the old value; one that ends has a new one.
    expect(calls.find((call) => call.includes("/start"))).toMatch(/: old$/);
    expect(calls.at(-1)).toBe("-: new");
  });
});

/** The secret as the container of the service reads it. */
async function tokenOf(scene: Scene): Promise<string> {
  const name = (await stateOf(scene)).containers.find((each) => each.includes("-app-")) ?? "";
  return output("docker", ["exec", name, "cat", "/run/secrets/token"]);
}
